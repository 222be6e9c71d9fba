// seed 60001302
active mss 1000 timestamps wscale 7 win 0 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000174 0.000202 0.000220 0.000247 0.000321 0.012420 0.032545 0.032650 0.044763 0.044870
  % state 1, options 5, wscale 119, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1
wait 15
  @ 0.059999 0.060123
  % same
wait 20
  @ 0.080243 0.080350
  % same
segment . from next len 0 ack all win 65535
  @ 0.080423 0.092523 0.092624
  % segs_in 2, snd_wnd 8388480
segment . from before 1000 len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <ecr 100003>
  @ 0.092707 0.104803 0.104901
  % segs_out 3, segs_in 3, data_segs_in 1
set 6 3 1
  = 0 read 0
  @ 0.104941 0.117042 0.117139
  % same
wait 15
  @ 0.132248 0.132351
  % same
segment P. from before 1000 len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <ecr 100004>
  @ 0.132438 0.144542 0.144648
  % segs_out 4, segs_in 4, data_segs_in 2
write 3500
  > +0.000 . 1:989(988) ack 1 win 502 urg 0 <ecr 100004>
  > +0.000 P. 989:1977(988) ack 1 win 502 urg 0 <ecr 100004>
  > +0.000 . 1977:2965(988) ack 1 win 502 urg 0 <ecr 100004>
  = 3500 read 0
  @ 0.144731 0.156836 0.156947
  % unacked 3, segs_out 7, notsent_bytes 536, data_segs_out 3, bytes_sent 2964
set 6 1 1
  > +0.000 P. 2965:3501(536) ack 1 win 502 urg 0 <ecr 100004>
  = 0 read 0
  @ 0.157011 0.169142 0.169252
  % unacked 4, segs_out 8, notsent_bytes 0, data_segs_out 4, bytes_sent 3500
read 1000 oob
  = errno 22 read 0
  @ 0.169322 0.181440 0.181542
  % same
wait 300
  > +0.203 . 1:989(988) ack 1 win 502 urg 0 <ecr 100004>
  @ 0.481761 0.481864
  % ca_state 4, retransmits 1, backoff 1, lost 4, retrans 1, snd_ssthresh 7, snd_cwnd 1, total_retrans 1, segs_out 9, data_segs_out 5, bytes_sent 4488, bytes_retrans 988
shutdown 2
  = 0 read 0
  @ 0.481920 0.494028 0.494126
  % state 4, notsent_bytes 1
