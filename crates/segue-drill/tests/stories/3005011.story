// seed 3005011
connecting mss 536 sack win 32792 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000131 0.000165 0.000188 0.000224 0.000262 0.012328 0.012425
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment . from edge-plus 1000 len 1000 ack all win 1000
  @ 0.012480 0.024580 0.024688
  % segs_in 1, data_segs_in 1
segment - from next len 0 win 1000
  @ 0.024750 0.036824 0.036899
  % segs_in 2
segment S. from next len 0 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 64240 urg 0 <>
  @ 0.036959 0.049029 0.049101
  % state 1, options 2, snd_mss 500, rcv_mss 500, unacked 0, bytes_acked 1, segs_out 2, segs_in 3, delivered 1, snd_wnd 1000
segment . from beyond 1000 len 2000 ack all win 1000 stamp missing
  > +0.000 . 1:1(0) ack 1 win 64240 urg 0 <sack 1001:3001>
  @ 0.049155 0.061218 0.061288
  % rcv_mss 1460, segs_out 3, segs_in 4, data_segs_in 2, rcv_ooopack 1
wait 20
  @ 0.081367 0.081464
  % same
segment . from next len 0 ack more 1000 win 0 sack block 1000 1000
  @ 0.081503 0.093573 0.093669
  % segs_in 5
wait 100
  @ 0.193748 0.193821
  % same
read 1000
  = errno 11 read 0
  @ 0.193886 0.205962 0.206060
  % same
segment FP. from next len 2000 ack all win 1000
  @ 0.206131 0.218205 0.218308
  % state 8, bytes_received 2001, segs_in 6, data_segs_in 3
set 1 8 40000
  = 0 read 0
  @ 0.218364 0.230551 0.230715
  % same
segment P. from next len 2000 ack all win 1000
  @ 0.230870 0.242951 0.243092
  % segs_in 7, data_segs_in 4
wait 15
  > +0.004 . 1:1(0) ack 2002 win 62239 urg 0 <>
  @ 0.258174 0.258268
  % segs_out 4
segment P. from before 1000 len 1 ack all win 1000
  @ 0.258308 0.270367 0.270454
  % segs_in 8, data_segs_in 5
wait 100
  @ 0.370602 0.370890
  % same
