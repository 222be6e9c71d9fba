// seed 21000704
// intended: SYN that nobody acknowledged
connecting mss 1000 sack wscale 7 win 65535 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000148 0.000205 0.000243 0.000287 0.000398 0.012502 0.012682
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment S from next len 0 win 1000
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  @ 0.012716 0.024767 0.024924
  % state 3, options 6, wscale 119, snd_mss 500, rcv_mss 500, segs_out 2, segs_in 1, snd_wnd 1000
segment . from next len 0 ack same win 1000 sack block 1000 1000
  @ 0.024952 0.037032 0.037154
  % state 1, snd_mss 1000, rcv_mss 536, segs_in 2, delivered 1, snd_wnd 128000
