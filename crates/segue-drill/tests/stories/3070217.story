// seed 3070217
// intended: text in a SYN-ACK
connecting mss 100 timestamps wscale 14 win 2000 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000159 0.000213 0.000257 0.000319 0.000396 0.012458 0.012583
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment S. from next len 100 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  @ 0.012640 0.024706 0.024829
  % state 1, options 5, wscale 126, snd_mss 88, unacked 0, advmss 1448, bytes_acked 1, segs_out 2, segs_in 1, data_segs_in 1, delivered 1, snd_wnd 1000
