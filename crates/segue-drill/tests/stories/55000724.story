// seed 55000724
passive mss 1000 timestamps wscale 0 win 65535 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000112 0.000157 0.000177 0.000204 0.000228 0.000282 0.020408 0.020515 0.032632 0.032793 0.032828
  % state 1, options 5, wscale 112, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
segment P. from beyond 3000 len 1000 ack same win 1000
  > +0.000 . 1:1(0) ack 1 win 510 urg 0 <ecr 100002>
  @ 0.032923 0.045035 0.045137
  % rcv_mss 1000, segs_out 1, segs_in 3, data_segs_in 1, rcv_ooopack 1
segment . from edge-plus 0 len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 510 urg 0 <ecr 100002>
  @ 0.045219 0.057332 0.057464
  % segs_out 2, segs_in 4, data_segs_in 2
segment FP. from beyond 1000 len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 510 urg 0 <ecr 100002>
  @ 0.057550 0.069635 0.069725
  % segs_out 3, segs_in 5, data_segs_in 3, rcv_ooopack 2
wait 100
  @ 0.169943 0.170068
  % same
shutdown 1
  > +0.000 F. 1:1(0) ack 1 win 510 urg 0 <ecr 100002>
  = 0 read 0
  @ 0.170142 0.182257 0.182375
  % state 4, unacked 1, segs_out 4
