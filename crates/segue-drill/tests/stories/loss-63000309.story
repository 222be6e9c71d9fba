// seed 63000309
// intended: delays in slow start
passive mss 1000 timestamps wscale 7 win 65535 cubic
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, wscale 7, ecr 100001>
  = 0 read 0
  @ 0.000114 0.000134 0.000167 0.000193 0.000218 0.000271 0.020375 0.020460 0.050598 0.050736 0.050762
  % state 1, options 5, wscale 119, snd_mss 988, rcv_mss 536, pmtu 1500, snd_ssthresh 2147483647, snd_cwnd 10, advmss 1448, reordering 3, segs_in 2, delivered 1, snd_wnd 128000
write 10000
  > +0.000 . 1:989(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 989:1977(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 1977:2965(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 2965:3953(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 3953:4941(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 4941:5929(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 5929:6917(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 6917:7905(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 . 7905:8893(988) ack 1 win 510 urg 0 <ecr 100002>
  > +0.000 P. 8893:9881(988) ack 1 win 510 urg 0 <ecr 100002>
  = 10000 read 0
  @ 0.050849 0.081002 0.081131
  % unacked 10, segs_out 10, notsent_bytes 120, data_segs_out 10, bytes_sent 9880
wait 20
  @ 0.101275 0.101378
  % same
write 5000
  = 5000 read 0
  @ 0.101428 0.131538 0.131630
  % notsent_bytes 5120
deliver 1
  > +0.000 . 9881:10869(988) ack 1 win 510 urg 0 <ecr 100003>
  > +0.000 P. 10869:11857(988) ack 1 win 510 urg 0 <ecr 100003>
  @ 0.131710 0.165336 0.165469
  % unacked 11, snd_cwnd 11, bytes_acked 988, segs_out 12, segs_in 3, notsent_bytes 3144, data_segs_out 12, delivered 2, bytes_sent 11856
write 3000
  = 3000 read 0
  @ 0.165558 0.195684 0.195779
  % notsent_bytes 6144
deliver 3
  > +0.000 . 11857:12845(988) ack 1 win 510 urg 0 <ecr 100004>
  > +0.000 P. 12845:13833(988) ack 1 win 510 urg 0 <ecr 100004>
  > +0.000 . 13833:14821(988) ack 1 win 510 urg 0 <ecr 100005>
  > +0.000 P. 14821:15809(988) ack 1 win 510 urg 0 <ecr 100005>
  > +0.000 . 15809:16797(988) ack 1 win 510 urg 0 <ecr 100006>
  > +0.000 P. 16797:17785(988) ack 1 win 510 urg 0 <ecr 100006>
  @ 0.195895 0.195916 0.195931 0.226040 0.226136
  % unacked 14, snd_cwnd 14, bytes_acked 3952, segs_out 18, segs_in 6, notsent_bytes 216, data_segs_out 18, delivered 5, bytes_sent 17784
deliver 1
  > +0.000 P. 17785:18001(216) ack 1 win 510 urg 0 <ecr 100007>
  @ 0.226243 0.256362 0.256456
  % snd_cwnd 15, bytes_acked 4940, segs_out 19, segs_in 7, notsent_bytes 0, data_segs_out 19, delivered 6, bytes_sent 18000
wait 300
  @ 0.556907 0.557018
  % same
deliver 2
  @ 0.557114 0.557122 0.587266 0.587374
  % unacked 12, snd_cwnd 17, bytes_acked 6916, segs_in 9, delivered 8
deliver 12
  @ 0.587472 0.587480 0.587487 0.587493 0.587500 0.587507 0.587513 0.587519 0.587525 0.587532 0.587538 0.587545 0.617675 0.617782
  % unacked 0, snd_ssthresh 28, snd_cwnd 28, bytes_acked 18000, segs_in 21, delivered 20
