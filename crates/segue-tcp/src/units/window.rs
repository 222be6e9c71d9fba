//! Windows: the 16 bits of the header, the shift that scales them, and counts of segments.
//!
//! Owns RFC 7323 section 2. A window in bytes is a `u32`; only [`WireWindow`] goes into a header.

/// The window field of a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct WireWindow(pub u16);

/// A window shift, 0 to 14.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct WindowScale(u8);

impl WindowScale {
    /// RFC 7323 section 2.3: a larger shift is used as 14.
    pub(crate) const MAX: u8 = 14;

    pub(crate) const fn new(shift: u8) -> WindowScale {
        WindowScale(if shift > WindowScale::MAX { WindowScale::MAX } else { shift })
    }

    pub(crate) const fn shift(self) -> u8 {
        self.0
    }

    /// The smallest window step that can be told, in bytes.
    pub(crate) const fn step(self) -> u32 {
        1 << self.0
    }

    /// The largest window that can be told, in bytes.
    pub(crate) const fn largest(self) -> u32 {
        (u16::MAX as u32) << self.0
    }
}

impl WireWindow {
    /// Bytes this field stands for.
    pub(crate) const fn bytes(self, scale: WindowScale) -> u32 {
        (self.0 as u32) << scale.0
    }

    /// The field for a window of `bytes`, which must be a multiple of the scale's step to be exact.
    pub(crate) const fn of(bytes: u32, scale: WindowScale) -> WireWindow {
        let field = bytes >> scale.0;
        WireWindow(if field > u16::MAX as u32 { u16::MAX } else { field as u16 })
    }
}

/// A number of segments.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Packets(pub u32);

impl Packets {
    pub(crate) const fn saturating_sub(self, other: Packets) -> Packets {
        Packets(self.0.saturating_sub(other.0))
    }

    pub(crate) const fn saturating_add(self, other: Packets) -> Packets {
        Packets(self.0.saturating_add(other.0))
    }
}
