//! Answers on a host's control socket.
//!
//! Decides who may ask (the same user, or root) and how much one question may cost: the host's lock is held for at most
//! [`BATCH`] sockets at a time, and packets have their turn before the next ones. Holding a [`Control`] serves; dropping it removes the socket.
use std::io;
use std::path::{Path, PathBuf};

use segue_stack::{ListPosition, Settings};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

use super::protocol::{Answer, CounterLine, Request, SocketLine, Summary, SysctlLine};
use super::{MAX_LINE, directory};
use crate::Host;

/// Places of the tables of sockets that are looked into under one lock: half a millisecond's.
const BATCH: u32 = 1024;
/// Askers at the same time; more wait.
const MOST_ASKERS: usize = 16;
/// After an asker could not be taken.
const RETRY: std::time::Duration = std::time::Duration::from_millis(100);

/// Serves a host's control socket while it lives.
#[derive(Debug)]
pub struct Control {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Control {
    /// Serves `host` under a name, such as `"program"`, on the current tokio runtime. The socket is
    /// `PID-NAME.sock` in [`directory`]. The host is not kept alive by it.
    ///
    /// # Errors
    /// When the directory or the socket cannot be made.
    pub fn serve(host: &Host, name: &str) -> io::Result<Control> {
        let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).take(32).collect();
        let path = directory()?.join(format!("{}-{plain}.sock", std::process::id()));
        match std::fs::remove_file(&path) {
            // One of an earlier process that had our number.
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(&path)?;
        let task = tokio::spawn(serve(listener, host.downgrade()));
        Ok(Control { path, task })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
        // Nothing can be done about a file that will not go; a dead socket is cleared away by whoever finds it.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn serve(listener: UnixListener, host: crate::host::WeakHost) {
    let mut askers = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, perhaps: not our host's fault, and it will pass.
            let Some(host) = host.upgrade() else { return };
            host.sleep(RETRY).await;
            continue;
        };
        while askers.len() >= MOST_ASKERS {
            askers.join_next().await;
        }
        let host = host.clone();
        askers.spawn(async move {
            // The asker is gone, or asks nonsense: that ends its connection and nothing else.
            let _ = converse(stream, &host).await;
        });
        while askers.try_join_next().is_some() {}
    }
}

async fn converse(stream: UnixStream, host: &crate::host::WeakHost) -> io::Result<()> {
    let mine = rustix::process::geteuid().as_raw();
    let theirs = stream.peer_cred()?.uid();
    let (read, mut write) = stream.into_split();
    if theirs != mine && theirs != 0 {
        let message = format!("this host belongs to user {mine}; user {theirs} may not look into it");
        return say(&mut write, &Answer::Error { message }).await;
    }
    let mut read = BufReader::new(read);
    let mut line = Vec::new();
    loop {
        line.clear();
        let taken = (&mut read).take(MAX_LINE as u64).read_until(b'\n', &mut line).await?;
        if taken == 0 {
            return Ok(());
        }
        let answer = if line.last() != Some(&b'\n') {
            Answer::Error { message: format!("a request is one line of at most {MAX_LINE} bytes") }
        } else {
            match (serde_json::from_slice(&line), host.upgrade()) {
                (Err(error), _) => Answer::Error { message: format!("not a request: {error}") },
                (Ok(_), None) => Answer::Error { message: "the host has ended".to_owned() },
                (Ok(request), Some(host)) => answer(&host, request).await,
            }
        };
        let ends = line.last() != Some(&b'\n');
        say(&mut write, &answer).await?;
        if ends {
            return Ok(());
        }
    }
}

async fn say(write: &mut (impl AsyncWriteExt + Unpin), answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    write.write_all(&line).await
}

/// Counts every socket, some at a time.
async fn summary(host: &Host) -> Summary {
    let mut summary = host.with_stack(|stack, _| Summary::of_tables(stack));
    let mut from = Some(ListPosition::default());
    while let Some(position) = from {
        from = host.with_stack(|stack, now| stack.sockets_part(now, position, BATCH, &mut |info| summary.count(&info)));
        tokio::task::yield_now().await;
    }
    summary
}

async fn answer(host: &Host, request: Request) -> Answer {
    match request {
        Request::Sockets { from, brief } => {
            let describe = if brief { SocketLine::brief } else { SocketLine::of };
            let mut found = Vec::with_capacity(BATCH as usize);
            let (next, now) = host.with_stack(|stack, now| {
                let from = ListPosition::from_u64(from);
                (stack.sockets_part(now, from, BATCH, &mut |info| found.push(info)), now)
            });
            let lines = found.iter().map(|info| describe(info, now)).collect();
            Answer::Sockets { lines, next: next.map(ListPosition::as_u64) }
        }
        Request::Summary => Answer::Summary(summary(host).await),
        Request::Counters => {
            let lines = host.with_stack(|stack, _| {
                let counters = stack.counters().iter();
                counters.map(|(name, value)| CounterLine { name: name.to_owned(), value }).collect()
            });
            Answer::Counters { lines }
        }
        Request::Sysctls => {
            let lines = host.with_stack(|stack, _| {
                let names = stack.sysctl_names();
                names
                    .filter_map(|name| Some(SysctlLine { name: name.to_owned(), value: stack.sysctl(name).ok()? }))
                    .collect()
            });
            Answer::Sysctls { lines }
        }
        Request::Sysctl { name } => sysctl(host, &name),
        Request::SetSysctl { name, value } => {
            match host.with_stack(|stack, now| stack.set_sysctl(now, &name, &value)) {
                Ok(()) => sysctl(host, &name),
                Err(error) => Answer::Error { message: error.to_string() },
            }
        }
    }
}

fn sysctl(host: &Host, asked: &str) -> Answer {
    let found = Settings::describe(asked).and_then(|about| {
        let value = host.with_stack(|stack, _| stack.sysctl(about.name))?;
        Ok(SysctlLine { name: about.name.to_owned(), value })
    });
    match found {
        Ok(line) => Answer::Sysctls { lines: vec![line] },
        Err(error) => Answer::Error { message: error.to_string() },
    }
}
