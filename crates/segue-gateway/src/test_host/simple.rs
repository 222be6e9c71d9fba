//! The three small services every test of a network begins with: echo (RFC 862),
//! discard (RFC 863) and the character generator (RFC 864).

use std::sync::LazyLock;

use bytes::Bytes;
use segue_wire::Chunks;

use crate::end::{End, pump};

/// Characters in a line of the pattern, RFC 864.
const LINE: usize = 72;
/// The first and the number of the printing characters.
const FIRST: u8 = b' ';
const CHARACTERS: usize = 95;
/// Most characters in a datagram of the character generator, RFC 864.
const MAX_DATAGRAM: usize = 512;
/// Times the pattern is repeated in memory, so that one write is large.
const REPEAT: usize = 8;

/// The pattern from its first line to where it begins anew, [`REPEAT`] times.
static PATTERN: LazyLock<Bytes> = LazyLock::new(|| {
    let mut pattern = Vec::with_capacity(REPEAT * CHARACTERS * (LINE + 2));
    for line in 0..CHARACTERS * REPEAT {
        pattern.extend((0..LINE).map(|column| FIRST + ((line + column) % CHARACTERS) as u8));
        pattern.extend(b"\r\n");
    }
    pattern.into()
});

/// RFC 862: sends back what comes, until the peer finishes; then finishes too.
pub(super) async fn echo(end: &impl End) {
    // A peer that goes away is an end like any other.
    let _ = pump(end, end).await;
}

/// RFC 863: throws away what comes, until the peer finishes.
pub(super) async fn discard(end: &impl End) {
    while end.receive().await.is_ok_and(|data| !data.is_empty()) {}
    let _ = end.finish();
}

/// RFC 864: sends the pattern until the peer ends the connection, and throws
/// away what comes. A peer that only finishes its own side still listens.
pub(super) async fn chargen(end: &impl End) {
    let send = async { while end.send(Chunks::from(PATTERN.clone())).await.is_ok() {} };
    let receive = async { while end.receive().await.is_ok_and(|data| !data.is_empty()) {} };
    tokio::pin!(send, receive);
    tokio::select! {
        () = &mut send => {}
        () = end.failed() => {}
        () = async { receive.await; std::future::pending::<()>().await } => {}
    }
}

/// The `n`-th datagram of the character generator: "a random number (between 0
/// and 512) of characters", RFC 864. The number follows from `n`.
pub(super) fn chargen_datagram(n: u64) -> Bytes {
    let length = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % (MAX_DATAGRAM + 1);
    let line = n as usize % CHARACTERS;
    let start = line * (LINE + 2);
    PATTERN.slice(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, server) = tokio::join!(client, listener.accept());
        (client.unwrap(), server.unwrap().0)
    }

    #[test]
    fn the_pattern_is_the_one_of_rfc_864() {
        let lines: Vec<&[u8]> = PATTERN.split(|&b| b == b'\n').collect();
        let first = br##" !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefg"##;
        let second = br##"!"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefgh"##;
        assert_eq!(lines[0].strip_suffix(b"\r").unwrap(), &first[..]);
        assert_eq!(lines[1].strip_suffix(b"\r").unwrap(), &second[..]);
        assert_eq!(lines[CHARACTERS], lines[0], "begins anew");
    }

    #[test]
    fn datagrams_of_the_generator_vary_up_to_512_characters() {
        let lengths: std::collections::HashSet<usize> = (0..2000).map(|n| chargen_datagram(n).len()).collect();
        assert!(lengths.iter().all(|&length| length <= MAX_DATAGRAM));
        assert!(lengths.len() > 200, "only {} lengths", lengths.len());
    }

    #[tokio::test]
    async fn echo_returns_every_byte_and_finishes_after_the_client() {
        let (mut client, server) = pair().await;
        let served = tokio::spawn(async move { echo(&server).await });
        client.write_all(b"to be returned").await.unwrap();
        client.shutdown().await.unwrap();
        let mut back = Vec::new();
        client.read_to_end(&mut back).await.unwrap();
        assert_eq!(back, b"to be returned");
        served.await.unwrap();
    }

    #[tokio::test]
    async fn discard_takes_everything_and_says_nothing() {
        let (mut client, server) = pair().await;
        let served = tokio::spawn(async move { discard(&server).await });
        client.write_all(&vec![7; 1 << 20]).await.unwrap();
        client.shutdown().await.unwrap();
        let mut back = Vec::new();
        client.read_to_end(&mut back).await.unwrap();
        assert!(back.is_empty());
        served.await.unwrap();
    }

    #[tokio::test]
    async fn chargen_goes_on_after_a_half_close_and_ends_with_the_connection() {
        let (mut client, server) = pair().await;
        let served = tokio::spawn(async move { chargen(&server).await });
        client.write_all(b"ignored").await.unwrap();
        client.shutdown().await.unwrap();
        let mut seen = vec![0; 3 * PATTERN.len()];
        client.read_exact(&mut seen).await.unwrap();
        for part in seen.chunks(PATTERN.len()) {
            assert!(part == &PATTERN[..]);
        }
        drop(client);
        tokio::time::timeout(Duration::from_secs(10), served).await.expect("ends with the connection").unwrap();
    }
}
