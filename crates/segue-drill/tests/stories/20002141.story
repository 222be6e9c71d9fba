// seed 20002141
active sack timestamps win 65535 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 64240 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000166 0.000215 0.000261 0.000349 0.000432 0.012482 0.032524 0.032554 0.044613 0.044710
  % state 1, options 3, snd_mss 524, rcv_mss 524, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 65535
wait 15
  @ 0.059773 0.059888
  % same
segment P. from edge-plus 1000 len 1000 ack old 1000 win 1000 stamp missing
  > +0.000 . 1:1(0) ack 1 win 64240 urg 0 <ecr 100001>
  @ 0.059928 0.071989 0.072079
  % segs_out 3, segs_in 2, data_segs_in 1
segment P. from edge-plus 1000 len 1 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 64240 urg 0 <ecr 100001>
  @ 0.072102 0.084143 0.084196
  % segs_out 4, segs_in 3, data_segs_in 2
segment . from before 500 len 100 ack old 1000 win 1000 stamp missing
  > +0.000 . 1:1(0) ack 1 win 64240 urg 0 <ecr 100001, sack 4294966797:4294966897>
  @ 0.084215 0.096264 0.096376
  % segs_out 5, segs_in 4, data_segs_in 3
wait 300
  @ 0.396452 0.396541
  % same
write 1000
  > +0.000 . 1:525(524) ack 1 win 64240 urg 0 <ecr 100001>
  > +0.000 P. 525:1001(476) ack 1 win 64240 urg 0 <ecr 100001>
  = 1000 read 0
  @ 0.396617 0.408653 0.408735
  % unacked 2, segs_out 7, data_segs_out 2, bytes_sent 1000
write 100
  = 100 read 0
  @ 0.408815 0.420869 0.420954
  % notsent_bytes 100
close
  > +0.000 FP. 1001:1101(100) ack 1 win 64240 urg 0 <ecr 100001>
  = 0 read 0
  @ 0.421030 0.433069
  % gone
segment P. from before 1000 len 1000 ack all win 1000
  @ 0.433116 0.445166
  % gone
read 100000
  @ 0.457220
  % gone
