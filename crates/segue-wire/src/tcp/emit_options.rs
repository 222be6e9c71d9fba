//! The order and alignment in which options go on the wire.
//!
//! Linux's: signature first, then MSS, timestamps (SACK-permitted in their
//! padding), AccECN, SACK-permitted alone, window scale, SACK blocks, user
//! timeout, Fast Open. Every option starts so that its words are aligned and
//! NOPs stand in front of it (RFC 9293 section 3.1: the list ends aligned; the
//! end is padded with NOPs only where an option is shorter than its slot). What
//! an AccECN option has beyond whole words takes the place of such NOPs.

use super::option_values::{
    AccEcn, AccEcnOrder, FastOpenCookie, MAX_OPTIONS_LEN, OptionBytes, SackBlocks, TcpAo, Timestamps,
};
use super::options::{FAST_OPEN_MAGIC, TcpOptions, kind};

/// Collects option bytes; what does not fit is left out as a whole.
struct Writer {
    bytes: [u8; MAX_OPTIONS_LEN],
    len: usize,
    /// The end of an AccECN option that fills no word: it goes where the next option would have NOPs in front.
    tail: Tail,
}

/// One or two bytes that belong right behind what was written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    None,
    One(u8),
    Two([u8; 2]),
}

impl Writer {
    fn room(&self) -> usize {
        MAX_OPTIONS_LEN - self.len
    }

    /// Appends the concatenation of `parts` and NOPs up to a multiple of four.
    fn put(&mut self, parts: &[&[u8]]) {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let padded = len.next_multiple_of(4);
        let Some(mut slot) = self.bytes.get_mut(self.len..self.len + padded) else {
            return;
        };
        for part in parts {
            let (now, later) = slot.split_at_mut(part.len());
            now.copy_from_slice(part);
            slot = later;
        }
        slot.fill(kind::NOP);
        self.len += padded;
    }

    /// The two bytes in front of an option that needs two NOPs there.
    fn lead(&mut self) -> [u8; 2] {
        match core::mem::replace(&mut self.tail, Tail::None) {
            Tail::None => [kind::NOP; 2],
            Tail::One(byte) => [byte, kind::NOP],
            Tail::Two(bytes) => bytes,
        }
    }

    /// Writes the tail if nothing has taken it in.
    fn finish_tail(&mut self) {
        if self.tail != Tail::None {
            let lead = self.lead();
            self.put(&[&lead]);
        }
    }
}

impl TcpOptions {
    /// The options as they go on the wire, in the order and alignment of Linux.
    ///
    /// What does not fit in 40 bytes is left out: SACK blocks are trimmed to
    /// what fits, any other option that is too long goes as a whole.
    pub fn emit(&self) -> OptionBytes {
        let mut out = Writer { bytes: [0; MAX_OPTIONS_LEN], len: 0, tail: Tail::None };
        if let Some(digest) = &self.md5 {
            out.put(&[&[kind::NOP, kind::NOP, kind::MD5, 18], digest]);
        }
        if let Some(authentication) = &self.authentication {
            put_authentication(&mut out, authentication);
        }
        if let Some(mss) = self.mss {
            out.put(&[&[kind::MSS, 4], &mss.to_be_bytes()]);
        }
        self.put_timestamps(&mut out);
        if let Some(accecn) = &self.accecn {
            put_accecn(&mut out, accecn);
        }
        if self.sack_permitted && self.timestamps.is_none() {
            let lead = out.lead();
            out.put(&[&lead, &[kind::SACK_PERMITTED, 2]]);
        }
        if let Some(shift) = self.window_scale {
            put_window_scale(&mut out, shift);
        }
        put_sack(&mut out, &self.sack);
        out.finish_tail();
        if let Some(timeout) = self.user_timeout {
            let granularity = if timeout.minutes { 0x8000 } else { 0 };
            out.put(&[&[kind::USER_TIMEOUT, 4], &(granularity | timeout.value & 0x7fff).to_be_bytes()]);
        }
        if let Some(cookie) = &self.fast_open {
            put_fast_open(&mut out, cookie);
        }
        OptionBytes::aligned(out.bytes, out.len)
    }

    /// SACK-permitted takes the place of the two NOPs in front of the timestamps.
    fn put_timestamps(&self, out: &mut Writer) {
        let lead = if self.sack_permitted { [kind::SACK_PERMITTED, 2] } else { [kind::NOP; 2] };
        if let Some(Timestamps { value, echo }) = self.timestamps {
            out.put(&[&lead, &[kind::TIMESTAMPS, 10], &value.to_be_bytes(), &echo.to_be_bytes()]);
        }
    }
}

fn put_window_scale(out: &mut Writer, shift: u8) {
    let lead = match out.tail {
        // It has room for one byte; two stay together and wait, for which there must be room, too.
        Tail::One(byte) => {
            out.tail = Tail::None;
            byte
        }
        Tail::Two(_) if out.room() < 8 => return,
        Tail::None | Tail::Two(_) => kind::NOP,
    };
    out.put(&[&[lead, kind::WINDOW_SCALE, 3, shift]]);
}

/// RFC 2018 section 3. As many blocks as fit, the first ones first.
fn put_sack(out: &mut Writer, sack: &SackBlocks) {
    let fitting = out.room().saturating_sub(4) / 8;
    let blocks = &sack[..sack.len().min(fitting)];
    if blocks.is_empty() {
        return;
    }
    let mut edges = [0; SackBlocks::MAX * 8];
    for (slot, (left, right)) in edges.as_chunks_mut::<8>().0.iter_mut().zip(blocks) {
        slot[..4].copy_from_slice(&left.to_be_bytes());
        slot[4..].copy_from_slice(&right.to_be_bytes());
    }
    let len = blocks.len() * 8;
    let lead = out.lead();
    out.put(&[&lead, &[kind::SACK, len as u8 + 2], &edges[..len]]);
}

/// RFC 5925 section 2.2.
fn put_authentication(out: &mut Writer, ao: &TcpAo) {
    let len = ao.mac.len() as u8 + 4;
    out.put(&[&[kind::AUTHENTICATION, len, ao.key_id, ao.rnext_key_id], &ao.mac]);
}

/// RFC 7413 section 4.1.1; the experimental form by RFC 6994.
fn put_fast_open(out: &mut Writer, cookie: &FastOpenCookie) {
    let len = cookie.len() as u8;
    if cookie.experimental {
        out.put(&[&[kind::EXPERIMENTAL, len + 4], &FAST_OPEN_MAGIC.to_be_bytes(), cookie]);
    } else {
        out.put(&[&[kind::FAST_OPEN, len + 2], cookie]);
    }
}

/// RFC 9768 section 3.2.3: the fields from the front of the order, up to the first that is missing.
fn put_accecn(out: &mut Writer, accecn: &AccEcn) {
    let (kind, fields) = match accecn.order {
        AccEcnOrder::Ect0First => (kind::ACCECN0, [accecn.ect0_bytes, accecn.ce_bytes, accecn.ect1_bytes]),
        AccEcnOrder::Ect1First => (kind::ACCECN1, [accecn.ect1_bytes, accecn.ce_bytes, accecn.ect0_bytes]),
    };
    let mut option = [0; 11];
    let mut len = 2;
    for counter in fields.into_iter().map_while(|field| field) {
        option[len..len + 3].copy_from_slice(&counter.to_be_bytes()[1..]);
        len += 3;
    }
    option[0] = kind;
    option[1] = len as u8;
    let words = len - len % 4;
    let tail = match option[words..len] {
        [one] => Tail::One(one),
        [one, two] => Tail::Two([one, two]),
        // Three bytes, the end of the longest, fill a word with one NOP; whole words have no end.
        _ => return out.put(&[&option[..len]]),
    };
    if out.room() >= words + 4 {
        out.put(&[&option[..words]]);
        out.tail = tail;
    }
}
