//! The user timeout option: each side tells how long it keeps a connection without acknowledgments, and follows the other.
//!
//! Owns RFC 5482: ENABLED (`net.segue.tcp_user_timeout_option`, or the socket's own word; Linux has no such option, so it is
//! off), CHANGEABLE (as long as the application has not set `TCP_USER_TIMEOUT`), ADV_UTO, and the bounds of what is adopted.
//! What a user timeout does is decided in `send::timeout`. Decides also which segments have room to tell.

use core::time::Duration;

use segue_wire::Instant;
use segue_wire::tcp::{MAX_OPTIONS_LEN, OptionBytes, TcpFlags, UserTimeout};

use super::{Connection, Phase, boxed};
use crate::config::Config;
use crate::options::SocketOptions;
use crate::segment::Transmit;
use crate::send::timeout::default_user_timeout;
use crate::state::handshake::HEADER;

const KIND: u8 = 28;
const LEN: usize = 4;

/// What was said so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exchange {
    /// ADV_UTO as it last left in a segment that is no SYN.
    told: Option<UserTimeout>,
}

impl Config {
    /// ENABLED for a socket with these options.
    pub(crate) fn exchanges_user_timeout(&self, options: &SocketOptions) -> bool {
        options.user_timeout_option.unwrap_or(self.user_timeout_option)
    }

    /// ADV_UTO: what the application has set, or what is in force without.
    pub(crate) fn advertised_user_timeout(&self, options: &SocketOptions) -> UserTimeout {
        let set = options.user_timeout.filter(|time| !time.is_zero());
        let told = UserTimeout::from_duration(set.unwrap_or_else(|| default_user_timeout(self)));
        // Section 3.3: zero is reserved.
        UserTimeout { value: told.value.max(1), ..told }
    }
}

impl Connection {
    /// A segment leaves: section 3, a SYN tells always; another does when it is the first, or when what was told has
    /// changed. Segments without room are not made longer for it; the next one has the option.
    pub(super) fn tell_user_timeout(&mut self, transmit: Transmit) -> Transmit {
        if !self.config.exchanges_user_timeout(self.options()) || transmit.header.flags.contains(TcpFlags::RST) {
            return transmit;
        }
        let time = self.config.advertised_user_timeout(self.options());
        let is_syn = transmit.header.flags.contains(TcpFlags::SYN);
        let told = self.aside.as_deref().and_then(|aside| aside.user_timeout.told);
        // A signature comes behind everything else.
        let options = transmit.options.len() + LEN + usize::from(self.options().signature.len());
        let whole = usize::from(HEADER) + options + transmit.payload.len();
        let fits = options <= MAX_OPTIONS_LEN && whole <= usize::from(self.path_mtu().unwrap_or(0));
        if (told == Some(time) && !is_syn) || !fits {
            return transmit;
        }
        match with_option(transmit, time) {
            Ok(transmit) => {
                if !is_syn {
                    self.aside.get_or_insert_default().user_timeout.told = Some(time);
                }
                transmit
            }
            Err(transmit) => transmit,
        }
    }

    /// The peer's option came in a segment that was taken. Section 3.1: USER_TIMEOUT follows the larger word of both sides,
    /// within our bounds, and is longer than the retransmission timeout; unless the application has spoken.
    pub(super) fn take_user_timeout(&mut self, now: Instant, option: Option<UserTimeout>) {
        // Section 3.3: zero is ignored.
        let Some(remote) = option.filter(|option| option.value > 0) else { return };
        let options = self.options();
        let changeable = options.user_timeout.is_none_or(|time| time.is_zero());
        if !self.config.exchanges_user_timeout(options) || !changeable {
            return;
        }
        let Phase::Synced(synced) = &self.phase else { return };
        let rto = synced.send.rtt.rto(self.config.rto_max);
        let ours = self.config.advertised_user_timeout(options).duration();
        let [low, high] = self.config.user_timeout_bounds;
        let adopted = ours.max(remote.duration()).max(low).min(high).max(rto);
        if options.adopted_user_timeout != Some(adopted) {
            let options = SocketOptions { adopted_user_timeout: Some(adopted), ..options.clone() };
            self.options = boxed(options);
            self.settle(now);
        }
    }

    /// USER_TIMEOUT of RFC 5482: the application's `TCP_USER_TIMEOUT`, or what was adopted from the peer.
    pub fn user_timeout(&self) -> Option<Duration> {
        self.options().user_timeout()
    }
}

/// The segment with the option behind the others; as it was when there is no room among them.
pub(crate) fn with_option(transmit: Transmit, time: UserTimeout) -> Result<Transmit, Transmit> {
    let old = transmit.options.len();
    if old + LEN > MAX_OPTIONS_LEN {
        return Err(transmit);
    }
    let mut bytes = [0; MAX_OPTIONS_LEN];
    bytes[..old].copy_from_slice(&transmit.options);
    let word = u16::from(time.minutes) << 15 | time.value & 0x7fff;
    bytes[old..old + LEN].copy_from_slice(&[KIND, LEN as u8, (word >> 8) as u8, word as u8]);
    match OptionBytes::from_slice(&bytes[..old + LEN]) {
        Some(options) => Ok(Transmit { options, ..transmit }),
        None => Err(transmit),
    }
}
