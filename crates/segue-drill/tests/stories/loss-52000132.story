// seed 52000132
passive mss 1000 sack timestamps wscale 7 win 65535 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000175 0.000235 0.000289 0.000346 0.000390 0.000451 0.020551 0.020649 0.050754 0.050968 0.051026
  % state 1, options 7, wscale 119, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
write 20000
  > +0.000 . 1:989(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 989:1977(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 1977:2965(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 2965:3953(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 3953:4941(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 4941:5929(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 5929:6917(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 6917:7905(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 7905:8893(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 8893:9881(988) ack 1 win 510 urg 0 <ecr 100002>
  = 20000 read 0
  @ 0.051165 0.081269 0.081447
  % unacked 10, segs_out 10, notsent_bytes 10120, data_segs_out 10, bytes_sent 9880
wait 20
  > +0.018 . 9881:10869(988) ack 1 win 510 urg 0 <ecr 100002>
  @ 0.101504 0.101661
  % unacked 11, segs_out 11, notsent_bytes 9132, data_segs_out 11, bytes_sent 10868
wait 110
  @ 0.211777 0.211979
  % same
lose 5
  @ 0.242104 0.242279
  % same
deliver 3
  > +0.000 . 10869:11857(988) ack 1 win 510 urg 0 <ecr 100004>
  > +0.000 . 1:989(988) ack 1 win 510 urg 0 <ecr 100005>
  @ 0.242385 0.242407 0.242420 0.272528 0.272704
  % ca_state 3, unacked 12, sacked 3, lost 5, retrans 1, snd_ssthresh 5, snd_cwnd 5, total_retrans 1, segs_out 13, segs_in 5, notsent_bytes 8144, data_segs_out 13, delivered 4, bytes_sent 12844, bytes_retrans 988
lose 1
  @ 0.302843 0.303022
  % same
unheard 1
  @ 0.333164 0.333334
  % same
deliver-again
  > +0.000 . 989:1977(988) ack 1 win 510 urg 0 <ecr 100006>
  > +0.000 . 1977:2965(988) ack 1 win 510 urg 0 <ecr 100006>
  @ 0.333451 0.363562 0.363738
  % sacked 4, lost 6, retrans 3, total_retrans 3, segs_out 15, segs_in 6, data_segs_out 15, delivered 6, bytes_sent 14820, bytes_retrans 2964, dsack_dups 1
write 1000
  = 1000 read 0
  @ 0.363868 0.393971 0.394168
  % notsent_bytes 9144
wait 30
  @ 0.424274 0.424447
  % same
deliver 2
  > +0.000 . 2965:3953(988) ack 1 win 510 urg 0 <ecr 100007>
  > +0.000 . 3953:4941(988) ack 1 win 510 urg 0 <ecr 100008>
  @ 0.424561 0.424574 0.454690 0.454872
  % sacked 6, retrans 5, total_retrans 5, segs_out 17, segs_in 8, data_segs_out 17, delivered 8, bytes_sent 16796, bytes_retrans 4940
write 5000
  = 5000 read 0
  @ 0.454968 0.485046 0.485213
  % notsent_bytes 14144
wait 30
  @ 0.515338 0.515504
  % same
