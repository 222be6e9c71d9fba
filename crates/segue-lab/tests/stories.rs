//! Opening and closing, told segment by segment in virtual time.
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use segue_lab::{HostId, Lab};
use segue_link::{Impairments, PathConfig};
use segue_stack::{
    Domain, Errno, IfaceConfig, MsgFlags, Ready, Shutdown, SocketId, SocketOption, SocketType, StackConfig, State,
};
use segue_wire::{Ipv4Header, TcpFlags, TcpHeader};

const ONE_WAY: Duration = Duration::from_millis(10);
const SEED: u64 = 99;

/// A client and a server, 10 ms apart.
struct Story {
    lab: Lab,
    client: HostId,
    server: HostId,
}

fn server_address() -> SocketAddr {
    "10.0.0.2:80".parse().unwrap()
}

fn story() -> Story {
    let mut lab = Lab::new(SEED);
    let client = lab.add_host("client", StackConfig::new(lab.host_seed(1)));
    let server = lab.add_host("server", StackConfig::new(lab.host_seed(2)));
    let iface =
        |address: &str| IfaceConfig { addresses: vec![address.parse().unwrap()], ..IfaceConfig::new("eth0", 1500) };
    let delay = Impairments { delay: ONE_WAY, ..Impairments::default() };
    let path = PathConfig::symmetric(delay).unwrap().with_seed(SEED);
    lab.connect((client, iface("10.0.0.1/24")), (server, iface("10.0.0.2/24")), path);
    Story { lab, client, server }
}

impl Story {
    fn listen(&mut self) -> SocketId {
        let (stack, now) = self.lab.host_mut(self.server);
        let listener = stack.socket(Domain::Inet, SocketType::Stream).unwrap();
        stack.bind(now, listener, server_address()).unwrap();
        stack.listen(listener, 16).unwrap();
        listener
    }

    fn connect(&mut self) -> SocketId {
        let (stack, now) = self.lab.host_mut(self.client);
        let socket = stack.socket(Domain::Inet, SocketType::Stream).unwrap();
        assert_eq!(stack.connect(now, socket, server_address()), Err(Errno::EINPROGRESS));
        socket
    }

    fn accept(&mut self, listener: SocketId) -> SocketId {
        let (stack, now) = self.lab.host_mut(self.server);
        let (socket, peer) = stack.accept(now, listener).expect("nothing to accept");
        assert_eq!(peer.ip(), "10.0.0.1".parse::<IpAddr>().unwrap());
        socket
    }

    /// A connection, both ends at hand.
    fn established(&mut self) -> (SocketId, SocketId) {
        let listener = self.listen();
        let client = self.connect();
        self.pass(ONE_WAY * 4);
        (client, self.accept(listener))
    }

    fn pass(&mut self, time: Duration) {
        self.lab.run_for(time).unwrap();
    }

    fn send(&mut self, host: HostId, socket: SocketId, data: &[u8]) {
        let (stack, now) = self.lab.host_mut(host);
        assert_eq!(stack.send(now, socket, data, MsgFlags::empty()), Ok(data.len()));
    }

    fn recv(&mut self, host: HostId, socket: SocketId) -> Result<Vec<u8>, Errno> {
        let (stack, now) = self.lab.host_mut(host);
        let mut buffer = [0; 4096];
        stack.recv(now, socket, &mut buffer, MsgFlags::empty()).map(|n| buffer[..n].to_vec())
    }

    fn close(&mut self, host: HostId, socket: SocketId) {
        let (stack, now) = self.lab.host_mut(host);
        stack.close(now, socket).unwrap();
    }

    /// The state of the one connection of a host, `None` when there is none.
    fn state(&self, host: HostId) -> Option<&'static str> {
        let mut connections = self.lab.host(host).sockets(self.lab.now()).filter_map(|socket| match socket.state {
            Some(State::Connection(state)) => Some(state.name()).filter(|name| *name != "CLOSED"),
            _ => None,
        });
        let first = connections.next();
        assert_eq!(connections.next(), None, "more than one connection");
        first
    }

    fn states(&self) -> (Option<&'static str>, Option<&'static str>) {
        (self.state(self.client), self.state(self.server))
    }

    fn ready(&self, host: HostId, socket: SocketId) -> Ready {
        self.lab.host(host).readiness(socket)
    }
}

fn tcp(packet: &segue_wire::Packet) -> TcpHeader {
    let (_, length) = Ipv4Header::parse(packet.head()).unwrap();
    TcpHeader::parse(&packet.head()[length..]).unwrap().0
}

#[test]
fn three_segments_open_a_connection_one_way_each() {
    let mut story = story();
    let listener = story.listen();
    let socket = story.connect();
    story.lab.settle().unwrap();
    assert_eq!(story.states(), (Some("SYN-SENT"), None));
    story.pass(ONE_WAY);
    assert_eq!(story.states(), (Some("SYN-SENT"), Some("SYN-RECEIVED")));
    assert!(!story.ready(story.client, socket).contains(Ready::OUT), "a connecting socket is not writable");
    story.pass(ONE_WAY);
    assert_eq!(story.states(), (Some("ESTABLISHED"), Some("SYN-RECEIVED")));
    assert!(story.ready(story.client, socket).contains(Ready::OUT));
    assert!(!story.ready(story.server, listener).contains(Ready::IN));
    story.pass(ONE_WAY);
    assert_eq!(story.states(), (Some("ESTABLISHED"), Some("ESTABLISHED")));
    assert!(
        story.ready(story.server, listener).contains(Ready::IN),
        "a listener with a connection waiting is readable"
    );
    story.accept(listener);
}

#[test]
fn a_port_that_nobody_listens_on_refuses_after_one_round_trip() {
    let mut story = story();
    let socket = story.connect();
    story.pass(ONE_WAY * 2 - Duration::from_nanos(1));
    assert_eq!(story.states(), (Some("SYN-SENT"), None));
    story.pass(Duration::from_nanos(1));
    assert_eq!(story.states(), (None, None));
    let (stack, now) = story.lab.host_mut(story.client);
    assert_eq!(stack.take_error(now, socket), Ok(Some(Errno::ECONNREFUSED)));
}

#[test]
fn a_lost_syn_is_repeated_after_one_second() {
    let mut story = story();
    story.listen();
    let mut syns = 0;
    story.lab.drop_when(move |sighting| {
        syns += u32::from(tcp(sighting.packet).flags == TcpFlags::SYN);
        syns == 1
    });
    story.connect();
    story.pass(Duration::from_secs(1));
    assert_eq!(story.states(), (Some("SYN-SENT"), None));
    story.pass(ONE_WAY * 3);
    assert_eq!(story.states(), (Some("ESTABLISHED"), Some("ESTABLISHED")));
}

#[test]
fn when_the_third_segment_is_lost_the_first_data_completes_the_handshake() {
    let mut story = story();
    let listener = story.listen();
    let dropped = Rc::new(Cell::new(false));
    let seen = dropped.clone();
    story.lab.drop_when(move |sighting| tcp(sighting.packet).flags == TcpFlags::ACK && !seen.replace(true));
    let client = story.connect();
    story.pass(ONE_WAY * 4);
    assert!(dropped.get());
    assert_eq!(story.states(), (Some("ESTABLISHED"), Some("SYN-RECEIVED")));
    story.send(story.client, client, b"hello");
    story.pass(ONE_WAY);
    assert_eq!(story.states(), (Some("ESTABLISHED"), Some("ESTABLISHED")));
    let server = story.accept(listener);
    assert_eq!(story.recv(story.server, server), Ok(b"hello".to_vec()));
}

#[test]
fn the_side_that_closes_first_waits_sixty_seconds_and_the_other_is_gone_at_once() {
    let mut story = story();
    let (client, server) = story.established();
    story.close(story.client, client);
    story.lab.settle().unwrap();
    assert_eq!(story.states(), (Some("FIN-WAIT-1"), Some("ESTABLISHED")));
    story.pass(ONE_WAY);
    assert_eq!(story.states(), (Some("FIN-WAIT-1"), Some("CLOSE-WAIT")));
    assert_eq!(story.recv(story.server, server), Ok(vec![]), "end of file");
    story.pass(Duration::from_secs(1));
    assert_eq!(story.states(), (Some("FIN-WAIT-2"), Some("CLOSE-WAIT")));
    story.close(story.server, server);
    story.lab.settle().unwrap();
    assert_eq!(story.states(), (Some("FIN-WAIT-2"), Some("LAST-ACK")));
    story.pass(ONE_WAY);
    assert_eq!(story.states(), (Some("TIME-WAIT"), Some("LAST-ACK")));
    story.pass(ONE_WAY);
    assert_eq!(story.states(), (Some("TIME-WAIT"), None));
    story.pass(Duration::from_secs(60) - ONE_WAY - Duration::from_nanos(1));
    assert_eq!(story.states(), (Some("TIME-WAIT"), None));
    story.pass(Duration::from_nanos(1));
    assert_eq!(story.states(), (None, None));
}

#[test]
fn when_both_close_at_once_both_pass_through_closing_to_time_wait() {
    let mut story = story();
    let (client, server) = story.established();
    story.close(story.client, client);
    story.close(story.server, server);
    story.lab.settle().unwrap();
    assert_eq!(story.states(), (Some("FIN-WAIT-1"), Some("FIN-WAIT-1")));
    story.pass(ONE_WAY);
    assert_eq!(story.states(), (Some("CLOSING"), Some("CLOSING")));
    story.pass(ONE_WAY);
    assert_eq!(story.states(), (Some("TIME-WAIT"), Some("TIME-WAIT")));
    story.pass(Duration::from_secs(60));
    assert_eq!(story.states(), (None, None));
}

#[test]
fn a_client_that_has_shut_its_side_still_reads_to_the_end() {
    let mut story = story();
    let (client, server) = story.established();
    story.send(story.client, client, b"request");
    let (stack, now) = story.lab.host_mut(story.client);
    stack.shutdown(now, client, Shutdown::Write).unwrap();
    assert_eq!(stack.send(now, client, b"more", MsgFlags::empty()), Err(Errno::EPIPE));
    story.pass(Duration::from_secs(1));
    assert_eq!(story.states(), (Some("FIN-WAIT-2"), Some("CLOSE-WAIT")));
    assert_eq!(story.recv(story.server, server), Ok(b"request".to_vec()));
    assert_eq!(story.recv(story.server, server), Ok(vec![]));
    // Far longer than tcp_fin_timeout, which is for orphans only.
    story.pass(Duration::from_secs(300));
    story.send(story.server, server, b"answer");
    story.close(story.server, server);
    story.pass(Duration::from_secs(1));
    assert_eq!(story.recv(story.client, client), Ok(b"answer".to_vec()));
    assert_eq!(story.recv(story.client, client), Ok(vec![]));
    assert_eq!(story.states(), (Some("TIME-WAIT"), None));
}

#[test]
fn closing_with_linger_zero_resets_and_leaves_no_time_wait() {
    let mut story = story();
    let (client, server) = story.established();
    let (stack, now) = story.lab.host_mut(story.client);
    stack.set_option(now, client, SocketOption::Linger(Some(Duration::ZERO))).unwrap();
    stack.close(now, client).unwrap();
    story.pass(ONE_WAY);
    assert_eq!(story.states(), (None, None));
    assert_eq!(story.recv(story.server, server), Err(Errno::ECONNRESET));
}

#[test]
fn closing_with_unread_data_resets() {
    let mut story = story();
    let (client, server) = story.established();
    story.send(story.server, server, b"nobody reads this");
    story.pass(ONE_WAY);
    story.close(story.client, client);
    story.pass(ONE_WAY);
    assert_eq!(story.states(), (None, None));
    assert_eq!(story.recv(story.server, server), Err(Errno::ECONNRESET));
}

/// The byte at each place of a stream that no two pieces of look alike.
fn byte_at(place: usize) -> u8 {
    ((place / 251) ^ (place % 251)) as u8
}

#[test]
fn a_reader_that_stops_for_an_hour_stops_the_writer_and_loses_nothing() {
    let mut story = story();
    let (client, server) = story.established();
    // Write until not even a second makes room: both buffers are full and the window is closed.
    let mut written = 0;
    loop {
        let before = written;
        loop {
            let data: Vec<u8> = (written..written + 1000).map(byte_at).collect();
            let (stack, now) = story.lab.host_mut(story.client);
            match stack.send(now, client, &data, MsgFlags::empty()) {
                Ok(n) => written += n,
                Err(errno) => break assert_eq!(errno, Errno::EAGAIN),
            }
        }
        if written == before {
            break;
        }
        story.pass(Duration::from_secs(1));
    }
    assert!(!story.ready(story.client, client).contains(Ready::OUT), "the writer was never stopped");
    story.pass(Duration::from_secs(3600));
    assert_eq!(story.states(), (Some("ESTABLISHED"), Some("ESTABLISHED")), "the peer answers every probe");

    let mut read = 0;
    while read < written {
        match story.recv(story.server, server) {
            Ok(data) => {
                assert!(data.iter().enumerate().all(|(n, byte)| *byte == byte_at(read + n)), "after byte {read}");
                assert!(!data.is_empty(), "end of file after {read} of {written} bytes");
                read += data.len();
            }
            Err(errno) => {
                assert_eq!(errno, Errno::EAGAIN);
                let before = story.lab.elapsed();
                story.pass(ONE_WAY);
                assert!(before < Duration::from_secs(4000), "no more came after {read} of {written} bytes");
            }
        }
    }
    story.pass(Duration::from_secs(1));
    assert!(story.ready(story.client, client).contains(Ready::OUT));
}
