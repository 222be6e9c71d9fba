//! A host whose driver has a thread of its own.
use core::net::IpAddr;
use core::ops::Deref;
use core::time::Duration;
use std::io;
use std::thread;

use super::wait::{block, block_on};
use crate::host::HostBuilder;
use crate::ping::{PingError, PingOptions, PingReply};

/// A [`segue::Host`](crate::Host) that needs no runtime: its driver runs on a thread of its own, which ends with the host.
///
/// When the last handle and socket is gone, the thread still finishes what connections owe. A process that ends right
/// after should call [`shutdown`](Host::shutdown) first: threads do not outlive `main`.
#[derive(Clone, Debug)]
pub struct Host {
    host: crate::Host,
}

impl Host {
    /// Starts the host that a builder describes.
    ///
    /// # Errors
    /// As [`HostBuilder::spawn`]; whatever the operating system says to a new thread.
    pub fn spawn(builder: HostBuilder) -> io::Result<Host> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let guard = runtime.enter();
        let (host, driver) = builder.prepare()?;
        drop(guard);
        thread::Builder::new().name("segue".into()).spawn(move || runtime.block_on(driver))?;
        Ok(Host { host })
    }

    /// Closes every socket and ends the host; waits until all data and FINs are acknowledged, at most for `timeout`.
    ///
    /// # Errors
    /// As [`segue::Host::shutdown`](crate::Host::shutdown).
    pub fn shutdown(&self, timeout: Duration) -> io::Result<()> {
        block(self.host.shutdown(timeout))
    }

    /// Sends one echo request and waits for its answer.
    ///
    /// # Errors
    /// As [`segue::Host::ping`](crate::Host::ping).
    pub fn ping(&self, to: IpAddr, options: PingOptions) -> Result<PingReply, PingError> {
        block_on(self.host.ping(to, options), None).unwrap_or(Err(PingError::TimedOut { after: options.timeout }))
    }
}

impl Deref for Host {
    type Target = crate::Host;

    fn deref(&self) -> &crate::Host {
        &self.host
    }
}

impl AsRef<crate::Host> for Host {
    fn as_ref(&self) -> &crate::Host {
        &self.host
    }
}

impl AsRef<crate::Host> for crate::Host {
    fn as_ref(&self) -> &crate::Host {
        self
    }
}
