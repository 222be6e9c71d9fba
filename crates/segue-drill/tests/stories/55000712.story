// seed 55000712
passive mss 1460 sack timestamps wscale 0 win 32792 cubic
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000152 0.000196 0.000222 0.000252 0.000286 0.000353 0.020481 0.020590 0.032714 0.032867 0.032902
  % state 1, options 7, wscale 112, snd_mss 500, rcv_mss 500, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 1000
wait 20
  @ 0.053056 0.053173
  % same
segment . from next len 0 ack same win 1000 stamp old sack block 1000 1000
  > +0.000 . 1:1(0) ack 1 win 510 urg 0 <ecr 100002>
  @ 0.053309 0.065432 0.065559
  % segs_out 1, segs_in 3
close
  > +0.000 F. 1:1(0) ack 1 win 510 urg 0 <ecr 100002>
  = 0 read 0
  @ 0.065651 0.077798
  % gone
set 6 12 1
  @ 0.089944
  % gone
wait 100
  @ 0.190182
  % gone
segment . from before 500 len 2000 ack same win 1000 stamp old
  > +0.000 . 2:2(0) ack 1 win 510 urg 0 <ecr 100002, sack 4294966797:1>
  @ 0.190285 0.202405
  % gone
shutdown 1
  @ 0.214556
  % gone
wait 20
  @ 0.234706
  % gone
segment . from next len 0 ack more 2000 win 1000 sack duplicate 1000
  @ 0.234817 0.246953
  % gone
close
  @ 0.259075
  % gone
write 100
  @ 0.271208
  % gone
wait 15
  @ 0.286329
  % gone
segment F. from edge-plus 0 len 2000 ack same win 1000
  > +0.000 . 2:2(0) ack 1 win 510 urg 0 <ecr 100005>
  @ 0.286422 0.298528
  % gone
read 1000
  @ 0.310658
  % gone
