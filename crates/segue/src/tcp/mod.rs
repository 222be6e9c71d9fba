//! TCP sockets with the methods of their namesakes in tokio.
mod listener;
mod options;
mod socket;
mod split;
mod stream;

pub use listener::TcpListener;
pub use options::Keepalive;
pub use socket::TcpSocket;
pub use split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
pub use stream::{Closed, TcpStream};
