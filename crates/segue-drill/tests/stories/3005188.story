// seed 3005188
passive mss 100 sack timestamps wscale 0 win 32792 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000156 0.000199 0.000224 0.000260 0.000283 0.000332 0.020400 0.020454 0.032522 0.032638 0.032679
  % state 1, options 7, wscale 112, snd_mss 88, rcv_mss 88, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
wait 20
  @ 0.052756 0.052832
  % same
segment . from next len 0 ack same win 1000 sack block 1000 1000
  @ 0.052871 0.064933 0.065003
  % segs_in 3
write 10 more
  = 10 read 0
  @ 0.065047 0.077102 0.077159
  % notsent_bytes 10
wait 15
  @ 0.092308 0.092510
  % same
segment . from next len 1 ack all win 1000
  > +0.000 . 1:1(0) ack 2 win 510 urg 0 <ecr 100004>
  @ 0.092652 0.104728 0.104829
  % bytes_received 1, segs_out 1, segs_in 4, data_segs_in 1
wait 20
  @ 0.124910 0.125008
  % same
segment . from next len 0 ack same win 1000 sack block 1000 1000
  > +0.000 . 1:11(10) ack 2 win 510 urg 0 <ecr 100005>
  @ 0.125053 0.137126 0.137217
  % unacked 1, segs_out 2, segs_in 5, notsent_bytes 0, data_segs_out 1, bytes_sent 10
wait 20
  @ 0.157288 0.157409
  % same
segment . from next len 0 ack same win 5 sack duplicate 1000
  @ 0.157458 0.169508 0.169579
  % segs_in 6, dsack_dups 12
read 1000
  = 1 read 1
  @ 0.169623 0.181695 0.181782
  % same
set 6 3 1
  = 0 read 0
  @ 0.181832 0.193893 0.193996
  % same
set 6 1 0
  = 0 read 0
  @ 0.194049 0.206121 0.206228
  % same
