// seed 62000346
// intended: refused or reset
connecting mss 1000 sack timestamps wscale 0 win 32792 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000116 0.000155 0.000177 0.000204 0.000266 0.012383 0.012483
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment S from next len 0 win 1000
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  @ 0.012573 0.024677 0.024781
  % state 3, options 7, wscale 112, snd_mss 500, rcv_mss 500, segs_out 2, segs_in 1, snd_wnd 1000
segment SR from next len 0 win 1000
  @ 0.024860 0.036974 0.037069
  % state 7, unacked 0, segs_in 2
error
  = 0 read 104
  @ 0.037106 0.049225 0.049327
  % same
