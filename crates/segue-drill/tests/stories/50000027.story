// seed 50000027
connecting mss 1000 sack timestamps wscale 7 win 2000 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000198 0.000254 0.000298 0.000355 0.000434 0.012549 0.012734
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
write 5000 oob
  = errno 11 read 0
  @ 0.012859 0.024928 0.025079
  % same
wait 15
  @ 0.040186 0.040372
  % same
segment P. from next len 1000 ack all win 1000
  @ 0.040452 0.052516 0.052644
  % segs_in 1, data_segs_in 1
read 10000
  = errno 11 read 0
  @ 0.052723 0.064788 0.064923
  % same
segment FP. from next len 1000 ack all win 1000 stamp missing
  @ 0.064995 0.077094 0.077294
  % segs_in 2, data_segs_in 2
wait 100
  @ 0.177420 0.177613
  % same
read 1
  = errno 11 read 0
  @ 0.177714 0.189828 0.190016
  % same
shutdown 0
  = 0 read 0
  @ 0.190096 0.202233 0.202385
  % state 7, unacked 0, segs_out 0, segs_in 0, notsent_bytes 2, data_segs_in 0
wait 300
  @ 0.502554 0.502732
  % same
wait 15
  @ 0.517860 0.518042
  % same
wait 20
  @ 0.538160 0.538320
  % same
segment . from next len 0 ack all win 1000
  > +0.000 R 1:1(0) ack 0 win 0 urg 0 <>
  @ 0.538428 0.550573 0.550743
  % same
segment . from edge-plus 0 len 1000 ack all win 1000
  > +0.000 R 1:1(0) ack 0 win 0 urg 0 <>
  @ 0.550857 0.562959 0.563160
  % same
