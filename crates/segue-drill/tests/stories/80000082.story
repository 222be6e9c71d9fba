// seed 80000082
passive sack timestamps wscale 14 win 65535 reno
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000189 0.000244 0.000288 0.000350 0.000395 0.000467 0.020581 0.020680 0.032785 0.033024 0.033085
  % state 1, options 7, wscale 126, snd_mss 524, rcv_mss 524, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 16384000
read 100
  = errno 11 read 0
  @ 0.033174 0.045291 0.045509
  % same
write 5000
  > +0.000 . 1:525(524) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 525:1049(524) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 1049:1573(524) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 1573:2097(524) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 2097:2621(524) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 2621:3145(524) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 3145:3669(524) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 3669:4193(524) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 4193:4717(524) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 4717:5001(284) ack 1 win 510 urg 0 <ecr 100002>
  = 5000 read 0
  @ 0.045664 0.057779 0.057962
  % unacked 10, segs_out 10, data_segs_out 10, bytes_sent 5000
shutdown 1
  = 0 read 0
  @ 0.058044 0.070148 0.070314
  % state 4, notsent_bytes 1
wait 300
  > +0.020 F. 5001:5001(0) ack 1 win 510 urg 0 <ecr 100002>
  > +0.249 . 1:525(524) ack 1 win 510 urg 0 <ecr 100002>
  @ 0.370450 0.370653
  % ca_state 4, retransmits 1, backoff 1, unacked 11, lost 11, retrans 1, snd_ssthresh 5, snd_cwnd 1, total_retrans 1, segs_out 12, notsent_bytes 0, data_segs_out 11, bytes_sent 5524, bytes_retrans 524
write 1000
  = errno 32 read 0
  @ 0.370756 0.382862 0.383015
  % same
read 1000
  = errno 11 read 0
  @ 0.383108 0.395204 0.395360
  % same
write 2000
  = errno 32 read 0
  @ 0.395464 0.407564 0.407722
  % same
