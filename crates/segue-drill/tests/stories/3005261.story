// seed 3005261
active mss 1000 sack timestamps wscale 0 win 32792 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000118 0.000164 0.000229 0.000282 0.000344 0.012414 0.032494 0.032557 0.044642 0.044734
  % state 1, options 7, wscale 112, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 32792
segment SF from beyond 1 len 0 win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  @ 0.044783 0.056838 0.056923
  % segs_out 3, segs_in 2
read 1 peek
  = errno 11 read 0
  @ 0.056989 0.069122 0.069302
  % same
write 1000
  > +0.000 . 1:989(988) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 989:1001(12) ack 1 win 502 urg 0 <ecr 100001>
  = 1000 read 0
  @ 0.069427 0.081529 0.081626
  % unacked 2, segs_out 5, data_segs_out 2, bytes_sent 1000
segment . from next len 1000 ack old 1000 win 1000 stamp missing
  > +0.000 . 1001:1001(0) ack 1 win 502 urg 0 <ecr 100001>
  @ 0.081674 0.093748 0.093848
  % segs_out 6, segs_in 3, data_segs_in 1
set 6 1 1
  = 0 read 0
  @ 0.093908 0.105979 0.106074
  % same
read 1000
  = errno 11 read 0
  @ 0.106172 0.118233 0.118326
  % same
segment P. from before 1000 len 1000 ack all win 1000
  > +0.000 . 1001:1001(0) ack 1001 win 495 urg 0 <ecr 100004>
  @ 0.118381 0.130441 0.130539
  % rcv_mss 1000, unacked 0, bytes_acked 1001, bytes_received 1000, segs_out 7, segs_in 4, data_segs_in 2, delivered 3, snd_wnd 1000
segment P. from before 1000 len 1 ack all win 1000
  > +0.000 . 1001:1001(0) ack 1001 win 495 urg 0 <ecr 100004, sack 1:2>
  @ 0.130593 0.142671 0.142759
  % segs_out 8, segs_in 5, data_segs_in 3
write 1 more
  = 1 read 0
  @ 0.142820 0.154962 0.155165
  % notsent_bytes 1
wait 20
  @ 0.175285 0.175385
  % same
segment . from next len 0 ack all win 1000
  > +0.000 . 1001:1002(1) ack 1001 win 495 urg 0 <ecr 100006>
  @ 0.175457 0.187525 0.187612
  % unacked 1, segs_out 9, segs_in 6, notsent_bytes 0, data_segs_out 3, bytes_sent 1001
segment . from before 1000 len 2000 ack same win 1000
  > +0.000 . 1002:1002(0) ack 2001 win 488 urg 0 <ecr 100007, sack 1:1001>
  @ 0.187676 0.199769 0.199877
  % rcv_mss 1448, bytes_received 2000, segs_out 10, segs_in 7, data_segs_in 4
segment P. from edge-less 500 len 2000 ack all win 1000
  > +0.000 . 1002:1002(0) ack 2001 win 488 urg 0 <ecr 100007>
  @ 0.199956 0.212034 0.212135
  % segs_out 11, segs_in 8, data_segs_in 5
