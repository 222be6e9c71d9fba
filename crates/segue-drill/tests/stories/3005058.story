// seed 3005058
active mss 100 sack wscale 14 win 32792 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <>
  = errno 115 read 0
  @ 0.000162 0.000287 0.000331 0.000389 0.000460 0.012710 0.032782 0.032826 0.044881 0.045020
  % state 1, options 6, wscale 126, snd_mss 100, rcv_mss 100, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 32792
write 100
  > +0.000 P. 1:101(100) ack 1 win 502 urg 0 <>
  = 100 read 0
  @ 0.045118 0.057179 0.057310
  % unacked 1, segs_out 3, data_segs_out 1, bytes_sent 100
wait 700
  > +0.227 P. 1:101(100) ack 1 win 502 urg 0 <>
  > +0.467 P. 1:101(100) ack 1 win 502 urg 0 <>
  @ 0.757397 0.757567
  % ca_state 4, retransmits 1, backoff 1, lost 1, retrans 1, snd_ssthresh 5, snd_cwnd 1, total_retrans 2, segs_out 5, data_segs_out 3, bytes_sent 300, bytes_retrans 200
segment P. from next len 100 ack all win 1000
  > +0.000 . 101:101(0) ack 101 win 502 urg 0 <>
  @ 0.757630 0.769695 0.769805
  % ca_state 0, retransmits 0, unacked 0, lost 0, retrans 0, snd_cwnd 2, bytes_acked 101, bytes_received 100, segs_out 6, segs_in 2, data_segs_in 1, delivered 2, snd_wnd 16384000
segment . from beyond 3000 len 1 ack all win 1000
  > +0.000 . 101:101(0) ack 101 win 502 urg 0 <sack 3101:3102>
  @ 0.769871 0.781947 0.782083
  % segs_out 7, segs_in 3, data_segs_in 2, rcv_ooopack 1
segment P. from next len 1460 ack same win 1000
  > +0.000 . 101:101(0) ack 1561 win 525 urg 0 <sack 3101:3102>
  @ 0.782154 0.794222 0.794357
  % rcv_mss 1460, bytes_received 1560, segs_out 8, segs_in 4, data_segs_in 3
segment R. from before 1 len 0 ack unsent 1 win 1000 stamp old
  @ 0.794393 0.806472 0.806607
  % segs_in 5
segment P. from edge-plus 1000 len 1000 ack same win 1000
  > +0.000 . 101:101(0) ack 1561 win 525 urg 0 <sack 3101:3102>
  @ 0.806659 0.818729 0.818858
  % segs_out 9, segs_in 6, data_segs_in 4
segment P. from beyond 3000 len 1000 ack all win 1000
  > +0.000 . 101:101(0) ack 1561 win 548 urg 0 <sack 4561:5561, sack 3101:3102>
  @ 0.818912 0.831013 0.831180
  % segs_out 10, segs_in 7, data_segs_in 5, rcv_ooopack 2
segment F. from next len 1 ack old 1000 win 1000
  > +0.000 . 101:101(0) ack 1561 win 548 urg 0 <sack 4561:5561, sack 3101:3102>
  @ 0.831270 0.843381 0.843569
  % segs_out 11, segs_in 8, data_segs_in 6
wait 20
  @ 0.863700 0.863831
  % same
segment . from next len 0 ack same win 1000
  @ 0.863874 0.875936 0.876070
  % segs_in 9
shutdown 1
  > +0.000 F. 101:101(0) ack 1561 win 548 urg 0 <sack 4561:5561, sack 3101:3102>
  = 0 read 0
  @ 0.876150 0.888265 0.888368
  % state 4, unacked 1, segs_out 12
write 10 more
  = errno 32 read 0
  @ 0.888446 0.900516 0.900670
  % same
segment P. from next len 1000 ack all win 1000
  > +0.000 . 102:102(0) ack 1561 win 564 urg 0 <sack 1563:2563, sack 4561:5561, sack 3101:3102>
  @ 0.900749 0.912837 0.912995
  % state 5, backoff 0, rcv_mss 1000, unacked 0, bytes_acked 102, segs_out 13, segs_in 10, data_segs_in 7, delivered 3, rcv_ooopack 3
wait 20
  @ 0.933079 0.933209
  % same
segment . from next len 0 ack same win 1000 stamp missing
  @ 0.933249 0.945321 0.946956
  % segs_in 11
