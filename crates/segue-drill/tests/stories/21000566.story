// seed 21000566
// intended: segments counted anew
passive mss 1000 timestamps wscale 14 win 32792 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000174 0.000239 0.000283 0.000346 0.000402 0.000462 0.020548 0.020619 0.032707 0.032861 0.032918
  % state 1, options 5, wscale 126, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 16384000
write 1000
  > +0.000 . 1:989(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 989:1001(12) ack 1 win 510 urg 0 <ecr 100002>
  = 1000 read 0
  @ 0.033011 0.045099 0.045240
  % unacked 2, segs_out 2, data_segs_out 2, bytes_sent 1000
segment . from next len 0 ack more 500 win 1000 sack unsent
  @ 0.045287 0.057379 0.057518
  % unacked 1, bytes_acked 500, segs_in 3, delivered 2
