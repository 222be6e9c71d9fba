//! The two directions of a flow, carried between two ends.
//!
//! Each direction reads only when the other end has taken what was read before
//! (backpressure), and ends on its own (half-close). A reset ends both: one from
//! inside is passed on at once, as the inside host's network would; one from
//! outside is passed on after the bytes that came before it, as a receiving
//! host would show them to its program, but not later than [`GRACE`].

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::end::{Broken, End, pump};

/// How long the bytes in front of an outside reset may take to be delivered.
const GRACE: Duration = Duration::from_secs(10);

/// How a flow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Both sides had finished.
    Finished,
    /// The inside connection was reset or timed out.
    ByInside,
    /// The outside connection was reset or timed out.
    ByOutside,
}

/// Carries a flow to its end.
pub(crate) async fn relay(inside: impl End, outside: impl End) -> Ended {
    let ended = carry(&inside, &outside).await;
    match ended {
        Ended::Finished => {}
        Ended::ByInside => outside.abort(),
        Ended::ByOutside => inside.abort(),
    }
    ended
}

async fn carry(inside: &impl End, outside: &impl End) -> Ended {
    let mut up = pin!(pump(inside, outside));
    let mut down = pin!(pump(outside, inside));
    let (mut up_open, mut down_open) = (true, true);
    while up_open || down_open {
        let ended = tokio::select! {
            result = &mut up, if up_open => match result {
                Ok(()) => { up_open = false; continue }
                Err(Broken::Source) => Ended::ByInside,
                Err(Broken::Sink) => Ended::ByOutside,
            },
            result = &mut down, if down_open => match result {
                Ok(()) => { down_open = false; continue }
                Err(Broken::Source) => { down_open = false; Ended::ByOutside }
                Err(Broken::Sink) => Ended::ByInside,
            },
            () = inside.failed() => Ended::ByInside,
            () = outside.failed() => Ended::ByOutside,
        };
        if ended == Ended::ByOutside {
            let deadline = Instant::now() + GRACE;
            let rest = async {
                if down_open {
                    // Ends with the error itself, once it has been reached.
                    let _ = down.await;
                }
                inside.delivered().await;
            };
            tokio::select! {
                _ = timeout_at(deadline, rest) => {}
                () = inside.failed() => {}
            }
        }
        return ended;
    }
    Ended::Finished
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinHandle;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, server) = tokio::join!(client, listener.accept());
        (client.unwrap(), server.unwrap().0)
    }

    /// A client and a server with a relay in between, over sockets of the kernel.
    async fn relayed() -> (TcpStream, TcpStream, JoinHandle<Ended>) {
        let (client, inside) = pair().await;
        let (outside, server) = pair().await;
        (client, server, tokio::spawn(relay(inside, outside)))
    }

    fn reset(stream: TcpStream) {
        End::abort(stream);
    }

    #[tokio::test]
    async fn each_direction_ends_on_its_own() {
        let (mut client, mut server, relay) = relayed().await;
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut seen = Vec::new();
        server.read_to_end(&mut seen).await.unwrap();
        assert_eq!(seen, b"question");
        // The other direction is still open.
        server.write_all(b"answer").await.unwrap();
        let mut first = [0; 6];
        client.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"answer");
        server.shutdown().await.unwrap();
        assert_eq!(client.read(&mut first).await.unwrap(), 0);
        assert_eq!(relay.await.unwrap(), Ended::Finished);
    }

    #[tokio::test]
    async fn a_reset_from_inside_reaches_the_outside_as_a_reset() {
        let (mut client, mut server, relay) = relayed().await;
        client.write_all(b"x").await.unwrap();
        server.read_exact(&mut [0]).await.unwrap();
        reset(client);
        let error = server.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        assert_eq!(relay.await.unwrap(), Ended::ByInside);
    }

    #[tokio::test]
    async fn a_reset_from_outside_reaches_the_inside_as_a_reset() {
        let (mut client, mut server, relay) = relayed().await;
        client.write_all(b"x").await.unwrap();
        server.read_exact(&mut [0]).await.unwrap();
        reset(server);
        let error = client.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        assert_eq!(relay.await.unwrap(), Ended::ByOutside);
    }

    #[tokio::test]
    async fn a_reset_is_noticed_by_a_flow_whose_other_direction_has_ended() {
        // Each way round: the reader that would see it has finished already.
        let (mut client, mut server, relay) = relayed().await;
        client.shutdown().await.unwrap();
        assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
        reset(client);
        let error = server.read(&mut [0]).await;
        // The server had its end of file; what it writes tells.
        assert_eq!(error.unwrap_or(0), 0);
        assert_eq!(relay.await.unwrap(), Ended::ByInside);

        let (mut client, mut server, relay) = relayed().await;
        server.shutdown().await.unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        reset(server);
        assert_eq!(relay.await.unwrap(), Ended::ByOutside);
    }

    #[tokio::test]
    async fn bytes_in_front_of_an_outside_reset_arrive_before_it() {
        let (mut client, mut server, relay) = relayed().await;
        // Unread data at close makes the kernel send a reset after the answer.
        client.write_all(b"never read whole").await.unwrap();
        server.read_exact(&mut [0]).await.unwrap();
        let answer = vec![5; 100_000];
        server.write_all(&answer).await.unwrap();
        drop(server);
        let mut seen = Vec::new();
        let error = client.read_to_end(&mut seen).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        assert!(seen == answer, "{} of {} bytes", seen.len(), answer.len());
        assert_eq!(relay.await.unwrap(), Ended::ByOutside);
    }

    #[tokio::test]
    async fn a_reader_that_stops_stops_the_writer() {
        let (client, server, relay) = relayed().await;
        let mut sent = 0;
        let block = vec![1; 64 * 1024];
        // Nobody reads at the other side: the writer must come to a halt after
        // what the four sockets and the relay hold.
        while let Ok(ready) = tokio::time::timeout(Duration::from_millis(300), client.writable()).await {
            ready.unwrap();
            if let Ok(n) = client.try_write(&block) {
                sent += n;
            }
            assert!(sent < 64 << 20, "the relay buffers without bound");
        }
        drop(client);
        let mut server = server;
        let mut seen = 0;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match server.read(&mut buffer).await.unwrap() {
                0 => break,
                n => seen += n,
            }
        }
        assert_eq!(seen, sent);
        drop(server);
        relay.await.unwrap();
    }
}
