// seed 3005427
connecting mss 100 sack wscale 7 win 65535 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000108 0.000150 0.000185 0.000238 0.000300 0.012367 0.012444
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
read 100000
  = errno 11 read 0
  @ 0.012544 0.024604 0.024675
  % same
wait 20
  @ 0.044749 0.044855
  % same
segment . from next len 0 ack same win 1000 sack block 1000 3000
  > +0.000 R 0:0(0) ack 0 win 0 urg 0 <>
  > +0.010 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  @ 0.044902 0.056975 0.057067
  % ca_state 4, retransmits 1, lost 1, retrans 1, snd_ssthresh 7, snd_cwnd 1, total_retrans 1, segs_out 2, segs_in 1
wait 300
  @ 0.357321 0.357542
  % same
error
  = 0 read 0
  @ 0.357602 0.369771 0.369929
  % same
wait 20
  @ 0.390026 0.390130
  % same
segment . from next len 0 ack all win 1000
  @ 0.390175 0.402369 0.402661
  % segs_in 2
