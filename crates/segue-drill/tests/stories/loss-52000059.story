// seed 52000059
// intended: flight at loss
passive mss 1000 timestamps wscale 7 win 65535 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000208 0.000273 0.000319 0.000379 0.000432 0.000499 0.020593 0.020686 0.050794 0.051009 0.051070
  % state 1, options 5, wscale 119, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
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
  @ 0.051361 0.081471 0.081664
  % unacked 10, segs_out 10, notsent_bytes 10120, data_segs_out 10, bytes_sent 9880
lose 5
  @ 0.111796 0.111980
  % same
deliver 12
  > +0.000 . 9881:10869(988) ack 1 win 510 urg 0 <ecr 100003>
  > +0.000 . 1:989(988) ack 1 win 510 urg 0 <ecr 100005>
  > +0.000 . 10869:11857(988) ack 1 win 510 urg 0 <ecr 100007>
  @ 0.112085 0.112093 0.112106 0.112111 0.112121 0.142219 0.142425
  % ca_state 3, unacked 12, sacked 5, lost 1, retrans 1, snd_ssthresh 5, snd_cwnd 7, total_retrans 1, segs_out 13, segs_in 7, notsent_bytes 8144, data_segs_out 13, delivered 6, bytes_sent 12844, bytes_retrans 988
