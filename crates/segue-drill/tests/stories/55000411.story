// seed 55000411
// intended: text beside an old acknowledgment
active mss 1000 sack timestamps wscale 7 win 32792 cubic
  > +0.003 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.036 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.003007 0.003076 0.003114 0.003154 0.003233 0.015339 0.035453 0.035548 0.047668 0.047787
  % state 1, options 7, wscale 119, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 32792
write 10000
  > +0.000 . 1:989(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 989:1977(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 1977:2965(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 2965:3953(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 3953:4941(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 4941:5929(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 5929:6917(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 6917:7905(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 7905:8893(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 8893:9881(988) ack 1 win 502 urg 0 <ecr 100001>
  = 10000 read 0
  @ 0.047892 0.060024 0.060143
  % unacked 10, segs_out 12, notsent_bytes 120, data_segs_out 10, bytes_sent 9880
read 1000
  = errno 11 read 0
  @ 0.060197 0.072352 0.072485
  % same
segment . from next len 0 ack all win 1000
  > +0.000 P. 9881:10001(120) ack 1 win 502 urg 0 <ecr 100002>
  @ 0.072596 0.084755 0.084876
  % unacked 1, snd_cwnd 20, bytes_acked 9881, segs_out 13, segs_in 2, notsent_bytes 0, data_segs_out 11, delivered 11, bytes_sent 10000, snd_wnd 128000
segment . from next len 1460 ack old 1000 win 1000
  > +0.000 . 10001:10001(0) ack 1461 win 525 urg 0 <ecr 100003>
  @ 0.084975 0.097102 0.097222
  % rcv_mss 1448, bytes_received 1460, segs_out 14, segs_in 3, data_segs_in 1
