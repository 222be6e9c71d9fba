//! Lines of text in a file, beside the traffic.
//!
//! Decides when lines reach the disk. Invariant, as of a capture: a file that cannot be written ends the
//! log, not the traffic.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::capture::OnError;

/// A file that several threads write lines to. Clones write to the same file.
///
/// What is buffered is written when 64 KiB have come together, by [`LineLog::flush`], and when the last clone is gone.
#[derive(Clone)]
pub struct LineLog {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    /// `None` after an error.
    file: Option<BufWriter<File>>,
    on_error: Option<OnError>,
}

const BUFFER: usize = 64 * 1024;

impl LineLog {
    /// Creates the file, or empties it when it exists. `on_error` is called once when it cannot be written any more (a
    /// full disk): what is written by then stays, what comes later is dropped.
    ///
    /// # Errors
    /// The file cannot be created; the message names it.
    pub fn create(path: impl AsRef<Path>, on_error: OnError) -> io::Result<LineLog> {
        let path = path.as_ref();
        let file = File::create(path)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot write to {}: {error}", path.display())))?;
        let state = State { file: Some(BufWriter::with_capacity(BUFFER, file)), on_error: Some(on_error) };
        Ok(LineLog { shared: Arc::new(Shared { path: path.to_owned(), state: Mutex::new(state) }) })
    }

    /// Writes a line; its end is added.
    pub fn line(&self, text: &str) {
        self.shared.with_file(|file| {
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")
        });
    }

    /// Writes out what is buffered.
    pub fn flush(&self) {
        self.shared.with_file(Write::flush);
    }

    /// Whether lines are still being written: no error has ended the log.
    pub fn is_open(&self) -> bool {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner).file.is_some()
    }
}

impl std::fmt::Debug for LineLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LineLog").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl Shared {
    /// The first error ends the log and is told, outside of the lock.
    fn with_file(&self, work: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = &mut state.file else { return };
        let Err(error) = work(file) else { return };
        // What could not be written is not tried once more.
        let _unwritten = state.file.take().map(BufWriter::into_parts);
        let on_error = state.on_error.take();
        drop(state);
        if let Some(report) = on_error {
            let words = format!("the log {} ends here, the traffic goes on: {error}", self.path.display());
            report(io::Error::new(error.kind(), words));
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.with_file(Write::flush);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn told() -> (OnError, mpsc::Receiver<String>) {
        let (sender, receiver) = mpsc::channel();
        (Box::new(move |error| sender.send(error.to_string()).expect("the test listens")), receiver)
    }

    #[test]
    fn lines_of_all_clones_are_in_the_file_when_the_last_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("lines");
        let (on_error, errors) = told();
        let log = LineLog::create(&file, on_error).expect("a file");
        let other = log.clone();
        log.line("one");
        drop(log);
        other.line("two");
        drop(other);
        assert_eq!(std::fs::read_to_string(&file).expect("readable"), "one\ntwo\n");
        assert!(errors.try_recv().is_err());
    }

    #[test]
    fn a_full_disk_is_told_once_and_ends_the_log() {
        let (on_error, errors) = told();
        let log = LineLog::create("/dev/full", on_error).expect("a device that is always full");
        log.line("x");
        log.flush();
        assert!(!log.is_open());
        log.line("y");
        log.flush();
        drop(log);
        let words = errors.try_recv().expect("told");
        assert!(words.contains("/dev/full") && words.contains("No space left"), "{words}");
        assert!(errors.try_recv().is_err(), "told twice");
    }

    #[test]
    fn a_file_that_cannot_be_made_is_refused_with_its_name() {
        let (on_error, _errors) = told();
        let error = LineLog::create("/no/such/folder/file", on_error).expect_err("no such folder");
        assert!(error.to_string().contains("/no/such/folder/file"), "{error}");
    }
}
