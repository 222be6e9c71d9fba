// seed 9000004
passive mss 1000 sack wscale 7 win 32792 cubic
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7>
  = 0 read 0
  @ 0.000148 0.000215 0.000250 0.000286 0.000312 0.000369 0.020444 0.020501 0.032588 0.032733 0.032780
  % state 1, options 6, wscale 119, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
write 2000
  > +0.000 . 1:1001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 1001:2001(1000) ack 1 win 502 urg 0 <>
  = 2000 read 0
  @ 0.032873 0.044957 0.045079
  % unacked 2, segs_out 2, data_segs_out 2, bytes_sent 2000
write 5000
  > +0.000 . 2001:3001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 3001:4001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 4001:5001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 5001:6001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 6001:7001(1000) ack 1 win 502 urg 0 <>
  = 5000 read 0
  @ 0.045185 0.057247 0.057344
  % unacked 7, segs_out 7, data_segs_out 7, bytes_sent 7000
write 3500
  > +0.000 . 7001:8001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 8001:9001(1000) ack 1 win 502 urg 0 <>
  = 3500 read 0
  @ 0.057425 0.069484 0.069580
  % unacked 9, segs_out 9, notsent_bytes 1500, data_segs_out 9, bytes_sent 9000
