// seed 3005220
active mss 536 sack wscale 0 win 32792 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <>
  = errno 115 read 0
  @ 0.000126 0.000166 0.000191 0.000238 0.000333 0.012411 0.032497 0.032577 0.044654 0.044759
  % state 1, options 6, wscale 112, snd_mss 536, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 32792
read 100000
  = errno 11 read 0
  @ 0.044841 0.056925 0.057036
  % same
segment P. from next len 1000 ack same win 1000
  > +0.000 . 1:1(0) ack 1001 win 495 urg 0 <>
  @ 0.057110 0.069273 0.069438
  % rcv_mss 1000, bytes_received 1000, segs_out 3, segs_in 2, data_segs_in 1, snd_wnd 1000
segment SF from beyond 1 len 1 win 1000
  > +0.000 . 1:1(0) ack 1001 win 495 urg 0 <>
  @ 0.069528 0.081603 0.081725
  % segs_out 4, segs_in 3, data_segs_in 2
segment . from before 500 len 2000 ack all win 1000
  > +0.000 . 1:1(0) ack 2501 win 484 urg 0 <sack 501:1001>
  @ 0.081800 0.093884 0.093994
  % rcv_mss 1460, bytes_received 2500, segs_out 5, segs_in 4, data_segs_in 3
segment P. from edge-plus 0 len 1000 ack old 1000 win 1000
  > +0.000 . 1:1(0) ack 2501 win 484 urg 0 <>
  @ 0.094068 0.106208 0.106319
  % segs_out 6, segs_in 5, data_segs_in 4
