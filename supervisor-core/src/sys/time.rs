//! Local time (`localtime_r(3)`), for log lines and for what people read.
#![expect(unsafe_code, reason = "localtime_r has no safe wrapper among our crates")]

use std::sync::Once;

/// A moment on the wall clock of this machine's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LocalTime {
    /// Such as 2026.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
    /// Days since Sunday, 0 to 6.
    pub weekday: u8,
}

impl LocalTime {
    /// The local time of a number of seconds since the Unix epoch; the epoch itself where the system cannot tell.
    pub fn from_unix_seconds(seconds: u64) -> Self {
        static ZONE: Once = Once::new();
        unsafe extern "C" {
            fn tzset();
        }
        // SAFETY: tzset(3) takes no arguments and reads TZ. Rust programs change the environment by an `unsafe` call
        // whose caller vouches that nobody reads it at that time.
        ZONE.call_once(|| unsafe { tzset() });
        let moment = libc::time_t::try_from(seconds).unwrap_or(0);
        // SAFETY: `tm` is a C struct of integers and a pointer, for all of which zero bytes are a value.
        let mut parts: libc::tm = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to live values of the right types; the call keeps neither.
        if unsafe { libc::localtime_r(&raw const moment, &raw mut parts) }.is_null() {
            return Self { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, weekday: 4 };
        }
        let small = |value: libc::c_int| u8::try_from(value).unwrap_or(0);
        Self {
            year: i64::from(parts.tm_year) + 1900,
            month: small(parts.tm_mon + 1),
            day: small(parts.tm_mday),
            hour: small(parts.tm_hour),
            minute: small(parts.tm_min),
            second: small(parts.tm_sec),
            weekday: small(parts.tm_wday),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::alone;

    #[test]
    fn local_time_follows_the_zone() {
        let output = alone::run("sys::time::tests::in_a_zone", &[("TZ", "UTC-5:30")]);
        assert!(output.contains("zone is right"), "{output}");
    }

    #[test]
    #[ignore = "run by local_time_follows_the_zone with TZ set"]
    fn in_a_zone() {
        let expected = LocalTime { year: 2023, month: 11, day: 15, hour: 3, minute: 43, second: 20, weekday: 3 };
        assert_eq!(LocalTime::from_unix_seconds(1_700_000_000), expected);
        let late = LocalTime::from_unix_seconds(1 << 33);
        assert_eq!((late.year, late.month, late.day), (2242, 3, 16));
        assert_eq!(LocalTime::from_unix_seconds(u64::MAX).year, 1970);
        alone::say("zone is right");
    }
}
