//! `struct sock_extended_err` (linux/errqueue.h) with the address behind it.
use core::net::IpAddr;

use crate::Errno;

/// Who made an entry of the error queue (`SO_EE_ORIGIN_*`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum ErrorOrigin {
    /// 1: this host itself, before anything was sent (a datagram larger than the path takes).
    Local = 1,
    /// 2: an ICMP message.
    Icmp = 2,
    /// 3: an ICMPv6 message.
    Icmp6 = 3,
    /// 4: no error: a time at which something was sent or acknowledged.
    Timestamping = 4,
    /// 5: no error: bytes sent with `MSG_ZEROCOPY` are the application's again.
    Zerocopy = 5,
    /// 6: a datagram whose `SCM_TXTIME` could not be kept.
    TxTime = 6,
}

impl ErrorOrigin {
    /// The origin with this number.
    pub const fn from_number(number: u8) -> Option<ErrorOrigin> {
        Some(match number {
            1 => ErrorOrigin::Local,
            2 => ErrorOrigin::Icmp,
            3 => ErrorOrigin::Icmp6,
            4 => ErrorOrigin::Timestamping,
            5 => ErrorOrigin::Zerocopy,
            6 => ErrorOrigin::TxTime,
            _ => return None,
        })
    }
}

/// `struct sock_extended_err`, and the offender's address that Linux puts behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExtendedError {
    /// `ee_errno`: what a call would have failed with; `ENOMSG` for a time, 0 for `MSG_ZEROCOPY`.
    pub errno: Errno,
    /// `ee_origin`.
    pub origin: ErrorOrigin,
    /// `ee_type`: type of the ICMP message.
    pub kind: u8,
    /// `ee_code`: code of the ICMP message; [`COPIED`](Self::COPIED) for `MSG_ZEROCOPY`.
    pub code: u8,
    /// `ee_info`: the MTU of a too-big error; which time it is ([`SENT`](Self::SENT), [`SCHEDULED`](Self::SCHEDULED),
    /// [`ACKNOWLEDGED`](Self::ACKNOWLEDGED)); the first of a range of `MSG_ZEROCOPY` calls.
    pub info: u32,
    /// `ee_data`: the key of a time (`SOF_TIMESTAMPING_OPT_ID`); the last of a range of `MSG_ZEROCOPY` calls.
    pub data: u32,
    /// `SO_EE_OFFENDER`: who sent the ICMP message; on an `AF_INET6` socket an IPv4 address is v4-mapped.
    pub offender: Option<IpAddr>,
}

impl ExtendedError {
    /// `SO_EE_CODE_ZEROCOPY_COPIED`: the bytes had to be copied after all.
    pub const COPIED: u8 = 1;
    /// `SCM_TSTAMP_SND`: the packet was handed to the link.
    pub const SENT: u32 = 0;
    /// `SCM_TSTAMP_SCHED`: the packet entered the queue to the link.
    pub const SCHEDULED: u32 = 1;
    /// `SCM_TSTAMP_ACK`: the peer has acknowledged the last byte.
    pub const ACKNOWLEDGED: u32 = 2;

    /// Length of the structure without the address.
    pub(super) const LEN: usize = 16;

    /// The 16 bytes of the structure itself.
    pub fn to_bytes(&self) -> [u8; 16] {
        let mut out = [0; ExtendedError::LEN];
        out[..4].copy_from_slice(&self.errno.0.to_ne_bytes());
        out[4..7].copy_from_slice(&[self.origin as u8, self.kind, self.code]);
        out[8..12].copy_from_slice(&self.info.to_ne_bytes());
        out[12..].copy_from_slice(&self.data.to_ne_bytes());
        out
    }

    /// The structure out of its bytes, without an offender; `None`: too short, or of no known origin.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<ExtendedError> {
        let word = |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_ne_bytes);
        Some(ExtendedError {
            errno: Errno(word(0)? as i32),
            origin: ErrorOrigin::from_number(*bytes.get(4)?)?,
            kind: *bytes.get(5)?,
            code: *bytes.get(6)?,
            info: word(8)?,
            data: word(12)?,
            offender: None,
        })
    }
}
