// seed 20001902
connecting wscale 7 win 32792 cubic
  > +0.000 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  = errno 115 read 0
  @ 0.000125 0.000175 0.000244 0.000300 0.000362 0.012400 0.012511
  % state 2, snd_mss 524, rcv_mss 88, unacked 1, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1460, reordering 3, segs_out 1
wait 20
  @ 0.032572 0.032656
  % same
segment . from next len 0 ack old 500 win 1000
  > +0.000 R -500:-500(0) ack 0 win 0 urg 0 <>
  > +0.008 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  @ 0.032689 0.044721 0.044806
  % ca_state 4, retransmits 1, lost 1, retrans 1, snd_ssthresh 7, snd_cwnd 1, total_retrans 1, segs_out 2, segs_in 1
segment S. from next len 0 ack all win 1000
  > +0.000 . 1:1(0) ack 1 win 502 urg 0 <>
  @ 0.044833 0.056887 0.057047
  % state 1, retransmits 0, options 4, wscale 119, snd_mss 500, rcv_mss 500, unacked 0, lost 0, retrans 0, snd_ssthresh 2147483647, snd_cwnd 10, bytes_acked 1, segs_out 3, segs_in 2, delivered 1, snd_wnd 1000
segment P. from next len 1000 ack all win 1000
  > +0.000 . 1:1(0) ack 1001 win 495 urg 0 <>
  @ 0.057097 0.069149 0.069264
  % snd_mss 536, rcv_mss 1000, bytes_received 1000, segs_out 4, segs_in 3, data_segs_in 1, snd_wnd 128000
error
  = 0 read 0
  @ 0.069341 0.081395 0.081488
  % same
wait 100
  @ 0.181546 0.181627
  % same
read 100
  = 100 read 100
  @ 0.181696 0.193749 0.193849
  % same
segment P. from next len 1 ack same win 1000
  > +0.000 . 1:1(0) ack 1002 win 495 urg 0 <>
  @ 0.193873 0.205922 0.206015
  % bytes_received 1001, segs_out 5, segs_in 4, data_segs_in 2
write 5000
  > +0.000 . 1:537(536) ack 1002 win 495 urg 0 <>
  > +0.000 . 537:1073(536) ack 1002 win 495 urg 0 <>
  > +0.000 . 1073:1609(536) ack 1002 win 495 urg 0 <>
  > +0.000 . 1609:2145(536) ack 1002 win 495 urg 0 <>
  > +0.000 P. 2145:2681(536) ack 1002 win 495 urg 0 <>
  > +0.000 . 2681:3217(536) ack 1002 win 495 urg 0 <>
  > +0.000 . 3217:3753(536) ack 1002 win 495 urg 0 <>
  > +0.000 . 3753:4289(536) ack 1002 win 495 urg 0 <>
  > +0.000 . 4289:4825(536) ack 1002 win 495 urg 0 <>
  > +0.000 P. 4825:5001(176) ack 1002 win 495 urg 0 <>
  = 5000 read 0
  @ 0.206086 0.218127 0.218202
  % unacked 10, segs_out 15, data_segs_out 10, bytes_sent 5000
segment . from next len 0 ack old 500 win 5
  > +0.000 . 5001:5001(0) ack 1002 win 495 urg 0 <>
  @ 0.218223 0.230264 0.230339
  % segs_out 16, segs_in 5
wait 20
  @ 0.250393 0.250474
  % same
segment . from next len 0 ack same win 0
  @ 0.250515 0.262550 0.263644
  % segs_in 6, snd_wnd 0
