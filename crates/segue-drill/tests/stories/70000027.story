// seed 70000027
passive mss 1000 sack wscale 0 win 32792 cubic
  > +0.001 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7>
  = 0 read 0
  @ 0.000218 0.000281 0.000331 0.000399 0.000451 0.000522 0.020633 0.020730 0.032843 0.033060 0.033115
  % state 1, options 6, wscale 112, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
wait 100
  @ 0.133243 0.133432
  % same
set 6 10 4000
  = 0 read 0
  @ 0.133509 0.145602 0.145951
  % same
write 5000 more
  > +0.000 . 1:501(500) ack 1 win 502 urg 0 <>
  > +0.000 P. 501:1001(500) ack 1 win 502 urg 0 <>
  = 5000 read 0
  @ 0.146095 0.158192 0.158392
  % unacked 2, segs_out 2, notsent_bytes 4000, data_segs_out 2, bytes_sent 1000
segment F. from before 500 len 1000 ack all win 1000
  > +0.000 . 1001:1501(500) ack 502 win 499 urg 0 <>
  > +0.000 P. 1501:2001(500) ack 502 win 499 urg 0 <>
  @ 0.158514 0.170611 0.170813
  % state 8, rcv_mss 1000, bytes_acked 1000, bytes_received 501, segs_out 4, segs_in 3, notsent_bytes 3000, data_segs_in 1, data_segs_out 4, delivered 3, bytes_sent 2000
read 10
  = 10 read 10
  @ 0.170932 0.183021 0.183216
  % same
read 100
  = 100 read 100
  @ 0.183328 0.195415 0.195615
  % same
segment P. from beyond 3000 len 100 ack same win 1000
  > +0.007 P. 1501:2001(500) ack 502 win 499 urg 0 <>
  @ 0.195704 0.207792 0.207991
  % total_retrans 1, segs_out 5, segs_in 4, data_segs_in 2, data_segs_out 5, bytes_sent 2500, bytes_retrans 500
segment SF from beyond 1 len 0 win 1000
  > +0.000 . 2001:2001(0) ack 502 win 499 urg 0 <>
  @ 0.208088 0.220192 0.220396
  % segs_out 6, segs_in 5
segment . from next len 0 ack same win 1000 sack block 1000 3000
  @ 0.220488 0.232594 0.232812
  % segs_in 6
segment P. from edge-plus 0 len 2000 ack same win 1000
  > +0.000 . 2001:2001(0) ack 502 win 499 urg 0 <>
  @ 0.232929 0.245028 0.245239
  % segs_out 7, segs_in 7, data_segs_in 3
segment . from next len 0 ack same win 0 sack block 1000 3000
  @ 0.245332 0.257420 0.257629
  % segs_in 8
wait 20
  @ 0.277738 0.277953
  % same
segment . from next len 0 ack same win 1000 stamp old
  @ 0.278047 0.290157 0.290370
  % segs_in 9
