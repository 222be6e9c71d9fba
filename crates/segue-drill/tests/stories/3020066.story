// seed 3020066
// intended: segments cut anew
passive mss 1000 sack timestamps win 2000 cubic
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, ecr 100001>
  = 0 read 0
  @ 0.000093 0.000134 0.000172 0.000227 0.000257 0.000311 0.020414 0.020491 0.032570 0.032682 0.032711
  % state 1, options 3, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
wait 20
  @ 0.052826 0.052999
  % same
segment . from next len 0 ack old 500 win 1000 sack duplicate 1000
  > +0.000 . 1:1(0) ack 1 win 65160 urg 0 <ecr 100002>
  @ 0.053102 0.065220 0.065410
  % segs_out 1, segs_in 3
segment . from next len 0 ack all win 5
  @ 0.065484 0.077580 0.077686
  % segs_in 4
set 1 8 4000
  = 0 read 0
  @ 0.077734 0.089831 0.089986
  % same
wait 15
  @ 0.105119 0.105259
  % same
write 1
  > +0.000 P. 1:2(1) ack 1 win 65160 urg 0 <ecr 100004>
  = 1 read 0
  @ 0.105372 0.117450 0.117575
  % unacked 1, segs_out 2, data_segs_out 1, bytes_sent 1
segment P. from next len 1000 ack same win 1000
  > +0.000 . 2:2(0) ack 1001 win 64160 urg 0 <ecr 100005>
  @ 0.117655 0.129735 0.129870
  % rcv_mss 1000, bytes_received 1000, segs_out 3, segs_in 5, data_segs_in 1
write 10000
  > +0.000 . 2:502(500) ack 1001 win 64160 urg 0 <ecr 100005>
  = 10000 read 0
  @ 0.130007 0.142124 0.142350
  % unacked 2, segs_out 4, notsent_bytes 9500, data_segs_out 2, bytes_sent 501
segment . from next len 0 ack same win 65535 sack block 1000 1000
  > +0.000 . 502:1490(988) ack 1001 win 64160 urg 0 <ecr 100006>
  > +0.000 P. 1490:2002(512) ack 1001 win 64160 urg 0 <ecr 100006>
  > +0.000 . 2002:2990(988) ack 1001 win 64160 urg 0 <ecr 100006>
  > +0.000 P. 2990:3002(12) ack 1001 win 64160 urg 0 <ecr 100006>
  > +0.000 . 3002:3990(988) ack 1001 win 64160 urg 0 <ecr 100006>
  > +0.000 P. 3990:4002(12) ack 1001 win 64160 urg 0 <ecr 100006>
  > +0.000 . 4002:4990(988) ack 1001 win 64160 urg 0 <ecr 100006>
  > +0.000 P. 4990:5002(12) ack 1001 win 64160 urg 0 <ecr 100006>
  @ 0.142474 0.154579 0.154718
  % snd_mss 988, unacked 10, segs_out 12, segs_in 6, notsent_bytes 5000, data_segs_out 10, bytes_sent 5001, snd_wnd 65535
wait 20
  @ 0.174795 0.174947
  % same
segment . from next len 0 ack more 500 win 0 stamp missing sack block 1000 1000
  @ 0.175005 0.187066 0.187162
  % unacked 9, snd_cwnd 11, bytes_acked 500, segs_in 7, delivered 2, snd_wnd 0
wait 20
  @ 0.207243 0.207350
  % same
segment . from next len 0 ack all win 1000
  > +0.000 . 5002:5990(988) ack 1001 win 64160 urg 0 <ecr 100008>
  > +0.000 P. 5990:6002(12) ack 1001 win 64160 urg 0 <ecr 100008>
  @ 0.207429 0.219539 0.219676
  % unacked 2, snd_cwnd 20, reordering 6, bytes_acked 5001, segs_out 14, segs_in 8, notsent_bytes 4000, data_segs_out 12, delivered 11, bytes_sent 6001, reord_seen 1, snd_wnd 1000
