//! How a row of the table is written, in two lines:
//!
//! ```text
//! "net.ipv4.tcp_NAME" KIND(field of Settings, range, "unit") NewSockets
//!     "What it decides.";
//! ```
//!
//! `KIND` is one of `value!`'s below. A change reaches everybody at once unless a [`Reach`](super::Reach) says otherwise.

/// The table of a family.
macro_rules! entries {
    ($($name:literal $kind:ident $spec:tt $($reach:ident)? $meaning:literal;)*) => {
        pub(super) static ENTRIES: &[crate::sysctl::table::Entry] =
            &[$(
                crate::sysctl::table::Entry::new($name, $meaning, value!($kind $spec))
                    $(.reaching(crate::sysctl::table::Reach::$reach))?,
            )*];
    };
}

/// What stands behind a name.
macro_rules! value {
    // A field that is a whole number of type `$type`.
    (number($($field:ident).+ as $type:ty, $range:expr, $unit:expr)) => {
        value!(integer(|s| u64::from(s.$($field).+), |s, v| s.$($field).+ = v as $type, $range, $unit))
    };
    // A field that is on or off.
    (switch($($field:ident).+)) => {
        value!(integer(|s| u64::from(s.$($field).+), |s, v| s.$($field).+ = v != 0, 0..=1, "0 off, 1 on"))
    };
    // A field that is a duration, told in one unit.
    (seconds($($field:ident).+, $range:expr, $unit:expr)) => {
        value!(integer(
            |s| s.$($field).+.as_secs(),
            |s, v| s.$($field).+ = core::time::Duration::from_secs(v),
            $range,
            $unit
        ))
    };
    (millis($($field:ident).+, $range:expr, $unit:expr)) => {
        value!(integer(
            |s| s.$($field).+.as_millis() as u64,
            |s, v| s.$($field).+ = core::time::Duration::from_millis(v),
            $range,
            $unit
        ))
    };
    (micros($($field:ident).+, $range:expr, $unit:expr)) => {
        value!(integer(
            |s| s.$($field).+.as_micros() as u64,
            |s, v| s.$($field).+ = core::time::Duration::from_micros(v),
            $range,
            $unit
        ))
    };
    (nanos($($field:ident).+, $range:expr, $unit:expr)) => {
        value!(integer(
            |s| s.$($field).+.as_nanos() as u64,
            |s, v| s.$($field).+ = core::time::Duration::from_nanos(v),
            $range,
            $unit
        ))
    };
    // A number that is read and written by functions.
    (integer($get:expr, $set:expr, $range:expr, $unit:expr)) => {
        crate::sysctl::table::Value::Integer { get: $get, set: $set, range: $range, unit: $unit }
    };
    // Minimum, default, maximum.
    (triple($($field:ident).+, $range:expr, $unit:expr)) => {
        crate::sysctl::table::Value::Triple {
            get: |s| s.$($field).+,
            set: |s, v| s.$($field).+ = v,
            range: $range,
            unit: $unit,
        }
    };
    // Any other kind that can be changed.
    (live($value:expr)) => {
        $value
    };
    // What the stack does and cannot do otherwise.
    (fixed($value:expr, $why:expr)) => {
        crate::sysctl::table::Value::Fixed { value: $value, why: $why }
    };
    (read_only($get:expr)) => {
        crate::sysctl::table::Value::ReadOnly { get: $get }
    };
    (removed($why:expr)) => {
        crate::sysctl::table::Value::Removed { why: $why }
    };
}
