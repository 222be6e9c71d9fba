// seed 51000000
passive mss 1000 sack timestamps wscale 7 win 65535 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000145 0.000232 0.000282 0.000349 0.000405 0.000482 0.020577 0.020666 0.050753 0.050976 0.051039
  % state 1, options 7, wscale 119, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
write 4000
  > +0.000 . 1:989(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 989:1977(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 1977:2965(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 2965:3953(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 3953:4001(48) ack 1 win 510 urg 0 <ecr 100002>
  = 4000 read 0
  @ 0.051184 0.081276 0.081456
  % unacked 5, segs_out 5, data_segs_out 5, bytes_sent 4000
wait 20
  > +0.019 P. 3953:4001(48) ack 1 win 510 urg 0 <ecr 100002>
  @ 0.101542 0.101713
  % total_retrans 1, segs_out 6, data_segs_out 6, bytes_sent 4048, bytes_retrans 48
deliver 1
  @ 0.101809 0.131911 0.132123
  % unacked 4, bytes_acked 988, segs_in 3, delivered 2
deliver-newest
  > +0.000 . 989:1977(988) ack 1 win 510 urg 0 <ecr 100004>
  @ 0.132301 0.162425 0.162608
  % ca_state 3, sacked 1, lost 3, retrans 1, snd_ssthresh 5, snd_cwnd 1, total_retrans 2, segs_out 7, segs_in 4, data_segs_out 7, delivered 3, bytes_sent 5036, bytes_retrans 1036
deliver 12
  @ 0.162709 0.162718 0.162728 0.162734 0.162739 0.192840 0.193033
  % ca_state 0, unacked 0, sacked 0, lost 0, retrans 0, snd_ssthresh 2147483647, snd_cwnd 10, reordering 4, bytes_acked 4000, segs_in 9, delivered 8, dsack_dups 2, reord_seen 3
unheard 1
  @ 0.223146 0.223324
  % same
deliver 2
  @ 0.253468 0.253667
  % same
lose 5
  @ 0.283832 0.284074
  % same
deliver 2
  @ 0.314237 0.314455
  % same
deliver 3
  @ 0.344575 0.344772
  % same
deliver 1
  @ 0.374899 0.375089
  % same
wait 30
  @ 0.405198 0.405398
  % same
