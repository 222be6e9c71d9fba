// seed 55000669
passive mss 1000 wscale 7 win 32792 cubic
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, wscale 7>
  = 0 read 0
  @ 0.000147 0.000194 0.000224 0.000258 0.000280 0.000333 0.020445 0.020540 0.032648 0.032785 0.032811
  % state 1, options 4, wscale 119, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
segment . from next len 1 ack all win 1000
  > +0.000 . 1:1(0) ack 2 win 502 urg 0 <>
  @ 0.032888 0.044986 0.045081
  % bytes_received 1, segs_out 1, segs_in 3, data_segs_in 1
write 3500
  > +0.000 . 1:1001(1000) ack 2 win 502 urg 0 <>
  > +0.000 P. 1001:2001(1000) ack 2 win 502 urg 0 <>
  > +0.000 . 2001:3001(1000) ack 2 win 502 urg 0 <>
  > +0.000 P. 3001:3501(500) ack 2 win 502 urg 0 <>
  = 3500 read 0
  @ 0.045171 0.057279 0.057381
  % unacked 4, segs_out 5, data_segs_out 4, bytes_sent 3500
shutdown 1
  > +0.000 F. 3501:3501(0) ack 2 win 502 urg 0 <>
  = 0 read 0
  @ 0.057433 0.069540 0.069637
  % state 4, unacked 5, segs_out 6
segment F. from beyond 1000 len 1000 ack old 1000 win 1000
  > +0.000 . 3502:3502(0) ack 2 win 502 urg 0 <>
  @ 0.069716 0.086092 0.086207
  % segs_out 7, segs_in 4, data_segs_in 2
segment .U from next len 1000 ack same win 1000 urgent 0
  @ 0.086286 0.098380 0.098483
  % rcv_mss 1000, bytes_received 1001, segs_in 5, data_segs_in 3
segment P. from beyond 1000 len 1000 ack all win 1000
  > +0.000 . 3502:3502(0) ack 1002 win 495 urg 0 <>
  @ 0.098583 0.114094 0.114207
  % state 5, unacked 0, bytes_acked 3501, segs_out 8, segs_in 6, data_segs_in 4, delivered 6, rcv_ooopack 1
read 100000
  = 1 read 1
  @ 0.114270 0.126373 0.126492
  % same
segment P. from next len 1 ack all win 1000
  > +0.000 . 3502:3502(0) ack 1003 win 495 urg 0 <>
  @ 0.126594 0.138710 0.138815
  % bytes_received 1002, segs_out 9, segs_in 7, data_segs_in 5
read 10
  = 10 read 10
  @ 0.138875 0.150985 0.151083
  % same
write 5000
  = errno 32 read 0
  @ 0.151134 0.163237 0.163332
  % same
shutdown 2
  = 0 read 0
  @ 0.163390 0.175508 0.175612
  % same
segment P. from next len 1 ack all win 1000
  > +0.000 R 3502:3502(0) ack 0 win 0 urg 0 <>
  @ 0.175720 0.187840 0.187953
  % state 7, segs_in 8, data_segs_in 6
segment . from next len 0 ack same win 65535
  > +0.000 R 3502:3502(0) ack 0 win 0 urg 0 <>
  @ 0.188044 0.200180 0.200288
  % same
