// seed 50001178
connecting mss 1000 sack timestamps wscale 0 win 65535 reno
  > +0.001 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000230 0.000316 0.000382 0.000456 0.000542 0.012720 0.012907
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
segment . from next len 0 ack all win 1000
  @ 0.013001 0.025113 0.025303
  % segs_in 1
write 10
  = errno 11 read 0
  @ 0.025397 0.037493 0.037683
  % same
segment S from next len 0 win 1000
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 100002>
  @ 0.037779 0.049904 0.050138
  % state 3, options 7, wscale 112, snd_mss 500, rcv_mss 500, segs_out 2, segs_in 2, snd_wnd 1000
close
  > +0.000 F. 1:1(0) ack 1 win 502 urg 0 <ecr 100002>
  = 0 read 0
  @ 0.050284 0.062403
  % gone
segment . from next len 0 ack all win 1000
  @ 0.062545 0.074664
  % gone
