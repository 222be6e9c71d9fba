//! HTTP/1.1 of the test host: files of any size, and a sink that hashes.
//!
//! Decides routes, statuses and headers. The bytes of a file are `content`'s,
//! its tag `digest`'s, the range asked for `range`'s, the protocol hyper's.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{ACCEPT_RANGES, ALLOW, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};

use super::content::ContentBody;
use super::digest::{Tags, hex};
use super::range::{self, Part};
use super::size::{self, MAX_SIZE, SizeError};

/// How long a client may take for the head of a request, or stay idle between two.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// The largest head of a request, in bytes.
const MAX_HEAD: usize = 64 * 1024;

type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// Serves one connection until the client ends it.
pub(super) async fn serve<S>(stream: S, tags: Arc<Tags>) -> Result<(), hyper::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        // A client that shuts its side after the last request still wants the answer.
        .half_close(true)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(move |request| {
                let tags = Arc::clone(&tags);
                async move { Ok::<_, Infallible>(respond(request, &tags).await) }
            }),
        )
        .await
}

async fn respond(request: Request<Incoming>, tags: &Tags) -> Response<ResponseBody> {
    match *request.method() {
        Method::GET | Method::HEAD => download(&request, tags).await,
        Method::PUT | Method::POST => upload(request).await,
        _ => {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "use GET or HEAD to fetch, PUT or POST to send\n");
            let allowed = HeaderValue::from_static("GET, HEAD, PUT, POST");
            response.headers_mut().insert(ALLOW, allowed);
            response
        }
    }
}

async fn download(request: &Request<Incoming>, tags: &Tags) -> Response<ResponseBody> {
    let path = request.uri().path();
    if path == "/" {
        return text(StatusCode::OK, HELP);
    }
    match size::parse(path.strip_prefix('/').unwrap_or(path)) {
        Ok(size) => file(request, size, tags).await,
        Err(SizeError::NotASize) => {
            text(StatusCode::NOT_FOUND, "no such file; ask for a size, such as /1000, /10MB or /64MiB\n")
        }
        Err(SizeError::TooLarge) => {
            text(StatusCode::NOT_FOUND, format!("no such file; the largest is {MAX_SIZE} bytes (/1TiB)\n"))
        }
    }
}

async fn file(request: &Request<Incoming>, size: u64, tags: &Tags) -> Response<ResponseBody> {
    let tag = tags.of(size).await;
    let headers = request.headers();
    let mut response = if range::client_has(headers, &tag) {
        // hyper adds no length to a 304, as RFC 9110 15.4.5 wants it.
        let mut response = Response::new(empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        match (request.method(), range::requested(headers, size, &tag)) {
            // RFC 9110 14.2: Range is defined for GET alone.
            (&Method::HEAD, _) | (_, Part::Whole) => Response::new(ContentBody::new(size, 0, size).boxed_unsync()),
            (_, Part::Range { start, end }) => {
                let mut response = Response::new(ContentBody::new(size, start, end).boxed_unsync());
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                content_range(&mut response, format!("bytes {start}-{}/{size}", end - 1));
                response
            }
            (_, Part::Unsatisfiable) => {
                let mut response = text(StatusCode::RANGE_NOT_SATISFIABLE, format!("the file has {size} bytes\n"));
                content_range(&mut response, format!("bytes */{size}"));
                return response;
            }
        }
    };
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    // A tag is made of quotes, letters and digits.
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn content_range(response: &mut Response<ResponseBody>, value: String) {
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(CONTENT_RANGE, value);
    }
}

/// Takes a body of any length, keeps none of it, and answers with its hash.
async fn upload(request: Request<Incoming>) -> Response<ResponseBody> {
    let mut body = request.into_body();
    let mut sha = Sha256::new();
    let mut length = 0u64;
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => {
                // Where the connection still can carry it.
                let reason = format!("the body broke off after {length} bytes: {error}\n");
                return text(StatusCode::BAD_REQUEST, reason);
            }
        };
        if let Some(data) = frame.data_ref() {
            sha.update(data);
            length += data.len() as u64;
        }
    }
    text(StatusCode::OK, format!("{}  {length}\n", hex(&sha.finalize())))
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<ResponseBody> {
    let body = Full::new(text.into()).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

fn empty() -> ResponseBody {
    http_body_util::Empty::new().map_err(|never: Infallible| match never {}).boxed_unsync()
}

const HELP: &str = "\
segue.test, the test host of Segue

  GET /SIZE     a file of that many bytes: /1000, /1k, /10MB, /64MiB, up to /1TiB
                k M G T and kB MB GB TB count in 1000s, KiB MiB GiB TiB in 1024s
                ETag is the SHA-256 of the file (up to 1 GiB); ranges are served
  PUT /name     (or POST) anything: answers with the SHA-256 and the length of it
  GET /         this page

  TCP and UDP   echo 7, discard 9, chargen 19
";

#[cfg(test)]
mod tests;
