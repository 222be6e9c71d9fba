// seed 20000090
connecting mss 1000 sack timestamps wscale 7 win 65535 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000163 0.000259 0.000358 0.000436 0.000521 0.012577 0.012707
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment S from next len 0 win 1000
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  @ 0.012745 0.024814 0.024941
  % state 3, options 7, wscale 119, snd_mss 500, rcv_mss 500, segs_out 2, segs_in 1, snd_wnd 1000
read 1
  = errno 11 read 0
  @ 0.025010 0.037078 0.037233
  % same
segment S. from next len 0 ack unsent 1 win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  @ 0.037270 0.049322 0.049472
  % segs_out 3, segs_in 2
segment . from next len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001, sack 2:1002>
  @ 0.049506 0.061581 0.061770
  % state 1, snd_mss 988, rcv_mss 1000, unacked 0, advmss 1448, bytes_acked 1, segs_out 4, segs_in 3, data_segs_in 1, delivered 2, rcv_ooopack 1, snd_wnd 128000
wait 15
  @ 0.076824 0.076940
  % same
read 1000
  = errno 11 read 0
  @ 0.077011 0.089067 0.089167
  % same
wait 15
  @ 0.104218 0.104319
  % same
wait 300
  @ 0.404372 0.404481
  % same
segment . from next len 1000 ack same win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001, sack 2:2002>
  @ 0.404529 0.416566 0.416691
  % segs_out 5, segs_in 4, data_segs_in 2, rcv_ooopack 2
segment P. from beyond 1000 len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001, sack 3002:4002, sack 2:2002>
  @ 0.416714 0.428757 0.428865
  % segs_out 6, segs_in 5, data_segs_in 3, rcv_ooopack 3
wait 20
  @ 0.448926 0.449028
  % same
segment . from next len 0 ack all win 1000
  @ 0.449046 0.461082 0.461159
  % segs_in 6
