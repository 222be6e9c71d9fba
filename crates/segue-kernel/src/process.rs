//! What this process holds of the machine, and what it has to wait for, as the kernel says.
use std::io;
use std::time::Duration;

/// The resident set of this process, in bytes.
///
/// # Errors
/// `/proc` is not there or reads differently.
pub fn resident() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.map(|n| n * 1024).ok_or_else(|| io::Error::other("/proc/self/status has no VmRSS"))
}

/// Processor time that this thread has used.
pub fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer points to a timespec that outlives the call.
    let outcome = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    debug_assert_eq!(outcome, 0, "every Linux has this clock");
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// What has interrupted this thread since it began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Interruptions {
    /// Pages that were touched for the first time, or again, without reading a disk.
    pub page_faults: u64,
    /// Times that another thread took the processor.
    pub switches: u64,
}

/// What has interrupted this thread since it began.
pub fn thread_interruptions() -> Interruptions {
    // SAFETY: all zero is a valid value of this structure of numbers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer points to a structure that outlives the call.
    let outcome = unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) };
    debug_assert_eq!(outcome, 0, "every Linux knows this thread");
    Interruptions { page_faults: usage.ru_minflt.unsigned_abs(), switches: usage.ru_nivcsw.unsigned_abs() }
}

/// How long anything on this machine has waited for a processor since it started, as the kernel accounts for it
/// (`/proc/pressure/cpu`). `None`: this kernel does not.
pub fn processor_shortage() -> Option<Duration> {
    let pressure = std::fs::read_to_string("/proc/pressure/cpu").ok()?;
    let some = pressure.lines().find(|line| line.starts_with("some "))?;
    let micros = some.split_whitespace().find_map(|word| word.strip_prefix("total="))?.parse().ok()?;
    Some(Duration::from_micros(micros))
}

/// How many descriptors this process has open.
///
/// # Errors
/// `/proc` is not there.
pub fn open_descriptors() -> io::Result<usize> {
    // The directory itself is one of them while it is read.
    Ok(std::fs::read_dir("/proc/self/fd")?.count().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_works_uses_time() {
        let before = thread_time();
        let mut sum = 0u64;
        while thread_time() <= before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(thread_time() > before);
    }

    #[test]
    fn pages_that_are_touched_for_the_first_time_are_counted() {
        let before = thread_interruptions();
        let pages = vec![1u8; 64 * 4096];
        assert_eq!(std::hint::black_box(&pages)[63 * 4096], 1);
        assert!(thread_interruptions().page_faults > before.page_faults);
    }

    #[test]
    fn an_open_file_is_one_descriptor() {
        let before = open_descriptors().unwrap();
        let file = std::fs::File::open("/proc/self/status").unwrap();
        assert_eq!(open_descriptors().unwrap(), before + 1);
        drop(file);
    }
}
