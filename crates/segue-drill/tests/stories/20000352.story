// seed 20000352
connecting mss 1000 wscale 7 win 32792 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000153 0.000233 0.000327 0.000393 0.000467 0.012514 0.012639
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment S from next len 0 win 1000
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  @ 0.012668 0.024720 0.024898
  % state 3, options 4, wscale 119, snd_mss 500, rcv_mss 500, segs_out 2, segs_in 1, snd_wnd 1000
segment . from next len 100 ack all win 1000
  > +0.000 . 1:1(0) ack 101 win 502 urg 0 <>
  @ 0.024927 0.036985 0.037077
  % state 1, snd_mss 1000, rcv_mss 536, unacked 0, bytes_acked 1, bytes_received 100, segs_out 3, segs_in 2, data_segs_in 1, delivered 2, snd_wnd 128000
segment R. from next len 0 ack all win 1000
  @ 0.037099 0.049157 0.049289
  % state 7, segs_in 3
read 100
  = 100 read 100
  @ 0.049380 0.061434 0.061523
  % same
read 100000
  = errno 104 read 0
  @ 0.061610 0.073668 0.073756
  % same
write 100 more
  = errno 32 read 0
  @ 0.073833 0.085892 0.086003
  % same
read 1000 peek
  = 0 read 0
  @ 0.086074 0.098185 0.098284
  % same
wait 20
  @ 0.118335 0.118493
  % same
segment . from next len 0 ack all win 1000
  > +0.000 R 1:1(0) ack 0 win 0 urg 0 <>
  @ 0.118530 0.130574 0.130715
  % same
write 1
  = errno 32 read 0
  @ 0.130826 0.142918 0.143024
  % same
