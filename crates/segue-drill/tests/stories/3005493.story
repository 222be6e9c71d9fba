// seed 3005493
passive mss 1460 sack wscale 0 win 0 reno
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7>
  = 0 read 0
  @ 0.000200 0.000273 0.000319 0.000376 0.000406 0.000480 0.020562 0.020619 0.032690 0.032812 0.032864
  % state 1, options 6, wscale 112, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
segment . from next len 1000 ack same win 1000
  > +0.000 . 1:1(0) ack 1001 win 495 urg 0 <>
  @ 0.032911 0.045000 0.045109
  % rcv_mss 1000, bytes_received 1000, segs_out 1, segs_in 3, data_segs_in 1
write 2000 more
  > +0.000 . 1:501(500) ack 1001 win 495 urg 0 <>
  > +0.000 P. 501:1001(500) ack 1001 win 495 urg 0 <>
  = 2000 read 0
  @ 0.045224 0.057312 0.057427
  % unacked 2, segs_out 3, notsent_bytes 1000, data_segs_out 2, bytes_sent 1000
segment . from before 1000 len 1000 ack same win 1000
  > +0.000 . 1001:1001(0) ack 1001 win 495 urg 0 <sack 1:1001>
  @ 0.057501 0.069578 0.069653
  % segs_out 4, segs_in 4, data_segs_in 2
read 100000
  = 1000 read 1000
  @ 0.069711 0.081810 0.081932
  % same
read 100000
  > +0.008 P. 501:1001(500) ack 1001 win 495 urg 0 <>
  = errno 11 read 0
  @ 0.082014 0.094201 0.094536
  % total_retrans 1, segs_out 5, data_segs_out 3, bytes_sent 1500, bytes_retrans 500
segment P. from next len 1000 ack all win 1000
  > +0.000 . 1001:1501(500) ack 2001 win 488 urg 0 <>
  > +0.000 P. 1501:2001(500) ack 2001 win 488 urg 0 <>
  @ 0.094718 0.106809 0.106977
  % bytes_acked 1000, bytes_received 2000, segs_out 7, segs_in 5, notsent_bytes 0, data_segs_in 3, data_segs_out 5, delivered 3, bytes_sent 2500
segment . from next len 0 ack all win 1000
  @ 0.107059 0.119133 0.119264
  % unacked 0, snd_ssthresh 5, snd_cwnd 5, bytes_acked 2000, segs_in 6, delivered 5
write 2000
  > +0.000 . 2001:2501(500) ack 2001 win 488 urg 0 <>
  > +0.000 P. 2501:3001(500) ack 2001 win 488 urg 0 <>
  = 2000 read 0
  @ 0.119362 0.131844 0.131968
  % unacked 2, segs_out 9, notsent_bytes 1000, data_segs_out 7, bytes_sent 3500
segment . from next len 1000 ack all win 1000
  > +0.000 . 3001:3501(500) ack 3001 win 481 urg 0 <>
  > +0.000 P. 3501:4001(500) ack 3001 win 481 urg 0 <>
  @ 0.132050 0.144138 0.144267
  % bytes_acked 3000, bytes_received 3000, segs_out 11, segs_in 7, notsent_bytes 0, data_segs_in 4, data_segs_out 9, delivered 7, bytes_sent 4500
wait 15
  @ 0.159358 0.159465
  % same
wait 20
  > +0.019 P. 3501:4001(500) ack 3001 win 481 urg 0 <>
  @ 0.179537 0.179645
  % total_retrans 2, segs_out 12, data_segs_out 10, bytes_sent 5000, bytes_retrans 1000
segment . from next len 0 ack all win 1000
  @ 0.179686 0.191750 0.191860
  % unacked 0, bytes_acked 4000, segs_in 8, delivered 9
segment . from next len 0 ack more 1000 win 1000 sack block 1000 3000
  @ 0.191901 0.203977 0.204071
  % segs_in 9
wait 20
  @ 0.224164 0.224266
  % same
segment . from next len 0 ack more 1000 win 1000
  @ 0.224322 0.236402 0.236513
  % segs_in 10
