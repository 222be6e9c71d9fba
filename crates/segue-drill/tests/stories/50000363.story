// seed 50000363
active mss 1460 sack timestamps wscale 7 win 65535 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000190 0.000258 0.000312 0.000370 0.000453 0.012566 0.032666 0.032788 0.044885 0.045043
  % state 1, options 7, wscale 119, snd_mss 1448, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 65535
wait 20
  @ 0.065216 0.065362
  % same
segment . from next len 0 ack more 2000 win 1000 sack two 1000 1000
  @ 0.065450 0.077537 0.077705
  % segs_in 2, snd_wnd 128000
write 2000 more
  > +0.000 . 1:1449(1448) ack 1 win 502 urg 0 <ecr 100002>
  = 2000 read 0
  @ 0.077820 0.089928 0.090120
  % unacked 1, segs_out 3, notsent_bytes 552, data_segs_out 1, bytes_sent 1448
wait 20
  @ 0.110245 0.110440
  % same
segment . from next len 0 ack old 500 win 1000 sack duplicate 1000
  > +0.000 . 1449:1449(0) ack 1 win 502 urg 0 <ecr 100002>
  @ 0.110550 0.122661 0.122874
  % segs_out 4, segs_in 3
wait 20
  @ 0.143004 0.143203
  % same
segment . from next len 0 ack same win 1000 stamp old
  > +0.000 . 1449:1449(0) ack 1 win 502 urg 0 <ecr 100002>
  @ 0.143292 0.155388 0.155571
  % segs_out 5, segs_in 4
segment P. from next len 1000 ack all win 1000
  > +0.000 . 1449:2001(552) ack 1001 win 495 urg 0 <ecr 100005>
  @ 0.155669 0.167765 0.167938
  % rcv_mss 1000, bytes_acked 1449, bytes_received 1000, segs_out 6, segs_in 5, notsent_bytes 0, data_segs_in 1, data_segs_out 2, delivered 2, bytes_sent 2000
read 1
  = 1 read 1
  @ 0.168053 0.180163 0.180350
  % same
write 1000
  = 1000 read 0
  @ 0.180465 0.192577 0.192772
  % notsent_bytes 1000
write 10000
  > +0.000 . 2001:3449(1448) ack 1001 win 495 urg 0 <ecr 100005>
  > +0.000 P. 3449:4897(1448) ack 1001 win 495 urg 0 <ecr 100005>
  > +0.000 . 4897:6345(1448) ack 1001 win 495 urg 0 <ecr 100005>
  > +0.000 P. 6345:7793(1448) ack 1001 win 495 urg 0 <ecr 100005>
  > +0.000 . 7793:9241(1448) ack 1001 win 495 urg 0 <ecr 100005>
  > +0.000 P. 9241:10689(1448) ack 1001 win 495 urg 0 <ecr 100005>
  > +0.000 . 10689:12137(1448) ack 1001 win 495 urg 0 <ecr 100005>
  = 10000 read 0
  @ 0.192915 0.205026 0.205258
  % unacked 8, segs_out 13, notsent_bytes 864, data_segs_out 9, bytes_sent 12136
