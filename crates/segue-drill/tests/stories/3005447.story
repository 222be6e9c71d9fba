// seed 3005447
connecting mss 100 sack timestamps wscale 14 win 2000 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000137 0.000236 0.000272 0.000307 0.000355 0.012451 0.012526
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment . from next len 0 ack same win 1000
  > +0.000 R 0:0(0) ack 0 win 0 urg 0 <>
  > +0.009 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  @ 0.012581 0.024697 0.024972
  % ca_state 4, retransmits 1, lost 1, retrans 1, snd_ssthresh 7, snd_cwnd 1, total_retrans 1, segs_out 2, segs_in 1
segment S. from next len 0 ack unsent 1000 win 1000
  > +0.000 R 1001:1001(0) ack 0 win 0 urg 0 <>
  @ 0.025019 0.037080 0.037168
  % segs_in 2
segment F. from next len 0 ack all win 1000
  @ 0.037212 0.049277 0.049464
  % segs_in 3
write 20000
  = errno 11 read 0
  @ 0.049529 0.061591 0.061663
  % same
read 100
  = errno 11 read 0
  @ 0.061748 0.073798 0.073878
  % same
