// seed 60001550
// intended: sample beside a retransmission
active mss 1000 sack win 65535 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 64240 urg 0 <>
  = errno 115 read 0
  @ 0.000121 0.000174 0.000197 0.000224 0.000285 0.012396 0.032657 0.032765 0.044905 0.045010
  % state 1, options 2, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 65535
write 20000
  > +0.000 . 1:1001(1000) ack 1 win 64240 urg 0 <>
  > +0.000 P. 1001:2001(1000) ack 1 win 64240 urg 0 <>
  > +0.000 . 2001:3001(1000) ack 1 win 64240 urg 0 <>
  > +0.000 P. 3001:4001(1000) ack 1 win 64240 urg 0 <>
  > +0.000 . 4001:5001(1000) ack 1 win 64240 urg 0 <>
  > +0.000 P. 5001:6001(1000) ack 1 win 64240 urg 0 <>
  > +0.000 . 6001:7001(1000) ack 1 win 64240 urg 0 <>
  > +0.000 P. 7001:8001(1000) ack 1 win 64240 urg 0 <>
  > +0.000 . 8001:9001(1000) ack 1 win 64240 urg 0 <>
  > +0.000 P. 9001:10001(1000) ack 1 win 64240 urg 0 <>
  = 20000 read 0
  @ 0.045165 0.057297 0.057411
  % unacked 10, segs_out 12, notsent_bytes 10000, data_segs_out 10, bytes_sent 10000
wait 700
  > +0.057 . 10001:11001(1000) ack 1 win 64240 urg 0 <>
  > +0.297 . 1:1001(1000) ack 1 win 64240 urg 0 <>
  @ 0.757991 0.758142
  % ca_state 4, retransmits 1, backoff 1, unacked 11, lost 11, retrans 1, snd_ssthresh 7, snd_cwnd 1, total_retrans 1, segs_out 14, notsent_bytes 9000, data_segs_out 12, bytes_sent 12000, bytes_retrans 1000
segment . from next len 0 ack more 2000 win 1000 sack block 1000 3000
  > +0.000 . 2001:3001(1000) ack 1 win 64240 urg 0 <>
  @ 0.758257 0.770364 0.770473
  % ca_state 3, retransmits 0, backoff 0, unacked 9, sacked 3, lost 5, snd_cwnd 6, total_retrans 2, bytes_acked 2001, segs_out 15, segs_in 2, data_segs_out 13, delivered 6, bytes_sent 13000, bytes_retrans 2000, snd_wnd 1000
