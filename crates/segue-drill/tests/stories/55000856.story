// seed 55000856
active mss 1460 wscale 7 win 32792 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <>
  = errno 115 read 0
  @ 0.000120 0.000141 0.000183 0.000210 0.000256 0.012421 0.032534 0.032632 0.044740 0.044851
  % state 1, options 4, wscale 119, snd_mss 1460, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 32792
wait 15
  @ 0.059998 0.060108
  % same
segment S from edge-plus 0 len 0 win 1000 stamp missing
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <>
  @ 0.060194 0.072318 0.072454
  % segs_out 3, segs_in 2
write 20000
  > +0.000 . 1:1461(1460) ack 1 win 502 urg 0 <>
  > +0.000 P. 1461:2921(1460) ack 1 win 502 urg 0 <>
  > +0.000 . 2921:4381(1460) ack 1 win 502 urg 0 <>
  > +0.000 P. 4381:5841(1460) ack 1 win 502 urg 0 <>
  > +0.000 . 5841:7301(1460) ack 1 win 502 urg 0 <>
  > +0.000 P. 7301:8761(1460) ack 1 win 502 urg 0 <>
  > +0.000 . 8761:10221(1460) ack 1 win 502 urg 0 <>
  > +0.000 P. 10221:11681(1460) ack 1 win 502 urg 0 <>
  > +0.000 . 11681:13141(1460) ack 1 win 502 urg 0 <>
  > +0.000 P. 13141:14601(1460) ack 1 win 502 urg 0 <>
  = 20000 read 0
  @ 0.072555 0.084651 0.084752
  % unacked 10, segs_out 13, notsent_bytes 5400, data_segs_out 10, bytes_sent 14600
wait 20
  @ 0.104892 0.104997
  % same
segment . from next len 0 ack same win 0
  @ 0.105074 0.117192 0.117315
  % segs_in 3, snd_wnd 0
read 1000
  = errno 11 read 0
  @ 0.117372 0.129501 0.129623
  % same
accept
  @ 0.141779 0.141888
  % same
set 6 10 4000
  = 0 read 0
  @ 0.141944 0.154058 0.154162
  % same
write 2000
  = 2000 read 0
  @ 0.154228 0.166344 0.166448
  % notsent_bytes 7400
segment P. from before 1000 len 1 ack same win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <>
  @ 0.166529 0.178631 0.178736
  % segs_out 14, segs_in 4, data_segs_in 1
wait 300
  > +0.134 . 1:1461(1460) ack 1 win 502 urg 0 <>
  @ 0.479008 0.479111
  % ca_state 4, backoff 1, lost 10, retrans 1, snd_ssthresh 7, snd_cwnd 1, total_retrans 1, segs_out 15, data_segs_out 11, bytes_sent 16060, bytes_retrans 1460
wait 20
  @ 0.499277 0.499383
  % same
segment . from next len 0 ack more 2000 win 1000 sack block 1000 3000
  > +0.000 . 14601:16061(1460) ack 1 win 502 urg 0 <>
  > +0.000 . 16061:17521(1460) ack 1 win 502 urg 0 <>
  @ 0.499484 0.511608 0.511769
  % unacked 11, lost 9, retrans 0, snd_cwnd 2, bytes_acked 2001, segs_out 17, segs_in 5, notsent_bytes 4480, data_segs_out 13, delivered 2, bytes_sent 18980, snd_wnd 128000
