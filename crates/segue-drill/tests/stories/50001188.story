// seed 50001188
connecting mss 1000 sack timestamps wscale 7 win 32792 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000197 0.000275 0.000335 0.000410 0.000507 0.012602 0.012734
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment . from next len 0 ack all win 1000 stamp bad-echo
  > +0.000 R 1:1(0) ack 0 win 0 urg 0 <>
  @ 0.012838 0.024967 0.025193
  % segs_in 1
wait 700
  @ 0.725321 0.725477
  % same
segment S from next len 0 win 1000
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 100002>
  @ 0.725586 0.737697 0.737893
  % state 3, options 7, wscale 119, snd_mss 500, rcv_mss 500, segs_out 2, segs_in 2, snd_wnd 1000
shutdown 2
  = 0 read 0
  @ 0.737990 0.750085 0.750254
  % same
