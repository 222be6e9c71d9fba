//! The control buffer of a `struct msghdr`: `struct cmsghdr` after `struct cmsghdr`, each aligned to 8 bytes (x86_64).
//!
//! Decides what fits (Linux's `put_cmsg`: the last message may be cut, what follows is left out and `MSG_CTRUNC` set) and
//! which buffers of a sender are malformed.
use core::fmt;

use super::ControlMessage;

const HEADER: usize = 16;

/// A length as the next header's place.
const fn aligned(len: usize) -> usize {
    len.next_multiple_of(8)
}

/// The bytes of `messages` for a control buffer with room for `room` bytes, and whether something did not fit
/// (`MSG_CTRUNC`). The number of bytes is `msg_controllen`.
pub fn encode_control(messages: &[ControlMessage], room: usize) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    for message in messages {
        let left = room.saturating_sub(out.len());
        if left < HEADER {
            return (out, true);
        }
        let data = message.data();
        let whole = HEADER + data.len();
        let length = whole.min(left);
        let (level, kind) = message.name();
        out.extend((length as u64).to_ne_bytes());
        out.extend(level.to_ne_bytes());
        out.extend(kind.to_ne_bytes());
        out.extend(&data[..length - HEADER]);
        if length < whole {
            return (out, true);
        }
        out.resize(aligned(out.len()).min(room), 0);
    }
    (out, false)
}

/// A control buffer that cannot be read: a header says a length below its own or beyond the buffer (`EINVAL`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ControlError;

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a control message has a length that does not fit its buffer")
    }
}

impl core::error::Error for ControlError {}

/// The messages in a sender's control buffer.
///
/// # Errors
/// A length below the header's own or beyond the buffer.
pub fn decode_control(mut bytes: &[u8]) -> Result<Vec<ControlMessage>, ControlError> {
    let mut messages = Vec::new();
    // As Linux: what is too short for a header at the end is no message.
    while let Some((header, _)) = bytes.split_first_chunk::<HEADER>() {
        let number = |at: usize| header.get(at..at + 4).and_then(|word| word.try_into().ok()).map(i32::from_ne_bytes);
        let length = header.first_chunk::<8>().map_or(0, |length| u64::from_ne_bytes(*length));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let data = bytes.get(HEADER..length).ok_or(ControlError)?;
        let (level, kind) = (number(8).unwrap_or_default(), number(12).unwrap_or_default());
        messages.push(ControlMessage::sent(level, kind, data));
        bytes = bytes.get(aligned(length)..).unwrap_or_default();
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_stand_behind_each_other_at_multiples_of_eight() {
        let messages = [ControlMessage::Tos(4), ControlMessage::Ttl(64)];
        let (bytes, cut) = encode_control(&messages, 100);
        assert!(!cut);
        assert_eq!(bytes.len(), 48);
        assert_eq!(bytes[..17], [17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4]);
        assert_eq!(bytes[24..44], [20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 64, 0, 0, 0]);
        assert_eq!(decode_control(&bytes).unwrap(), messages);
    }

    #[test]
    fn what_does_not_fit_is_cut_or_left_out_and_said_so() {
        let messages = [ControlMessage::Ttl(64), ControlMessage::Ttl(65)];
        for (room, len, cut) in [
            (0, 0, true),
            (15, 0, true),
            (17, 17, true),
            (20, 20, true),
            (24, 24, true),
            (43, 43, true),
            (44, 44, false),
        ] {
            let (bytes, is_cut) = encode_control(&messages, room);
            assert_eq!((bytes.len(), is_cut), (len, cut), "room for {room}");
        }
        // A message whose data end with the room is whole, although nothing aligned fits behind it.
        let (bytes, cut) = encode_control(&messages[..1], 20);
        assert_eq!((bytes.len(), cut), (20, false));
        assert_eq!(encode_control(&[], 0), (Vec::new(), false));
    }

    #[test]
    fn a_length_that_lies_is_an_error() {
        let mut bytes = encode_control(&[ControlMessage::Ttl(64)], 100).0;
        for length in [0u64, 15, 25, u64::MAX] {
            bytes[..8].copy_from_slice(&length.to_ne_bytes());
            assert_eq!(decode_control(&bytes), Err(ControlError), "{length}");
        }
        assert_eq!(decode_control(&bytes[..15]), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_control(&bytes);
        }
    }
}
