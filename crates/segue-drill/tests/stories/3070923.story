// seed 3070923
connecting mss 1460 sack timestamps win 2000 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000113 0.000166 0.000200 0.000270 0.000329 0.012385 0.012472
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment SR from beyond 1 len 0 win 1000
  @ 0.012518 0.024580 0.024665
  % segs_in 1
segment - from next len 100 win 1000
  @ 0.024720 0.036797 0.036910
  % segs_in 2, data_segs_in 1
segment - from next len 100 win 1000
  @ 0.036978 0.049048 0.049159
  % segs_in 3, data_segs_in 2
wait 20
  @ 0.069189 0.069310
  % same
segment . from next len 0 ack all win 1000
  @ 0.069346 0.081433 0.081556
  % segs_in 4
set 6 10 4000
  = 0 read 0
  @ 0.081623 0.093695 0.093791
  % same
read 10
  = errno 11 read 0
  @ 0.093848 0.105936 0.106064
  % same
write 1
  = errno 11 read 0
  @ 0.106134 0.118212 0.118313
  % same
segment FP. from beyond 1000 len 1000 ack same win 1000
  @ 0.118371 0.130464 0.130574
  % segs_in 5, data_segs_in 3
write 5000 oob
  = errno 11 read 0
  @ 0.130662 0.142753 0.142881
  % same
segment . from next len 1000 ack old 1000 win 1000
  > +0.000 R -999:-999(0) ack 0 win 0 urg 0 <>
  > +0.010 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  @ 0.142975 0.155047 0.155154
  % ca_state 4, retransmits 1, lost 1, retrans 1, snd_ssthresh 7, snd_cwnd 1, total_retrans 1, segs_out 2, segs_in 6, data_segs_in 4
wait 20
  @ 0.175242 0.175333
  % same
segment . from next len 0 ack more 2000 win 1000 sack block 1000 3000
  @ 0.175379 0.187444 0.187540
  % segs_in 7
write 1
  = errno 11 read 0
  @ 0.187592 0.199694 0.199910
  % same
segment P. from beyond 1000 len 1000 ack all win 1000
  @ 0.199973 0.212059 0.212252
  % segs_in 8, data_segs_in 5
