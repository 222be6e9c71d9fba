//! hyper over Segue: a web server on one host, a client on another, a bad path between them. No root, no network.
//!
//!     cargo run --release --example http -p segue -- 20ms 1%
use std::convert::Infallible;
use std::error::Error;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use segue::link::{Impairments, Path, PathConfig, parse_duration, path_pair};
use segue::{Host, TcpListener, TcpStream};

const SIZE: usize = 4 << 20;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let delay = parse_duration(&arguments.next().unwrap_or("20ms".into()))?;
    let loss = arguments.next().unwrap_or("1%".into()).parse()?;
    let config = PathConfig::symmetric(Impairments { delay, loss, ..Impairments::default() })?.with_seed(7);
    let (left, right) = path_pair(Path::new(config));
    let client = Host::builder().address("10.0.0.1/24".parse()?).link(left).spawn()?;
    let server = Host::builder().address("10.0.0.2/24".parse()?).link(right).spawn()?;

    let listener = TcpListener::bind(&server, "10.0.0.2:80".parse()?).await?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer =
                service_fn(|_| async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(vec![7; SIZE])))) });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });

    let stream = TcpStream::connect(&client, "10.0.0.2:80".parse()?).await?;
    let id = stream.socket().id();
    let (mut http, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let start = std::time::Instant::now();
    let request = Request::builder().uri("/").header("host", "segue").body(Full::<Bytes>::default())?;
    let body = http.send_request(request).await?.into_body().collect().await?.to_bytes();
    let seconds = start.elapsed().as_secs_f64();
    let info = client.with_stack(|stack, now| stack.tcp_info(now, id))?;
    let rate = body.len() as f64 * 8e-6 / seconds;
    println!(
        "{} bytes in {seconds:.2} s, {rate:.1} Mbit/s, round trip {:.1} ms",
        body.len(),
        f64::from(info.rtt) / 1e3
    );
    Ok(())
}
