// seed 55001017
active mss 1000 sack wscale 0 win 0 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <>
  = errno 115 read 0
  @ 0.000162 0.000225 0.000255 0.000288 0.000366 0.012511 0.032672 0.032783 0.044936 0.045108
  % state 1, options 6, wscale 112, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1
segment . from next len 0 ack more 1000 win 5
  @ 0.045192 0.057296 0.057417
  % snd_mss 48, segs_in 2, snd_wnd 5
write 1000
  = 1000 read 0
  @ 0.057507 0.069635 0.069995
  % notsent_bytes 1000
