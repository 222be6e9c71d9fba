// seed 21000293
// intended: options beside text
passive mss 1460 sack wscale 7 win 32792 reno
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7>
  = 0 read 0
  @ 0.000124 0.000179 0.000250 0.000347 0.000395 0.000421 0.020510 0.020550 0.032585 0.032741 0.032821
  % state 1, options 6, wscale 119, snd_mss 1460, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
write 2000
  > +0.000 . 1:1461(1460) ack 1 win 502 urg 0 <>
  > +0.000 P. 1461:2001(540) ack 1 win 502 urg 0 <>
  = 2000 read 0
  @ 0.032912 0.044972 0.045092
  % unacked 2, segs_out 2, data_segs_out 2, bytes_sent 2000
segment SF from beyond 1 len 0 win 1000
  > +0.000 . 2001:2001(0) ack 1 win 502 urg 0 <>
  @ 0.045116 0.057158 0.057271
  % segs_out 3, segs_in 3
segment . from beyond 1000 len 1000 ack same win 1000
  > +0.000 . 2001:2001(0) ack 1 win 502 urg 0 <sack 1001:2001>
  @ 0.057311 0.069368 0.069522
  % rcv_mss 1000, segs_out 4, segs_in 4, data_segs_in 1, rcv_ooopack 1
wait 20
  > +0.008 P. 1449:2001(552) ack 1 win 502 urg 0 <sack 1001:2001>
  @ 0.089590 0.089693
  % total_retrans 1, segs_out 5, data_segs_out 3, bytes_sent 2552, bytes_retrans 552
