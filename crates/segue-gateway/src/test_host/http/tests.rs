//! Requests as bytes, so that what hyper tolerates on either side hides nothing.

use std::collections::HashMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;
use crate::test_host::content;

struct Reply {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

fn connect() -> DuplexStream {
    let (client, server) = tokio::io::duplex(64 * 1024);
    tokio::spawn(serve(server, Arc::new(Tags::new())));
    client
}

/// Sends `requests` over one connection, shuts it, and reads every reply.
async fn exchange(requests: &[u8], bodies: &[bool]) -> Vec<Reply> {
    let (mut reader, mut writer) = tokio::io::split(connect());
    let requests = requests.to_vec();
    let sending = tokio::spawn(async move {
        writer.write_all(&requests).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).await.unwrap();
    sending.await.unwrap();
    let mut rest = &bytes[..];
    let mut replies = Vec::new();
    for &body in bodies {
        let (reply, after) = parse(rest, body);
        replies.push(reply);
        rest = after;
    }
    assert!(rest.is_empty(), "more came: {}", String::from_utf8_lossy(rest));
    replies
}

fn parse(bytes: &[u8], with_body: bool) -> (Reply, &[u8]) {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a head") + 4;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let length = if with_body { length } else { 0 };
    let body = bytes[end..end + length].to_vec();
    let reply = Reply { status, headers, body };
    (reply, &bytes[end + length..])
}

async fn one(request: &str) -> Reply {
    let body = !request.starts_with("HEAD");
    exchange(request.as_bytes(), &[body]).await.remove(0)
}

fn file_bytes(size: u64) -> Vec<u8> {
    let mut bytes = vec![0; size as usize];
    content::fill(size, 0, &mut bytes);
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[tokio::test]
async fn a_size_is_a_file_whose_tag_is_the_hash_of_its_content() {
    for (path, size) in [("/0", 0), ("/1k", 1000), ("/1KiB", 1024), ("/3MB", 3_000_000)] {
        let reply = one(&format!("GET {path} HTTP/1.1\r\nHost: segue.test\r\n\r\n")).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.body.len(), size, "{path}");
        assert!(reply.body == file_bytes(size as u64), "{path}");
        assert_eq!(reply.header("etag"), format!("\"{}\"", sha256(&reply.body)), "{path}");
        assert_eq!(reply.header("accept-ranges"), "bytes");
    }
}

#[tokio::test]
async fn head_gives_length_and_tag_without_the_content() {
    let get = one("GET /70000 HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let head = one("HEAD /70000 HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n").await;
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-length"), "70000");
    assert_eq!(head.header("etag"), get.header("etag"));
    // Nothing is generated to know it.
    let head = one("HEAD /1TiB HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(head.header("content-length"), "1099511627776");
    assert_eq!(head.header("etag"), "\"size-1099511627776\"");
}

#[tokio::test]
async fn a_range_gives_its_bytes_and_says_which() {
    let ask = async |fields: &str| one(&format!("GET /1TiB HTTP/1.1\r\nHost: h\r\n{fields}\r\n")).await;
    let reply = ask("Range: bytes=1099511627770-\r\n").await;
    assert_eq!(reply.status, 206);
    assert_eq!(reply.header("content-range"), "bytes 1099511627770-1099511627775/1099511627776");
    let mut expected = [0; 6];
    content::fill(1 << 40, (1 << 40) - 6, &mut expected);
    assert_eq!(reply.body, expected);
    let reply = ask("Range: bytes=0-9\r\nIf-Range: \"size-1099511627776\"\r\n").await;
    assert_eq!((reply.status, reply.body.len()), (206, 10));
    let reply = ask("Range: bytes=1099511627776-\r\n").await;
    assert_eq!(reply.status, 416);
    assert_eq!(reply.header("content-range"), "bytes */1099511627776");
    let other = "GET /100 HTTP/1.1\r\nHost: h\r\nRange: bytes=0-9\r\nIf-Range: \"x\"\r\n\r\n";
    let reply = one(other).await;
    assert_eq!((reply.status, reply.body.len()), (200, 100));
}

#[tokio::test]
async fn a_client_that_has_the_file_is_told_so() {
    let tag = format!("\"{}\"", sha256(&file_bytes(100)));
    let request = format!("GET /100 HTTP/1.1\r\nHost: h\r\nIf-None-Match: {tag}\r\n\r\n");
    let reply = one(&request).await;
    assert_eq!(reply.status, 304);
    assert!(reply.body.is_empty());
    assert_eq!(reply.header("etag"), tag);
}

#[tokio::test]
async fn an_upload_is_answered_with_its_hash_and_length() {
    let body = file_bytes(300_000);
    let expected = format!("{}  300000\n", sha256(&body)).into_bytes();
    for method in ["PUT", "POST"] {
        let mut request =
            format!("{method} /any/name HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n").into_bytes();
        request.extend(&body);
        let reply = exchange(&request, &[true]).await.remove(0);
        assert_eq!((reply.status, reply.body), (200, expected.clone()), "{method}");
    }
    let chunked = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let reply = one(chunked).await;
    assert_eq!(reply.body, format!("{}  5\n", sha256(b"abcde")).into_bytes());
}

#[tokio::test]
async fn a_client_that_expects_it_is_told_to_continue() {
    let mut client = connect();
    client.write_all(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n").await.unwrap();
    let mut line = [0; 25];
    client.read_exact(&mut line).await.unwrap();
    assert_eq!(&line, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"ab").await.unwrap();
    client.shutdown().await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    let (reply, _) = parse(&rest, true);
    assert_eq!(reply.body, format!("{}  2\n", sha256(b"ab")).into_bytes());
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_on_one_connection() {
    let requests = "GET /10 HTTP/1.1\r\nHost: h\r\n\r\n\
                    PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc\
                    HEAD /20 HTTP/1.1\r\nHost: h\r\n\r\n\
                    GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let replies = exchange(requests.as_bytes(), &[true, true, false, true]).await;
    assert_eq!(replies[0].body, file_bytes(10));
    assert_eq!(replies[1].body, format!("{}  3\n", sha256(b"abc")).into_bytes());
    assert_eq!(replies[2].header("content-length"), "20");
    assert!(String::from_utf8_lossy(&replies[3].body).contains("GET /SIZE"));
}

#[tokio::test]
async fn what_is_not_served_is_refused_with_the_status_that_says_why() {
    let status = async |request: &str| one(request).await.status;
    assert_eq!(status("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n").await, 404);
    assert_eq!(status("GET /2TiB HTTP/1.1\r\nHost: h\r\n\r\n").await, 404);
    assert_eq!(status("GET /64MiB/.. HTTP/1.1\r\nHost: h\r\n\r\n").await, 404);
    let reply = one("DELETE /1k HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!((reply.status, reply.header("allow")), (405, "GET, HEAD, PUT, POST"));
    let mut client = connect();
    client.write_all(b"NONSENSE\r\n\r\n").await.unwrap();
    let mut reply = String::new();
    client.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 400 "), "{reply}");
}

#[tokio::test]
async fn a_body_that_breaks_off_never_gets_a_hash() {
    for body in [
        "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "Content-Length: 10\r\n\r\nabc",
    ] {
        let request = format!("PUT / HTTP/1.1\r\nHost: h\r\n{body}");
        let (mut reader, mut writer) = tokio::io::split(connect());
        writer.write_all(request.as_bytes()).await.unwrap();
        writer.shutdown().await.unwrap();
        let mut reply = String::new();
        reader.read_to_string(&mut reply).await.unwrap();
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 400 "), "{body}: {reply}");
    }
}
