// seed 21000440
// intended: refused or reset
connecting mss 100 sack wscale 7 win 2000 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000137 0.000186 0.000227 0.000270 0.000339 0.012383 0.012512
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment S from next len 0 win 1000
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  @ 0.012543 0.024617 0.024734
  % state 3, options 6, wscale 119, snd_mss 100, rcv_mss 100, segs_out 2, segs_in 1, snd_wnd 1000
segment R. from next len 0 ack all win 1000
  @ 0.024763 0.036825 0.036944
  % state 7, unacked 0, segs_in 2
write 1000
  = errno 104 read 0
  @ 0.037025 0.049081 0.049191
  % same
