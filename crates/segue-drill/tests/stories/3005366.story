// seed 3005366
connecting mss 1460 sack timestamps wscale 7 win 32792 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000118 0.000163 0.000181 0.000234 0.000297 0.012347 0.012420
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
write 100
  = errno 11 read 0
  @ 0.012482 0.024534 0.024609
  % same
wait 20
  @ 0.044691 0.044792
  % same
segment . from next len 0 ack old 500 win 0
  > +0.000 R -500:-500(0) ack 0 win 0 urg 0 <>
  > +0.009 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  @ 0.044841 0.056901 0.057113
  % ca_state 4, retransmits 1, lost 1, retrans 1, snd_ssthresh 7, snd_cwnd 1, total_retrans 1, segs_out 2, segs_in 1
wait 700
  @ 0.757199 0.757297
  % same
write 1
  = errno 11 read 0
  @ 0.757369 0.769446 0.769537
  % same
segment P. from next len 100 ack all win 1000
  @ 0.769589 0.781675 0.781787
  % segs_in 2, data_segs_in 1
wait 100
  @ 0.881878 0.881969
  % same
