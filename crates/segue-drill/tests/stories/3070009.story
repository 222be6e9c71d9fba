// seed 3070009
passive mss 1000 sack win 32792 reno
  > +0.000 S. 0:0(0) ack 1 win 64240 urg 0 <mss 1460, sackOK>
  = 0 read 0
  @ 0.000185 0.000252 0.000278 0.000342 0.000409 0.000449 0.020543 0.020629 0.032718 0.032952 0.032995
  % state 1, options 2, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
write 2000
  > +0.000 . 1:501(500) ack 1 win 64240 urg 0 <>
  > +0.000 P. 501:1001(500) ack 1 win 64240 urg 0 <>
  = 2000 read 0
  @ 0.033094 0.045148 0.045280
  % unacked 2, segs_out 2, notsent_bytes 1000, data_segs_out 2, bytes_sent 1000
wait 100
  > +0.036 P. 501:1001(500) ack 1 win 64240 urg 0 <>
  @ 0.145360 0.145489
  % total_retrans 1, segs_out 3, data_segs_out 3, bytes_sent 1500, bytes_retrans 500
