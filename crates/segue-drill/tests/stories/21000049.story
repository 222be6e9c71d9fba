// seed 21000049
// intended: text beside an old acknowledgment
passive mss 1460 sack wscale 7 win 0 reno
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7>
  = 0 read 0
  @ 0.000155 0.000242 0.000296 0.000370 0.000427 0.000458 0.020505 0.020545 0.032590 0.032795 0.032874
  % state 1, options 6, wscale 119, snd_mss 1460, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
write 100
  > +0.000 P. 1:101(100) ack 1 win 502 urg 0 <>
  = 100 read 0
  @ 0.032980 0.045092 0.045236
  % unacked 1, segs_out 1, data_segs_out 1, bytes_sent 100
segment P. from next len 100 ack old 1000 win 1000
  > +0.000 . 101:101(0) ack 101 win 502 urg 0 <>
  @ 0.045271 0.057341 0.057579
  % bytes_received 100, segs_out 2, segs_in 3, data_segs_in 1
