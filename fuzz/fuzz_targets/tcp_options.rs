//! TCP options: what was understood and fits is written, and read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_wire::tcp::TcpOptions;

fuzz_target!(|raw: &[u8]| {
    let raw = &raw[..raw.len().min(40)];
    let first = TcpOptions::parse(raw);
    assert!(first.window_scale.is_none_or(|shift| shift <= 14));
    assert!(first.mss != Some(0));
    let written = first.emit();
    assert!(written.len() <= 40 && written.len().is_multiple_of(4));
    let second = TcpOptions::parse(&written);
    assert!(!second.malformed, "{first:?} was written as {written:?}");
    // Alignment may need more room than the sender took, so options may be missing; none is invented or changed.
    macro_rules! same_or_missing {
        ($($field:ident),*) => {
            $(assert!(second.$field.is_none() || second.$field == first.$field, "{}", stringify!($field));)*
        };
    }
    same_or_missing!(mss, window_scale, timestamps, user_timeout, authentication, md5, fast_open, accecn);
    assert!(first.sack_permitted || !second.sack_permitted);
    assert!(first.sack.starts_with(&second.sack));
    // The second time, everything fits.
    assert_eq!(TcpOptions::parse(&second.emit()), second);
});
