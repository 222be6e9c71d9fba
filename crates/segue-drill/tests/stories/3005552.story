// seed 3005552
active mss 100 timestamps wscale 0 win 32792 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000185 0.000225 0.000250 0.000284 0.000333 0.012409 0.032594 0.032800 0.044892 0.045007
  % state 1, options 5, wscale 112, snd_mss 88, rcv_mss 88, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 32792
write 2000 more
  > +0.000 . 1:89(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 89:177(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 177:265(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 265:353(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 353:441(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 441:529(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 529:617(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 617:705(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 705:793(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 793:881(88) ack 1 win 502 urg 0 <ecr 100001>
  = 2000 read 0
  @ 0.045118 0.057193 0.057297
  % unacked 10, segs_out 12, notsent_bytes 1120, data_segs_out 10, bytes_sent 880
read 100000
  = errno 11 read 0
  @ 0.057371 0.069503 0.069688
  % same
wait 20
  @ 0.089791 0.089889
  % same
segment . from next len 0 ack more 2000 win 1000
  > +0.000 . 881:969(88) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 P. 969:1057(88) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 . 1057:1145(88) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 P. 1145:1233(88) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 . 1233:1321(88) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 P. 1321:1409(88) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 . 1409:1497(88) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 P. 1497:1585(88) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 . 1585:1673(88) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 P. 1673:1761(88) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 . 1761:1849(88) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 P. 1849:1881(32) ack 1 win 502 urg 0 <ecr 100002>
  @ 0.089971 0.102051 0.102198
  % unacked 12, snd_cwnd 20, bytes_acked 881, segs_out 24, segs_in 2, notsent_bytes 120, data_segs_out 22, delivered 11, bytes_sent 1880, snd_wnd 1000
wait 20
  @ 0.122301 0.122398
  % same
segment . from next len 0 ack more 2000 win 1000 stamp missing sack block 1000 3000
  > +0.000 . 1881:1969(88) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 P. 1969:2001(32) ack 1 win 502 urg 0 <ecr 100002>
  @ 0.122489 0.134575 0.134707
  % unacked 2, snd_cwnd 32, bytes_acked 1881, segs_out 26, segs_in 3, notsent_bytes 0, data_segs_out 24, delivered 23, bytes_sent 2000
close
  > +0.000 F. 2001:2001(0) ack 1 win 502 urg 0 <ecr 100002>
  = 0 read 0
  @ 0.134803 0.146905
  % gone
wait 15
  @ 0.161990
  % gone
wait 20
  @ 0.182104
  % gone
segment . from next len 0 ack all win 1000 stamp missing sack duplicate 1000
  @ 0.182234 0.194291
  % gone
