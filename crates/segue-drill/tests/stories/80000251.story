// seed 80000251
active mss 1000 sack timestamps wscale 7 win 32792 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000238 0.000300 0.000339 0.000433 0.000517 0.012645 0.032748 0.032844 0.044949 0.045143
  % state 1, options 7, wscale 119, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 32792
wait 20
  @ 0.065276 0.065485
  % same
segment . from next len 0 ack all win 1000
  @ 0.065571 0.077669 0.077866
  % segs_in 2, snd_wnd 128000
read 100000
  = errno 11 read 0
  @ 0.077997 0.090098 0.090299
  % same
write 2000
  > +0.000 . 1:989(988) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 P. 989:1977(988) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 P. 1977:2001(24) ack 1 win 502 urg 0 <ecr 100002>
  = 2000 read 0
  @ 0.090444 0.102558 0.102753
  % unacked 3, segs_out 5, data_segs_out 3, bytes_sent 2000
read 1
  = errno 11 read 0
  @ 0.102857 0.114962 0.115144
  % same
write 100
  = 100 read 0
  @ 0.115249 0.127358 0.127564
  % notsent_bytes 100
write 10000
  > +0.000 . 2001:2989(988) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 P. 2989:3977(988) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 . 3977:4965(988) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 P. 4965:5953(988) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 . 5953:6941(988) ack 1 win 502 urg 0 <ecr 100002>
  > +0.000 P. 6941:7929(988) ack 1 win 502 urg 0 <ecr 100002>
  = 10000 read 0
  @ 0.127715 0.139821 0.140018
  % unacked 9, segs_out 11, notsent_bytes 4172, data_segs_out 9, bytes_sent 7928
set 6 3 0
  > +0.000 . 7929:8917(988) ack 1 win 502 urg 0 <ecr 100002>
  = 0 read 0
  @ 0.140136 0.152242 0.152480
  % unacked 10, segs_out 12, notsent_bytes 3184, data_segs_out 10, bytes_sent 8916
segment P. from edge-less 500 len 100 ack all win 1000
  > +0.000 . 8917:9893(976) ack 1 win 502 urg 0 <ecr 100002, sack 63757:63857>
  > +0.000 P. 9893:10869(976) ack 1 win 502 urg 0 <ecr 100002, sack 63757:63857>
  > +0.000 . 10869:11845(976) ack 1 win 502 urg 0 <ecr 100002, sack 63757:63857>
  > +0.000 P. 11845:12101(256) ack 1 win 502 urg 0 <ecr 100002, sack 63757:63857>
  @ 0.152600 0.164693 0.164870
  % unacked 4, snd_cwnd 20, bytes_acked 8917, segs_out 16, segs_in 3, notsent_bytes 0, data_segs_in 1, data_segs_out 14, delivered 11, bytes_sent 12100, rcv_ooopack 1
write 1 oob
  > +0.000 P.U 12101:12102(1) ack 1 win 502 urg 1 <ecr 100002, sack 63757:63857>
  = 1 read 0
  @ 0.164991 0.177093 0.177266
  % unacked 5, segs_out 17, data_segs_out 15, bytes_sent 12101
segment .U from before 1000 len 1000 ack all win 1000 urgent 1000
  > +0.000 . 12102:12102(0) ack 1 win 502 urg 0 <ecr 100004, sack 4294966297:1, sack 63757:63857>
  @ 0.177368 0.189485 0.189676
  % unacked 0, bytes_acked 12102, segs_out 18, segs_in 4, data_segs_in 2, delivered 16
