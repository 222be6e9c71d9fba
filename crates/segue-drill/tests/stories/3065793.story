// seed 3065793
// intended: echo of a repeated SYN
listening mss 1000 sack timestamps wscale 7 win 65535 reno
  @ 0.000145 0.000192 0.000213 0.000240 0.000265
  % gone
segment S from next len 0 win 1000
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  @ 0.000330 0.012470
  % gone
segment S from before 1 len 0 win 1000
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, wscale 7, ecr 100001>
  @ 0.012584 0.024685
  % gone
