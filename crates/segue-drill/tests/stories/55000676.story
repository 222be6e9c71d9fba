// seed 55000676
// intended: urgent byte beyond the window
active mss 1000 sack wscale 7 win 0 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <>
  = errno 115 read 0
  @ 0.000130 0.000156 0.000174 0.000201 0.000289 0.012419 0.032573 0.032681 0.044843 0.044963
  % state 1, options 6, wscale 119, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1
segment .U from edge-plus 0 len 1000 ack all win 1000 urgent 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <>
  @ 0.045068 0.057386 0.057628
  % segs_out 3, segs_in 2, data_segs_in 1, snd_wnd 128000
read 10000 oob
  = 1 read 1
  @ 0.057734 0.069876 0.069999
  % same
