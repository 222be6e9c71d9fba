// seed 52000111
// intended: flight at loss
passive mss 1000 timestamps wscale 7 win 65535 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000186 0.000244 0.000288 0.000346 0.000391 0.000457 0.020543 0.020634 0.050742 0.050968 0.051026
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
  @ 0.051166 0.081263 0.081438
  % unacked 10, segs_out 10, notsent_bytes 10120, data_segs_out 10, bytes_sent 9880
lose 2
  @ 0.111545 0.111714
  % same
deliver 5
  > +0.000 . 9881:10869(988) ack 1 win 510 urg 0 <ecr 100003>
  > +0.000 . 1:989(988) ack 1 win 510 urg 0 <ecr 100005>
  > +0.000 . 10869:11857(988) ack 1 win 510 urg 0 <ecr 100007>
  @ 0.111821 0.111830 0.111841 0.111847 0.111854 0.141959 0.142137
  % ca_state 3, unacked 12, sacked 5, lost 1, retrans 1, snd_ssthresh 5, snd_cwnd 7, total_retrans 1, segs_out 13, segs_in 7, notsent_bytes 8144, data_segs_out 13, delivered 6, bytes_sent 12844, bytes_retrans 988
