//! A socket of the inside stack as the end of a flow.

use std::io;
use std::time::Duration;

use segue::{Errno, Ready, Shutdown, TcpStream};
use segue_wire::Chunks;

use crate::end::{End, READ};

/// How often it is looked whether the peer has everything. No event tells, and
/// it is asked only between a reset outside and the one it becomes inside.
const LOOK: Duration = Duration::from_millis(10);

impl End for TcpStream {
    async fn receive(&self) -> io::Result<Chunks> {
        self.recv_bytes(READ).await
    }

    async fn send(&self, data: Chunks) -> io::Result<()> {
        for chunk in data.iter() {
            self.send_bytes(chunk.clone()).await?;
        }
        Ok(())
    }

    fn finish(&self) -> io::Result<()> {
        self.shutdown_now(Shutdown::Write)
    }

    async fn failed(&self) {
        // Not HUP: that is there as well when both sides have finished and
        // the last bytes are still to be read.
        let error = self.socket().until(Ready::empty(), |stack, _, id| {
            if stack.readiness(id).contains(Ready::ERR) { Ok(()) } else { Err(Errno::EAGAIN) }
        });
        // An error of the wait itself says that the socket is gone, too.
        let _ = error.await;
    }

    async fn delivered(&self) {
        while self.info().is_ok_and(|info| info.unacked > 0 || info.notsent_bytes > 0) {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn abort(self) {
        // Fails when the connection is gone already.
        let _ = Self::abort(self);
    }
}
