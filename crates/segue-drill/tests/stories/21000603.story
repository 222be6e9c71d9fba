// seed 21000603
// intended: cut inside a segment
passive mss 1000 sack timestamps wscale 7 win 65535 cubic
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000139 0.000207 0.000286 0.000344 0.000392 0.000420 0.020473 0.020515 0.032558 0.032662 0.032692
  % state 1, options 7, wscale 119, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
segment . from next len 0 ack all win 1000
  @ 0.032713 0.044766 0.044907
  % segs_in 3
segment . from next len 0 ack all win 1000
  @ 0.044929 0.056976 0.057115
  % segs_in 4
write 5000
  > +0.000 . 1:989(988) ack 1 win 510 urg 0 <ecr 100004>
  > +0.000 P. 989:1977(988) ack 1 win 510 urg 0 <ecr 100004>
  > +0.000 . 1977:2965(988) ack 1 win 510 urg 0 <ecr 100004>
  > +0.000 P. 2965:3953(988) ack 1 win 510 urg 0 <ecr 100004>
  > +0.000 . 3953:4941(988) ack 1 win 510 urg 0 <ecr 100004>
  > +0.000 P. 4941:5001(60) ack 1 win 510 urg 0 <ecr 100004>
  = 5000 read 0
  @ 0.057200 0.069244 0.069348
  % unacked 6, segs_out 6, data_segs_out 6, bytes_sent 5000
segment . from next len 0 ack more 2000 win 1000 sack block 1000 3000
  > +0.008 . 2001:2989(988) ack 1 win 510 urg 0 <ecr 100005>
  @ 0.069376 0.081411 0.081497
  % ca_state 3, unacked 4, sacked 2, lost 2, retrans 1, snd_ssthresh 9, snd_cwnd 1, total_retrans 1, bytes_acked 2000, segs_out 7, segs_in 5, data_segs_out 7, delivered 5, bytes_sent 5988, bytes_retrans 988
