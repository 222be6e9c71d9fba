// seed 3005603
passive mss 1000 sack timestamps wscale 0 win 32792 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000165 0.000221 0.000265 0.000322 0.000367 0.000412 0.020484 0.020597 0.032694 0.032894 0.032950
  % state 1, options 7, wscale 112, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
wait 20
  @ 0.053059 0.053232
  % same
segment . from next len 0 ack same win 1000 sack block 1000 1000
  @ 0.053309 0.065379 0.065513
  % segs_in 3
wait 100
  @ 0.165640 0.165745
  % same
shutdown 1
  > +0.000 F. 1:1(0) ack 1 win 510 urg 0 <ecr 100003>
  = 0 read 0
  @ 0.165807 0.177880 0.178016
  % state 4, unacked 1, segs_out 1
wait 15
  @ 0.193106 0.193239
  % same
wait 100
  @ 0.293331 0.293467
  % same
set 6 12 0
  = 0 read 0
  @ 0.293542 0.305620 0.305751
  % same
wait 20
  @ 0.325819 0.325901
  % same
segment . from next len 0 ack same win 1000 stamp old sack two 1000 1000
  > +0.000 . 2:2(0) ack 1 win 510 urg 0 <ecr 100003>
  @ 0.325949 0.338008 0.338083
  % segs_out 2, segs_in 4
error
  = 0 read 0
  @ 0.338119 0.350186 0.350253
  % same
segment . from next len 1000 ack all win 1000 stamp missing
  @ 0.350292 0.362449 0.362636
  % state 5, rcv_mss 1000, unacked 0, bytes_acked 1, bytes_received 1000, segs_in 5, data_segs_in 1, delivered 2
read 10000
  = 1000 read 1000
  @ 0.362765 0.374941 0.375009
  % same
set 6 8 -1
  = 0 read 0
  @ 0.375047 0.387127 0.387232
  % same
write 2000
  > +0.003 . 2:2(0) ack 1001 win 503 urg 0 <ecr 100003>
  = errno 32 read 0
  @ 0.387286 0.399356 0.399516
  % segs_out 3
write 3500
  = errno 32 read 0
  @ 0.399600 0.411667 0.411812
  % same
