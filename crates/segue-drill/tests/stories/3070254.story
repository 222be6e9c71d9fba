// seed 3070254
// intended: what a duplicate is
passive mss 1000 wscale 7 win 32792 cubic
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, wscale 7>
  = 0 read 0
  @ 0.000116 0.000167 0.000207 0.000258 0.000294 0.000332 0.020405 0.020493 0.032568 0.032695 0.032738
  % state 1, options 4, wscale 119, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
segment P. from next len 1 ack same win 1000
  > +0.000 . 1:1(0) ack 2 win 502 urg 0 <>
  @ 0.032781 0.044851 0.044958
  % bytes_received 1, segs_out 1, segs_in 3, data_segs_in 1
write 1
  > +0.000 P. 1:2(1) ack 2 win 502 urg 0 <>
  = 1 read 0
  @ 0.045059 0.057130 0.057237
  % unacked 1, segs_out 2, data_segs_out 1, bytes_sent 1
write 1000 oob
  > +0.000 P.U 2:1002(1000) ack 2 win 502 urg 1000 <>
  = 1000 read 0
  @ 0.057324 0.069398 0.069499
  % unacked 2, segs_out 3, data_segs_out 2, bytes_sent 1001
segment . from next len 0 ack same win 1000 sack two 1000 1000
  @ 0.069539 0.081614 0.081720
  % segs_in 4
