// seed 3005039
// intended: PSH inside a write
active mss 1000 sack wscale 7 win 2000 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <>
  = errno 115 read 0
  @ 0.000169 0.000220 0.000254 0.000301 0.000359 0.012496 0.032577 0.032635 0.044701 0.044789
  % state 1, options 6, wscale 119, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 2000
write 20000
  > +0.000 . 1:1001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 1001:2001(1000) ack 1 win 502 urg 0 <>
  = 20000 read 0
  @ 0.044879 0.056952 0.057051
  % unacked 2, segs_out 4, notsent_bytes 18000, data_segs_out 2, bytes_sent 2000
wait 20
  @ 0.077148 0.077273
  % same
segment . from next len 0 ack more 1000 win 1000 sack block 1000 1000
  > +0.000 . 2001:3001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 3001:4001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 4001:5001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 5001:6001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 6001:7001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 7001:8001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 8001:9001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 9001:10001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 10001:11001(1000) ack 1 win 502 urg 0 <>
  @ 0.077372 0.089445 0.089567
  % unacked 10, bytes_acked 1001, segs_out 13, segs_in 2, notsent_bytes 9000, data_segs_out 11, delivered 2, bytes_sent 11000, snd_wnd 128000
set 6 18 500
  = 0 read 0
  @ 0.089615 0.101691 0.101769
  % same
wait 20
  @ 0.121859 0.121972
  % same
segment . from next len 0 ack same win 1000 stamp old sack two 1000 1000
  > +0.000 P. 1001:2001(1000) ack 1 win 502 urg 0 <>
  @ 0.122058 0.134148 0.134315
  % ca_state 3, sacked 2, lost 1, retrans 1, snd_ssthresh 5, snd_cwnd 8, total_retrans 1, segs_out 14, segs_in 3, data_segs_out 12, delivered 4, bytes_sent 12000, bytes_retrans 1000
