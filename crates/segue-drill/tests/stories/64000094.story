// seed 64000094
passive mss 100 sack win 32792 reno
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK>
  = 0 read 0
  @ 0.000200 0.000256 0.000298 0.000354 0.000417 0.000476 0.020563 0.020661 0.032755 0.032969 0.033024
  % state 1, options 2, snd_mss 100, rcv_mss 100, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
segment P. from edge-less 500 len 2000 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 64240 urg 0 <sack 63741:65741>
  @ 0.033123 0.045219 0.045402
  % rcv_mss 1460, segs_out 1, segs_in 3, data_segs_in 1, rcv_ooopack 1
segment SF from beyond 1 len 0 win 1000
  > +0.000 . 1:1(0) ack 1 win 64240 urg 0 <sack 63741:65741>
  @ 0.045489 0.057593 0.057788
  % segs_out 2, segs_in 4
write 10000
  > +0.000 . 1:89(88) ack 1 win 64240 urg 0 <sack 63741:65741>
  > +0.000 P. 89:177(88) ack 1 win 64240 urg 0 <sack 63741:65741>
  > +0.000 . 177:265(88) ack 1 win 64240 urg 0 <sack 63741:65741>
  > +0.000 P. 265:353(88) ack 1 win 64240 urg 0 <sack 63741:65741>
  > +0.000 . 353:441(88) ack 1 win 64240 urg 0 <sack 63741:65741>
  > +0.000 P. 441:529(88) ack 1 win 64240 urg 0 <sack 63741:65741>
  > +0.000 P. 529:617(88) ack 1 win 64240 urg 0 <sack 63741:65741>
  > +0.000 . 617:705(88) ack 1 win 64240 urg 0 <sack 63741:65741>
  > +0.000 P. 705:793(88) ack 1 win 64240 urg 0 <sack 63741:65741>
  > +0.000 . 793:881(88) ack 1 win 64240 urg 0 <sack 63741:65741>
  = 7920 read 0
  @ 0.057962 0.070078 0.070278
  % unacked 10, segs_out 12, notsent_bytes 7040, data_segs_out 10, bytes_sent 880
segment P. from edge-plus 1000 len 1000 ack all win 1000
  > +0.000 . 881:881(0) ack 1 win 64240 urg 0 <sack 63741:65741>
  @ 0.070366 0.082476 0.082663
  % segs_out 13, segs_in 5, data_segs_in 2
read 10
  = errno 11 read 0
  @ 0.082755 0.094871 0.095097
  % same
close
  > +0.009 . 881:969(88) ack 1 win 64240 urg 0 <sack 63741:65741>
  = 0 read 0
  @ 0.095215 0.107304
  % gone
segment .U from edge-plus 0 len 100 ack same win 1000 urgent 100
  > +0.000 R 881:881(0) ack 0 win 0 urg 0 <>
  @ 0.107418 0.119541
  % gone
set 1 7 8000
  @ 0.131688
  % gone
