// seed 64000105
passive mss 1460 sack timestamps wscale 0 win 32792 reno
  > +0.001 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000236 0.000296 0.000352 0.000415 0.000463 0.000538 0.020628 0.020742 0.032830 0.033102 0.033177
  % state 1, options 7, wscale 112, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
segment P. from beyond 1000 len 100 ack same win 1000
  > +0.000 . 1:1(0) ack 1 win 510 urg 0 <ecr 100002, sack 1001:1101>
  @ 0.033268 0.045356 0.045541
  % segs_out 1, segs_in 3, data_segs_in 1, rcv_ooopack 1
write 2000
  > +0.000 . 1:489(488) ack 1 win 510 urg 0 <ecr 100002, sack 1001:1101>
  > +0.000 P. 489:977(488) ack 1 win 510 urg 0 <ecr 100002, sack 1001:1101>
  = 2000 read 0
  @ 0.045664 0.057761 0.057930
  % unacked 2, segs_out 3, notsent_bytes 1024, data_segs_out 2, bytes_sent 976
write 5000
  = 5000 read 0
  @ 0.058045 0.070134 0.070380
  % notsent_bytes 6024
segment . from next len 0 ack more 1000 win 1000
  > +0.000 . 977:1465(488) ack 1 win 510 urg 0 <ecr 100004, sack 1001:1101>
  > +0.000 P. 1465:1953(488) ack 1 win 510 urg 0 <ecr 100004, sack 1001:1101>
  @ 0.070514 0.082609 0.082769
  % bytes_acked 976, segs_out 5, segs_in 4, notsent_bytes 5048, data_segs_out 4, delivered 3, bytes_sent 1952
segment P. from before 500 len 1460 ack same win 1000 stamp missing
  > +0.000 . 1953:1953(0) ack 961 win 533 urg 0 <ecr 100004, sack 4294966797:1, sack 1001:1101>
  @ 0.082868 0.094971 0.095139
  % rcv_mss 1448, bytes_received 960, segs_out 6, segs_in 5, data_segs_in 2
segment FP. from edge-plus 1000 len 1000 ack all win 1000
  > +0.000 . 1953:1953(0) ack 961 win 533 urg 0 <ecr 100004, sack 1001:1101>
  @ 0.095229 0.107364 0.107499
  % segs_out 7, segs_in 6, data_segs_in 3
write 20000
  > +0.009 P. 1465:1953(488) ack 961 win 533 urg 0 <ecr 100004, sack 1001:1101>
  = 12032 read 0
  @ 0.107651 0.119762 0.119946
  % total_retrans 1, segs_out 8, notsent_bytes 17080, data_segs_out 5, bytes_sent 2440, bytes_retrans 488
read 1000
  = 960 read 960
  @ 0.120093 0.132181 0.132341
  % same
read 100
  = errno 11 read 0
  @ 0.132454 0.144543 0.144714
  % same
