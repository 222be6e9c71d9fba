//! The receive queue: bytes in order, waiting for the reader, and the urgent mark.
//!
//! Decides what a read gives (RFC 9293 sections 3.8.5 and 3.9.1.3, Linux's semantics for the
//! mark). Belongs to the application: it outlives the connection's protocol state, so that
//! neither TIME-WAIT nor its end drops unread data.

use bytes::Bytes;
use segue_wire::Chunks;

use super::memory::Cost;
use super::slices::Stretch;

/// Where the stream has its urgent byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Urgent {
    /// Stream offset of the urgent byte.
    at: u64,
    byte: UrgentByte,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum UrgentByte {
    /// Announced, not here yet.
    Awaited,
    Here(u8),
    /// Given to the reader out of band.
    Taken,
}

/// What reading the urgent byte met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum UrgentRead {
    Byte(u8),
    NotYet,
    None,
}

#[derive(Debug, Default)]
pub(crate) struct Inbox {
    data: Stretch,
    /// Stream offset of the next byte to read.
    read: u64,
    urgent: Option<Urgent>,
    /// The peer's FIN stands behind the data.
    pub(crate) finished: bool,
    /// The application has shut down reading.
    pub(crate) shut: bool,
    /// Pages of the stack's memory that the connection is charged, for what waits here and elsewhere.
    pub(crate) held: u32,
}

impl Inbox {
    /// Bytes that can be read.
    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    /// Bytes of memory pinned.
    pub(crate) fn charge(&self) -> usize {
        self.data.charge()
    }

    /// Stream offset up to which the application has read.
    pub(crate) fn read_offset(&self) -> u64 {
        self.read
    }

    /// Stream offset behind the last byte.
    fn end(&self) -> u64 {
        self.read + self.data.len() as u64
    }

    /// In-order data of a packet that costs so much.
    pub(crate) fn push(&mut self, chunks: &Chunks, cost: Cost) {
        self.find_urgent(chunks);
        self.data.push(chunks, cost);
    }

    /// Rewrites the queue to save memory. How many packets were saved.
    pub(crate) fn collapse(&mut self) -> usize {
        self.data.collapse()
    }

    /// In-order data that had waited.
    pub(crate) fn append(&mut self, stretch: Stretch) {
        let start = self.end();
        if let Some(Urgent { at, byte: byte @ UrgentByte::Awaited }) = &mut self.urgent {
            let mut out = [0];
            if *at >= start && stretch.peek((*at - start) as usize, &mut out) == 1 {
                *byte = UrgentByte::Here(out[0]);
            }
        }
        self.data.append(stretch);
    }

    /// Whether the urgent byte is among `chunks`, which go to the end.
    fn find_urgent(&mut self, chunks: &Chunks) {
        self.find_urgent_early(self.end(), chunks);
    }

    /// RFC 9293 section 3.10.7.4, URG: the urgent byte has stream offset `at`. Whether that is news.
    pub(crate) fn announce_urgent(&mut self, at: u64, inline: bool) -> bool {
        if at < self.end() || self.urgent.is_some_and(|urgent| at <= urgent.at) {
            return false;
        }
        if self.at_mark() && !inline && !self.data.is_empty() {
            // As Linux: a reader that stands on the old urgent byte, which was out of band, does not meet it now.
            self.data.skip(1);
            self.read += 1;
        }
        self.urgent = Some(Urgent { at, byte: UrgentByte::Awaited });
        true
    }

    /// The urgent byte may be in text that came out of order and begins at stream offset `start`.
    pub(crate) fn find_urgent_early(&mut self, start: u64, text: &Chunks) {
        if let Some(Urgent { at, byte: byte @ UrgentByte::Awaited }) = &mut self.urgent {
            let mut out = [0];
            if *at >= start && text.copy_to_slice((*at - start) as usize, &mut out) == 1 {
                *byte = UrgentByte::Here(out[0]);
            }
        }
    }

    /// An urgent byte is there or announced, and was not read yet (`POLLPRI`).
    pub(crate) fn has_urgent(&self) -> bool {
        self.urgent.is_some_and(|urgent| matches!(urgent.byte, UrgentByte::Here(_)))
    }

    /// An urgent byte was announced that the reader has not passed.
    pub(crate) fn has_mark(&self) -> bool {
        self.urgent.is_some()
    }

    /// The urgent byte, out of band.
    pub(crate) fn take_urgent(&mut self, consume: bool) -> UrgentRead {
        match &mut self.urgent {
            Some(Urgent { byte, .. }) => match *byte {
                UrgentByte::Awaited => UrgentRead::NotYet,
                UrgentByte::Taken => UrgentRead::None,
                UrgentByte::Here(value) => {
                    if consume {
                        *byte = UrgentByte::Taken;
                    }
                    UrgentRead::Byte(value)
                }
            },
            None => UrgentRead::None,
        }
    }

    /// The next byte to read is the urgent one.
    pub(crate) fn at_mark(&self) -> bool {
        self.urgent.is_some_and(|urgent| urgent.at == self.read)
    }

    /// How far a read may go: up to the mark, never across it. Skips the urgent byte when the
    /// reader stands on it and does not want it in line.
    fn approach(&mut self, inline: bool) -> usize {
        let Some(urgent) = self.urgent else { return self.data.len() };
        if urgent.at > self.read {
            return usize::try_from(urgent.at - self.read).unwrap_or(usize::MAX).min(self.data.len());
        }
        if urgent.at == self.read && !self.data.is_empty() {
            self.urgent = None;
            if !inline {
                self.data.skip(1);
                self.read += 1;
            }
        }
        self.data.len()
    }

    pub(crate) fn read(&mut self, out: &mut [u8], inline: bool) -> usize {
        if out.is_empty() {
            return 0;
        }
        let most = self.approach(inline).min(out.len());
        let n = self.data.read(&mut out[..most]);
        self.read += n as u64;
        n
    }

    pub(crate) fn take(&mut self, max: usize, inline: bool) -> Chunks {
        let most = self.approach(inline).min(max);
        let mut chunks = Chunks::new();
        let n = self.data.take(most, |bytes: Bytes| chunks.push_back(bytes));
        self.read += n as u64;
        chunks
    }

    pub(crate) fn peek(&self, offset: usize, out: &mut [u8], inline: bool) -> usize {
        let (mut skip, mut most) = (offset, self.data.len());
        if let Some(urgent) = self.urgent {
            if urgent.at > self.read + offset as u64 {
                most = usize::try_from(urgent.at - self.read).unwrap_or(usize::MAX).min(most);
            } else if urgent.at == self.read && !inline {
                skip += 1;
            }
        }
        let most = most.saturating_sub(skip).min(out.len());
        self.data.peek(skip, &mut out[..most])
    }

    /// Drops what is unread.
    pub(crate) fn clear(&mut self) {
        self.read = self.end();
        self.data = Stretch::default();
    }
}
