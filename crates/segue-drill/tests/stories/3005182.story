// seed 3005182
passive mss 1460 sack timestamps wscale 7 win 32792 cubic
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000112 0.000153 0.000187 0.000228 0.000262 0.000300 0.020371 0.020428 0.032496 0.032575 0.032591
  % state 1, options 7, wscale 119, snd_mss 1448, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
wait 20
  @ 0.052672 0.052761
  % same
segment . from next len 0 ack same win 5 sack unsent
  @ 0.052799 0.064860 0.064934
  % segs_in 3
wait 20
  @ 0.085024 0.085175
  % same
segment . from next len 0 ack old 500 win 1000
  > +0.000 . 1:1(0) ack 1 win 510 urg 0 <ecr 100004>
  @ 0.085249 0.097326 0.097455
  % segs_out 1, segs_in 4
read 10000
  = errno 11 read 0
  @ 0.097513 0.109560 0.109612
  % same
segment P. from before 1000 len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 510 urg 0 <ecr 100005, sack 4294966297:1>
  @ 0.109657 0.121767 0.121849
  % segs_out 2, segs_in 5, data_segs_in 1
segment . from next len 0 ack all win 1000
  @ 0.121887 0.133962 0.134039
  % segs_in 6
write 1
  > +0.000 P. 1:2(1) ack 1 win 510 urg 0 <ecr 100006>
  = 1 read 0
  @ 0.134117 0.146235 0.146357
  % unacked 1, segs_out 3, data_segs_out 1, bytes_sent 1
