// seed 50001207
connecting mss 1460 sack wscale 7 win 32792 reno
  > +0.001 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000251 0.000350 0.000422 0.000517 0.000633 0.012727 0.012921
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment S. from next len 0 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <>
  @ 0.013037 0.025165 0.025395
  % state 1, options 6, wscale 119, snd_mss 500, rcv_mss 500, unacked 0, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 1000
segment P. from beyond 1000 len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <sack 1001:2001>
  @ 0.025512 0.037622 0.037783
  % snd_mss 1460, rcv_mss 1000, segs_out 3, segs_in 2, data_segs_in 1, rcv_ooopack 1, snd_wnd 128000
segment F. from next len 0 ack all win 1000
  > +0.004 . 1:1(0) ack 2 win 502 urg 0 <>
  @ 0.037863 0.049964 0.050180
  % state 8, bytes_received 1, segs_out 4, segs_in 3
segment . from next len 0 ack more 1000 win 1000 sack block 1000 1000
  @ 0.050279 0.062375 0.062570
  % segs_in 4
segment . from edge-less 500 len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 2 win 502 urg 0 <>
  @ 0.062657 0.074761 0.074950
  % segs_out 5, segs_in 5, data_segs_in 2
wait 20
  @ 0.095070 0.095263
  % same
segment . from next len 0 ack all win 1000 stamp old
  @ 0.095339 0.107447 0.107648
  % segs_in 6
set 1 9 1
  = 0 read 0
  @ 0.107737 0.119843 0.120042
  % same
segment P. from beyond 1000 len 100 ack same win 1000
  @ 0.120124 0.132248 0.132460
  % segs_in 7, data_segs_in 3
segment . from next len 1 ack all win 1000
  @ 0.132553 0.144655 0.144856
  % segs_in 8, data_segs_in 4
segment SF from before 100000 len 0 win 1000 stamp missing
  > +0.000 . 1:1(0) ack 2 win 502 urg 0 <>
  @ 0.144942 0.157051 0.157268
  % segs_out 6, segs_in 9
