//! A progress line on standard error, only where a person looks at it.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// At most one line per tenth of a second; wiped when the work is over.
pub(crate) struct Progress {
    next: Option<Instant>,
    width: usize,
}

impl Progress {
    /// Silent unless standard error is a terminal.
    pub(crate) fn new() -> Progress {
        // Short work is over before anybody would read it.
        let next = std::io::stderr().is_terminal().then(|| Instant::now() + Duration::from_millis(300));
        Progress { next, width: 0 }
    }

    /// Shows the line that `words` makes, if it is time for one.
    pub(crate) fn show(&mut self, words: impl FnOnce() -> String) {
        let Some(next) = self.next else { return };
        let now = Instant::now();
        if now < next {
            return;
        }
        self.next = Some(now + Duration::from_millis(100));
        let line = words();
        let width = line.chars().count();
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "\r{line:<0$}", self.width.max(width));
        let _ = err.flush();
        self.width = width;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.width > 0 {
            let mut err = std::io::stderr().lock();
            let _ = write!(err, "\r{:1$}\r", "", self.width);
            let _ = err.flush();
        }
    }
}
