//! Every kind of answer, with a resolver and a nameserver that tests control.
#![allow(clippy::panic)]

use std::collections::HashMap;
use std::net::IpAddr;

use simple_dns::rdata::{OPT, TXT};
use simple_dns::{CLASS, Packet, PacketFlag, QTYPE, Question, ResourceRecord};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use super::*;

struct Names(HashMap<&'static str, Lookup<IpAddr>>);

impl Resolver for Names {
    fn addresses(&self, name: &str) -> Lookup<IpAddr> {
        self.0.get(name).cloned().unwrap_or(Lookup::NoSuchName)
    }
    fn names(&self, address: IpAddr) -> Lookup<String> {
        match address.to_string().as_str() {
            "192.0.2.1" => Lookup::Found(vec!["four.example".to_owned()]),
            "192.0.2.2" => Lookup::Failed,
            _ => Lookup::NoSuchName,
        }
    }
}

fn found(addresses: &[&str]) -> Lookup<IpAddr> {
    Lookup::Found(addresses.iter().map(|a| a.parse().unwrap()).collect())
}

fn dns(servers: Vec<SocketAddr>) -> Dns {
    let many: Vec<String> = (0..100).map(|i| format!("192.0.2.{i}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let names = HashMap::from([
        ("four.example", found(&["192.0.2.1"])),
        ("both.example", found(&["192.0.2.3", "2001:db8::3"])),
        ("bare.example", found(&[])),
        ("many.example", found(&many)),
        ("broken.example", Lookup::Failed),
    ]);
    let config =
        DnsConfig { resolver: Arc::new(Names(names)), servers: Some(servers), timeout: Duration::from_millis(500) };
    Dns::new(config, Addresses::GATEWAY, Some(Addresses::TEST_HOST), Report::new(None))
}

fn question(name: &str, kind: impl Into<QTYPE>) -> Vec<u8> {
    let mut packet = Packet::new_query(77);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new_unchecked(name);
    packet.questions.push(Question::new(name, kind.into(), CLASS::IN.into(), false));
    packet.build_bytes_vec().unwrap()
}

/// The code, the answer records as text, and whether an SOA is there.
async fn ask(dns: &Dns, name: &str, kind: impl Into<QTYPE>) -> (RCODE, Vec<String>, bool) {
    let reply = dns.reply(&question(name, kind), Transport::Udp).await;
    read(&reply.expect("a question is answered"))
}

fn read(reply: &[u8]) -> (RCODE, Vec<String>, bool) {
    let packet = Packet::parse(reply).unwrap();
    assert!(packet.has_flags(PacketFlag::RESPONSE | PacketFlag::RECURSION_AVAILABLE));
    let records = packet.answers.iter().map(|record| match &record.rdata {
        RData::A(a) => std::net::Ipv4Addr::from(a.address).to_string(),
        RData::AAAA(aaaa) => std::net::Ipv6Addr::from(aaaa.address).to_string(),
        RData::PTR(name) => name.to_string(),
        RData::TXT(_) => "text".to_owned(),
        RData::SOA(_) => "soa".to_owned(),
        other => panic!("{other:?}"),
    });
    let soa = matches!(packet.name_servers.first().map(|record| &record.rdata), Some(RData::SOA(_)));
    (packet.rcode(), records.collect(), soa)
}

fn ok(records: &[&str]) -> (RCODE, Vec<String>, bool) {
    (RCODE::NoError, records.iter().map(|r| r.to_string()).collect(), false)
}

#[tokio::test]
async fn the_built_in_zone_answers_forward_and_reverse() {
    let dns = dns(vec![]);
    assert_eq!(ask(&dns, "segue.test", TYPE::A).await, ok(&["198.18.0.10"]));
    assert_eq!(ask(&dns, "SEGUE.Test", TYPE::AAAA).await, ok(&["fd53:6567:7565::10"]));
    assert_eq!(ask(&dns, "gateway.segue.test", TYPE::A).await, ok(&["198.18.0.1"]));
    assert_eq!(ask(&dns, "gateway.segue.test", QTYPE::ANY).await, ok(&["198.18.0.1", "fd53:6567:7565::1"]));
    assert_eq!(ask(&dns, "segue.test", TYPE::SOA).await, ok(&["soa"]));
    assert_eq!(ask(&dns, "10.0.18.198.in-addr.arpa", TYPE::PTR).await, ok(&["segue.test"]));
    let v6 = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.5.6.5.7.7.6.5.6.3.5.d.f.ip6.arpa";
    assert_eq!(ask(&dns, v6, TYPE::PTR).await, ok(&["gateway.segue.test"]));
}

#[tokio::test]
async fn the_built_in_zone_tells_no_name_from_no_data() {
    let dns = dns(vec![]);
    let negative = |code| (code, Vec::<String>::new(), true);
    assert_eq!(ask(&dns, "segue.test", TYPE::MX).await, negative(RCODE::NoError));
    assert_eq!(ask(&dns, "nobody.segue.test", TYPE::A).await, negative(RCODE::NameError));
    let without_soa = (RCODE::NameError, Vec::new(), false);
    assert_eq!(ask(&dns, "some.invalid", TYPE::A).await, without_soa);
}

#[tokio::test]
async fn localhost_is_this_host_whatever_is_configured() {
    let dns = dns(vec![]);
    assert_eq!(ask(&dns, "localhost", TYPE::A).await, ok(&["127.0.0.1"]));
    assert_eq!(ask(&dns, "a.LOCALHOST", TYPE::AAAA).await, ok(&["::1"]));
    assert_eq!(ask(&dns, "localhost", TYPE::MX).await, ok(&[]));
    assert_eq!(ask(&dns, "1.0.0.127.in-addr.arpa", TYPE::PTR).await, ok(&["localhost"]));
}

#[tokio::test]
async fn the_resolver_answers_both_families_and_tells_no_name_from_no_data() {
    let dns = dns(vec![]);
    assert_eq!(ask(&dns, "both.example", TYPE::A).await, ok(&["192.0.2.3"]));
    assert_eq!(ask(&dns, "both.example", TYPE::AAAA).await, ok(&["2001:db8::3"]));
    assert_eq!(ask(&dns, "four.example", TYPE::AAAA).await, ok(&[]));
    assert_eq!(ask(&dns, "bare.example", TYPE::A).await, ok(&[]));
    let code = |code| (code, Vec::<String>::new(), false);
    assert_eq!(ask(&dns, "none.example", TYPE::AAAA).await, code(RCODE::NameError));
    assert_eq!(ask(&dns, "broken.example", TYPE::A).await, code(RCODE::ServerFailure));
    assert_eq!(ask(&dns, "1.2.0.192.in-addr.arpa", TYPE::PTR).await, ok(&["four.example"]));
    assert_eq!(ask(&dns, "2.2.0.192.in-addr.arpa", TYPE::PTR).await, code(RCODE::ServerFailure));
    assert_eq!(ask(&dns, "3.2.0.192.in-addr.arpa", TYPE::PTR).await, code(RCODE::NameError));
}

#[tokio::test]
async fn an_address_in_place_of_a_name_does_not_exist() {
    let dns = dns(vec![]);
    let none = (RCODE::NameError, Vec::new(), false);
    assert_eq!(ask(&dns, "192.0.2.1", TYPE::A).await, none);
    assert_eq!(ask(&dns, "0x7f000001", TYPE::A).await, none);
}

#[tokio::test]
async fn zone_transfers_are_refused() {
    let reply = ask(&dns(vec![]), "segue.test", QTYPE::AXFR).await;
    assert_eq!(reply.0, RCODE::Refused);
}

/// A nameserver that answers every question with a TXT record, over UDP and
/// TCP on one port, after a stray datagram with another identifier.
async fn nameserver() -> SocketAddr {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let udp = UdpSocket::bind(address).await.unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2000];
        while let Ok((n, from)) = udp.recv_from(&mut buffer).await {
            let mut reply = text_reply(&buffer[..n], "udp");
            reply[0] ^= 0xff;
            udp.send_to(&reply, from).await.unwrap();
            reply[0] ^= 0xff;
            udp.send_to(&reply, from).await.unwrap();
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let length = stream.read_u16().await.unwrap();
            let mut query = vec![0; length.into()];
            stream.read_exact(&mut query).await.unwrap();
            let reply = text_reply(&query, "tcp");
            stream.write_u16(reply.len() as u16).await.unwrap();
            stream.write_all(&reply).await.unwrap();
        }
    });
    address
}

fn text_reply(query: &[u8], text: &'static str) -> Vec<u8> {
    let query = Packet::parse(query).unwrap();
    let mut reply = Packet::new_reply(query.id());
    reply.set_flags(PacketFlag::RECURSION_AVAILABLE);
    reply.questions = query.questions.clone();
    reply.answers.push(ResourceRecord::new(
        query.questions[0].qname.clone(),
        CLASS::IN,
        1,
        RData::TXT(TXT::new().with_string(text).unwrap()),
    ));
    reply.build_bytes_vec().unwrap()
}

#[tokio::test]
async fn other_records_come_from_the_nameserver_as_it_gives_them() {
    let dns = dns(vec![nameserver().await]);
    let query = question("four.example", TYPE::TXT);
    let reply = dns.reply(&query, Transport::Udp).await.unwrap();
    assert_eq!(reply, text_reply(&query, "udp"));
    let reply = dns.reply(&query, Transport::Tcp).await.unwrap();
    assert_eq!(reply, text_reply(&query, "tcp"));
    // A name that is no host name.
    assert_eq!(ask(&dns, "_x y.example", TYPE::A).await, ok(&["text"]));
}

/// A nameserver that answers every question with its own bytes, as a reply.
async fn mirror() -> SocketAddr {
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = udp.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2000];
        while let Ok((n, from)) = udp.recv_from(&mut buffer).await {
            buffer[2] |= 0x80;
            udp.send_to(&buffer[..n], from).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_type_nobody_has_heard_of_is_forwarded_and_refusals_repeat_it() {
    let mut query = question("four.example", TYPE::A);
    let kind = query.len() - 4;
    for number in [52u16 /* TLSA */, 44 /* SSHFP */, 65_280] {
        query[kind..kind + 2].copy_from_slice(&number.to_be_bytes());
        let reply = dns(vec![mirror().await]).reply(&query, Transport::Udp).await.unwrap();
        let mut expected = query.clone();
        expected[2] |= 0x80;
        assert_eq!(reply, expected, "type {number}");
        let reply = dns(vec![]).reply(&query, Transport::Udp).await.unwrap();
        assert_eq!(reply[3] & 0x0f, 2, "nobody to ask");
        assert_eq!(reply[12..], query[12..], "the question comes back as it was");
    }
}

#[tokio::test]
async fn a_nameserver_that_says_nothing_gives_servfail_in_time() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let dns = dns(vec![silent.local_addr().unwrap()]);
    let reply = ask(&dns, "four.example", TYPE::MX).await;
    assert_eq!(reply.0, RCODE::ServerFailure);
    // It did get the question.
    let mut buffer = [0; 2000];
    assert!(silent.try_recv(&mut buffer).unwrap() > 12);
}

#[tokio::test]
async fn the_second_nameserver_is_asked_when_the_first_refuses() {
    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let refusing = closed.local_addr().unwrap();
    drop(closed);
    let dns = dns(vec![refusing, nameserver().await]);
    assert_eq!(ask(&dns, "four.example", TYPE::TXT).await, ok(&["text"]));
}

#[tokio::test]
async fn an_answer_cut_over_udp_is_whole_over_tcp() {
    let dns = dns(vec![]);
    let query = question("many.example", TYPE::A);
    let reply = dns.reply(&query, Transport::Udp).await.unwrap();
    assert!(reply.len() <= 512);
    assert!(Packet::parse(&reply).unwrap().has_flags(PacketFlag::TRUNCATION));
    let reply = dns.reply(&query, Transport::Tcp).await.unwrap();
    assert_eq!(Packet::parse(&reply).unwrap().answers.len(), 100);
}

#[tokio::test]
async fn a_malformed_question_is_a_format_error_and_edns_is_tolerated() {
    let dns = dns(vec![]);
    let mut query = question("segue.test", TYPE::A);
    query.pop();
    let reply = dns.reply(&query, Transport::Udp).await.unwrap();
    assert_eq!(reply[3] & 0x0f, 1);
    let mut packet = Packet::new_query(78);
    packet.questions.push(Question::new(Name::new_unchecked("segue.test"), TYPE::A.into(), CLASS::IN.into(), false));
    *packet.opt_mut() = Some(OPT {
        opt_codes: vec![simple_dns::rdata::OPTCode { code: 10, data: (&[1u8, 2, 3, 4, 5, 6, 7, 8][..]).into() }],
        udp_packet_size: 4096,
        version: 0,
    });
    let query = packet.build_bytes_vec().unwrap();
    let reply = dns.reply(&query, Transport::Udp).await.unwrap();
    assert_eq!(read(&reply), ok(&["198.18.0.10"]));
    assert!(Packet::parse(&reply).unwrap().opt().is_some());
}

#[tokio::test]
async fn a_stream_answers_pipelined_questions_and_ends_after_the_last() {
    let dns = Arc::new(dns(vec![]));
    let (mut client, server) = tokio::io::duplex(4096);
    let served = tokio::spawn(serve(dns, server));
    let mut sent = Vec::new();
    for (id, name) in [(1u16, "segue.test"), (2, "none.example"), (3, "many.example")] {
        let mut query = question(name, TYPE::A);
        query[..2].copy_from_slice(&id.to_be_bytes());
        sent.extend((query.len() as u16).to_be_bytes());
        sent.extend(query);
    }
    client.write_all(&sent).await.unwrap();
    client.shutdown().await.unwrap();
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.unwrap();
    served.await.unwrap().unwrap();
    let mut counts = HashMap::new();
    let mut rest = &received[..];
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (reply, after) = after.split_at(u16::from_be_bytes(*length).into());
        let packet = Packet::parse(reply).unwrap();
        counts.insert(packet.id(), packet.answers.len());
        rest = after;
    }
    assert_eq!(counts, HashMap::from([(1, 1), (2, 0), (3, 100)]));
}
