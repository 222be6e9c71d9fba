// seed 55000714
// intended: reset of an orphan
passive mss 1000 sack timestamps win 2000 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, ecr 100001>
  = 0 read 0
  @ 0.000222 0.000281 0.000326 0.000386 0.000433 0.000501 0.020618 0.020717 0.032834 0.033122 0.034696
  % state 1, options 3, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
close
  > +0.000 F. 1:1(0) ack 1 win 65160 urg 0 <ecr 100002>
  = 0 read 0
  @ 0.034861 0.051179
  % gone
segment . from next len 0 ack more 500 win 1000 sack block 1000 3000
  @ 0.051278 0.063398
  % gone
segment R from beyond 1000 len 1 win 1000 stamp old
  > +0.000 . 2:2(0) ack 1 win 65160 urg 0 <ecr 100003>
  @ 0.063501 0.075621
  % gone
