//! Where bytes are watched: a stream's writes, segments and acknowledgements meet its [`Watch`].
//!
//! Decides what a write asks for (the socket's options, or the call's own control message) and how what was seen is told:
//! as entries of the error queue. `TCP_NLA_*` (linux/tcp.h) for `SOF_TIMESTAMPING_OPT_STATS`.
use segue_tcp::{Info, Instant, SendOffsets};
use segue_wire::{Bytes, Chunks, Packet};

use super::stream::{Flow, StreamSocket};
use super::watch::{Seen, Watch, Write};
use crate::message::{ErrorOrigin, ExtendedError};
use crate::socket::Socket;
use crate::socket::common::Flags;
use crate::socket::error_queue::QueuedError;
use crate::socket::timestamping::TimestampingFlags;
use crate::stack::Stack;
use crate::{Errno, MsgFlags};

/// What a write wants to be told.
pub(crate) struct Asking {
    before: SendOffsets,
    wants: TimestampingFlags,
    ends_record: bool,
    /// `MSG_ZEROCOPY`; whether the bytes were copied.
    lends: Option<bool>,
}

impl Asking {
    /// `None`: nothing, and nobody before has either.
    pub(crate) fn of(
        stream: &StreamSocket,
        flags: MsgFlags,
        asked: Option<TimestampingFlags>,
        is_copied: bool,
    ) -> Option<Asking> {
        let flow = stream.flow()?;
        let common = &stream.common;
        let wants = asked.unwrap_or_else(|| common.rare().timestamping) & TimestampingFlags::TX_TOLD;
        let lends = flags.contains(MsgFlags::ZEROCOPY) && common.has(Flags::ZEROCOPY);
        if wants.is_empty() && !lends && flow.watch.is_none() {
            return None;
        }
        let ends_record = flags.contains(MsgFlags::EOR);
        Some(Asking { before: flow.connection.send_offsets()?, wants, ends_record, lends: lends.then_some(is_copied) })
    }
}

impl StreamSocket {
    /// `len` bytes were written.
    pub(crate) fn watch_write(&mut self, asking: &Asking, len: usize) {
        let lent = asking.lends.map(|is_copied| {
            let calls = &mut self.common.rare_mut().zerocopy_calls;
            let call = *calls;
            *calls = calls.wrapping_add(1);
            (call, is_copied)
        });
        let Some(flow) = self.flow_mut() else { return };
        let (before, wants, ends_record) = (asking.before, asking.wants, asking.ends_record);
        let size_goal = flow.connection.size_goal();
        let write = Write { before, len: len as u64, size_goal, wants, ends_record, lent };
        flow.watch.get_or_insert_default().on_write(&write);
    }
}

impl Flow {
    /// `SOF_TIMESTAMPING_OPT_ID` is switched on: the next byte written has key 0; without `OPT_ID_TCP` the next that the
    /// peer has not acknowledged.
    pub(crate) fn count_keys(&mut self, from_written: bool) {
        let offsets = self.connection.send_offsets();
        let from = offsets.map_or(0, |offsets| if from_written { offsets.written } else { offsets.acked });
        self.watch.get_or_insert_default().count_keys_from(from);
    }

    /// Text has arrived and was taken.
    pub(crate) fn watch_arrival(&mut self, now: Instant, sequence: u32, len: usize) {
        let Some(start) = self.connection.offset_of_received(sequence) else { return };
        self.watch.get_or_insert_default().on_arrival(start, start + len as u64, now);
    }
}

impl Stack {
    /// Take the watch of a flow, let it look, and queue what it has seen.
    fn with_watch(&mut self, index: u32, look: impl FnOnce(&mut Watch, &Flow, &mut Vec<Seen>)) -> Vec<Seen> {
        let mut seen = Vec::new();
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return seen };
        let Some(flow) = stream.flow_mut() else { return seen };
        if let Some(mut watch) = flow.watch.take() {
            look(&mut watch, flow, &mut seen);
            flow.watch = Some(watch);
        }
        seen
    }

    /// A call on the connection may have had bytes acknowledged, or ended the stream.
    pub(crate) fn look_at_watched(&mut self, now: Instant, index: u32) {
        let seen = self.with_watch(index, |watch, flow, seen| match flow.connection.send_offsets() {
            Some(offsets) => watch.on_acked(offsets.acked, |what| seen.push(what)),
            // In TIME-WAIT everything is acknowledged; a reset gives back what was lent, unsent or not.
            None if flow.connection.state() == segue_tcp::State::TimeWait => {
                watch.on_acked(u64::MAX, |what| seen.push(what));
            }
            None if flow.was_established => watch.on_over(|what| seen.push(what)),
            None => {}
        });
        self.tell_seen(now, index, seen, None);
    }

    /// `text`, which is the stream's from `start` on, is in a packet that leaves.
    pub(crate) fn tell_sent(&mut self, now: Instant, index: u32, start: u64, text: &Chunks, packet: &Packet) {
        let seen = self.with_watch(index, |watch, _, seen| watch.on_sent(start, text, |what| seen.push(what)));
        self.tell_seen(now, index, seen, Some(packet));
    }

    fn tell_seen(&mut self, now: Instant, index: u32, seen: Vec<Seen>, packet: Option<&Packet>) {
        for what in seen {
            if let Some(entry) = self.entry_of(now, index, what, packet) {
                self.queue_error(index, entry);
            }
        }
    }

    fn entry_of(&self, now: Instant, index: u32, seen: Seen, packet: Option<&Packet>) -> Option<QueuedError> {
        let Socket::Stream(stream) = self.sockets.at(index)? else { return None };
        let asked = stream.common.rare().timestamping;
        let (kind, offender) = (0, None);
        Some(match seen {
            Seen::Returned { first, last, is_copied } => {
                let code = if is_copied { ExtendedError::COPIED } else { 0 };
                let origin = ErrorOrigin::Zerocopy;
                QueuedError::bare(ExtendedError {
                    errno: Errno(0),
                    origin,
                    kind,
                    code,
                    info: first,
                    data: last,
                    offender,
                })
            }
            Seen::Time { which, key, text } => {
                let data = if asked.contains(TimestampingFlags::OPT_ID) { key } else { 0 };
                let origin = ErrorOrigin::Timestamping;
                let error = ExtendedError { errno: Errno::ENOMSG, origin, kind, code: 0, info: which, data, offender };
                let stats =
                    asked.contains(TimestampingFlags::OPT_STATS).then(|| stats(&stream.info(now).unwrap_or_default()));
                let is_bare = asked.contains(TimestampingFlags::OPT_TSONLY);
                // As Linux: what leaves is told with its headers, what is acknowledged without.
                let payload = match (&stats, packet) {
                    (Some(stats), _) => Bytes::copy_from_slice(stats),
                    (None, _) if is_bare => Bytes::new(),
                    (None, Some(packet)) => Bytes::from(packet.slices().flatten().copied().collect::<Vec<u8>>()),
                    (None, None) => text,
                };
                QueuedError { time: Some(now), stats, payload, ..QueuedError::bare(error) }
            }
        })
    }
}

/// Netlink attributes, one after the other, each padded to four bytes.
struct Attributes(Vec<u8>);

impl Attributes {
    fn put(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        self.0.extend((4 + value.len() as u16).to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    fn put_u64(&mut self, kind: u16, value: u64) -> &mut Self {
        self.put(kind, &value.to_ne_bytes())
    }

    fn put_u32(&mut self, kind: u16, value: u32) -> &mut Self {
        self.put(kind, &value.to_ne_bytes())
    }
}

/// `TCP_NLA_*` in the order in which Linux puts them.
fn stats(info: &Info) -> Vec<u8> {
    let mut out = Attributes(Vec::with_capacity(256));
    out.put_u64(1, info.busy_time)
        .put_u64(2, info.rwnd_limited)
        .put_u64(3, info.sndbuf_limited)
        .put_u64(4, info.data_segs_out.into())
        .put_u64(5, info.total_retrans.into())
        .put_u64(6, info.pacing_rate)
        .put_u64(7, info.delivery_rate)
        .put_u32(8, info.snd_cwnd)
        .put_u32(9, info.reordering)
        .put_u32(10, info.min_rtt)
        .put(11, &[info.retransmits])
        .put(12, &[u8::from(info.delivery_rate_app_limited)])
        .put_u32(15, info.snd_ssthresh)
        .put_u32(16, info.delivered)
        .put_u32(17, info.delivered_ce)
        .put_u32(13, info.notsent_bytes)
        .put(14, &[info.ca_state])
        .put_u64(18, info.bytes_sent)
        .put_u64(19, info.bytes_retrans)
        .put_u32(20, info.dsack_dups)
        .put_u32(21, info.reord_seen)
        .put_u32(22, info.rtt)
        .put(23, &info.timeout_rehash.to_ne_bytes())
        .put_u32(24, info.notsent_bytes)
        .put_u64(25, 0);
    out.0.clone()
}
