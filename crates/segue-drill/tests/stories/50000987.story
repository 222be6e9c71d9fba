// seed 50000987
active mss 1000 sack timestamps wscale 7 win 32792 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000184 0.000241 0.000284 0.000340 0.000422 0.012519 0.032620 0.032713 0.044917 0.045101
  % state 1, options 7, wscale 119, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 32792
segment P. from next len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1001 win 495 urg 0 <ecr 100002>
  @ 0.045198 0.057263 0.057414
  % rcv_mss 1000, bytes_received 1000, segs_out 3, segs_in 2, data_segs_in 1, snd_wnd 128000
segment F. from before 1000 len 1000 ack all win 1000
  @ 0.057490 0.069613 0.069821
  % state 8, bytes_received 1001, segs_in 3, data_segs_in 2
wait 20
  @ 0.089971 0.090092
  % same
segment . from next len 0 ack more 2000 win 1000 sack block 1000 3000
  > +0.000 . 1:1(0) ack 1002 win 495 urg 0 <ecr 100004>
  @ 0.090171 0.102271 0.102435
  % segs_out 4, segs_in 4
write 3500
  > +0.000 . 1:989(988) ack 1002 win 495 urg 0 <ecr 100004>
  > +0.000 P. 989:1977(988) ack 1002 win 495 urg 0 <ecr 100004>
  > +0.000 . 1977:2965(988) ack 1002 win 495 urg 0 <ecr 100004>
  > +0.000 P. 2965:3501(536) ack 1002 win 495 urg 0 <ecr 100004>
  = 3500 read 0
  @ 0.102561 0.114665 0.114838
  % unacked 4, segs_out 8, data_segs_out 4, bytes_sent 3500
write 1 more
  = 1 read 0
  @ 0.114932 0.127027 0.127182
  % notsent_bytes 1
set 6 1 1
  > +0.000 . 3501:3502(1) ack 1002 win 495 urg 0 <ecr 100004>
  = 0 read 0
  @ 0.127283 0.139392 0.139574
  % unacked 5, segs_out 9, notsent_bytes 0, data_segs_out 5, bytes_sent 3501
wait 15
  @ 0.154698 0.154878
  % same
write 20000
  > +0.000 . 3502:4490(988) ack 1002 win 495 urg 0 <ecr 100004>
  > +0.000 P. 4490:5478(988) ack 1002 win 495 urg 0 <ecr 100004>
  > +0.000 . 5478:6466(988) ack 1002 win 495 urg 0 <ecr 100004>
  > +0.000 P. 6466:7454(988) ack 1002 win 495 urg 0 <ecr 100004>
  = 20000 read 0
  @ 0.155007 0.167098 0.167272
  % unacked 9, segs_out 13, notsent_bytes 16048, data_segs_out 9, bytes_sent 7453
segment .U from before 1000 len 2000 ack all win 1000 urgent 1
  > +0.000 R 7454:7454(0) ack 0 win 0 urg 0 <>
  @ 0.167379 0.179484 0.179753
  % state 7, unacked 0, snd_cwnd 19, bytes_acked 7454, segs_in 5, data_segs_in 3, delivered 10
shutdown 1
  = errno 107 read 0
  @ 0.179926 0.191983 0.192167
  % same
segment . from next len 0 ack all win 1000 stamp bad-echo
  > +0.000 R 7454:7454(0) ack 0 win 0 urg 0 <>
  @ 0.192267 0.204370 0.204564
  % same
wait 20
  @ 0.224692 0.224888
  % same
segment . from next len 0 ack same win 1000
  > +0.000 R 7454:7454(0) ack 0 win 0 urg 0 <>
  @ 0.224996 0.237122 0.237237
  % same
