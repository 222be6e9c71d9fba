// seed 55001069
connecting sack wscale 7 win 0 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000135 0.000198 0.000238 0.000272 0.000328 0.012445 0.012564
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
write 5000
  = errno 11 read 0
  @ 0.012645 0.024756 0.024851
  % same
segment S from next len 100 win 1000
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  @ 0.024982 0.037081 0.037191
  % state 3, options 6, wscale 119, snd_mss 500, rcv_mss 500, segs_out 2, segs_in 1, data_segs_in 1, snd_wnd 1000
read 100000
  = errno 11 read 0
  @ 0.037251 0.049357 0.049457
  % same
close
  > +0.000 F. 1:1(0) ack 1 win 502 urg 0 <>
  = 0 read 0
  @ 0.049562 0.061673
  % gone
segment P. from next len 100 ack old 1000 win 1000
  > +0.000 . 2:2(0) ack 1 win 502 urg 0 <>
  @ 0.061772 0.073893
  % gone
segment SF from before 1 len 0 win 1000
  > +0.000 . 2:2(0) ack 1 win 502 urg 0 <>
  @ 0.073990 0.086123
  % gone
read 100 peek
  @ 0.098257
  % gone
write 10
  @ 0.110403
  % gone
wait 100
  @ 0.210652
  % gone
wait 20
  @ 0.230822
  % gone
segment . from next len 0 ack all win 65535
  @ 0.230990 0.243127
  % gone
segment SF from edge-plus 1 len 0 win 1000 stamp old
  > +0.000 . 2:2(0) ack 1 win 502 urg 0 <>
  @ 0.243231 0.255357
  % gone
