//! The ecosystem's HTTP over Segue's streams: hyper takes them as they are.
mod common;

use std::convert::Infallible;

use bytes::Bytes;
use common::*;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use segue::{Host, TcpListener, TcpStream};

/// `GET /N` gives N bytes, `PUT /` the hash of what it got.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match request.method().as_str() {
        "PUT" => hash(&request.into_body().collect().await.unwrap().to_bytes()).to_vec(),
        _ => match request.uri().path().trim_start_matches('/').parse() {
            Ok(size) => Stream::bytes(size as u64, size),
            Err(_) => return Ok(Response::builder().status(StatusCode::NOT_FOUND).body(Full::default()).unwrap()),
        },
    };
    Ok(Response::new(Full::new(body.into())))
}

async fn serve(host: Host, http2: bool) {
    let listener = TcpListener::bind(&host, at(B4, 80)).await.unwrap();
    drop(host);
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        tokio::spawn(async move {
            let (io, service) = (TokioIo::new(stream), service_fn(answer));
            if http2 {
                hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await
            } else {
                hyper::server::conn::http1::Builder::new().serve_connection(io, service).await
            }
        });
    }
}

fn get(path: &str) -> Request<Full<Bytes>> {
    Request::builder().uri(format!("http://b{path}")).header("host", "b").body(Full::default()).unwrap()
}

fn put(body: Vec<u8>) -> Request<Full<Bytes>> {
    Request::builder().method("PUT").uri("http://b/").header("host", "b").body(Full::new(body.into())).unwrap()
}

/// Several requests on one connection, one after the other.
async fn http1(a: Host, b: Host, size: usize) {
    let server = tokio::spawn(serve(b, false));
    let stream = connect_until_served(&a).await;
    let (mut client, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    for length in [0, 1, size] {
        let response = client.send_request(get(&format!("/{length}"))).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.len(), length);
        assert_eq!(hash(&body), hash(&Stream::bytes(length as u64, length)));
    }
    let upload = Stream::bytes(77, size);
    let expected = hash(&upload);
    let response = client.send_request(put(upload)).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), expected.as_slice());
    assert_eq!(client.send_request(get("/nothing")).await.unwrap().status(), StatusCode::NOT_FOUND);
    drop(client);
    connection.await.unwrap().unwrap();
    server.abort();
}

/// The server's task may not have begun to listen.
async fn connect_until_served(host: &Host) -> TcpStream {
    loop {
        match TcpStream::connect(host, at(B4, 80)).await {
            Ok(stream) => return stream,
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test]
async fn http1_over_a_memory_pair() {
    let (a, b) = pair(1);
    within(http1(a, b, 2_000_000)).await;
}

#[tokio::test]
async fn http1_over_a_bad_path() {
    println!("seed 2");
    let (a, b) = path(2, bad());
    within(http1(a, b, 150_000)).await;
}

#[tokio::test]
async fn http2_runs_many_requests_at_once() {
    let (a, b) = pair(3);
    within(async {
        let server = tokio::spawn(serve(b, true));
        let stream = connect_until_served(&a).await;
        let (client, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let requests: Vec<_> = (0..20)
            .map(|number| {
                let mut client = client.clone();
                let length = 5_000 * number;
                tokio::spawn(async move {
                    let response = client.send_request(get(&format!("/{length}"))).await.unwrap();
                    let body = response.into_body().collect().await.unwrap().to_bytes();
                    assert_eq!(hash(&body), hash(&Stream::bytes(length as u64, length)));
                })
            })
            .collect();
        for request in requests {
            request.await.unwrap();
        }
        drop(client);
        connection.await.unwrap().unwrap();
        server.abort();
    })
    .await;
}
