// seed 70000350
passive mss 1000 sack win 32792 cubic
  > +0.001 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK>
  = 0 read 0
  @ 0.000317 0.000380 0.000425 0.000482 0.000527 0.000593 0.020707 0.020806 0.032905 0.033167 0.033320
  % state 1, options 2, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
segment . from next len 0 ack all win 1000
  @ 0.033416 0.045517 0.045718
  % segs_in 3
set 6 1 1
  = 0 read 0
  @ 0.045825 0.057920 0.058126
  % same
wait 100
  @ 0.158242 0.158485
  % same
write 10000
  > +0.000 . 1:501(500) ack 1 win 64240 urg 0 <>
  > +0.000 P. 501:1001(500) ack 1 win 64240 urg 0 <>
  = 10000 read 0
  @ 0.158649 0.170744 0.170939
  % unacked 2, segs_out 2, notsent_bytes 9000, data_segs_out 2, bytes_sent 1000
shutdown 1
  = 0 read 0
  @ 0.171036 0.183144 0.185356
  % state 4, notsent_bytes 9001
segment P. from next len 2000 ack same win 1000
  > +0.000 . 1001:1001(0) ack 2001 win 62240 urg 0 <>
  @ 0.185494 0.197589 0.197817
  % rcv_mss 1460, bytes_received 2000, segs_out 3, segs_in 4, data_segs_in 1
segment F. from next len 1000 ack all win 1000 stamp missing
  > +0.000 . 1001:1001(0) ack 3002 win 61239 urg 0 <>
  > +0.000 . 1001:1501(500) ack 3002 win 61239 urg 0 <>
  > +0.000 P. 1501:2001(500) ack 3002 win 61239 urg 0 <>
  @ 0.197931 0.210042 0.210299
  % state 11, bytes_acked 1000, bytes_received 3001, segs_out 6, segs_in 5, notsent_bytes 8001, data_segs_in 2, data_segs_out 4, delivered 3, bytes_sent 2000
segment P. from edge-plus 1000 len 100 ack same win 1000
  > +0.000 . 2001:2001(0) ack 3002 win 61239 urg 0 <>
  @ 0.210405 0.222532 0.222753
  % segs_out 7, segs_in 6, data_segs_in 3
wait 20
  @ 0.242880 0.243072
  % same
segment . from next len 0 ack same win 1000 sack block 1000 1000
  > +0.006 P. 1501:2001(500) ack 3002 win 61239 urg 0 <>
  @ 0.243155 0.255259 0.255475
  % total_retrans 1, segs_out 8, segs_in 7, data_segs_out 5, bytes_sent 2500, bytes_retrans 500
segment F. from before 500 len 100 ack all win 1000
  > +0.000 . 2001:2001(0) ack 3002 win 61239 urg 0 <sack 2502:2603>
  @ 0.255560 0.267661 0.267896
  % segs_out 9, segs_in 8, data_segs_in 4
