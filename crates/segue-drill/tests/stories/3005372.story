// seed 3005372
passive wscale 14 win 0 cubic
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, wscale 7>
  = 0 read 0
  @ 0.000157 0.000227 0.000272 0.000326 0.000368 0.000410 0.020472 0.020530 0.032592 0.032691 0.032721
  % state 1, options 4, wscale 126, snd_mss 536, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 16384000
wait 100
  @ 0.132788 0.132899
  % same
segment P. from next len 2000 ack all win 1000
  > +0.000 . 1:1(0) ack 2001 win 487 urg 0 <>
  @ 0.132953 0.145084 0.145240
  % rcv_mss 1460, bytes_received 2000, segs_out 1, segs_in 3, data_segs_in 1
wait 20
  @ 0.165346 0.165440
  % same
segment . from next len 0 ack same win 1000 sack block 1000 3000
  @ 0.165475 0.177531 0.177645
  % segs_in 4
wait 100
  @ 0.277735 0.277838
  % same
read 100
  = 100 read 100
  @ 0.277885 0.289942 0.290070
  % same
read 1
  = 1 read 1
  @ 0.290182 0.302252 0.302388
  % same
read 10
  = 10 read 10
  @ 0.302466 0.314550 0.314710
  % same
set 6 10 4000
  = 0 read 0
  @ 0.314793 0.326855 0.326998
  % same
read 100000
  = 1889 read 1889
  @ 0.327137 0.339196 0.339306
  % same
write 5000
  > +0.000 . 1:537(536) ack 2001 win 487 urg 0 <>
  > +0.000 P. 537:1073(536) ack 2001 win 487 urg 0 <>
  > +0.000 . 1073:1609(536) ack 2001 win 487 urg 0 <>
  > +0.000 P. 1609:2145(536) ack 2001 win 487 urg 0 <>
  > +0.000 . 2145:2681(536) ack 2001 win 487 urg 0 <>
  > +0.000 P. 2681:3217(536) ack 2001 win 487 urg 0 <>
  > +0.000 . 3217:3753(536) ack 2001 win 487 urg 0 <>
  > +0.000 P. 3753:4289(536) ack 2001 win 487 urg 0 <>
  > +0.000 . 4289:4825(536) ack 2001 win 487 urg 0 <>
  > +0.000 P. 4825:5001(176) ack 2001 win 487 urg 0 <>
  = 5000 read 0
  @ 0.339417 0.351518 0.351582
  % unacked 10, segs_out 11, data_segs_out 10, bytes_sent 5000
segment P. from next len 1000 ack all win 1000
  > +0.000 . 5001:5001(0) ack 3001 win 480 urg 0 <>
  @ 0.351642 0.363684 0.363744
  % unacked 0, snd_cwnd 20, bytes_acked 5000, bytes_received 3000, segs_out 12, segs_in 5, data_segs_in 2, delivered 11
write 5000
  > +0.000 . 5001:5537(536) ack 3001 win 480 urg 0 <>
  > +0.000 P. 5537:6073(536) ack 3001 win 480 urg 0 <>
  > +0.000 . 6073:6609(536) ack 3001 win 480 urg 0 <>
  > +0.000 P. 6609:7145(536) ack 3001 win 480 urg 0 <>
  > +0.000 . 7145:7681(536) ack 3001 win 480 urg 0 <>
  > +0.000 P. 7681:8217(536) ack 3001 win 480 urg 0 <>
  > +0.000 . 8217:8753(536) ack 3001 win 480 urg 0 <>
  > +0.000 P. 8753:9289(536) ack 3001 win 480 urg 0 <>
  > +0.000 . 9289:9825(536) ack 3001 win 480 urg 0 <>
  > +0.000 P. 9825:10001(176) ack 3001 win 480 urg 0 <>
  = 5000 read 0
  @ 0.363810 0.375915 0.375968
  % unacked 10, segs_out 22, data_segs_out 20, bytes_sent 10000
error
  = 0 read 0
  @ 0.376064 0.388126 0.388204
  % same
segment FP. from next len 1000 ack same win 1000
  @ 0.388279 0.400390 0.400465
  % state 8, rcv_mss 1000, bytes_received 4001, segs_in 6, data_segs_in 3
