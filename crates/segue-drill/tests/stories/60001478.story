// seed 60001478
// intended: probe without a measurement
passive mss 1000 sack wscale 14 win 32792 cubic
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK, wscale 7>
  = 0 read 0
  @ 0.000111 0.000155 0.000179 0.000206 0.000230 0.000286 0.020407 0.020502 0.032624 0.032760 0.032793
  % state 1, options 6, wscale 126, snd_mss 1000, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 16384000
write 2000 more
  > +0.000 . 1:1001(1000) ack 1 win 502 urg 0 <>
  > +0.000 P. 1001:2001(1000) ack 1 win 502 urg 0 <>
  = 2000 read 0
  @ 0.032861 0.044973 0.049762
  % unacked 2, segs_out 2, data_segs_out 2, bytes_sent 2000
wait 300
  > +0.028 . 1001:2001(1000) ack 1 win 502 urg 0 <>
  > +0.260 . 1:1001(1000) ack 1 win 502 urg 0 <>
  @ 0.349926 0.350044
  % ca_state 4, retransmits 1, backoff 1, lost 2, retrans 1, snd_ssthresh 7, snd_cwnd 1, total_retrans 2, segs_out 4, data_segs_out 4, bytes_sent 4000, bytes_retrans 2000
write 5000
  = 5000 read 0
  @ 0.350145 0.362244 0.362347
  % notsent_bytes 5000
segment . from next len 0 ack more 2000 win 1000 sack block 1000 1000
  > +0.000 . 2001:3001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 3001:4001(1000) ack 1 win 502 urg 0 <>
  > +0.000 . 4001:5001(1000) ack 1 win 502 urg 0 <>
  @ 0.362442 0.374560 0.374678
  % ca_state 0, retransmits 0, unacked 3, lost 0, retrans 0, snd_cwnd 3, bytes_acked 2000, segs_out 7, segs_in 3, notsent_bytes 2000, data_segs_out 7, delivered 3, bytes_sent 7000
wait 300
  > +0.039 . 5001:6001(1000) ack 1 win 502 urg 0 <>
  @ 0.677682 0.677790
  % unacked 4, segs_out 8, notsent_bytes 1000, data_segs_out 8, bytes_sent 8000
