// seed 50000747
passive mss 1000 timestamps wscale 14 win 0 cubic
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000198 0.000254 0.000298 0.000360 0.000405 0.000464 0.020559 0.020654 0.032743 0.032954 0.033013
  % state 1, options 5, wscale 126, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 16384000
write 2000 more
  > +0.000 . 1:989(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 989:1977(988) ack 1 win 510 urg 0 <ecr 100002>
  = 2000 read 0
  @ 0.033120 0.045228 0.045464
  % unacked 2, segs_out 2, notsent_bytes 24, data_segs_out 2, bytes_sent 1976
segment . from next len 0 ack old 500 win 1000
  > +0.000 . 1977:1977(0) ack 1 win 510 urg 0 <ecr 100003>
  > +0.000 . 1977:2001(24) ack 1 win 510 urg 0 <ecr 100003>
  @ 0.045566 0.057653 0.057831
  % unacked 3, segs_out 4, segs_in 3, notsent_bytes 0, data_segs_out 3, bytes_sent 2000
segment .U from next len 1 ack same win 1000 urgent 0
  > +0.000 . 2001:2001(0) ack 2 win 510 urg 0 <ecr 100004>
  @ 0.057938 0.070023 0.070172
  % bytes_received 1, segs_out 5, segs_in 4, data_segs_in 1
segment P. from next len 1000 ack all win 1000
  > +0.000 . 2001:2001(0) ack 1002 win 503 urg 0 <ecr 100005>
  @ 0.070263 0.082370 0.082600
  % rcv_mss 1000, unacked 0, bytes_acked 2000, bytes_received 1001, segs_out 6, segs_in 5, data_segs_in 2, delivered 4
segment . from next len 0 ack more 2000 win 0 sack block 1000 1000
  @ 0.082691 0.094784 0.094979
  % segs_in 6, snd_wnd 0
write 100
  = 100 read 0
  @ 0.095093 0.107215 0.107400
  % notsent_bytes 100
wait 20
  @ 0.127511 0.127676
  % same
segment . from next len 0 ack same win 65535 stamp missing sack duplicate 1000
  > +0.000 P. 2001:2101(100) ack 1002 win 503 urg 0 <ecr 100006>
  @ 0.127784 0.139891 0.140071
  % unacked 1, segs_out 7, segs_in 7, notsent_bytes 0, data_segs_out 4, bytes_sent 2100, snd_wnd 1073725440
segment FP. from next len 100 ack all win 1000
  @ 0.140159 0.152263 0.152416
  % state 8, unacked 0, bytes_acked 2100, bytes_received 1102, segs_in 8, data_segs_in 3, delivered 5, snd_wnd 16384000
