//! What poll(2) says about a stream socket in each state, and what calls answer there: as this kernel does, line by line
//! (`linux/readiness.txt`, made by `linux/readiness.py`).
mod common;

use core::time::Duration;

use common::*;
use segue_stack::{Errno, IfaceConfig, MsgFlags, Ready, Route, Shutdown, SocketId, SocketOption};

/// A host that talks to itself, with a network behind which nobody answers.
struct Bench {
    w: World,
    peer: String,
}

const REFUSES: &str = "127.0.0.1:1";
const SILENT: &str = "10.9.0.2:9";

impl Bench {
    fn new() -> Bench {
        let wire = Wire { loss: 1000, ..Wire::default() };
        let mut w = World::with(wire, |_, _, _: &mut IfaceConfig| {});
        w.stacks[A].add_route(Route::on_link(cidr("10.9.0.0/24"), w.ifaces[A])).unwrap();
        Bench { w, peer: REFUSES.to_owned() }
    }

    fn rest(&mut self) {
        self.w.run(Duration::from_millis(20));
    }

    fn connecting(&mut self, to: &str) -> SocketId {
        let s = self.w.tcp(A);
        self.peer = to.to_owned();
        assert_eq!(self.w.connect(A, s, to), Err(Errno::EINPROGRESS));
        self.w.pump();
        s
    }

    fn listening(&mut self) -> (SocketId, String) {
        let listener = self.w.listener(A, "127.0.0.1:0", 8);
        let name = self.w.stacks[A].local_addr(listener).unwrap().to_string();
        (listener, name)
    }

    /// Both ends of a connection, after connect() has said so.
    fn pair(&mut self) -> (SocketId, SocketId) {
        let (listener, name) = self.listening();
        let a = self.connecting(&name);
        let (b, _) = self.w.accept(A, listener).unwrap();
        self.w.close(A, listener);
        assert_eq!(self.w.connect(A, a, &name), Ok(()));
        (a, b)
    }

    fn reset(&mut self, s: SocketId) {
        self.w.stacks[A].set_option(self.w.now, s, SocketOption::Linger(Some(Duration::ZERO))).unwrap();
        self.w.close(A, s);
    }

    fn shut(&mut self, s: SocketId, how: Shutdown) {
        self.w.stacks[A].shutdown(self.w.now, s, how).unwrap();
        self.w.pump();
    }

    fn put(&mut self, s: SocketId, data: &[u8], flags: MsgFlags) {
        assert_eq!(self.w.stacks[A].send(self.w.now, s, data, flags), Ok(data.len()));
        self.w.pump();
    }

    fn close(&mut self, s: SocketId) {
        self.w.close(A, s);
        self.w.pump();
    }

    /// The socket of a situation.
    fn situation(&mut self, name: &str) -> SocketId {
        let none = MsgFlags::empty();
        match name {
            "fresh" | "fresh-shut" => return self.w.tcp(A),
            "bound" => {
                let s = self.w.tcp(A);
                self.w.bind(A, s, "127.0.0.1:0").unwrap();
                return s;
            }
            "listening" => {
                let s = self.w.tcp(A);
                self.w.stacks[A].listen(s, 1).unwrap();
                return s;
            }
            "listening-waiting" => {
                let (listener, name) = self.listening();
                self.connecting(&name);
                return listener;
            }
            "connecting" | "connecting-unspec" | "connecting-shut" => return self.connecting(SILENT),
            "refused" | "refused-recv" | "refused-send" | "refused-again" => return self.connecting(REFUSES),
            _ => {}
        }
        let (a, b) = self.pair();
        match name {
            "connected" | "no-urgent" | "unspec" => {}
            "data" => self.put(b, b"12345", none),
            "peer-closed-data" => {
                self.put(b, b"123", none);
                self.close(b);
            }
            "peer-closed" => self.close(b),
            "peer-half-closed" => self.shut(b, Shutdown::Write),
            "shut-wr" => self.shut(a, Shutdown::Write),
            "shut-rd" => self.shut(a, Shutdown::Read),
            "shut-rd-data" => {
                self.shut(a, Shutdown::Read);
                self.put(b, b"123", none);
            }
            "shut-rdwr" => self.shut(a, Shutdown::Both),
            "shut-rdwr-peer-closed" => {
                self.shut(a, Shutdown::Both);
                self.close(b);
            }
            "shut-wr-peer-closed" => {
                self.shut(a, Shutdown::Write);
                self.close(b);
            }
            "both-half-closed-data" => {
                self.put(b, b"123", none);
                self.shut(b, Shutdown::Write);
                self.shut(a, Shutdown::Write);
            }
            "reset" | "reset-send" | "reset-so-error" => self.reset(b),
            "reset-data" => {
                self.put(b, b"123", none);
                self.reset(b);
            }
            "peer-closed-then-reset" => {
                self.close(b);
                self.put(a, b"1", none);
            }
            "urgent" => self.put(b, b"xyz", MsgFlags::OOB),
            "full" => {
                // An acknowledgment that was held back still makes room.
                while self.w.write(A, a, &[b'x'; 65536]).is_ok() {
                    self.w.run(Duration::from_millis(500));
                }
            }
            "unspec-peer" => {
                self.w.stacks[A].disconnect(self.w.now, a).unwrap();
                self.w.pump();
                return b;
            }
            other => panic!("no such situation: {other}"),
        }
        a
    }

    fn call(&mut self, s: SocketId, call: &str) -> String {
        let now = self.w.now;
        let mut buffer = [0; 100];
        let length = |result: Result<usize, Errno>| result.map(|n| n.to_string());
        let ok = |result: Result<(), Errno>| result.map(|()| "ok".to_owned());
        let peer = addr(&self.peer.clone());
        let stack = &mut self.w.stacks[A];
        let answer = match call {
            "poll" => return bits(stack.readiness(s)),
            "recv" => length(stack.recv(now, s, &mut buffer, MsgFlags::empty())),
            "peek" => length(stack.recv(now, s, &mut buffer, MsgFlags::PEEK)),
            "oob" => length(stack.recv(now, s, &mut buffer[..1], MsgFlags::OOB)),
            "send" => length(stack.send(now, s, b"x", MsgFlags::NOSIGNAL)),
            "so_error" => match stack.take_error(now, s).unwrap() {
                Some(error) => Err(error),
                None => Ok("0".to_owned()),
            },
            "peername" => stack.peer_addr(s).map(|_| "addr".to_owned()),
            "accept" => stack.accept(now, s).map(|_| "addr".to_owned()),
            "listen" => ok(stack.listen(s, 1)),
            "connect" => ok(stack.connect(now, s, addr(REFUSES))),
            "again" => ok(stack.connect(now, s, peer)),
            "rd" => ok(stack.shutdown(now, s, Shutdown::Read)),
            "wr" => ok(stack.shutdown(now, s, Shutdown::Write)),
            "rdwr" => ok(stack.shutdown(now, s, Shutdown::Both)),
            "unspec" => ok(stack.disconnect(now, s)),
            "bindagain" => ok(stack.bind(now, s, addr("127.0.0.1:0"))),
            other => panic!("no such call: {other}"),
        };
        self.w.pump();
        answer.unwrap_or_else(|error| error.name().unwrap().to_owned())
    }
}

fn bits(ready: Ready) -> String {
    let names = [
        (Ready::IN, "IN"),
        (Ready::PRI, "PRI"),
        (Ready::OUT, "OUT"),
        (Ready::ERR, "ERR"),
        (Ready::HUP, "HUP"),
        (Ready::RDHUP, "RDHUP"),
    ];
    let set: Vec<&str> = names.iter().filter(|(bit, _)| ready.contains(*bit)).map(|(_, name)| *name).collect();
    if set.is_empty() { "-".to_owned() } else { set.join("|") }
}

#[test]
fn every_state_polls_and_answers_as_linux_does() {
    let mut wrong = Vec::new();
    let mut calls = 0;
    for line in include_str!("linux/readiness.txt").lines() {
        let mut words = line.split(' ');
        let name = words.next().unwrap();
        let mut bench = Bench::new();
        let socket = bench.situation(name);
        bench.rest();
        let expected: Vec<(&str, &str)> = words.map(|word| word.split_once('=').unwrap()).collect();
        let ours: Vec<String> =
            expected.iter().map(|(call, _)| format!("{call}={}", bench.call(socket, call))).collect();
        calls += ours.len();
        let ours = format!("{name} {}", ours.join(" "));
        if ours != line {
            wrong.push(format!("Linux: {line}\nours:  {ours}"));
        }
    }
    assert!(calls > 150);
    assert!(wrong.is_empty(), "{} situations differ\n{}", wrong.len(), wrong.join("\n"));
}
