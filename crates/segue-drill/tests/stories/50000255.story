// seed 50000255
active mss 1000 sack timestamps wscale 7 win 32792 cubic
  > +0.001 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000259 0.000327 0.000385 0.000505 0.000629 0.012716 0.032815 0.032909 0.044997 0.045176
  % state 1, options 7, wscale 119, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 32792
write 2000 more
  > +0.000 . 1:989(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 989:1977(988) ack 1 win 502 urg 0 <ecr 100001>
  = 2000 read 0
  @ 0.045322 0.057420 0.057614
  % unacked 2, segs_out 4, notsent_bytes 24, data_segs_out 2, bytes_sent 1976
write 2000
  > +0.000 . 1977:2965(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 2965:3953(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 3953:4001(48) ack 1 win 502 urg 0 <ecr 100001>
  = 2000 read 0
  @ 0.057762 0.069868 0.070009
  % unacked 5, segs_out 7, notsent_bytes 0, data_segs_out 5, bytes_sent 4000
write 10000 more
  > +0.000 . 4001:4989(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 4989:5977(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 5977:6965(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 6965:7953(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 7953:8941(988) ack 1 win 502 urg 0 <ecr 100001>
  = 10000 read 0
  @ 0.070144 0.082228 0.082421
  % unacked 10, segs_out 12, notsent_bytes 5060, data_segs_out 10, bytes_sent 8940
segment F. from before 1 len 0 ack unsent 1 win 1000
  > +0.000 . 8941:8941(0) ack 1 win 502 urg 0 <ecr 100001>
  @ 0.082504 0.094612 0.094794
  % segs_out 13, segs_in 2
accept
  @ 0.106925 0.107123
  % same
shutdown 1
  = 0 read 0
  @ 0.107206 0.119304 0.119482
  % state 4, notsent_bytes 5061
wait 15
  @ 0.134609 0.134811
  % same
wait 20
  > +0.005 . 8941:9929(988) ack 1 win 502 urg 0 <ecr 100001>
  @ 0.154927 0.155089
  % unacked 11, segs_out 14, notsent_bytes 4073, data_segs_out 11, bytes_sent 9928
segment . from next len 0 ack all win 5
  @ 0.155178 0.167273 0.167433
  % unacked 0, snd_cwnd 21, bytes_acked 9929, segs_in 3, delivered 12, snd_wnd 640
wait 15
  @ 0.182525 0.182670
  % same
read 1000 peek
  = errno 11 read 0
  @ 0.182757 0.194868 0.195070
  % same
wait 300
  > +0.205 P. 9929:10569(640) ack 1 win 502 urg 0 <ecr 100003>
  @ 0.495210 0.495409
  % unacked 1, segs_out 15, notsent_bytes 3433, data_segs_out 12, bytes_sent 10568
write 3500 more
  = errno 32 read 0
  @ 0.495515 0.507596 0.507792
  % same
wait 15
  @ 0.522907 0.523113
  % same
segment P. from next len 1000 ack same win 1000
  > +0.000 . 10569:11557(988) ack 1001 win 495 urg 0 <ecr 100004>
  > +0.000 P. 11557:12545(988) ack 1001 win 495 urg 0 <ecr 100004>
  > +0.000 . 12545:13533(988) ack 1001 win 495 urg 0 <ecr 100004>
  > +0.000 FP. 13533:14001(468) ack 1001 win 495 urg 0 <ecr 100004>
  @ 0.523217 0.535319 0.535501
  % rcv_mss 1000, unacked 5, snd_cwnd 15, bytes_received 1000, segs_out 19, segs_in 4, notsent_bytes 0, data_segs_in 1, data_segs_out 16, bytes_sent 14000, snd_wnd 128000
