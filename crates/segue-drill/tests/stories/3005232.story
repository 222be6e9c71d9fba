// seed 3005232
active mss 100 sack timestamps wscale 14 win 65535 cubic
  > +0.001 S 0:0(0) ack 0 win 64240 urg 0 <mss 1460, sackOK, wscale 7, ecr 0>
  > +0.033 . 1:1(0) ack 1 win 502 urg 0 <ecr 100001>
  = errno 115 read 0
  @ 0.000343 0.000406 0.000456 0.000503 0.000566 0.012635 0.032774 0.032866 0.044923 0.045014
  % state 1, options 7, wscale 126, snd_mss 88, rcv_mss 88, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, bytes_acked 1, segs_out 2, segs_in 1, delivered 1, snd_wnd 65535
write 3500
  > +0.000 . 1:89(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 89:177(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 177:265(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 265:353(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 353:441(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 441:529(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 529:617(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 617:705(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 . 705:793(88) ack 1 win 502 urg 0 <ecr 100001>
  > +0.000 P. 793:881(88) ack 1 win 502 urg 0 <ecr 100001>
  = 3500 read 0
  @ 0.045127 0.057250 0.057346
  % unacked 10, segs_out 12, notsent_bytes 2620, data_segs_out 10, bytes_sent 880
segment . from edge-less 500 len 1460 ack same win 1000
  > +0.000 . 881:881(0) ack 1 win 525 urg 0 <ecr 100001, sack 63757:65217>
  @ 0.057404 0.069504 0.069611
  % rcv_mss 1448, segs_out 13, segs_in 2, data_segs_in 1, rcv_ooopack 1, snd_wnd 16384000
read 1
  = errno 11 read 0
  @ 0.069679 0.081812 0.081964
  % same
segment . from next len 1 ack all win 1000
  > +0.000 . 881:957(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 P. 957:1033(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 . 1033:1109(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 P. 1109:1185(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 . 1185:1261(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 P. 1261:1337(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 . 1337:1413(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 P. 1413:1489(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 . 1489:1565(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 P. 1565:1641(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 . 1641:1717(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 P. 1717:1793(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 . 1793:1869(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 P. 1869:1945(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 . 1945:2021(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 P. 2021:2097(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 . 2097:2173(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 P. 2173:2249(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 . 2249:2325(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  > +0.000 P. 2325:2401(76) ack 2 win 525 urg 0 <ecr 100003, sack 63757:65217>
  @ 0.082121 0.094266 0.094441
  % unacked 20, snd_cwnd 20, bytes_acked 881, bytes_received 1, segs_out 33, segs_in 3, notsent_bytes 1100, data_segs_in 2, data_segs_out 30, delivered 11, bytes_sent 2400
write 100 more
  = 100 read 0
  @ 0.094564 0.106632 0.106723
  % notsent_bytes 1200
write 2000
  = 2000 read 0
  @ 0.106788 0.118929 0.119091
  % notsent_bytes 3200
segment F. from beyond 1000 len 2000 ack all win 1000
  > +0.000 . 2401:2469(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2469:2537(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 2537:2605(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2605:2673(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2673:2741(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 2741:2809(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2809:2877(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2877:2945(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 2945:3013(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3013:3081(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3081:3149(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 3149:3217(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3217:3285(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3285:3353(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 3353:3421(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3421:3489(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3489:3557(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 3557:3625(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3625:3693(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3693:3761(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 3761:3829(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3829:3897(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3897:3965(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 3965:4033(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 4033:4101(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 4101:4169(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 4169:4237(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 4237:4305(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 4305:4373(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 4373:4441(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 4441:4509(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 4509:4577(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 4577:4645(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 4645:4713(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 4713:4781(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 4781:4849(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 4849:4917(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 4917:4985(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 4985:5053(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  > +0.000 . 5053:5121(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  @ 0.119391 0.131468 0.131571
  % unacked 40, snd_cwnd 40, bytes_acked 2401, segs_out 73, segs_in 4, notsent_bytes 480, data_segs_in 3, data_segs_out 70, delivered 31, bytes_sent 5120, rcv_ooopack 2
wait 100
  > +0.065 . 5121:5189(68) ack 2 win 525 urg 0 <ecr 100003, sack 1002:3003, sack 63757:65217>
  @ 0.231717 0.231848
  % unacked 41, segs_out 74, notsent_bytes 412, data_segs_out 71, bytes_sent 5188
write 10000
  = 10000 read 0
  @ 0.231933 0.245209 0.245381
  % notsent_bytes 10412
wait 20
  @ 0.265503 0.265632
  % same
segment . from next len 0 ack same win 1000 sack block 1000 3000
  > +0.000 . 2401:2469(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 2469:2537(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2537:2605(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2605:2673(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 2673:2741(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2741:2809(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2809:2877(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 2877:2945(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2945:3013(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3013:3081(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 3081:3149(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3149:3217(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3217:3285(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 3285:3353(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3353:3421(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 5189:5257(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 5257:5325(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 5325:5393(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 5393:5461(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 5461:5529(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 5529:5597(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 5597:5665(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 5665:5733(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 5733:5801(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 5801:5869(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  > +0.000 . 5869:5937(68) ack 2 win 525 urg 0 <ecr 100005, sack 1002:3003, sack 63757:65217>
  @ 0.265758 0.277828 0.277916
  % ca_state 3, unacked 52, sacked 26, lost 15, retrans 15, snd_ssthresh 28, snd_cwnd 26, total_retrans 15, segs_out 100, segs_in 5, notsent_bytes 9664, data_segs_out 97, delivered 57, bytes_sent 6956, bytes_retrans 1020
segment P. from next len 1 ack same win 1000
  > +0.000 . 5937:5937(0) ack 3 win 525 urg 0 <ecr 100006, sack 1002:3003, sack 63757:65217>
  @ 0.278018 0.290108 0.290209
  % bytes_received 2, segs_out 101, segs_in 6, data_segs_in 4
wait 20
  @ 0.310281 0.310350
  % same
segment . from next len 0 ack same win 1000 sack block 1000 3000
  > +0.000 . 2401:2469(68) ack 3 win 525 urg 0 <ecr 100007, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 2469:2537(68) ack 3 win 525 urg 0 <ecr 100007, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2537:2605(68) ack 3 win 525 urg 0 <ecr 100007, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2605:2673(68) ack 3 win 525 urg 0 <ecr 100007, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 2673:2741(68) ack 3 win 525 urg 0 <ecr 100007, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2741:2809(68) ack 3 win 525 urg 0 <ecr 100007, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2809:2877(68) ack 3 win 525 urg 0 <ecr 100007, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 2877:2945(68) ack 3 win 525 urg 0 <ecr 100007, sack 1002:3003, sack 63757:65217>
  > +0.000 . 2945:3013(68) ack 3 win 525 urg 0 <ecr 100007, sack 1002:3003, sack 63757:65217>
  > +0.000 . 3013:3081(68) ack 3 win 525 urg 0 <ecr 100007, sack 1002:3003, sack 63757:65217>
  > +0.000 P. 3081:3149(68) ack 3 win 525 urg 0 <ecr 100007, sack 1002:3003, sack 63757:65217>
  @ 0.310429 0.322491 0.322580
  % sacked 37, retrans 11, snd_cwnd 11, total_retrans 26, segs_out 112, segs_in 7, data_segs_out 108, delivered 68, bytes_sent 7704, bytes_retrans 1768
read 1000
  = 2 read 2
  @ 0.322646 0.334740 0.334847
  % same
