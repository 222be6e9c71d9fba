// seed 3005850
passive sack timestamps win 32792 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, ecr 100001>
  = 0 read 0
  @ 0.000122 0.000170 0.000206 0.000250 0.000289 0.000334 0.020407 0.020454 0.032526 0.032650 0.032695
  % state 1, options 3, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
write 2000
  > +0.000 . 1:501(500) ack 1 win 65160 urg 0 <ecr 100002>
  > +0.000 P. 501:1001(500) ack 1 win 65160 urg 0 <ecr 100002>
  = 2000 read 0
  @ 0.032767 0.044832 0.044943
  % unacked 2, segs_out 2, notsent_bytes 1000, data_segs_out 2, bytes_sent 1000
segment S from next len 0 win 1000
  > +0.000 . 1001:1001(0) ack 1 win 65160 urg 0 <ecr 100002>
  @ 0.045004 0.057073 0.057212
  % segs_out 3, segs_in 3
accept
  @ 0.069308 0.069448
  % same
accept
  > +0.009 P. 501:1001(500) ack 1 win 65160 urg 0 <ecr 100002>
  @ 0.081583 0.081681
  % total_retrans 1, segs_out 4, data_segs_out 3, bytes_sent 1500, bytes_retrans 500
close
  = 0 read 0
  @ 0.081741 0.093809
  % gone
