//! A link on a descriptor may have deadlines of its own; the driver calls it then, and does not spin.
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::time::Duration;

use segue::Host;
use segue::link::{Capabilities, Instant, Link, Packet, SendError, Wait};

/// Nothing ever arrives on its descriptor; every 20 ms it wants to be called.
struct Ticking {
    socket: UnixDatagram,
    due: Option<Instant>,
    due_calls: Arc<AtomicUsize>,
    calls: Arc<AtomicUsize>,
}

impl Link for Ticking {
    fn capabilities(&self) -> Capabilities {
        Capabilities { mtu: 1500, gso_max: 0, checksum: false }
    }
    fn send(&mut self, _now: Instant, _packet: Packet) -> Result<(), SendError> {
        Ok(())
    }
    fn recv(&mut self, now: Instant, _out: &mut Vec<Packet>, _budget: usize) -> io::Result<usize> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.due.is_none_or(|due| due <= now) {
            self.due_calls.fetch_add(1, Ordering::Relaxed);
            self.due = Some(now + Duration::from_millis(20));
        }
        Ok(0)
    }
    fn next_deadline(&self) -> Option<Instant> {
        self.due
    }
    fn wait(&self) -> Wait<'_> {
        Wait::Fd(self.socket.as_fd())
    }
    fn set_waker(&mut self, _waker: Waker) {}
}

#[tokio::test]
async fn a_link_on_a_descriptor_is_called_when_its_own_deadline_is_due() {
    let (socket, _other) = UnixDatagram::pair().unwrap();
    socket.set_nonblocking(true).unwrap();
    let due_calls = Arc::new(AtomicUsize::new(0));
    let calls = Arc::new(AtomicUsize::new(0));
    let due = Some(Instant::ZERO);
    let link = Ticking { socket, due, due_calls: due_calls.clone(), calls: calls.clone() };
    let host = Host::builder().seed(1).address("10.0.0.1/24".parse().unwrap()).link(link).spawn().unwrap();
    tokio::time::timeout(Duration::from_secs(20), async {
        while due_calls.load(Ordering::Relaxed) < 5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the driver never called the link at its deadline");
    // Once per deadline, and the few wake-ups that the runtime makes up.
    assert!(calls.load(Ordering::Relaxed) < 50, "the driver spins: {calls:?}");
    drop(host);
}
