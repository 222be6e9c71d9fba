use super::*;

fn refused<T: fmt::Debug>(result: Result<T, UnitError>, words: &[&str]) {
    let message = result.expect_err("must be refused").to_string();
    for word in words {
        assert!(message.contains(word), "{message:?} does not say {word:?}");
    }
}

#[test]
fn durations_mean_what_they_say() {
    for (text, nanos) in [
        ("20ms", 20_000_000),
        ("1.5s", 1_500_000_000),
        ("250us", 250_000),
        ("0.1ms", 100_000),
        ("7ns", 7),
        ("2min", 120_000_000_000),
        ("0", 0),
        (" 3 ms", 3_000_000),
    ] {
        assert_eq!(parse_duration(text), Ok(Duration::from_nanos(nanos)), "{text}");
    }
}

#[test]
fn percentages_mean_what_they_say_and_print_as_written() {
    for (text, fraction) in [("1%", 0.01), ("0.1%", 0.001), ("100%", 1.0), ("0%", 0.0), ("33.3%", 0.333), ("-0%", 0.0)]
    {
        let probability: Probability = text.parse().expect(text);
        assert!((probability.fraction() - fraction).abs() < 1e-15, "{text}");
        assert_eq!(probability.to_string(), text.trim_start_matches('-'));
    }
}

#[test]
fn rates_are_bits_per_second() {
    for (text, bits, shown) in [
        ("10mbit", 10_000_000, "10mbit"),
        ("1gbit", 1_000_000_000, "1gbit"),
        ("512kbit", 512_000, "512kbit"),
        ("1.5Mbit/s", 1_500_000, "1500kbit"),
        ("9601bit", 9601, "9601bit"),
    ] {
        let rate: Rate = text.parse().expect(text);
        assert_eq!((rate.bits_per_second(), rate.to_string().as_str()), (bits, shown));
    }
}

#[test]
fn sizes_tell_binary_from_decimal_units() {
    for (text, bytes) in
        [("64KiB", 65_536), ("100kB", 100_000), ("1500B", 1500), ("1.5MiB", 1_572_864), ("2GB", 2_000_000_000)]
    {
        assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
    }
}

#[test]
fn impossible_quantities_are_refused_with_the_value_and_the_range() {
    refused("101%".parse::<Probability>(), &["101%", "100%"]);
    refused("-1%".parse::<Probability>(), &["-1%", "negative", "0"]);
    refused("many".parse::<Probability>(), &["many", "1%"]);
    refused("0.01".parse::<Probability>(), &["0.01", "no unit", "1%"]);
    refused("NaN%".parse::<Probability>(), &["NaN%"]);
    refused(parse_duration("20"), &["20", "no unit", "ms"]);
    refused(parse_duration("-5ms"), &["-5ms", "negative", "0"]);
    refused(parse_duration("5 parsecs"), &["parsecs", "ms"]);
    refused(parse_duration("400000s"), &["400000s", "1 day"]);
    refused(parse_duration("1..5ms"), &["1..5ms"]);
    refused(parse_duration(""), &["''", "20ms"]);
    refused("0mbit".parse::<Rate>(), &["0mbit", "0 carries nothing"]);
    refused("0".parse::<Rate>(), &["carries nothing"]);
    refused("10mbps".parse::<Rate>(), &["bits or bytes", "10mbit"]);
    refused("-1mbit".parse::<Rate>(), &["-1mbit", "negative"]);
    refused("9999gbit".parse::<Rate>(), &["1000gbit"]);
    refused(parse_bytes("64"), &["64", "KiB"]);
    refused(parse_bytes("64kib"), &["64kib", "KiB"]);
    refused(parse_bytes("9e99B"), &["9e99B"]);
}
