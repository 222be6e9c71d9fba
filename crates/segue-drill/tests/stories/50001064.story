// seed 50001064
passive mss 1460 timestamps wscale 0 win 65535 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000205 0.000285 0.000328 0.000382 0.000416 0.000487 0.020598 0.020693 0.032796 0.033007 0.033072
  % state 1, options 5, wscale 112, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
wait 20
  @ 0.053168 0.053317
  % same
segment . from next len 0 ack more 2000 win 1000 sack block 1000 3000
  @ 0.053390 0.065481 0.065650
  % segs_in 3
write 20000 oob
  > +0.000 .U 1:501(500) ack 1 win 510 urg 17500 <ecr 100003>
  > +0.000 .U 501:1001(500) ack 1 win 510 urg 17000 <ecr 100003>
  = 17500 read 0
  @ 0.065796 0.077898 0.078068
  % unacked 2, segs_out 2, notsent_bytes 16500, data_segs_out 2, bytes_sent 1000
segment FP. from beyond 1000 len 1 ack same win 1000
  > +0.000 .U 1001:1001(0) ack 1 win 510 urg 16500 <ecr 100003>
  @ 0.078160 0.090262 0.090427
  % segs_out 3, segs_in 4, data_segs_in 1, rcv_ooopack 1
write 5000
  = 500 read 0
  @ 0.090522 0.102593 0.102706
  % notsent_bytes 17000
write 20000
  = errno 11 read 0
  @ 0.102783 0.114875 0.115024
  % same
shutdown 0
  = 0 read 0
  @ 0.115098 0.127204 0.127387
  % same
wait 20
  @ 0.147527 0.147708
  % same
segment . from next len 0 ack all win 1000
  > +0.000 .U 1001:1501(500) ack 1 win 510 urg 16500 <ecr 100005>
  > +0.000 .U 1501:2001(500) ack 1 win 510 urg 16000 <ecr 100005>
  @ 0.147831 0.159950 0.160123
  % bytes_acked 1000, segs_out 5, segs_in 5, notsent_bytes 16000, data_segs_out 4, delivered 3, bytes_sent 2000
write 10
  = 10 read 0
  @ 0.160223 0.172319 0.172481
  % notsent_bytes 16010
wait 20
  @ 0.192612 0.192780
  % same
segment . from next len 0 ack all win 1000
  > +0.000 .U 2001:2501(500) ack 1 win 510 urg 15500 <ecr 100006>
  > +0.000 .U 2501:3001(500) ack 1 win 510 urg 15000 <ecr 100006>
  @ 0.192919 0.205016 0.205181
  % bytes_acked 2000, segs_out 7, segs_in 6, notsent_bytes 15010, data_segs_out 6, delivered 5, bytes_sent 3000
