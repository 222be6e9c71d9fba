// seed 3005026
active mss 1000 timestamps wscale 14 win 0 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.032 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000142 0.000174 0.000199 0.000236 0.000291 0.012364 0.032442 0.032497 0.044559 0.044660
  % state 1, options 5, wscale 126, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1
segment P. from next len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1001 win 495 urg 0 <ecr 100002>
  @ 0.044718 0.056828 0.056941
  % rcv_mss 1000, bytes_received 1000, segs_out 3, segs_in 2, data_segs_in 1, snd_wnd 16384000
write 5000 oob
  > +0.000 .U 1:989(988) ack 1001 win 495 urg 5000 <ecr 100002>
  > +0.000 .U 989:1977(988) ack 1001 win 495 urg 4012 <ecr 100002>
  > +0.000 .U 1977:2965(988) ack 1001 win 495 urg 3024 <ecr 100002>
  > +0.000 .U 2965:3953(988) ack 1001 win 495 urg 2036 <ecr 100002>
  > +0.000 .U 3953:4941(988) ack 1001 win 495 urg 1048 <ecr 100002>
  > +0.000 P.U 4941:5001(60) ack 1001 win 495 urg 60 <ecr 100002>
  = 5000 read 0
  @ 0.057085 0.069180 0.069237
  % unacked 6, segs_out 9, data_segs_out 6, bytes_sent 5000
write 10000
  > +0.000 . 5001:5989(988) ack 1001 win 495 urg 0 <ecr 100002>
  > +0.000 . 5989:6977(988) ack 1001 win 495 urg 0 <ecr 100002>
  > +0.000 . 6977:7965(988) ack 1001 win 495 urg 0 <ecr 100002>
  > +0.000 . 7965:8953(988) ack 1001 win 495 urg 0 <ecr 100002>
  = 10000 read 0
  @ 0.069307 0.081380 0.081459
  % unacked 10, segs_out 13, notsent_bytes 6048, data_segs_out 10, bytes_sent 8952
segment P. from edge-plus 0 len 1000 ack same win 1000
  > +0.000 . 8953:8953(0) ack 1001 win 495 urg 0 <ecr 100002>
  @ 0.081514 0.093580 0.093650
  % segs_out 14, segs_in 3, data_segs_in 2
wait 15
  @ 0.108733 0.108807
  % same
segment . from next len 0 ack more 1000 win 1000 sack block 1000 1000
  > +0.000 . 8953:9941(988) ack 1001 win 495 urg 0 <ecr 100004>
  @ 0.108860 0.120930 0.121030
  % snd_cwnd 11, bytes_acked 1001, segs_out 15, segs_in 4, notsent_bytes 5060, data_segs_out 11, delivered 2, bytes_sent 9940
set 6 1 1
  > +0.000 . 9941:10929(988) ack 1001 win 495 urg 0 <ecr 100004>
  = 0 read 0
  @ 0.121120 0.133190 0.133294
  % unacked 11, segs_out 16, notsent_bytes 4072, data_segs_out 12, bytes_sent 10928
segment .U from beyond 1000 len 2000 ack same win 1000 stamp old urgent 0
  > +0.000 . 10929:10929(0) ack 1001 win 495 urg 0 <ecr 100004>
  @ 0.133346 0.145419 0.145514
  % segs_out 17, segs_in 5, data_segs_in 3
segment F. from edge-less 500 len 100 ack same win 1000
  > +0.000 . 10929:10929(0) ack 1001 win 495 urg 0 <ecr 100004>
  @ 0.145564 0.157636 0.157738
  % segs_out 18, segs_in 6, data_segs_in 4, rcv_ooopack 1
