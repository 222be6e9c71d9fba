// seed 3005338
active mss 1000 sack timestamps win 32792 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 64240 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000146 0.000197 0.000233 0.000279 0.000338 0.012408 0.032487 0.032548 0.044619 0.044747
  % state 1, options 3, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 32792
write 100
  > +0.000 P. 1:101(100) ack 1 win 64240 urg 0 <ecr 100001>
  = 100 read 0
  @ 0.044843 0.056905 0.057001
  % unacked 1, segs_out 3, data_segs_out 1, bytes_sent 100
segment . from next len 0 ack same win 1000 sack unsent
  @ 0.057073 0.069135 0.069221
  % segs_in 2, snd_wnd 1000
segment . from before 1000 len 2000 ack all win 1000
  > +0.000 . 101:101(0) ack 1001 win 63240 urg 0 <ecr 100003, sack 4294966297:1>
  @ 0.069324 0.081422 0.081550
  % rcv_mss 1448, unacked 0, bytes_acked 101, bytes_received 1000, segs_out 4, segs_in 3, data_segs_in 1, delivered 2
write 1
  > +0.000 P. 101:102(1) ack 1001 win 63240 urg 0 <ecr 100003>
  = 1 read 0
  @ 0.081623 0.093708 0.093830
  % unacked 1, segs_out 5, data_segs_out 2, bytes_sent 101
read 10000
  = 1000 read 1000
  @ 0.093923 0.106026 0.106185
  % same
wait 15
  @ 0.121273 0.121391
  % same
segment P. from edge-plus 0 len 1000 ack old 1000 win 1000
  > +0.000 . 102:102(0) ack 1001 win 63240 urg 0 <ecr 100003>
  @ 0.121440 0.133488 0.133562
  % segs_out 6, segs_in 4, data_segs_in 2
write 100
  = 100 read 0
  @ 0.133605 0.145716 0.145964
  % notsent_bytes 100
read 100
  = errno 11 read 0
  @ 0.146072 0.158142 0.158234
  % same
write 3500
  > +0.000 . 102:1090(988) ack 1001 win 63240 urg 0 <ecr 100003>
  = 3500 read 0
  @ 0.158317 0.170413 0.170527
  % unacked 2, segs_out 7, notsent_bytes 2612, data_segs_out 3, bytes_sent 1089
segment . from before 1000 len 1000 ack all win 1000
  > +0.000 . 1090:2066(976) ack 1001 win 63240 urg 0 <ecr 100005, sack 1:1001>
  > +0.000 P. 2066:2090(24) ack 1001 win 63240 urg 0 <ecr 100005, sack 1:1001>
  @ 0.170648 0.182727 0.182856
  % bytes_acked 1090, segs_out 9, segs_in 5, notsent_bytes 1612, data_segs_in 3, data_segs_out 5, delivered 4, bytes_sent 2089
shutdown 1
  = 0 read 0
  @ 0.182911 0.194981 0.195070
  % state 4, notsent_bytes 1613
write 5000
  = errno 32 read 0
  @ 0.195155 0.207220 0.207332
  % same
