// seed 55000363
passive mss 1000 sack timestamps wscale 14 win 32792 cubic
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000104 0.000147 0.000164 0.000198 0.000222 0.000278 0.020396 0.020508 0.032627 0.032801 0.032853
  % state 1, options 7, wscale 126, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 16384000
write 100 oob
  > +0.000 P.U 1:101(100) ack 1 win 510 urg 100 <ecr 100002>
  = 100 read 0
  @ 0.032956 0.045105 0.045220
  % unacked 1, segs_out 1, data_segs_out 1, bytes_sent 100
segment P. from next len 100 ack all win 1000
  > +0.000 . 101:101(0) ack 101 win 510 urg 0 <ecr 100003>
  @ 0.045308 0.057423 0.057528
  % unacked 0, bytes_acked 100, bytes_received 100, segs_out 2, segs_in 3, data_segs_in 1, delivered 2
write 2000
  > +0.000 . 101:1089(988) ack 101 win 510 urg 0 <ecr 100003>
  > +0.000 P. 1089:2077(988) ack 101 win 510 urg 0 <ecr 100003>
  > +0.000 P. 2077:2101(24) ack 101 win 510 urg 0 <ecr 100003>
  = 2000 read 0
  @ 0.057602 0.069721 0.069825
  % unacked 3, segs_out 5, data_segs_out 4, bytes_sent 2100
wait 100
  > +0.034 P. 2077:2101(24) ack 101 win 510 urg 0 <ecr 100003>
  @ 0.170002 0.170117
  % total_retrans 1, segs_out 6, data_segs_out 5, bytes_sent 2124, bytes_retrans 24
write 10000 oob
  > +0.000 .U 2101:3089(988) ack 101 win 510 urg 10000 <ecr 100003>
  > +0.000 .U 3089:4077(988) ack 101 win 510 urg 9012 <ecr 100003>
  > +0.000 .U 4077:5065(988) ack 101 win 510 urg 8024 <ecr 100003>
  > +0.000 .U 5065:6053(988) ack 101 win 510 urg 7036 <ecr 100003>
  > +0.000 .U 6053:7041(988) ack 101 win 510 urg 6048 <ecr 100003>
  > +0.000 .U 7041:8029(988) ack 101 win 510 urg 5060 <ecr 100003>
  > +0.000 .U 8029:9017(988) ack 101 win 510 urg 4072 <ecr 100003>
  = 10000 read 0
  @ 0.170216 0.182320 0.182424
  % unacked 10, segs_out 13, notsent_bytes 3084, data_segs_out 12, bytes_sent 9040
segment .U from next len 1000 ack all win 1000 urgent 1000
  > +0.000 .U 9017:10005(988) ack 1101 win 503 urg 3084 <ecr 100004>
  > +0.000 .U 10005:10993(988) ack 1101 win 503 urg 2096 <ecr 100004>
  > +0.000 .U 10993:11981(988) ack 1101 win 503 urg 1108 <ecr 100004>
  > +0.000 P.U 11981:12101(120) ack 1101 win 503 urg 120 <ecr 100004>
  @ 0.182532 0.194663 0.194762
  % rcv_mss 1000, unacked 4, snd_ssthresh 7, snd_cwnd 8, bytes_acked 9016, bytes_received 1100, segs_out 17, segs_in 4, notsent_bytes 0, data_segs_in 2, data_segs_out 16, delivered 12, bytes_sent 12124
segment P. from edge-plus 0 len 1 ack all win 1000
  > +0.000 . 12101:12101(0) ack 1101 win 503 urg 0 <ecr 100004>
  @ 0.194954 0.207070 0.207176
  % segs_out 18, segs_in 5, data_segs_in 3
wait 20
  > +0.016 P.U 11981:12101(120) ack 1101 win 503 urg 120 <ecr 100004>
  @ 0.227294 0.227446
  % total_retrans 2, segs_out 19, data_segs_out 17, bytes_sent 12244, bytes_retrans 144
segment . from next len 0 ack same win 1000 sack block 1000 1000
  @ 0.227517 0.239656 0.239761
  % unacked 0, bytes_acked 12100, segs_in 6, delivered 16
segment . from beyond 1000 len 1000 ack same win 1000
  > +0.000 . 12101:12101(0) ack 1101 win 503 urg 0 <ecr 100006, sack 2101:3101>
  @ 0.239845 0.255753 0.255865
  % segs_out 20, segs_in 7, data_segs_in 4, rcv_ooopack 1
