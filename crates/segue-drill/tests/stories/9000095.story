// seed 9000095
// intended: text behind a FIN
passive mss 1000 sack timestamps wscale 7 win 32792 cubic
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000142 0.000236 0.000301 0.000367 0.000408 0.000447 0.020510 0.020601 0.032771 0.033062 0.033153
  % state 1, options 7, wscale 119, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
segment F. from beyond 1000 len 0 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 510 urg 0 <ecr 100002, sack 1001:1002>
  @ 0.033327 0.045508 0.045781
  % segs_out 1, segs_in 3, rcv_ooopack 1
segment P. from next len 1460 ack same win 1000
  > +0.000 . 1:1(0) ack 1461 win 533 urg 0 <ecr 100004, sack 1001:1002>
  @ 0.045903 0.057989 0.058124
  % rcv_mss 1448, bytes_received 1460, segs_out 2, segs_in 4, data_segs_in 1
