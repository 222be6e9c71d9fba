// seed 51000217
passive mss 1000 sack timestamps wscale 7 win 65535 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000206 0.000273 0.000323 0.000387 0.000439 0.000501 0.020605 0.020700 0.050811 0.051040 0.051108
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
  @ 0.051375 0.081474 0.081678
  % unacked 10, segs_out 10, notsent_bytes 10120, data_segs_out 10, bytes_sent 9880
wait 20
  > +0.016 . 9881:10869(988) ack 1 win 510 urg 0 <ecr 100002>
  @ 0.101774 0.101979
  % unacked 11, segs_out 11, notsent_bytes 9132, data_segs_out 11, bytes_sent 10868
wait 300
  > +0.224 . 1:989(988) ack 1 win 510 urg 0 <ecr 100002>
  @ 0.402094 0.402276
  % ca_state 4, retransmits 1, backoff 1, lost 11, retrans 1, snd_ssthresh 5, snd_cwnd 1, total_retrans 1, segs_out 12, data_segs_out 12, bytes_sent 11856, bytes_retrans 988
lose 2
  @ 0.432386 0.432573
  % same
wait 60
  @ 0.492710 0.492902
  % same
unheard 3
  @ 0.523055 0.523278
  % same
deliver 1
  > +0.000 . 10869:11857(988) ack 1 win 510 urg 0 <ecr 100003>
  > +0.000 P. 11857:12845(988) ack 1 win 510 urg 0 <ecr 100003>
  @ 0.523430 0.553543 0.553763
  % ca_state 3, retransmits 0, backoff 0, unacked 13, sacked 4, lost 1, snd_cwnd 9, segs_out 14, segs_in 3, notsent_bytes 7156, data_segs_out 14, delivered 5, bytes_sent 13832
lose 1
  @ 0.583913 0.584107
  % same
wait 30
  @ 0.614233 0.614433
  % same
write 1000
  = 1000 read 0
  @ 0.614542 0.644674 0.644878
  % notsent_bytes 8156
wait 30
  @ 0.675010 0.675192
  % same
