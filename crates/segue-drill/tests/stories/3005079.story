// seed 3005079
active mss 100 wscale 7 win 32792 reno
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <>
  = errno 115 read 0
  @ 0.000149 0.000196 0.000267 0.000355 0.000442 0.012547 0.032654 0.032747 0.044835 0.044974
  % state 1, options 4, wscale 119, snd_mss 100, rcv_mss 100, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 32792
segment P. from edge-less 500 len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <>
  @ 0.045060 0.057140 0.057286
  % rcv_mss 1000, segs_out 3, segs_in 2, data_segs_in 1, rcv_ooopack 1, snd_wnd 128000
segment F. from before 500 len 1000 ack same win 1000
  @ 0.057341 0.069437 0.069646
  % state 8, bytes_received 501, segs_in 3, data_segs_in 2
wait 20
  @ 0.089736 0.089865
  % same
segment . from next len 0 ack all win 1000
  > +0.000 . 1:1(0) ack 502 win 499 urg 0 <>
  @ 0.089941 0.102003 0.102100
  % segs_out 4, segs_in 4
write 10000
  > +0.000 . 1:101(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 101:201(100) ack 502 win 499 urg 0 <>
  > +0.000 . 201:301(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 301:401(100) ack 502 win 499 urg 0 <>
  > +0.000 . 401:501(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 501:601(100) ack 502 win 499 urg 0 <>
  > +0.000 . 601:701(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 701:801(100) ack 502 win 499 urg 0 <>
  > +0.000 . 801:901(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 901:1001(100) ack 502 win 499 urg 0 <>
  = 10000 read 0
  @ 0.102206 0.114277 0.114366
  % unacked 10, segs_out 14, notsent_bytes 9000, data_segs_out 10, bytes_sent 1000
segment P. from next len 100 ack all win 1000
  > +0.000 . 1001:1101(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 1101:1201(100) ack 502 win 499 urg 0 <>
  > +0.000 . 1201:1301(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 1301:1401(100) ack 502 win 499 urg 0 <>
  > +0.000 . 1401:1501(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 1501:1601(100) ack 502 win 499 urg 0 <>
  > +0.000 . 1601:1701(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 1701:1801(100) ack 502 win 499 urg 0 <>
  > +0.000 . 1801:1901(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 1901:2001(100) ack 502 win 499 urg 0 <>
  > +0.000 . 2001:2101(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 2101:2201(100) ack 502 win 499 urg 0 <>
  > +0.000 . 2201:2301(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 2301:2401(100) ack 502 win 499 urg 0 <>
  > +0.000 . 2401:2501(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 2501:2601(100) ack 502 win 499 urg 0 <>
  > +0.000 . 2601:2701(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 2701:2801(100) ack 502 win 499 urg 0 <>
  > +0.000 . 2801:2901(100) ack 502 win 499 urg 0 <>
  > +0.000 P. 2901:3001(100) ack 502 win 499 urg 0 <>
  @ 0.114447 0.126511 0.126596
  % unacked 20, snd_cwnd 20, bytes_acked 1001, segs_out 34, segs_in 5, notsent_bytes 7000, data_segs_in 3, data_segs_out 30, delivered 11, bytes_sent 3000
write 2000
  = 2000 read 0
  @ 0.126661 0.138734 0.138838
  % notsent_bytes 9000
set 6 1 0
  = 0 read 0
  @ 0.138900 0.150963 0.151122
  % same
read 100
  = 100 read 100
  @ 0.151221 0.163308 0.163441
  % same
