//! UDP flows, echo requests and names through the gateway.

mod common;

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use common::{Net, in_own_network, in_time, noise, sha256};
use segue::{PingError, PingOptions, UdpSocket};
use segue_gateway::{DnsMode, Event, GatewayConfig, Refusal};
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, TYPE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn inside(net: &Net, to: SocketAddr) -> UdpSocket {
    let any: SocketAddr = if to.is_ipv4() { "0.0.0.0:0".parse() } else { "[::]:0".parse() }.unwrap();
    let socket = UdpSocket::bind(&net.inside, any).await.unwrap();
    socket.connect(to).await.unwrap();
    socket
}

/// A server of this machine that sends back what comes, and counts who asked.
async fn echo_server(address: &str) -> SocketAddr {
    let socket = tokio::net::UdpSocket::bind(address).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = vec![0; 65_535];
        while let Ok((n, from)) = socket.recv_from(&mut buffer).await {
            socket.send_to(&buffer[..n], from).await.unwrap();
        }
    });
    address
}

async fn round_trip(socket: &UdpSocket, data: &[u8]) -> Vec<u8> {
    socket.send(data).await.unwrap();
    let mut buffer = vec![0; 65_535];
    let n = in_time("the answer", socket.recv(&mut buffer)).await.unwrap();
    buffer.truncate(n);
    buffer
}

#[tokio::test]
async fn datagrams_of_every_size_go_out_and_come_back_whole() {
    let net = Net::new();
    for (server, seen) in [("127.0.0.1:0", "198.18.0.1"), ("[::1]:0", "fd53:6567:7565::1")] {
        let port = echo_server(server).await.port();
        let socket = inside(&net, SocketAddr::new(seen.parse().unwrap(), port)).await;
        for length in [0, 1, 1000, 1472, 1473, 9000, 65_507] {
            let data = noise(length as u64, length);
            let back = round_trip(&socket, &data).await;
            assert_eq!((back.len(), sha256(&back)), (length, sha256(&data)), "{seen}, {length} bytes");
        }
    }
    let stats = net.gateway.stats();
    assert_eq!((stats.udp_out, stats.udp_in, stats.udp_flows), (14, 14, 2));
}

#[tokio::test]
async fn two_inside_sockets_with_one_destination_get_their_own_answers() {
    let net = Net::new();
    let to = SocketAddr::new("198.18.0.1".parse().unwrap(), echo_server("127.0.0.1:0").await.port());
    let (one, other) = (inside(&net, to).await, inside(&net, to).await);
    for i in 0..20u8 {
        assert_eq!(round_trip(&one, &[1, i]).await, [1, i]);
        assert_eq!(round_trip(&other, &[2, i]).await, [2, i]);
    }
    assert_eq!(net.gateway.stats().udp_flows, 2);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_an_error_of_the_inside_socket() {
    let net = Net::new();
    for (bind, seen) in [("127.0.0.1:0", "198.18.0.1"), ("[::1]:0", "fd53:6567:7565::1")] {
        let free = std::net::UdpSocket::bind(bind).unwrap();
        let to = SocketAddr::new(seen.parse().unwrap(), free.local_addr().unwrap().port());
        drop(free);
        let socket = inside(&net, to).await;
        socket.send(b"anybody?").await.unwrap();
        let error = in_time("the error", socket.recv(&mut [0; 10])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{seen}");
        let last = net.events().pop();
        assert!(
            matches!(last, Some(Event::UdpRefused { to: told, why: Refusal::Refused, .. }) if told == to),
            "{last:?}"
        );
    }
    // And on the test host.
    let socket = inside(&net, "198.18.0.10:1234".parse().unwrap()).await;
    socket.send(b"anybody?").await.unwrap();
    let error = in_time("the error", socket.recv(&mut [0; 10])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn more_flows_than_allowed_push_out_the_one_nearest_to_its_end() {
    let mut config = GatewayConfig::default();
    config.max_udp_flows = 4;
    let net = Net::with(config);
    let to = SocketAddr::new("198.18.0.1".parse().unwrap(), echo_server("127.0.0.1:0").await.port());
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let unanswered = SocketAddr::new(to.ip(), silent.local_addr().unwrap().port());
    let idle = inside(&net, unanswered).await;
    idle.send(b"x").await.unwrap();
    let mut sockets = Vec::new();
    for i in 0..4u8 {
        let socket = inside(&net, to).await;
        assert_eq!(round_trip(&socket, &[i]).await, [i]);
        sockets.push(socket);
    }
    let stats = net.gateway.stats();
    assert_eq!((stats.udp_flows, stats.udp_evicted), (4, 1));
    let [Event::UdpEvicted { to: told, .. }] = net.events()[..] else { panic!("{:?}", net.events()) };
    assert_eq!(told, unanswered, "the one without an answer");
    // Forgotten is not broken: its next datagram makes a new flow.
    idle.send(b"y").await.unwrap();
    let mut buffer = [0; 10];
    for expected in [b"x", b"y"] {
        let (n, _) = in_time("datagram", silent.recv_from(&mut buffer)).await.unwrap();
        assert_eq!(&buffer[..n], expected);
    }
}

#[tokio::test]
async fn a_flow_is_forgotten_when_its_time_is_over() {
    let mut config = GatewayConfig::default();
    config.udp_timeouts.unreplied = Duration::from_millis(50);
    config.udp_timeouts.established = Duration::from_millis(100);
    let net = Net::with(config);
    let to = SocketAddr::new("198.18.0.1".parse().unwrap(), echo_server("127.0.0.1:0").await.port());
    let socket = inside(&net, to).await;
    assert_eq!(round_trip(&socket, b"x").await, b"x");
    net.until("the flow's end", |net| net.gateway.stats().udp_flows == 0).await;
    assert_eq!(net.gateway.stats().udp_evicted, 0);
    assert_eq!(round_trip(&socket, b"again").await, b"again");
}

fn question(name: &'static str, kind: TYPE) -> Vec<u8> {
    let mut packet = Packet::new_query(4711);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new_unchecked(name);
    packet.questions.push(Question::new(name, kind.into(), CLASS::IN.into(), false));
    packet.build_bytes_vec().unwrap()
}

fn addresses(reply: &[u8]) -> Vec<IpAddr> {
    let packet = Packet::parse(reply).unwrap();
    assert_eq!((packet.id(), packet.rcode()), (4711, RCODE::NoError));
    let address = |data: &RData<'_>| match data {
        RData::A(a) => IpAddr::from(Ipv4Addr::from(a.address)),
        RData::AAAA(aaaa) => IpAddr::from(std::net::Ipv6Addr::from(aaaa.address)),
        other => panic!("{other:?}"),
    };
    packet.answers.iter().map(|record| address(&record.rdata)).collect()
}

#[tokio::test]
async fn names_are_answered_at_the_gateway_whatever_server_is_asked() {
    let net = Net::new();
    for server in ["192.0.2.53:53", "127.0.0.53:53", "[2001:db8::53]:53"] {
        let socket = inside(&net, server.parse().unwrap()).await;
        let reply = round_trip(&socket, &question("segue.test", TYPE::A)).await;
        assert_eq!(addresses(&reply), ["198.18.0.10".parse::<IpAddr>().unwrap()], "{server}");
        let reply = round_trip(&socket, &question("localhost", TYPE::AAAA)).await;
        assert_eq!(addresses(&reply), ["::1".parse::<IpAddr>().unwrap()], "{server}");
    }
    let stats = net.gateway.stats();
    assert_eq!((stats.dns_answered, stats.udp_out), (6, 0));
}

#[tokio::test]
async fn names_are_answered_over_tcp_as_well() {
    let net = Net::new();
    let mut stream = net.connect("192.0.2.53:53").await.unwrap();
    let query = question("gateway.segue.test", TYPE::AAAA);
    stream.write_u16(query.len() as u16).await.unwrap();
    stream.write_all(&query).await.unwrap();
    let length = in_time("the answer", stream.read_u16()).await.unwrap();
    let mut reply = vec![0; length.into()];
    stream.read_exact(&mut reply).await.unwrap();
    assert_eq!(addresses(&reply), ["fd53:6567:7565::1".parse::<IpAddr>().unwrap()]);
    stream.shutdown().await.unwrap();
    assert_eq!(in_time("the end", stream.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn without_its_nameserver_port_53_is_a_port_like_any_other() {
    let mut config = GatewayConfig::default();
    config.dns = DnsMode::PassOn;
    let net = Net::with(config);
    // An address of its own, so that no nameserver of this machine is there.
    let server = tokio::net::UdpSocket::bind("127.83.69.71:53").await;
    let Ok(server) = server else {
        eprintln!("left out: binding port 53 is not permitted here");
        return;
    };
    let socket = inside(&net, "127.83.69.71:53".parse().unwrap()).await;
    socket.send(b"not DNS").await.unwrap();
    let mut buffer = [0; 100];
    let (n, _) = in_time("the datagram", server.recv_from(&mut buffer)).await.unwrap();
    assert_eq!(&buffer[..n], b"not DNS");
}

fn one_second() -> PingOptions {
    PingOptions { timeout: Duration::from_secs(1), ..PingOptions::default() }
}

#[tokio::test]
async fn the_gateway_and_the_test_host_answer_pings() {
    let net = Net::new();
    for to in ["198.18.0.1", "fd53:6567:7565::1", "198.18.0.10", "fd53:6567:7565::10"] {
        let reply = net.inside.ping(to.parse().unwrap(), PingOptions::default()).await;
        assert_eq!(reply.unwrap().from, to.parse::<IpAddr>().unwrap());
    }
    assert_eq!(net.gateway.stats().ping_out, 0);
}

#[test]
fn pings_to_other_hosts_leave_by_this_machines_ping_sockets() {
    let setup = "ip addr add 192.0.2.55/32 dev lo; ip -6 addr add 2001:db8::55/128 dev lo nodad
                 echo 0 0 > /proc/sys/net/ipv4/ping_group_range";
    if !in_own_network("pings_to_other_hosts_leave_by_this_machines_ping_sockets", setup) {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let net = Net::new();
        for to in ["192.0.2.55", "2001:db8::55"] {
            for (sequence, size) in [(1, 56), (2, 1400), (3, 0)] {
                let options = PingOptions { sequence, size, ..one_second() };
                // The kernel of a name space that has just begun answers the first IPv6 request only most of the time.
                let mut reply = Err(PingError::TimedOut { after: Duration::ZERO });
                for _ in 0..3 {
                    reply = net.inside.ping(to.parse().unwrap(), options).await;
                    if reply.is_ok() {
                        break;
                    }
                }
                let reply = reply.unwrap_or_else(|error| panic!("{to} #{sequence}: {error}"));
                assert_eq!(reply.from, to.parse::<IpAddr>().unwrap());
            }
        }
        let stats = net.gateway.stats();
        assert_eq!((stats.ping_in, stats.ping_dropped), (6, 0));
    });
}

#[test]
fn pings_that_may_not_leave_stay_unanswered_and_the_reason_is_told_once() {
    let test = "pings_that_may_not_leave_stay_unanswered_and_the_reason_is_told_once";
    // A new name space allows nobody.
    if !in_own_network(test, "ip addr add 192.0.2.55/32 dev lo") {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let net = Net::new();
        for _ in 0..2 {
            let options = PingOptions { timeout: Duration::from_millis(200), ..PingOptions::default() };
            assert!(net.inside.ping("192.0.2.55".parse().unwrap(), options).await.is_err());
        }
        assert_eq!(net.gateway.stats().ping_dropped, 2);
        let [Event::PingNotPermitted { to }] = net.events()[..] else { panic!("{:?}", net.events()) };
        assert_eq!(to, "192.0.2.55".parse::<IpAddr>().unwrap());
    });
}
