// seed 1004230
passive mss 1000 sack timestamps wscale 7 win 0 cubic
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000168 0.000229 0.000266 0.000300 0.000323 0.000381 0.020520 0.020629 0.032770 0.032927 0.032998
  % state 1, options 7, wscale 119, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
shutdown 1
  > +0.000 F. 1:1(0) ack 1 win 510 urg 0 <ecr 100002>
  = 0 read 0
  @ 0.033095 0.045243 0.045386
  % state 4, unacked 1, segs_out 1
segment . from edge-plus 0 len 1000 ack same win 1000
  > +0.000 . 2:2(0) ack 1 win 510 urg 0 <ecr 100002>
  @ 0.045542 0.061604 0.061733
  % segs_out 2, segs_in 3, data_segs_in 1
write 1
  = errno 32 read 0
  @ 0.061799 0.073923 0.074049
  % same
wait 20
  @ 0.094241 0.094357
  % same
segment . from next len 0 ack all win 1000
  @ 0.094435 0.106600 0.106718
  % state 5, unacked 0, bytes_acked 1, segs_in 4, delivered 2
write 1000
  = errno 32 read 0
  @ 0.106786 0.121566 0.121666
  % same
read 10
  = errno 11 read 0
  @ 0.121724 0.135058 0.135152
  % same
segment F. from next len 1000 ack same win 1000
  > +0.000 . 2:2(0) ack 1002 win 503 urg 0 <ecr 100005>
  @ 0.135243 0.147350 0.147452
  % state 7, rcv_mss 1000, bytes_received 1001, segs_out 3, segs_in 5, data_segs_in 2
segment P. from next len 1000 ack same win 1000
  > +0.000 . 2:2(0) ack 1002 win 503 urg 0 <ecr 100005>
  @ 0.147542 0.159654 0.159754
  % same
read 1
  = 1 read 1
  @ 0.159806 0.171916 0.172018
  % same
segment P. from before 1000 len 1000 ack same win 1000
  > +0.000 . 2:2(0) ack 1002 win 503 urg 0 <ecr 100005>
  @ 0.172116 0.184233 0.184342
  % same
segment SF from beyond 1000 len 1 win 1000
  @ 0.184423 0.196545 0.196691
  % same
wait 100
  @ 0.296909 0.297017
  % same
segment P. from beyond 1000 len 1460 ack same win 1000
  > +0.000 R 2:2(0) ack 0 win 0 urg 0 <>
  @ 0.297111 0.309240 0.309343
  % same
