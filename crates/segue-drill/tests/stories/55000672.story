// seed 55000672
active mss 1000 sack timestamps win 65535 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 64240 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000106 0.000130 0.000149 0.000174 0.000234 0.012341 0.032451 0.032543 0.044642 0.044747
  % state 1, options 3, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 65535
segment S from next len 0 win 1000 stamp missing
  > +0.000 . 1:1(0) ack 1 win 64240 urg 0 <ecr 100001>
  @ 0.044825 0.056927 0.057031
  % segs_out 3, segs_in 2
write 10 oob
  > +0.000 P.U 1:11(10) ack 1 win 64240 urg 10 <ecr 100001>
  = 10 read 0
  @ 0.057101 0.069206 0.069305
  % unacked 1, segs_out 4, data_segs_out 1, bytes_sent 10
wait 20
  @ 0.089444 0.089550
  % same
segment . from next len 0 ack all win 1000 stamp old
  > +0.000 . 11:11(0) ack 1 win 64240 urg 0 <ecr 100001>
  @ 0.089635 0.101739 0.101838
  % segs_out 5, segs_in 3
wait 20
  @ 0.121993 0.122105
  % same
segment . from next len 0 ack old 500 win 1000
  > +0.000 . 11:11(0) ack 1 win 64240 urg 0 <ecr 100001>
  @ 0.122193 0.134305 0.134412
  % segs_out 6, segs_in 4
write 20000
  > +0.000 . 11:999(988) ack 1 win 64240 urg 0 <ecr 100001>
  > +0.000 . 999:1987(988) ack 1 win 64240 urg 0 <ecr 100001>
  > +0.000 . 1987:2975(988) ack 1 win 64240 urg 0 <ecr 100001>
  > +0.000 . 2975:3963(988) ack 1 win 64240 urg 0 <ecr 100001>
  > +0.000 . 3963:4951(988) ack 1 win 64240 urg 0 <ecr 100001>
  > +0.000 . 4951:5939(988) ack 1 win 64240 urg 0 <ecr 100001>
  > +0.000 . 5939:6927(988) ack 1 win 64240 urg 0 <ecr 100001>
  > +0.000 . 6927:7915(988) ack 1 win 64240 urg 0 <ecr 100001>
  = 20000 read 0
  @ 0.134505 0.146622 0.146726
  % unacked 9, segs_out 14, notsent_bytes 12096, data_segs_out 9, bytes_sent 7914
wait 20
  @ 0.166864 0.166959
  % same
segment . from next len 0 ack more 1000 win 1000 stamp old sack block 1000 1000
  > +0.000 . 7915:7915(0) ack 1 win 64240 urg 0 <ecr 100001>
  @ 0.167046 0.179142 0.179225
  % segs_out 15, segs_in 5
read 100
  = errno 11 read 0
  @ 0.179268 0.191366 0.191447
  % same
shutdown 1
  > +0.000 . 7915:8903(988) ack 1 win 64240 urg 0 <ecr 100001>
  = 0 read 0
  @ 0.191548 0.203659 0.203744
  % state 4, unacked 10, segs_out 16, notsent_bytes 11109, data_segs_out 10, bytes_sent 8902
wait 15
  @ 0.218876 0.218982
  % same
wait 20
  @ 0.239134 0.239245
  % same
segment . from next len 0 ack same win 1000 stamp old
  > +0.000 . 8903:8903(0) ack 1 win 64240 urg 0 <ecr 100001>
  @ 0.239323 0.251453 0.251574
  % segs_out 17, segs_in 6
