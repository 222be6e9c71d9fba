// seed 50000609
passive mss 1460 timestamps win 2000 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, ecr 100001>
  = 0 read 0
  @ 0.000179 0.000234 0.000278 0.000335 0.000378 0.000439 0.020539 0.020652 0.032751 0.032969 0.033038
  % state 1, options 1, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
segment . from edge-plus 0 len 1000 ack same win 1000
  > +0.000 . 1:1(0) ack 1 win 65160 urg 0 <ecr 100002>
  @ 0.033142 0.045219 0.045350
  % segs_out 1, segs_in 3, data_segs_in 1
wait 15
  @ 0.060459 0.060616
  % same
segment P. from beyond 1000 len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 65160 urg 0 <ecr 100002>
  @ 0.060706 0.072818 0.073003
  % rcv_mss 1000, segs_out 2, segs_in 4, data_segs_in 2, rcv_ooopack 1
segment . from next len 0 ack same win 1000
  @ 0.073088 0.085197 0.085386
  % segs_in 5
write 20000 oob
  > +0.000 .U 1:501(500) ack 1 win 65160 urg 17500 <ecr 100005>
  > +0.000 .U 501:1001(500) ack 1 win 65160 urg 17000 <ecr 100005>
  = 17500 read 0
  @ 0.085595 0.097710 0.097909
  % unacked 2, segs_out 4, notsent_bytes 16500, data_segs_out 2, bytes_sent 1000
wait 20
  @ 0.118041 0.118159
  % same
segment . from next len 0 ack all win 1000
  > +0.000 .U 1001:1501(500) ack 1 win 65160 urg 16500 <ecr 100006>
  > +0.000 .U 1501:2001(500) ack 1 win 65160 urg 16000 <ecr 100006>
  @ 0.118254 0.130349 0.130539
  % bytes_acked 1000, segs_out 6, segs_in 6, notsent_bytes 15500, data_segs_out 4, delivered 3, bytes_sent 2000
read 1
  = errno 11 read 0
  @ 0.130639 0.142721 0.142878
  % same
segment .U from next len 1000 ack all win 1000 urgent 1000
  > +0.000 .U 2001:2501(500) ack 2001 win 63160 urg 15500 <ecr 100007>
  > +0.000 .U 2501:3001(500) ack 2001 win 63160 urg 15000 <ecr 100007>
  @ 0.142972 0.155063 0.155268
  % bytes_acked 2000, bytes_received 2000, segs_out 8, segs_in 7, notsent_bytes 14500, data_segs_in 3, data_segs_out 6, delivered 5, bytes_sent 3000
