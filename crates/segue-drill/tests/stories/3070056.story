// seed 3070056
passive mss 1460 timestamps wscale 7 win 0 cubic
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000136 0.000186 0.000222 0.000271 0.000310 0.000347 0.020401 0.020459 0.032542 0.032666 0.032701
  % state 1, options 5, wscale 119, snd_mss 1448, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
write 100
  > +0.000 P. 1:101(100) ack 1 win 510 urg 0 <ecr 100002>
  = 100 read 0
  @ 0.032771 0.044851 0.044970
  % unacked 1, segs_out 1, data_segs_out 1, bytes_sent 100
write 1000
  = 1000 read 0
  @ 0.045031 0.057107 0.057239
  % notsent_bytes 1000
segment P. from beyond 3000 len 1000 ack all win 1000
  > +0.000 P. 101:1101(1000) ack 1 win 510 urg 0 <ecr 100002>
  @ 0.057300 0.069376 0.069588
  % rcv_mss 1000, bytes_acked 100, segs_out 2, segs_in 3, notsent_bytes 0, data_segs_in 1, data_segs_out 2, delivered 2, bytes_sent 1100, rcv_ooopack 1
