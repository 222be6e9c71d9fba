// seed 71000078
passive mss 1000 sack wscale 7 win 65535 cubic
  > +0.001 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7>
  = 0 read 0
  @ 0.000235 0.000309 0.000369 0.000442 0.000516 0.000585 0.020681 0.020780 0.050884 0.051170 0.051247
  % state 1, options 6, wscale 119, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
write 20000
  > +0.000 . 1:1001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 1001:2001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 2001:3001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 3001:4001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 4001:5001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 5001:6001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 6001:7001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 7001:8001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 8001:9001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 9001:10001(1000) ack 1 win 502 urg 0 <>
  = 20000 read 0
  @ 0.051408 0.081550 0.081753
  % unacked 10, segs_out 10, notsent_bytes 10000, data_segs_out 10, bytes_sent 10000
wait 20
  > +0.016 . 10001:11001(1000) ack 1 win 502 urg 0 <>
  @ 0.101838 0.102094
  % unacked 11, segs_out 11, notsent_bytes 9000, data_segs_out 11, bytes_sent 11000
unheard 2
  @ 0.132224 0.132426
  % same
lose 5
  @ 0.162559 0.162767
  % same
deliver 5
  > +0.000 . 11001:12001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 12001:13001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 13001:14001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 14001:15001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 15001:16001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 16001:17001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 2001:3001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 3001:4001(1000) ack 1 win 502 urg 0 <>
  @ 0.162916 0.162937 0.162952 0.162965 0.193079 0.193297
  % ca_state 3, unacked 15, sacked 4, lost 5, retrans 2, snd_ssthresh 9, snd_cwnd 8, total_retrans 2, bytes_acked 2000, segs_out 19, segs_in 6, notsent_bytes 3000, data_segs_out 19, delivered 7, bytes_sent 19000, bytes_retrans 2000
lose 5
  @ 0.223437 0.223650
  % same
lose 1
  @ 0.253763 0.254019
  % same
deliver-newest
  > +0.000 . 2001:3001(1000) ack 1 win 502 urg 0 <>
  @ 0.254132 0.284222 0.284422
  % sacked 5, lost 10, retrans 1, snd_cwnd 1, total_retrans 3, segs_out 20, segs_in 7, data_segs_out 20, delivered 8, bytes_sent 20000, bytes_retrans 3000
deliver 12
  > +0.000 . 4001:5001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 5001:6001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 6001:7001(1000) ack 1 win 502 urg 0 <>
  @ 0.284547 0.284558 0.314649 0.314848
  % unacked 13, sacked 4, lost 9, retrans 3, snd_cwnd 3, total_retrans 6, bytes_acked 4000, segs_out 23, segs_in 9, data_segs_out 23, delivered 10, bytes_sent 23000, bytes_retrans 6000, dsack_dups 1
