//! The send buffer: how many bytes an application may queue.
//!
//! Decides its size: `SO_SNDBUF` pins it; otherwise it follows the congestion window, twice
//! what a round trip can carry, between `tcp_wmem[1]` and `tcp_wmem[2]` as on Linux.

use crate::config::Config;
use crate::options::SocketOptions;
use crate::units::Packets;

/// What a queued segment costs beside its payload, in Linux's accounting: a power of two
/// for headers and data, and the descriptor.
const OVERHEAD: u32 = 256;

/// Buffer for a window of `cwnd` segments of `mss`, not below `current`.
pub(crate) fn size(config: &Config, options: &SocketOptions, current: u32, cwnd: Packets, mss: u16) -> u32 {
    if let Some(pinned) = options.sndbuf {
        return pinned.max(config.wmem[0]);
    }
    let segments = cwnd.0.max(config.initial_cwnd).max(u32::from(config.reordering) + 1);
    let segment = (u32::from(mss) + OVERHEAD).next_power_of_two() + OVERHEAD;
    segments.saturating_mul(segment).saturating_mul(2).min(config.wmem[2]).max(current)
}

/// Whether a writer should be told that there is room: a third of the buffer free, as Linux
/// does, and fewer unsent bytes than `TCP_NOTSENT_LOWAT`.
pub(crate) fn is_writable(size: u32, queued: u32, unsent: u32, lowat: u32) -> bool {
    size.saturating_sub(queued) >= queued / 2 && queued < size && unsent < lowat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_follows_the_window_up_to_wmem_2_unless_it_is_pinned() {
        let config = Config::default();
        let free = SocketOptions::default();
        let small = size(&config, &free, config.wmem[1], Packets(10), 1460);
        assert_eq!(small, 10 * (2048 + 256) * 2);
        assert!(size(&config, &free, small, Packets(100), 1460) == 10 * small);
        assert_eq!(size(&config, &free, small, Packets(1_000_000), 1460), config.wmem[2]);
        assert_eq!(size(&config, &free, 900_000, Packets(10), 1460), 900_000);
        let pinned = SocketOptions { sndbuf: Some(9_000), ..SocketOptions::default() };
        assert_eq!(size(&config, &pinned, small, Packets(100), 1460), 9_000);
    }

    #[test]
    fn a_third_must_be_free_before_a_writer_is_woken() {
        assert!(is_writable(3_000, 2_000, 0, u32::MAX));
        assert!(!is_writable(3_000, 2_001, 0, u32::MAX));
        assert!(!is_writable(3_000, 100, 50, 50));
        assert!(!is_writable(0, 0, 0, u32::MAX));
    }
}
