// seed 3005300
passive mss 536 sack wscale 7 win 65535 cubic
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7>
  = 0 read 0
  @ 0.000160 0.000218 0.000254 0.000298 0.000333 0.000381 0.020455 0.020548 0.032622 0.032758 0.032806
  % state 1, options 6, wscale 119, snd_mss 536, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
wait 15
  @ 0.047901 0.048051
  % same
segment P. from next len 2000 ack same win 1000 stamp old
  > +0.000 . 1:1(0) ack 2001 win 487 urg 0 <>
  @ 0.048108 0.060219 0.060319
  % rcv_mss 1460, bytes_received 2000, segs_out 1, segs_in 3, data_segs_in 1
segment . from beyond 1000 len 1000 ack same win 1000 stamp old
  > +0.000 . 1:1(0) ack 2001 win 487 urg 0 <sack 3001:4001>
  @ 0.060373 0.072431 0.072501
  % segs_out 2, segs_in 4, data_segs_in 2, rcv_ooopack 1
