//! The services of `segue.test`, asked by an inside host through its own stack.

mod common;

use std::net::SocketAddr;

use common::{Net, in_time, noise, receive_all, send_all, sha256};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use segue::{Host, TcpStream, UdpSocket};
use segue_gateway::test_host;
use segue_link::memory_pair;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const MIB: usize = 1 << 20;

fn hex(hash: [u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_file_of_8_mib_arrives_with_the_hash_that_its_tag_says() {
    let net = Net::new();
    for address in ["198.18.0.10:80", "[fd53:6567:7565::10]:80"] {
        let stream = TokioIo::new(net.connect(address).await.unwrap());
        let (mut sender, connection) = http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        // Twice over one connection: the second time the tag is remembered.
        for _ in 0..2 {
            let request = Request::get("/8MiB").header("host", "segue.test");
            let request = request.body(Empty::<Bytes>::new()).unwrap();
            let reply = in_time("the head", sender.send_request(request)).await.unwrap();
            assert_eq!(reply.status(), StatusCode::OK);
            let tag = reply.headers()["etag"].to_str().unwrap().to_owned();
            let mut body = reply.into_body();
            let mut sha = Sha256::new();
            let mut length = 0;
            while let Some(frame) = in_time("the body", body.frame()).await {
                let data = frame.unwrap().into_data().unwrap();
                sha.update(&data);
                length += data.len();
            }
            assert_eq!((length, tag), (8 * MIB, format!("\"{}\"", hex(sha.finalize().into()))));
        }
    }
}

#[tokio::test]
async fn an_upload_of_8_mib_is_answered_with_its_hash() {
    let net = Net::new();
    let stream = TokioIo::new(net.connect("198.18.0.10:80").await.unwrap());
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let data = noise(9, 8 * MIB);
    let expected = format!("{}  {}\n", hex(sha256(&data)), data.len());
    let request = Request::put("/file").header("host", "segue.test");
    let request = request.body(Full::new(Bytes::from(data))).unwrap();
    let reply = in_time("the answer", sender.send_request(request)).await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, expected.as_bytes());
}

#[tokio::test]
async fn echo_gives_back_8_mib_while_they_are_still_being_sent() {
    let net = Net::new();
    let (mut reader, mut writer) = net.connect("198.18.0.10:7").await.unwrap().into_split();
    let (sent, seen) = in_time("8 MiB and back", async {
        tokio::join!(send_all(&mut writer, noise(4, 8 * MIB)), receive_all(&mut reader))
    })
    .await;
    assert_eq!(seen, (8 * MIB, sent));
}

#[tokio::test]
async fn discard_takes_everything_and_chargen_never_ends() {
    let net = Net::new();
    let mut stream = net.connect("198.18.0.10:9").await.unwrap();
    let (_, seen) = in_time("discard", async {
        send_all(&mut stream, noise(4, MIB)).await;
        ((), receive_all(&mut stream).await)
    })
    .await;
    assert_eq!(seen.0, 0);
    let mut stream = net.connect("198.18.0.10:19").await.unwrap();
    let mut text = vec![0; 74 * 95 * 20];
    in_time("chargen", stream.read_exact(&mut text)).await.unwrap();
    for (i, line) in text.chunks(74).enumerate() {
        let expected: Vec<u8> = (0..72).map(|column| b' ' + ((i + column) % 95) as u8).collect();
        assert!(line.strip_suffix(b"\r\n") == Some(&expected), "line {i}");
    }
}

#[tokio::test]
async fn the_datagram_services_answer_from_the_address_that_was_asked() {
    let net = Net::new();
    for host in ["198.18.0.10", "fd53:6567:7565::10"] {
        let at = |port| SocketAddr::new(host.parse().unwrap(), port);
        let any: SocketAddr = if host.contains(':') { "[::]:0" } else { "0.0.0.0:0" }.parse().unwrap();
        let socket = UdpSocket::bind(&net.inside, any).await.unwrap();
        let mut buffer = vec![0; 65_535];
        socket.send_to(&noise(2, 5000), at(7)).await.unwrap();
        let (n, from) = in_time("echo", socket.recv_from(&mut buffer)).await.unwrap();
        assert!(from == at(7) && buffer[..n] == noise(2, 5000)[..]);
        socket.send_to(b"thrown away", at(9)).await.unwrap();
        socket.send_to(b"", at(19)).await.unwrap();
        let (n, from) = in_time("chargen", socket.recv_from(&mut buffer)).await.unwrap();
        assert_eq!(from, at(19), "nothing comes from port 9");
        assert!(n <= 512 && buffer[..n].iter().all(|b| b.is_ascii_graphic() || b" \r\n".contains(b)));
    }
}

#[tokio::test]
async fn the_same_services_run_on_any_host() {
    let (a, b) = memory_pair(1500, 256);
    let server = Host::builder().seed(1).link(a).address("10.0.0.1/24".parse().unwrap()).spawn().unwrap();
    let client = Host::builder().seed(2).link(b).address("10.0.0.2/24".parse().unwrap()).spawn().unwrap();
    let services = test_host::serve(&server).unwrap();
    let to: SocketAddr = "10.0.0.1:7".parse().unwrap();
    let mut stream = in_time("connect", TcpStream::connect(&client, to)).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    let mut back = [0; 5];
    in_time("echo", stream.read_exact(&mut back)).await.unwrap();
    assert_eq!(&back, b"hello");
    let taken = test_host::serve(&server).unwrap_err();
    assert!(taken.to_string().contains(":7"), "{taken}");
    drop(services);
    assert!(TcpStream::connect(&client, to).await.is_err(), "they end with their handle");
}
