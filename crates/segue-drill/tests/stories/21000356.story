// seed 21000356
// intended: segments counted anew
active mss 1000 sack win 65535 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 64240 urg 0 <>
  = errno 115 read 0
  @ 0.000173 0.000238 0.000289 0.000349 0.000436 0.012519 0.032612 0.032682 0.044769 0.044902
  % state 1, options 2, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 65535
write 1
  > +0.000 P. 1:2(1) ack 1 win 64240 urg 0 <>
  = 1 read 0
  @ 0.045044 0.057123 0.057236
  % unacked 1, segs_out 3, data_segs_out 1, bytes_sent 1
write 100
  = 100 read 0
  @ 0.057301 0.069388 0.069503
  % notsent_bytes 100
wait 300
  > +0.217 P. 2:102(100) ack 1 win 64240 urg 0 <>
  @ 0.369597 0.369738
  % unacked 2, segs_out 4, notsent_bytes 0, data_segs_out 2, bytes_sent 101
wait 300
  > +0.157 P. 1:102(101) ack 1 win 64240 urg 0 <>
  @ 0.669853 0.670003
  % ca_state 4, retransmits 1, backoff 1, unacked 1, lost 1, retrans 1, snd_ssthresh 5, snd_cwnd 1, total_retrans 1, segs_out 5, data_segs_out 3, bytes_sent 202, bytes_retrans 101
