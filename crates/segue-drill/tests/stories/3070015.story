// seed 3070015
active mss 1000 sack timestamps wscale 0 win 65535 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000143 0.000189 0.000223 0.000269 0.000336 0.012473 0.032574 0.032666 0.044747 0.044861
  % state 1, options 7, wscale 112, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 65535
segment . from next len 0 ack same win 1000
  @ 0.044908 0.056992 0.057112
  % segs_in 2, snd_wnd 1000
write 2000
  > +0.000 . 1:989(988) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 P. 989:1001(12) ack 1 win 502 urg 0 <ecr 100002>
  = 2000 read 0
  @ 0.057208 0.069304 0.069448
  % unacked 2, segs_out 4, notsent_bytes 1000, data_segs_out 2, bytes_sent 1000
