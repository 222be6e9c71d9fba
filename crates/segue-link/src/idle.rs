//! Idle processors that answer at once.
//!
//! Decides how the kernel is asked for it: a wake-up latency of zero microseconds (Linux's PM QoS), for as long as somebody
//! holds the wish. A virtual machine's processor that has gone to sleep is woken by its host, which takes longer than
//! everything else on the way of a packet.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};

/// The kernel's PM QoS interface: a 32-bit number of microseconds; the wish ends with the descriptor.
const LATENCY: &str = "/dev/cpu_dma_latency";

/// As long as this lives, idle processors of this machine wait for work awake. From [`keep_processors_awake`].
#[derive(Debug)]
#[must_use = "processors may sleep again as soon as it is dropped"]
pub struct ProcessorsAwake {
    _wish: File,
}

/// Has idle processors of this machine, all of them, wait awake, which takes power and makes whoever is woken run within
/// microseconds: for measurements, and for emulated paths that keep time.
///
/// # Errors
/// Who asks is not root, or this machine has no power management that could be asked.
pub fn keep_processors_awake() -> io::Result<ProcessorsAwake> {
    let explain = |error: io::Error| io::Error::new(error.kind(), format!("{LATENCY}: {error}"));
    let mut wish = OpenOptions::new().write(true).open(LATENCY).map_err(explain)?;
    wish.write_all(&0_i32.to_ne_bytes()).map_err(explain)?;
    Ok(ProcessorsAwake { _wish: wish })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_kernel_is_asked_for_no_latency_or_the_error_names_what_could_not_be_asked() {
        match keep_processors_awake() {
            Ok(_awake) => {
                let mut least = [0; 4];
                let mut asked = File::open(LATENCY).expect("it could be written");
                asked.read_exact(&mut least).expect("a number");
                assert_eq!(i32::from_ne_bytes(least), 0);
            }
            Err(error) => assert!(error.to_string().starts_with(LATENCY), "{error}"),
        }
    }
}
