// seed 50000296
passive mss 100 sack timestamps wscale 0 win 32792 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000204 0.000270 0.000315 0.000375 0.000415 0.000489 0.020566 0.020627 0.032719 0.032912 0.032967
  % state 1, options 7, wscale 112, snd_mss 88, rcv_mss 88, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
segment . from next len 0 ack all win 1000
  @ 0.033042 0.045135 0.045294
  % segs_in 3
segment P. from next len 1 ack same win 1000
  > +0.000 . 1:1(0) ack 2 win 510 urg 0 <ecr 100004>
  @ 0.045379 0.057453 0.057566
  % bytes_received 1, segs_out 1, segs_in 4, data_segs_in 1
write 5000 oob
  > +0.000 .U 1:89(88) ack 2 win 510 urg 2464 <ecr 100004>
  > +0.000 .U 89:177(88) ack 2 win 510 urg 2376 <ecr 100004>
  > +0.000 .U 177:265(88) ack 2 win 510 urg 2288 <ecr 100004>
  > +0.000 .U 265:353(88) ack 2 win 510 urg 2200 <ecr 100004>
  > +0.000 .U 353:441(88) ack 2 win 510 urg 2112 <ecr 100004>
  > +0.000 .U 441:529(88) ack 2 win 510 urg 2024 <ecr 100004>
  > +0.000 .U 529:617(88) ack 2 win 510 urg 1936 <ecr 100004>
  > +0.000 .U 617:705(88) ack 2 win 510 urg 1848 <ecr 100004>
  > +0.000 .U 705:793(88) ack 2 win 510 urg 1760 <ecr 100004>
  > +0.000 .U 793:881(88) ack 2 win 510 urg 1672 <ecr 100004>
  = 2464 read 0
  @ 0.057721 0.069816 0.069961
  % unacked 10, segs_out 11, notsent_bytes 1584, data_segs_out 10, bytes_sent 880
