//! Finds the hosts of this user's processes and asks them. Blocking: it is for commands, not for servers.
use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use super::protocol::{Answer, Request, SocketLine};

/// How long a host may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a host could not be asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum ControlError {
    /// The directory or the socket cannot be used.
    Io(io::Error),
    /// The host refused, and says why.
    Refused(String),
    /// The host answered something else than was asked for: another version of this program.
    Strange(String),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlError::Io(error) => write!(f, "{error}"),
            ControlError::Refused(message) => f.write_str(message),
            ControlError::Strange(what) => {
                write!(f, "an answer that cannot be understood ({what}): is it another version?")
            }
        }
    }
}

impl std::error::Error for ControlError {}

impl From<io::Error> for ControlError {
    fn from(error: io::Error) -> Self {
        ControlError::Io(error)
    }
}

/// A host that can be asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Its process.
    pub pid: u32,
    /// Its name within the process.
    pub name: String,
    path: PathBuf,
}

/// Every host of this user that answers, ordered by process. Sockets that nobody serves any more are removed.
///
/// # Errors
/// When the directory cannot be read.
pub fn endpoints() -> Result<Vec<Endpoint>, ControlError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(super::directory()?)? {
        let path = entry?.path();
        let Some(stem) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".sock")) else { continue };
        let Some((pid, name)) = stem.split_once('-').and_then(|(pid, name)| Some((pid.parse().ok()?, name))) else {
            continue;
        };
        let endpoint = Endpoint { pid, name: name.to_owned(), path: path.clone() };
        match UnixStream::connect(&path) {
            Ok(_) => found.push(endpoint),
            // Its process was killed.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => drop(std::fs::remove_file(&path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    found.sort();
    Ok(found)
}

impl Endpoint {
    /// Asks one thing.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn ask(&self, request: &Request) -> Result<Answer, ControlError> {
        Conversation::begin(self)?.ask(request)
    }

    /// Gives every socket to `each`, in batches. `brief`: without what it measures and its memory.
    ///
    /// # Errors
    /// [`ControlError`].
    pub fn sockets(&self, brief: bool, mut each: impl FnMut(SocketLine)) -> Result<(), ControlError> {
        let mut conversation = Conversation::begin(self)?;
        let mut from = 0;
        loop {
            match conversation.ask(&Request::Sockets { from, brief })? {
                Answer::Sockets { lines, next } => {
                    lines.into_iter().for_each(&mut each);
                    match next {
                        Some(next) if next > from => from = next,
                        _ => return Ok(()),
                    }
                }
                other => return Err(strange(&other)),
            }
        }
    }
}

/// The error for an answer to something else.
pub(super) fn strange(answer: &Answer) -> ControlError {
    ControlError::Strange(format!("{answer:?}").chars().take(80).collect())
}

struct Conversation {
    read: BufReader<UnixStream>,
}

impl Conversation {
    fn begin(endpoint: &Endpoint) -> Result<Conversation, ControlError> {
        let stream = UnixStream::connect(&endpoint.path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Conversation { read: BufReader::new(stream) })
    }

    fn ask(&mut self, request: &Request) -> Result<Answer, ControlError> {
        let mut line = serde_json::to_vec(request).map_err(io::Error::from)?;
        line.push(b'\n');
        self.read.get_mut().write_all(&line)?;
        let mut answer = String::new();
        if self.read.read_line(&mut answer)? == 0 {
            return Err(ControlError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        match serde_json::from_str(&answer) {
            Ok(Answer::Error { message }) => Err(ControlError::Refused(message)),
            Ok(answer) => Ok(answer),
            Err(error) => Err(ControlError::Strange(error.to_string())),
        }
    }
}
