//! What a received packet costs while its payload waits: memory as Linux accounts for it.
//!
//! Decides the charge against the receive buffer, and how much a later packet may use of an earlier one's room. Windows
//! follow from it, so that they agree with those of a Linux host to the byte (its packets come from a TUN device here:
//! a head of a power of two, pages beyond). What is really held is never more: slices of the packet as it came, or
//! copies in blocks.

/// In front of every packet, behind it, and beside it.
const LEAD: usize = 64;
const SHARED_INFO: usize = 320;
const DESCRIPTOR: usize = 256;
/// The smallest head, the room in the largest that is one allocation, and what of a longer packet its head has.
const SMALL_HEAD: usize = 576;
const PAGE: usize = 4096;
const LONG_HEAD: usize = PAGE - LEAD - SHARED_INFO;

/// Charge of one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Cost {
    /// Bytes of memory.
    pub(crate) charge: u32,
    /// Bytes of payload that could follow without more.
    pub(crate) spare: u32,
}

impl Cost {
    /// Of a packet with `payload` bytes behind `headers` bytes of headers.
    pub(crate) fn of(headers: u16, payload: usize) -> Cost {
        let len = usize::from(headers) + payload;
        if LEAD + len >= PAGE {
            let pages = len.saturating_sub(LONG_HEAD).next_multiple_of(PAGE);
            return Cost { charge: (PAGE + DESCRIPTOR + pages) as u32, spare: 0 };
        }
        let used = LEAD + len + SHARED_INFO;
        let head = if used <= SMALL_HEAD { SMALL_HEAD } else { used.next_power_of_two() };
        Cost { charge: (head + DESCRIPTOR) as u32, spare: (head - used) as u32 }
    }

    /// Payload that one packet holds when the queue is rewritten to save memory.
    pub(crate) const COLLAPSED: usize = PAGE - SHARED_INFO;

    /// Of such a packet.
    pub(crate) fn collapsed(payload: usize) -> Cost {
        let charge = (PAGE + DESCRIPTOR) as u32;
        Cost { charge, spare: (Cost::COLLAPSED.saturating_sub(payload)) as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SO_MEMINFO of a Linux 6.18 socket that one packet waits in.
    #[test]
    fn packets_cost_what_linux_charges_for_them() {
        for (payload, charge) in [
            (1, 832),
            (152, 832),
            (153, 1_280),
            (600, 1_280),
            (601, 2_304),
            (1_460, 2_304),
            (1_624, 2_304),
            (1_625, 4_352),
            (3_671, 4_352),
            (3_700, 8_448),
            (4_100, 8_448),
            (8_960, 12_544),
            (16_000, 20_736),
            (32_000, 33_024),
            (50_000, 53_504),
        ] {
            assert_eq!(Cost::of(40, payload).charge, charge, "{payload} bytes");
        }
        assert_eq!(Cost::of(40, 1_000).spare, 624);
        assert_eq!(Cost::of(40, 10).spare, 142);
    }
}
