// seed 3005601
passive mss 1460 sack wscale 0 win 32792 reno
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7>
  = 0 read 0
  @ 0.000112 0.000158 0.000197 0.000278 0.000314 0.000352 0.020411 0.020463 0.032518 0.032658 0.032697
  % state 1, options 6, wscale 112, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
segment P. from next len 2000 ack all win 1000
  > +0.000 . 1:1(0) ack 2001 win 487 urg 0 <>
  @ 0.032744 0.044826 0.044915
  % rcv_mss 1460, bytes_received 2000, segs_out 1, segs_in 3, data_segs_in 1
wait 20
  @ 0.064977 0.065096
  % same
segment . from next len 0 ack all win 1000
  @ 0.065133 0.077211 0.077329
  % segs_in 4
segment . from beyond 1000 len 1 ack all win 1000
  > +0.000 . 1:1(0) ack 2001 win 487 urg 0 <sack 3001:3002>
  @ 0.077407 0.090720 0.090818
  % segs_out 2, segs_in 5, data_segs_in 2, rcv_ooopack 1
segment . from next len 0 ack same win 1000 sack two 1000 1000
  @ 0.090853 0.102963 0.103031
  % segs_in 6
segment . from next len 1000 ack same win 1000
  > +0.000 . 1:1(0) ack 3002 win 480 urg 0 <>
  @ 0.103080 0.115142 0.115245
  % bytes_received 3001, segs_out 3, segs_in 7, data_segs_in 3
wait 15
  @ 0.130308 0.130409
  % same
close
  > +0.000 R. 1:1(0) ack 3002 win 480 urg 0 <>
  = 0 read 0
  @ 0.130493 0.142567
  % gone
close
  @ 0.154648
  % gone
segment . from next len 2000 ack all win 1000
  > +0.000 R 1:1(0) ack 0 win 0 urg 0 <>
  @ 0.154707 0.166798
  % gone
segment . from next len 0 ack all win 1000 stamp missing
  > +0.000 R 1:1(0) ack 0 win 0 urg 0 <>
  @ 0.166851 0.179009
  % gone
write 10000
  @ 0.191088
  % gone
