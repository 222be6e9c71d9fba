// seed 3005554
// intended: PSH inside a write
active mss 100 sack win 0 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.032 . 1:1(0) ack 1 win 64240 urg 0 <>
  = errno 115 read 0
  @ 0.000120 0.000164 0.000199 0.000245 0.000301 0.012361 0.032439 0.032498 0.044572 0.044673
  % state 1, options 2, snd_mss 100, rcv_mss 100, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1
segment P. from next len 1000 ack old 1000 win 1000
  > +0.000 . 1:1(0) ack 1 win 64240 urg 0 <>
  @ 0.044733 0.056807 0.056901
  % segs_out 3, segs_in 2, data_segs_in 1
wait 20
  @ 0.076977 0.077103
  % same
segment . from next len 0 ack same win 1000 sack block 1000 1000
  @ 0.077139 0.089193 0.089290
  % segs_in 3, snd_wnd 1000
segment P. from next len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 64240 urg 0 <sack 1001:2001>
  @ 0.089346 0.101406 0.101496
  % rcv_mss 1000, segs_out 4, segs_in 4, data_segs_in 2, rcv_ooopack 1
write 5000 more
  > +0.000 . 1:89(88) ack 1 win 64240 urg 0 <sack 1001:2001>
  > +0.000 . 89:177(88) ack 1 win 64240 urg 0 <sack 1001:2001>
  > +0.000 P. 177:265(88) ack 1 win 64240 urg 0 <sack 1001:2001>
  > +0.000 . 265:353(88) ack 1 win 64240 urg 0 <sack 1001:2001>
  > +0.000 . 353:441(88) ack 1 win 64240 urg 0 <sack 1001:2001>
  > +0.000 P. 441:529(88) ack 1 win 64240 urg 0 <sack 1001:2001>
  > +0.000 . 529:617(88) ack 1 win 64240 urg 0 <sack 1001:2001>
  > +0.000 P. 617:705(88) ack 1 win 64240 urg 0 <sack 1001:2001>
  > +0.000 . 705:793(88) ack 1 win 64240 urg 0 <sack 1001:2001>
  > +0.000 P. 793:881(88) ack 1 win 64240 urg 0 <sack 1001:2001>
  = 5000 read 0
  @ 0.101605 0.113678 0.113773
  % unacked 10, segs_out 14, notsent_bytes 4120, data_segs_out 10, bytes_sent 880
segment P. from edge-less 500 len 1000 ack same win 1000
  > +0.000 . 881:881(0) ack 1 win 64240 urg 0 <sack 1001:2001>
  @ 0.113829 0.125902 0.126000
  % segs_out 15, segs_in 5, data_segs_in 3
read 1
  = errno 11 read 0
  @ 0.126077 0.138151 0.138261
  % same
read 10000
  = errno 11 read 0
  @ 0.138330 0.150403 0.150500
  % same
wait 300
  > +0.027 . 881:969(88) ack 1 win 64240 urg 0 <sack 1001:2001>
  > +0.267 . 1:89(88) ack 1 win 64240 urg 0 <sack 1001:2001>
  @ 0.450588 0.450698
  % ca_state 4, retransmits 1, backoff 1, unacked 11, lost 11, retrans 1, snd_ssthresh 5, snd_cwnd 1, total_retrans 1, segs_out 17, notsent_bytes 4032, data_segs_out 12, bytes_sent 1056, bytes_retrans 88
set 6 18 500
  = 0 read 0
  @ 0.450738 0.462810 0.462917
  % same
segment FP. from next len 1000 ack old 1000 win 1000
  > +0.000 . 969:969(0) ack 1 win 64240 urg 0 <sack 1001:2001>
  @ 0.462972 0.475046 0.475166
  % segs_out 18, segs_in 6, data_segs_in 4
segment . from beyond 1000 len 1000 ack old 1000 win 1000
  > +0.000 . 969:969(0) ack 1 win 64240 urg 0 <sack 1001:2001>
  @ 0.475223 0.487288 0.487384
  % segs_out 19, segs_in 7, data_segs_in 5
segment F. from edge-plus 1000 len 1000 ack all win 1000
  > +0.000 . 969:969(0) ack 1 win 64240 urg 0 <sack 1001:2001>
  @ 0.487445 0.499513 0.499594
  % segs_out 20, segs_in 8, data_segs_in 6
