// seed 20000033
passive mss 1000 sack win 32792 cubic
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK>
  = 0 read 0
  @ 0.000122 0.000193 0.000244 0.000300 0.000372 0.000397 0.020454 0.020488 0.032531 0.032683 0.032734
  % state 1, options 2, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
segment P. from next len 1000 ack same win 1000
  > +0.000 . 1:1(0) ack 1001 win 63240 urg 0 <>
  @ 0.032758 0.044804 0.044900
  % rcv_mss 1000, bytes_received 1000, segs_out 1, segs_in 3, data_segs_in 1
read 1
  = 1 read 1
  @ 0.045001 0.057057 0.057182
  % same
segment P. from before 500 len 2000 ack old 1000 win 1000 stamp missing
  > +0.000 . 1:1(0) ack 1001 win 63240 urg 0 <>
  @ 0.057212 0.069260 0.069360
  % segs_out 2, segs_in 4, data_segs_in 2
read 100000
  = 999 read 999
  @ 0.069425 0.081469 0.081583
  % same
wait 20
  @ 0.101627 0.101718
  % same
segment . from next len 0 ack more 1000 win 1000 sack block 1000 1000
  @ 0.101737 0.113800 0.113892
  % segs_in 5
wait 20
  @ 0.133936 0.134029
  % same
segment . from next len 0 ack all win 0
  @ 0.134082 0.146138 0.146276
  % segs_in 6, snd_wnd 0
write 2000
  = 2000 read 0
  @ 0.146393 0.158466 0.158563
  % notsent_bytes 2000
wait 15
  @ 0.173650 0.173763
  % same
set 1 8 4000
  = 0 read 0
  @ 0.173814 0.185881 0.185977
  % same
wait 300
  > +0.187 . 0:0(0) ack 1001 win 63240 urg 0 <>
  @ 0.486036 0.486108
  % probes 1, backoff 1, segs_out 3
shutdown 1
  = 0 read 0
  @ 0.486180 0.498287 0.498374
  % state 4, notsent_bytes 2001
write 1
  = errno 32 read 0
  @ 0.498406 0.510477 0.510554
  % same
