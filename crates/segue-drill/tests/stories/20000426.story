// seed 20000426
passive mss 1000 wscale 7 win 0 reno
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, wscale 7>
  = 0 read 0
  @ 0.000136 0.000179 0.000222 0.000269 0.000323 0.000351 0.020407 0.020451 0.032510 0.032623 0.032684
  % state 1, options 4, wscale 119, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
write 3500
  > +0.000 . 1:1001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 1001:2001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 2001:3001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 3001:3501(500) ack 1 win 502 urg 0 <>
  = 3500 read 0
  @ 0.032768 0.044810 0.044954
  % unacked 4, segs_out 4, data_segs_out 4, bytes_sent 3500
wait 20
  @ 0.064997 0.065104
  % same
segment . from next len 0 ack more 1000 win 1000 sack block 1000 1000
  @ 0.065127 0.077180 0.077264
  % unacked 3, bytes_acked 1000, segs_in 3, delivered 2
segment P. from before 1000 len 100 ack same win 1000
  > +0.000 . 3501:3501(0) ack 1 win 502 urg 0 <>
  @ 0.077288 0.089348 0.089441
  % segs_out 5, segs_in 4, data_segs_in 1
wait 15
  @ 0.104486 0.104565
  % same
segment . from next len 0 ack same win 1000 sack block 1000 1000
  @ 0.104587 0.116627 0.116694
  % ca_state 1, sacked 1, segs_in 5, delivered 3
write 10
  = 10 read 0
  @ 0.116767 0.128809 0.128909
  % notsent_bytes 10
write 10000
  > +0.000 . 3501:4501(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 4501:5501(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 5501:6501(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 6501:7501(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 7501:8501(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 8501:9501(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 9501:10501(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 10501:11501(1000) ack 1 win 502 urg 0 <>
  = 10000 read 0
  @ 0.128997 0.141037 0.141100
  % unacked 11, segs_out 13, notsent_bytes 2010, data_segs_out 12, bytes_sent 11500
wait 20
  @ 0.161168 0.161256
  % same
segment . from next len 0 ack all win 1000
  > +0.000 . 11501:12501(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 12501:13501(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 13501:13511(10) ack 1 win 502 urg 0 <>
  @ 0.161295 0.173345 0.173439
  % ca_state 0, unacked 3, sacked 0, snd_cwnd 20, bytes_acked 11500, segs_out 16, segs_in 6, notsent_bytes 0, data_segs_out 15, delivered 13, bytes_sent 13510
error
  = 0 read 0
  @ 0.173485 0.185538 0.185638
  % same
read 1000
  = errno 11 read 0
  @ 0.185694 0.197743 0.197815
  % same
