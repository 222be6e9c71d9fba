//! The round trip as senders see it: what both call `tcpi_rtt`, read while they send.
//!
//! Decides how often is looked and what of it is kept: the mean. Ratios of goodput mean
//! something only where both senders have the same round trip before them.

use std::time::{Duration, Instant};

/// `getsockopt(2)`'s numbers (include/uapi/linux/in.h, tcp.h).
pub(super) const IPPROTO_TCP: i32 = 6;
pub(super) const TCP_INFO: i32 = 11;

/// Reads a connection's `struct tcp_info`; how much of it there is, `None` while or when there is none.
pub(super) type Look = Box<dyn Fn(&mut [u8]) -> Option<usize> + Send>;

/// Where `tcpi_rtt` lies in it, in microseconds.
const RTT: usize = 68;
/// Often enough for a mean, seldom enough not to be noticed.
const EVERY: Duration = Duration::from_millis(20);

/// Sleeps until `end` and looks at all senders now and then: the mean of the round trips that they told.
pub(super) fn watch(senders: &[Look], end: Instant) -> Duration {
    let (mut sum, mut count) = (0_u64, 0_u64);
    loop {
        let rest = end.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return Duration::from_micros(sum.checked_div(count).unwrap_or(0));
        }
        std::thread::sleep(rest.min(EVERY));
        for rtt in senders.iter().filter_map(told) {
            sum += u64::from(rtt);
            count += 1;
        }
    }
}

fn told(look: &Look) -> Option<u32> {
    let mut info = [0; RTT + 4];
    look(&mut info).filter(|length| *length == info.len())?;
    let rtt = u32::from_ne_bytes(info[RTT..].try_into().ok()?);
    (rtt > 0).then_some(rtt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_of_what_senders_told_and_a_sender_without_a_connection_tells_nothing() {
        let tells = |rtt: u32| -> Look {
            Box::new(move |info| {
                info[RTT..].copy_from_slice(&rtt.to_ne_bytes());
                Some(info.len())
            })
        };
        let senders: [Look; 4] = [tells(1000), tells(3000), tells(0), Box::new(|_| None)];
        let mean = watch(&senders, Instant::now() + Duration::from_millis(1));
        assert_eq!(mean, Duration::from_micros(2000));
    }
}
