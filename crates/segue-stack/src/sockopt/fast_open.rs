//! Options of `IPPROTO_TCP` that have to do with Fast Open (RFC 7413).
use super::numbers::tcp;
use super::{OptionValue, int};
use crate::stack::{Result, Stack};
use crate::tcp::fast_open::FastOpenOptions;
use crate::tcp::stream::Role;
use crate::{Errno, FastOpenKeys, SocketId};

/// `TFO_CLIENT_ENABLE` of `net.ipv4.tcp_fastopen`.
const CLIENT: u32 = 1;

impl Stack {
    /// `None`: the option is another.
    pub(super) fn set_fast_open_option(&mut self, id: SocketId, name: i32, value: &[u8]) -> Option<Result<()>> {
        Some(match name {
            tcp::FASTOPEN => self.set_fast_open_queue(id, value),
            tcp::FASTOPEN_CONNECT => self.set_fast_open_connect(id, value),
            tcp::FASTOPEN_NO_COOKIE => self.set_fast_open_no_cookie(id, value),
            tcp::FASTOPEN_KEY => match FastOpenKeys::from_bytes(value) {
                Some(keys) => self.change_fast_open(id, |options| options.keys = Some(keys)),
                None => Err(Errno::EINVAL),
            },
            _ => return None,
        })
    }

    fn set_fast_open_queue(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let queue = u32::try_from(int(value)?).map_err(|_| Errno::EINVAL)?.min(self.settings.core.somaxconn);
        if matches!(self.stream_mut(id)?.role, Role::Connected(_)) {
            return Err(Errno::EINVAL);
        }
        // As Linux: from now on there is a key that the sysctl shows.
        self.fast_open_keys();
        self.change_fast_open(id, |options| options.queue = queue)
    }

    fn set_fast_open_connect(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let on = bit(value)?;
        if self.settings.ip.fast_open & CLIENT == 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        if !matches!(self.stream_mut(id)?.role, Role::Idle(_)) {
            return Err(Errno::EINVAL);
        }
        self.change_fast_open(id, |options| options.connect = on)
    }

    fn set_fast_open_no_cookie(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let on = bit(value)?;
        if matches!(self.stream_mut(id)?.role, Role::Connected(_)) {
            return Err(Errno::EINVAL);
        }
        self.change_fast_open(id, |options| options.no_cookie = on)
    }

    fn change_fast_open(&mut self, id: SocketId, change: impl FnOnce(&mut FastOpenOptions)) -> Result<()> {
        self.stream_mut(id)?;
        self.change_rare(id, |rare| change(&mut rare.fast_open))
    }

    /// `None`: the option is another.
    pub(super) fn get_fast_open_option(&mut self, id: SocketId, name: i32) -> Option<Result<OptionValue>> {
        let options = match self.live(id) {
            Ok(socket) => socket.common().rare().fast_open,
            Err(error) => return Some(Err(error)),
        };
        Some(Ok(match name {
            tcp::FASTOPEN => OptionValue::Int(options.queue as i32),
            tcp::FASTOPEN_CONNECT => options.connect.into(),
            tcp::FASTOPEN_NO_COOKIE => options.no_cookie.into(),
            // As Linux: the socket's own, not the stack's that it uses otherwise.
            tcp::FASTOPEN_KEY => OptionValue::Bytes(options.keys.map(|keys| keys.to_bytes()).unwrap_or_default()),
            _ => return None,
        }))
    }
}

/// An integer that is 0 or 1 and nothing else.
fn bit(value: &[u8]) -> Result<bool> {
    match int(value)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Errno::EINVAL),
    }
}
