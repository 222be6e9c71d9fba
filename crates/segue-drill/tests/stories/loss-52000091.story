// seed 52000091
passive mss 1000 timestamps wscale 7 win 65535 cubic
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000204 0.000261 0.000304 0.000359 0.000403 0.000466 0.020569 0.020663 0.050769 0.050975 0.051032
  % state 1, options 5, wscale 119, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
write 1000
  > +0.000 . 1:989(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 989:1001(12) ack 1 win 510 urg 0 <ecr 100002>
  = 1000 read 0
  @ 0.051140 0.081248 0.081435
  % unacked 2, segs_out 2, data_segs_out 2, bytes_sent 1000
wait 20
  @ 0.101568 0.101744
  % same
write 5000
  > +0.000 . 1001:1989(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 1989:2977(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 2977:3965(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 3965:4953(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 4953:5941(988) ack 1 win 510 urg 0 <ecr 100002>
  = 5000 read 0
  @ 0.101863 0.131970 0.132195
  % unacked 7, segs_out 7, notsent_bytes 60, data_segs_out 7, bytes_sent 5940
lose 1
  @ 0.162304 0.162468
  % same
deliver 3
  > +0.000 . 1:989(988) ack 1 win 510 urg 0 <ecr 100005>
  @ 0.162561 0.162570 0.162591 0.192697 0.192866
  % ca_state 3, sacked 3, lost 1, retrans 1, snd_ssthresh 7, snd_cwnd 4, total_retrans 1, segs_out 8, segs_in 5, data_segs_out 8, delivered 4, bytes_sent 6928, bytes_retrans 988
write 100
  = 100 read 0
  @ 0.192957 0.223059 0.223235
  % notsent_bytes 160
lose 1
  @ 0.253364 0.253561
  % same
write 100
  = 100 read 0
  @ 0.253666 0.283771 0.283924
  % notsent_bytes 260
write 1000
  = 1000 read 0
  @ 0.284020 0.314119 0.314326
  % notsent_bytes 1260
deliver 12
  > +0.000 . 5941:6929(988) ack 1 win 510 urg 0 <ecr 100006>
  > +0.000 . 2977:3965(988) ack 1 win 510 urg 0 <ecr 100008>
  > +0.000 P. 6929:7201(272) ack 1 win 510 urg 0 <ecr 100008>
  @ 0.314430 0.314440 0.314458 0.344572 0.344763
  % unacked 5, sacked 2, snd_cwnd 3, total_retrans 2, bytes_acked 2976, segs_out 11, segs_in 8, notsent_bytes 0, data_segs_out 11, delivered 7, bytes_sent 9176, bytes_retrans 1976
wait 500
  > +0.213 . 2977:3965(988) ack 1 win 510 urg 0 <ecr 100008>
  @ 0.844895 0.845087
  % ca_state 4, retransmits 1, backoff 1, sacked 0, lost 5, snd_cwnd 1, total_retrans 3, segs_out 12, data_segs_out 12, bytes_sent 10164, bytes_retrans 2964
deliver 1
  @ 0.845180 0.875285 0.875469
  % segs_in 9
deliver 12
  > +0.000 P. 6929:7201(272) ack 1 win 510 urg 0 <ecr 100010>
  @ 0.875586 0.875594 0.875599 0.905716 0.905919
  % retransmits 0, backoff 0, unacked 0, lost 0, retrans 0, snd_cwnd 6, total_retrans 4, bytes_acked 7200, segs_out 13, segs_in 12, data_segs_out 13, delivered 12, bytes_sent 10436, bytes_retrans 3236
deliver 2
  @ 0.906006 0.936105 0.936286
  % segs_in 13
lose 5
  @ 0.966395 0.966568
  % same
unheard 1
  @ 0.996700 0.996887
  % same
lose 1
  @ 1.027012 1.027197
  % same
lose 1
  @ 1.057323 1.057515
  % same
deliver 12
  @ 1.087638 1.087808
  % same
wait 30
  @ 1.117924 1.118107
  % same
deliver-newest
  @ 1.148257 1.148445
  % same
wait 500
  @ 1.648644 1.648813
  % same
deliver 1
  @ 1.678934 1.679118
  % same
deliver 1
  @ 1.709248 1.709437
  % same
