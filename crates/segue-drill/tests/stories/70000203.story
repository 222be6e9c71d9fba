// seed 70000203
passive mss 1460 win 2000 reno
  > +0.001 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460>
  = 0 read 0
  @ 0.000241 0.000310 0.000364 0.000432 0.000479 0.000552 0.020676 0.020772 0.032899 0.033221 0.033301
  % state 1, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
read 1
  = errno 11 read 0
  @ 0.033399 0.045501 0.045685
  % same
read 10000
  = errno 11 read 0
  @ 0.045780 0.057888 0.058081
  % same
wait 15
  @ 0.073190 0.073372
  % same
write 3500
  > +0.000 . 1:501(500) ack 1 win 64240 urg 0 <>
  > +0.000 P. 501:1001(500) ack 1 win 64240 urg 0 <>
  = 3500 read 0
  @ 0.073512 0.085606 0.085786
  % unacked 2, segs_out 2, notsent_bytes 2500, data_segs_out 2, bytes_sent 1000
wait 20
  @ 0.105910 0.106128
  % same
segment . from next len 0 ack same win 1000 sack block 1000 1000
  @ 0.106206 0.118312 0.118518
  % ca_state 1, sacked 1, segs_in 3, delivered 2
write 1000 oob
  = 1000 read 0
  @ 0.118631 0.130740 0.130938
  % notsent_bytes 3500
segment P. from edge-less 500 len 1000 ack all win 1000
  > +0.000 .U 1001:1501(500) ack 1 win 64240 urg 3500 <>
  > +0.000 .U 1501:2001(500) ack 1 win 64240 urg 3000 <>
  @ 0.131042 0.143154 0.143363
  % ca_state 0, rcv_mss 1000, sacked 0, bytes_acked 1000, segs_out 4, segs_in 4, notsent_bytes 2500, data_segs_in 1, data_segs_out 4, delivered 3, bytes_sent 2000, rcv_ooopack 1
set 6 1 0
  = 0 read 0
  @ 0.143473 0.155582 0.155800
  % same
segment SR from next len 0 win 1000 stamp missing
  @ 0.155887 0.167994 0.168197
  % state 7, unacked 0, segs_in 5
accept
  @ 0.180328 0.180528
  % same
write 20000 more
  = errno 104 read 0
  @ 0.180635 0.192746 0.192946
  % same
write 100
  = errno 32 read 0
  @ 0.193072 0.205160 0.205346
  % same
segment P. from next len 1000 ack old 1000 win 1000
  > +0.000 R 1:1(0) ack 0 win 0 urg 0 <>
  @ 0.205443 0.217541 0.217730
  % same
