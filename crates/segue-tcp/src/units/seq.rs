//! Sequence numbers (RFC 9293 section 3.4): arithmetic modulo 2^32.
//!
//! `Seq<Local>` numbers what we send, `Seq<Peer>` what the peer sends; they do not
//! mix. There is no `Ord`: "before" is only meaningful within half the space, and
//! saying `before` keeps that in sight. Nothing here can panic.

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Add, AddAssign, Sub};

/// The numbering of what this side sends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Local {}

/// The numbering of what the peer sends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Peer {}

/// A sequence number of one direction.
pub(crate) struct Seq<D>(u32, PhantomData<fn() -> D>);

impl<D> Seq<D> {
    /// The number as it stands on the wire.
    #[inline]
    pub(crate) const fn new(raw: u32) -> Seq<D> {
        Seq(raw, PhantomData)
    }

    /// The number for the wire.
    #[inline]
    pub(crate) const fn raw(self) -> u32 {
        self.0
    }

    /// Bytes from `earlier` up to this number; only meaningful when `earlier` is not after it.
    #[inline]
    pub(crate) const fn since(self, earlier: Seq<D>) -> u32 {
        self.0.wrapping_sub(earlier.0)
    }

    /// Whether this number comes before `other` (RFC 9293 section 3.4: comparison modulo 2^32).
    #[inline]
    pub(crate) const fn before(self, other: Seq<D>) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }

    /// Whether this number comes after `other`.
    #[inline]
    pub(crate) const fn after(self, other: Seq<D>) -> bool {
        other.before(self)
    }
}

impl<D> Clone for Seq<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for Seq<D> {}

impl<D> PartialEq for Seq<D> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<D> Eq for Seq<D> {}

impl<D> Add<u32> for Seq<D> {
    type Output = Seq<D>;

    #[inline]
    fn add(self, bytes: u32) -> Seq<D> {
        Seq::new(self.0.wrapping_add(bytes))
    }
}

impl<D> AddAssign<u32> for Seq<D> {
    #[inline]
    fn add_assign(&mut self, bytes: u32) {
        *self = *self + bytes;
    }
}

impl<D> Sub<u32> for Seq<D> {
    type Output = Seq<D>;

    #[inline]
    fn sub(self, bytes: u32) -> Seq<D> {
        Seq::new(self.0.wrapping_sub(bytes))
    }
}

impl<D> fmt::Debug for Seq<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_holds_across_the_wrap() {
        let last = Seq::<Local>::new(u32::MAX);
        let first = last + 1;
        assert_eq!(first.raw(), 0);
        assert!(last.before(first) && first.after(last));
        assert_eq!(first.since(last - 9), 10);
    }

    #[test]
    fn a_number_is_neither_before_nor_after_itself() {
        for raw in [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
            let seq = Seq::<Peer>::new(raw);
            assert!(!seq.before(seq) && !seq.after(seq));
            assert!(seq.before(seq + 1) && seq.after(seq - 1));
        }
    }
}
