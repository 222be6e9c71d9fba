//! DNS over a stream: a length of two octets before each message (RFC 7766).
//!
//! Questions on one connection are answered as they are ready, each by its own
//! identifier (section 6.2.1.1), at most [`PIPELINE`] at a time; a client that
//! asks nothing for [`IDLE`] is let go (section 6.2.3).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Dns, Transport};

const PIPELINE: usize = 32;
const IDLE: Duration = Duration::from_secs(30);

/// Serves one connection until the client ends it, or asks nothing for long.
pub(crate) async fn serve<S>(dns: Arc<Dns>, stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (questions, mut asked) = tokio::sync::mpsc::channel::<Vec<u8>>(1);
    let read = async {
        while let Some(question) = next(&mut reader).await? {
            if questions.send(question).await.is_err() {
                break;
            }
        }
        drop(questions);
        io::Result::Ok(())
    };
    let answer = async {
        let mut answering = JoinSet::new();
        let mut open = true;
        while open || !answering.is_empty() {
            tokio::select! {
                question = asked.recv(), if open && answering.len() < PIPELINE => match question {
                    Some(question) => {
                        let dns = Arc::clone(&dns);
                        answering.spawn(async move { dns.reply(&question, Transport::Tcp).await });
                    }
                    None => open = false,
                },
                Some(done) = answering.join_next() => {
                    if let Ok(Some(reply)) = done {
                        write(&mut writer, &reply).await?;
                    }
                }
            }
        }
        writer.shutdown().await
    };
    tokio::try_join!(read, answer).map(|_| ())
}

/// The next question; none at the end of the stream or after a long silence.
async fn next(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let Ok(length) = timeout(IDLE, reader.read_u16()).await else {
        return Ok(None);
    };
    let length = match length {
        Ok(length) => usize::from(length),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut question = vec![0; length];
    match timeout(IDLE, reader.read_exact(&mut question)).await {
        Ok(read) => read.map(|_| Some(question)),
        Err(_) => Ok(None),
    }
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), reply: &[u8]) -> io::Result<()> {
    let Ok(length) = u16::try_from(reply.len()) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    // One write, so that the length does not travel alone.
    let mut framed = Vec::with_capacity(reply.len() + 2);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(reply);
    writer.write_all(&framed).await?;
    writer.flush().await
}
