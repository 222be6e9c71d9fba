// seed 55000767
listening mss 1000 sack timestamps win 0 reno
  @ 0.000124 0.000171 0.000195 0.000222 0.000245
  % gone
segment S from next len 0 win 1000
  > +0.000 S. 0:0(0) ack 1 win 65160 urg 0 <mss 1460, sackOK, ecr 100001>
  @ 0.000312 0.012421
  % gone
error
  @ 0.024550
  % gone
segment R. from next len 0 ack old 1 win 1000
  @ 0.024640 0.036761
  % gone
segment . from next len 0 ack all win 1000
  > +0.000 R 1:1(0) ack 0 win 0 urg 0 <>
  @ 0.036872 0.049000
  % gone
wait 15
  @ 0.064147
  % gone
segment SR from edge-plus 1 len 100 win 1000 stamp missing
  @ 0.064240 0.076362
  % gone
wait 20
  @ 0.096499
  % gone
segment . from next len 0 ack same win 1000 sack block 1000 1000
  > +0.000 R 1:1(0) ack 0 win 0 urg 0 <>
  @ 0.096600 0.108736
  % gone
