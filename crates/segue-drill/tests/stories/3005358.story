// seed 3005358
connecting mss 1000 wscale 7 win 65535 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000161 0.000241 0.000313 0.000407 0.000512 0.012584 0.012665
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment S. from next len 0 ack unsent 1000 win 1000
  > +0.000 R 1001:1001(0) ack 0 win 0 urg 0 <>
  > +0.010 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  @ 0.012728 0.024784 0.024925
  % ca_state 4, retransmits 1, lost 1, retrans 1, snd_ssthresh 7, snd_cwnd 1, total_retrans 1, segs_out 2, segs_in 1
segment R from next len 0 win 1000
  @ 0.024970 0.037061 0.037206
  % segs_in 2
segment - from next len 0 win 1000
  @ 0.037270 0.049347 0.049479
  % segs_in 3
