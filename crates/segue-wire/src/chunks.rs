//! Chunks: a payload that was never copied together.
//!
//! An ordered list of refcounted slices. Nearly every payload is one slice, so
//! that case costs no allocation; a gather list appears only when there is more
//! than one. Invariants: no slice in the list is empty, `Many` holds at least
//! one slice, and the length is kept, not counted.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::{Buf, Bytes, BytesMut};
use core::fmt;

/// An ordered list of refcounted byte slices.
///
/// Two lists are equal when their bytes are, however they are cut.
#[derive(Clone, Default)]
pub struct Chunks(Repr);

#[derive(Clone, Default)]
enum Repr {
    #[default]
    Empty,
    One(Bytes),
    Many {
        parts: VecDeque<Bytes>,
        len: usize,
    },
}

impl Chunks {
    /// A list without bytes. Does not allocate.
    pub const fn new() -> Chunks {
        Chunks(Repr::Empty)
    }

    /// Number of bytes in all slices. Constant time.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Empty => 0,
            Repr::One(one) => one.len(),
            Repr::Many { len, .. } => *len,
        }
    }

    /// Whether there is no byte.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of slices.
    pub fn slices(&self) -> usize {
        match &self.0 {
            Repr::Empty => 0,
            Repr::One(_) => 1,
            Repr::Many { parts, .. } => parts.len(),
        }
    }

    /// Appends a slice; an empty one is skipped.
    pub fn push_back(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        match &mut self.0 {
            Repr::Many { parts, len } => {
                *len += bytes.len();
                parts.push_back(bytes);
            }
            _ => {
                self.0 = match core::mem::take(&mut self.0) {
                    Repr::One(first) => {
                        let len = first.len() + bytes.len();
                        let mut parts = VecDeque::with_capacity(4);
                        parts.push_back(first);
                        parts.push_back(bytes);
                        Repr::Many { parts, len }
                    }
                    _ => Repr::One(bytes),
                }
            }
        }
    }

    /// Puts a slice in front; an empty one is skipped.
    pub fn push_front(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        if let Repr::Many { parts, len } = &mut self.0 {
            *len += bytes.len();
            parts.push_front(bytes);
            return;
        }
        let rest = core::mem::take(self);
        self.push_back(bytes);
        self.extend(rest);
    }

    /// Appends all slices of `other`.
    pub fn extend(&mut self, other: Chunks) {
        match other.0 {
            Repr::Empty => {}
            Repr::One(one) => self.push_back(one),
            Repr::Many { parts: mut tail, len: tail_len } => match &mut self.0 {
                Repr::Empty => self.0 = Repr::Many { parts: tail, len: tail_len },
                Repr::One(one) => {
                    let len = one.len() + tail_len;
                    tail.push_front(core::mem::take(one));
                    self.0 = Repr::Many { parts: tail, len };
                }
                Repr::Many { parts, len } => {
                    *len += tail_len;
                    parts.append(&mut tail);
                }
            },
        }
    }

    /// Takes the first `n` bytes out (all of them when there are fewer). Copies nothing.
    pub fn split_to(&mut self, n: usize) -> Chunks {
        if n == 0 {
            return Chunks::new();
        }
        if n >= self.len() {
            return core::mem::take(self);
        }
        match &mut self.0 {
            Repr::Empty => Chunks::new(),
            Repr::One(one) => Chunks(Repr::One(one.split_to(n))),
            Repr::Many { parts, len } => {
                *len -= n;
                let mut front = Chunks::new();
                let mut wanted = n;
                while let Some(part) = parts.front_mut() {
                    if part.len() > wanted {
                        front.push_back(part.split_to(wanted));
                        break;
                    }
                    wanted -= part.len();
                    front.push_back(core::mem::take(part));
                    parts.pop_front();
                }
                self.settle();
                front
            }
        }
    }

    /// A shared view of `n` bytes from `offset` on (fewer at the end). Copies nothing.
    pub fn slice(&self, offset: usize, n: usize) -> Chunks {
        let mut view = Chunks::new();
        let (mut skip, mut wanted) = (offset, n);
        for part in self.iter() {
            if wanted == 0 {
                break;
            }
            if skip >= part.len() {
                skip -= part.len();
                continue;
            }
            let take = wanted.min(part.len() - skip);
            view.push_back(part.slice(skip..skip + take));
            skip = 0;
            wanted -= take;
        }
        view
    }

    /// Keeps the first `n` bytes.
    pub fn truncate(&mut self, n: usize) {
        if n >= self.len() {
            return;
        }
        match &mut self.0 {
            Repr::Empty => {}
            Repr::One(one) if n > 0 => one.truncate(n),
            Repr::Many { parts, len } if n > 0 => {
                while *len > n {
                    let over = *len - n;
                    match parts.back_mut() {
                        Some(last) if last.len() > over => {
                            last.truncate(last.len() - over);
                            *len -= over;
                        }
                        Some(last) => {
                            *len -= last.len();
                            parts.pop_back();
                        }
                        None => break,
                    }
                }
                self.settle();
            }
            _ => self.0 = Repr::Empty,
        }
    }

    /// Drops the first `n` bytes (all of them when there are fewer).
    pub fn advance(&mut self, n: usize) {
        if n >= self.len() {
            self.0 = Repr::Empty;
            return;
        }
        match &mut self.0 {
            Repr::Empty => {}
            Repr::One(one) => one.advance(n),
            Repr::Many { parts, len } => {
                *len -= n;
                let mut over = n;
                while let Some(part) = parts.front_mut() {
                    if part.len() > over {
                        part.advance(over);
                        break;
                    }
                    over -= part.len();
                    parts.pop_front();
                }
                self.settle();
            }
        }
    }

    /// Takes the first slice.
    pub fn pop_front(&mut self) -> Option<Bytes> {
        match &mut self.0 {
            Repr::Empty => None,
            Repr::One(one) => {
                let one = core::mem::take(one);
                self.0 = Repr::Empty;
                Some(one)
            }
            Repr::Many { parts, len } => {
                let first = parts.pop_front()?;
                *len -= first.len();
                self.settle();
                Some(first)
            }
        }
    }

    /// The slices in order, none of them empty.
    pub fn iter(&self) -> Iter<'_> {
        match &self.0 {
            Repr::Empty => Iter { one: None, many: None },
            Repr::One(one) => Iter { one: Some(one), many: None },
            Repr::Many { parts, .. } => Iter { one: None, many: Some(parts.iter()) },
        }
    }

    /// Copies bytes from `offset` on into `out`; returns how many there were to copy.
    pub fn copy_to_slice(&self, offset: usize, out: &mut [u8]) -> usize {
        let (mut skip, mut done) = (offset, 0);
        for part in self.iter() {
            if skip >= part.len() {
                skip -= part.len();
                continue;
            }
            let from = &part[skip..];
            let room = &mut out[done..];
            let n = from.len().min(room.len());
            room[..n].copy_from_slice(&from[..n]);
            skip = 0;
            done += n;
            if done == out.len() {
                break;
            }
        }
        done
    }

    /// All bytes, copied.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.len());
        for part in self.iter() {
            all.extend_from_slice(part);
        }
        all
    }

    /// All bytes in one slice; copies only when there is more than one.
    pub fn into_contiguous(self) -> Bytes {
        match self.0 {
            Repr::Empty => Bytes::new(),
            Repr::One(one) => one,
            Repr::Many { parts, len } => {
                let mut all = BytesMut::with_capacity(len);
                for part in &parts {
                    all.extend_from_slice(part);
                }
                all.freeze()
            }
        }
    }

    /// Brings a list that shrank back to the cheapest form.
    fn settle(&mut self) {
        if let Repr::Many { parts, .. } = &mut self.0
            && parts.len() <= 1
        {
            self.0 = match parts.pop_front() {
                Some(last) => Repr::One(last),
                None => Repr::Empty,
            };
        }
    }
}

/// Iterator over the slices of [`Chunks`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    one: Option<&'a Bytes>,
    many: Option<alloc::collections::vec_deque::Iter<'a, Bytes>>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a Bytes;

    #[inline]
    fn next(&mut self) -> Option<&'a Bytes> {
        match &mut self.many {
            Some(many) => many.next(),
            None => self.one.take(),
        }
    }
}

impl<'a> IntoIterator for &'a Chunks {
    type Item = &'a Bytes;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl From<Bytes> for Chunks {
    fn from(bytes: Bytes) -> Chunks {
        if bytes.is_empty() { Chunks::new() } else { Chunks(Repr::One(bytes)) }
    }
}

impl From<Vec<u8>> for Chunks {
    fn from(bytes: Vec<u8>) -> Chunks {
        Chunks::from(Bytes::from(bytes))
    }
}

impl FromIterator<Bytes> for Chunks {
    fn from_iter<I: IntoIterator<Item = Bytes>>(parts: I) -> Chunks {
        let mut all = Chunks::new();
        for part in parts {
            all.push_back(part);
        }
        all
    }
}

impl PartialEq for Chunks {
    fn eq(&self, other: &Chunks) -> bool {
        self.len() == other.len()
            && self.iter().flat_map(|part| part.iter()).eq(other.iter().flat_map(|part| part.iter()))
    }
}

impl Eq for Chunks {}

impl PartialEq<[u8]> for Chunks {
    fn eq(&self, other: &[u8]) -> bool {
        self.len() == other.len() && self.iter().flat_map(|part| part.iter()).eq(other.iter())
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
