// seed 3005631
passive mss 1000 sack wscale 7 win 32792 cubic
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7>
  = 0 read 0
  @ 0.000120 0.000164 0.000199 0.000242 0.000277 0.000314 0.020392 0.020446 0.032514 0.032637 0.032691
  % state 1, options 6, wscale 119, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
segment P. from before 1000 len 2000 ack all win 1000
  > +0.000 . 1:1(0) ack 1001 win 495 urg 0 <sack 4294966297:1>
  @ 0.032754 0.044824 0.044918
  % rcv_mss 1460, bytes_received 1000, segs_out 1, segs_in 3, data_segs_in 1
segment . from edge-less 500 len 1 ack same win 1000
  > +0.000 . 1:1(0) ack 1001 win 495 urg 0 <sack 63861:63862>
  @ 0.044967 0.057041 0.057139
  % segs_out 2, segs_in 4, data_segs_in 2, rcv_ooopack 1
set 1 18 2000
  = 0 read 0
  @ 0.057200 0.069288 0.069381
  % same
segment R. from before 100000 len 0 ack old 1 win 1000 stamp old
  @ 0.069421 0.081495 0.081596
  % segs_in 5
