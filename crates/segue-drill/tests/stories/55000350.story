// seed 55000350
passive sack timestamps wscale 14 win 32792 cubic
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000126 0.000154 0.000175 0.000201 0.000234 0.000289 0.023751 0.023849 0.035974 0.036120 0.036146
  % state 1, options 7, wscale 126, snd_mss 524, rcv_mss 524, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 16384000
write 1 oob
  > +0.000 P.U 1:2(1) ack 1 win 510 urg 1 <ecr 100002>
  = 1 read 0
  @ 0.036211 0.048320 0.048424
  % unacked 1, segs_out 1, data_segs_out 1, bytes_sent 1
segment FP. from next len 1000 ack all win 1000
  @ 0.048507 0.060632 0.060745
  % state 8, rcv_mss 1000, unacked 0, bytes_acked 1, bytes_received 1001, segs_in 3, data_segs_in 1, delivered 2
set 6 12 1
  > +0.000 . 2:2(0) ack 1002 win 503 urg 0 <ecr 100003>
  = 0 read 0
  @ 0.060800 0.072927 0.073044
  % segs_out 2
write 10
  > +0.000 P. 2:12(10) ack 1002 win 503 urg 0 <ecr 100003>
  = 10 read 0
  @ 0.073116 0.085246 0.085357
  % unacked 1, segs_out 3, data_segs_out 2, bytes_sent 11
