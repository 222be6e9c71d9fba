// seed 70000023
passive mss 1460 sack timestamps wscale 14 win 32792 cubic
  > +0.001 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000248 0.000328 0.000385 0.000457 0.000509 0.000575 0.020686 0.020783 0.032922 0.033209 0.033336
  % state 1, options 7, wscale 126, snd_mss 1448, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 16384000
write 2000 more
  > +0.000 . 1:1449(1448) ack 1 win 510 urg 0 <ecr 100002>
  = 2000 read 0
  @ 0.033470 0.045573 0.045780
  % unacked 1, segs_out 1, notsent_bytes 552, data_segs_out 1, bytes_sent 1448
segment . from next len 0 ack more 1000 win 5 sack block 1000 1000
  > +0.000 . 1449:2001(552) ack 1 win 510 urg 0 <ecr 100003>
  @ 0.045894 0.057989 0.058189
  % unacked 2, bytes_acked 1000, segs_out 2, segs_in 3, notsent_bytes 0, data_segs_out 2, bytes_sent 2000, snd_wnd 81920
segment . from next len 0 ack more 500 win 1000 sack block 1000 1000
  @ 0.058284 0.070404 0.070628
  % unacked 1, bytes_acked 1500, segs_in 4, delivered 2, reord_seen 1, snd_wnd 16384000
wait 20
  @ 0.090759 0.090963
  % same
segment . from next len 0 ack all win 1000
  @ 0.091056 0.103163 0.103389
  % unacked 0, bytes_acked 2000, segs_in 5, delivered 3, reord_seen 2
wait 20
  @ 0.123507 0.123702
  % same
segment . from next len 0 ack all win 1000 stamp old
  > +0.000 . 2001:2001(0) ack 1 win 510 urg 0 <ecr 100005>
  @ 0.123789 0.135892 0.136098
  % segs_out 3, segs_in 6
read 1000
  = errno 11 read 0
  @ 0.136199 0.148340 0.148542
  % same
read 10000
  = errno 11 read 0
  @ 0.148652 0.160766 0.160985
  % same
segment P. from next len 1460 ack all win 1000
  > +0.000 . 2001:2001(0) ack 1461 win 533 urg 0 <ecr 100007>
  @ 0.161081 0.173196 0.173457
  % rcv_mss 1448, bytes_received 1460, segs_out 4, segs_in 7, data_segs_in 1
write 1
  > +0.000 P. 2001:2002(1) ack 1461 win 533 urg 0 <ecr 100007>
  = 1 read 0
  @ 0.173641 0.185733 0.185931
  % unacked 1, segs_out 5, data_segs_out 3, bytes_sent 2001
accept
  @ 0.198043 0.198234
  % same
