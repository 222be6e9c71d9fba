// seed 21000157
// intended: window that nobody scales
connecting mss 1000 sack win 32792 cubic
  > +0.001 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000168 0.000278 0.000346 0.000469 0.000589 0.012642 0.012844
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment S from next len 0 win 1000
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  @ 0.012876 0.024957 0.025112
  % state 3, options 2, snd_mss 500, rcv_mss 500, segs_out 2, segs_in 1, snd_wnd 1000
segment S. from next len 0 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <>
  @ 0.025141 0.037194 0.037302
  % segs_out 3, segs_in 2
