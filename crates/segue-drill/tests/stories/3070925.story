// seed 3070925
connecting mss 1460 sack wscale 0 win 65535 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000168 0.000200 0.000225 0.000255 0.000298 0.012391 0.012530
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
read 10000
  = errno 11 read 0
  @ 0.012603 0.024683 0.024814
  % same
segment . from next len 0 ack all win 1000
  @ 0.024865 0.036924 0.037028
  % segs_in 1
segment - from next len 100 win 1000
  @ 0.037072 0.049163 0.049288
  % segs_in 2, data_segs_in 1
wait 20
  @ 0.069367 0.069446
  % same
segment . from next len 0 ack all win 1000
  @ 0.069488 0.081531 0.081582
  % segs_in 3
