// seed 3070386
// intended: segments cut anew
active mss 1460 timestamps wscale 7 win 2000 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000137 0.000259 0.000308 0.000374 0.000482 0.012530 0.032621 0.032682 0.044748 0.045019
  % state 1, options 5, wscale 119, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 2000
write 10000 oob
  > +0.000 .U 1:1001(1000) ack 1 win 502 urg 10000 <ecr 100001>
  > +0.000 .U 1001:2001(1000) ack 1 win 502 urg 9000 <ecr 100001>
  = 10000 read 0
  @ 0.045162 0.057219 0.057341
  % unacked 2, segs_out 4, notsent_bytes 8000, data_segs_out 2, bytes_sent 2000
segment . from next len 0 ack all win 1000
  > +0.000 .U 2001:3449(1448) ack 1 win 502 urg 8000 <ecr 100002>
  > +0.000 .U 3449:4897(1448) ack 1 win 502 urg 6552 <ecr 100002>
  > +0.000 .U 4897:6001(1104) ack 1 win 502 urg 5104 <ecr 100002>
  > +0.000 .U 6001:7449(1448) ack 1 win 502 urg 4000 <ecr 100002>
  > +0.000 .U 7449:8897(1448) ack 1 win 502 urg 2552 <ecr 100002>
  > +0.000 P.U 8897:10001(1104) ack 1 win 502 urg 1104 <ecr 100002>
  @ 0.057407 0.069472 0.069607
  % snd_mss 1448, unacked 6, bytes_acked 2001, segs_out 10, segs_in 2, notsent_bytes 0, data_segs_out 8, delivered 3, bytes_sent 10000, snd_wnd 128000
