//! The sequence number extension: sequence numbers in 64 bits (RFC 5925 section 6.2, RFC 9187).

/// One direction's highest sequence number so far, with its upper 32 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extension {
    highest: u64,
}

impl Extension {
    /// A direction that begins with this sequence number, whose extension is 0.
    pub const fn new(isn: u32) -> Extension {
        Extension { highest: isn as u64 }
    }

    /// The number nearest to the highest so far that ends in `sequence`.
    fn extended(self, sequence: u32) -> u64 {
        let ahead = sequence.wrapping_sub(self.highest as u32) as i32;
        // Nothing was sent before the initial number: what seems so has the extension 0.
        self.highest.checked_add_signed(ahead.into()).unwrap_or(sequence.into())
    }

    /// The extension of a sequence number.
    pub fn of(self, sequence: u32) -> u32 {
        (self.extended(sequence) >> 32) as u32
    }

    /// A segment with this number is genuine: what follows is extended from here.
    pub fn advance(&mut self, sequence: u32) {
        self.highest = self.highest.max(self.extended(sequence));
    }
}

#[cfg(test)]
mod tests {
    use super::Extension;

    /// RFC 9187 section 6.
    #[test]
    fn the_extension_follows_the_wraps_of_a_sequence_that_is_reordered_across_them() {
        let mut extension = Extension::new(0);
        for (expected, sequence) in [
            (0, 0x0000_0000),
            (0, 0x3000_0000),
            (0, 0x9000_0000),
            (0, 0x7000_0000),
            (0, 0xa000_0000),
            (1, 0x0000_0001),
            (0, 0xe000_0000),
            (1, 0x0000_0000),
            (1, 0x7fff_ffff),
            (1, 0x0000_0000),
            (1, 0x5000_0000),
            (1, 0x8000_0000),
            (1, 0x0000_0001),
            (1, 0x4000_0000),
            (1, 0x9000_0000),
            (1, 0xb000_0000),
            (2, 0x0fff_ffff),
            (2, 0x2000_0000),
            (2, 0x9000_0000),
            (2, 0x7000_0000),
            (2, 0xa000_0000),
            (3, 0x0000_4000),
            (2, 0xd000_0000),
            (3, 0x2000_0000),
            (3, 0x9000_0000),
            (3, 0x7000_0000),
            (3, 0xa000_0000),
            (4, 0x0000_4000),
            (3, 0xd000_0000_u32),
        ] {
            assert_eq!(extension.of(sequence), expected, "{sequence:08x}");
            extension.advance(sequence);
        }
    }

    #[test]
    fn what_seems_to_lie_before_the_beginning_has_no_extension() {
        assert_eq!(Extension::new(5).of(4), 0);
        assert_eq!(Extension::new(5).of(u32::MAX), 0);
        assert_eq!(Extension::new(u32::MAX).of(0), 1);
    }
}
