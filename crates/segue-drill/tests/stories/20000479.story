// seed 20000479
passive mss 1000 sack wscale 7 win 65535 reno
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7>
  = 0 read 0
  @ 0.000136 0.000239 0.000286 0.000350 0.000417 0.000446 0.020486 0.020517 0.032573 0.032688 0.032717
  % state 1, options 6, wscale 119, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
read 10
  = errno 11 read 0
  @ 0.032744 0.044779 0.044832
  % same
write 1 oob
  > +0.000 P.U 1:2(1) ack 1 win 502 urg 1 <>
  = 1 read 0
  @ 0.044865 0.056906 0.056953
  % unacked 1, segs_out 1, data_segs_out 1, bytes_sent 1
write 10000
  > +0.000 . 2:1002(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 1002:2002(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 2002:3002(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 3002:4002(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 4002:5002(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 5002:6002(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 6002:7002(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 7002:8002(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 8002:9002(1000) ack 1 win 502 urg 0 <>
  = 10000 read 0
  @ 0.057007 0.069067 0.069116
  % unacked 10, segs_out 10, notsent_bytes 1000, data_segs_out 10, bytes_sent 9001
wait 20
  @ 0.089156 0.089220
  % same
segment . from next len 0 ack more 2000 win 1000 sack unsent
  > +0.000 P. 9002:10002(1000) ack 1 win 502 urg 0 <>
  @ 0.089246 0.101285 0.101320
  % unacked 9, snd_cwnd 12, bytes_acked 2000, segs_out 11, segs_in 3, notsent_bytes 0, data_segs_out 11, delivered 3, bytes_sent 10001
segment P. from edge-plus 0 len 1000 ack same win 1000
  > +0.000 . 10002:10002(0) ack 1 win 502 urg 0 <>
  @ 0.101341 0.113387 0.113507
  % segs_out 12, segs_in 4, data_segs_in 1
