// seed 3070506
connecting mss 1000 sack wscale 0 win 65535 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000122 0.000174 0.000211 0.000258 0.000318 0.012384 0.012472
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment - from next len 100 win 1000
  @ 0.012517 0.024606 0.024693
  % segs_in 1, data_segs_in 1
segment P. from next len 2000 ack same win 1000
  > +0.000 R 0:0(0) ack 0 win 0 urg 0 <>
  > +0.012 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  @ 0.024758 0.036783 0.036862
  % ca_state 4, retransmits 1, lost 1, retrans 1, snd_ssthresh 5, snd_cwnd 1, total_retrans 1, segs_out 2, segs_in 2, data_segs_in 2
segment F. from next len 0 ack all win 1000
  @ 0.036891 0.048956 0.049040
  % segs_in 3
error
  = 0 read 0
  @ 0.049090 0.061145 0.061226
  % same
write 100 more
  = errno 11 read 0
  @ 0.061292 0.073351 0.073442
  % same
wait 20
  @ 0.093517 0.093629
  % same
segment . from next len 0 ack all win 1000
  @ 0.093694 0.105746 0.105835
  % segs_in 4
