//! A soak judges the heap and the descriptors of its whole process: this is one test, in a process of its own.

use segue_perf::soak::{Limit, SoakConfig, soak};

#[test]
fn conversations_over_bad_paths_are_right_to_the_byte_and_leave_nothing_behind() {
    let report = soak(&SoakConfig { limit: Limit::Epochs(3), conversations: 150, seed: 7 }).expect("the soak is made");
    assert_eq!(report.failures, Vec::<String>::new());
    assert_eq!(report.complete + report.broken_off, 450);
    assert!(report.complete > 200 && report.broken_off > 50 && report.bytes > 1_000_000, "{report:?}");
    let counter = |name| report.counters.iter().find(|(known, _)| *known == name).map_or(0, |(_, value)| *value);
    assert!(counter("TcpRetransSegs") > 100, "the paths are bad");
}
