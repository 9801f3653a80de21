//! Times and durations, as they are read and printed. The only place that asks what time it is.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, Utc};

const FORMATS: &str = "use 2030-01-31T12:00:00Z (with Z or an offset such as +02:00), \
     \"2030-01-31 12:00:00\" or \"2030-01-31 12:00\" (UTC), 2030-01-31 (UTC, midnight), now";

pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Reads a time; `2h` is two hours ago.
pub(crate) fn past(text: &str) -> Result<DateTime<Utc>, String> {
    time(text, DateTime::checked_sub_signed)
        .ok_or_else(|| format!("this is no time: {FORMATS}, or 90s, 15m, 2h, 7d (ago)"))
}

/// Reads a time; `2h` is two hours from now.
pub(crate) fn future(text: &str) -> Result<DateTime<Utc>, String> {
    time(text, DateTime::checked_add_signed)
        .ok_or_else(|| format!("this is no time: {FORMATS}, or 90s, 15m, 2h, 7d (from now)"))
}

fn time(
    text: &str,
    apply: impl FnOnce(DateTime<Utc>, TimeDelta) -> Option<DateTime<Utc>>,
) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("now") {
        return Some(now());
    }
    if let Ok(delta) = duration(text) {
        return apply(now(), TimeDelta::from_std(delta).ok()?);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let formats = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ];
    let plain = text.trim_end_matches(['Z', 'z']);
    let time = formats
        .into_iter()
        .find_map(|format| NaiveDateTime::parse_from_str(plain, format).ok());
    let midnight = || {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        date.and_hms_opt(0, 0, 0)
    };
    Some(time.or_else(midnight)?.and_utc())
}

/// Reads a duration: `500ms`, `30s`, `5m`, `2h`, `7d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "this is no duration: use 500ms, 30s, 5m, 2h or 7d".to_owned();
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(digits.ok_or_else(wrong)?);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())
}

/// Reads a duration that is not zero.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("give more than nothing, such as 30s".to_owned()),
        duration => Ok(duration),
    }
}

/// To the millisecond, for people.
pub(crate) fn shown(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string()
}

/// To the second, for tables.
pub(crate) fn shown_short(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// To the microsecond, for programs: `2030-01-31T12:00:00.000000Z`.
pub(crate) fn exact(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The time between two, in the units that say most about it.
pub(crate) fn span(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let delta = (to - from).max(TimeDelta::zero());
    let seconds = delta.num_seconds();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    if days > 0 {
        format!("{days} d {hours} h")
    } else if hours > 0 {
        format!("{hours} h {minutes} min")
    } else if minutes > 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else if seconds > 0 {
        format!("{seconds}.{} s", delta.subsec_millis() / 100)
    } else {
        format!("{} ms", delta.num_milliseconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_that_is_named_is_read() {
        let noon = "2030-01-31T12:00:00Z".parse::<DateTime<Utc>>().unwrap();
        for text in [
            "2030-01-31T12:00:00Z",
            "2030-01-31T14:00:00+02:00",
            "2030-01-31T12:00:00",
            "2030-01-31 12:00:00",
            "2030-01-31 12:00",
        ] {
            assert_eq!(past(text), Ok(noon), "{text}");
            assert_eq!(future(text), Ok(noon), "{text}");
        }
        assert_eq!(
            exact(past("2030-01-31").unwrap()),
            "2030-01-31T00:00:00.000000Z"
        );
        assert!(past("2h").unwrap() < past("now").unwrap());
        assert!(future("2h").unwrap() > future("now").unwrap());
    }

    #[test]
    fn what_is_no_time_is_told_the_formats() {
        for text in [
            "",
            "yesterday",
            "2030-13-01",
            "12:00",
            "5x",
            "-3h",
            "9999999999999999d",
        ] {
            let error = past(text).unwrap_err();
            assert!(error.contains("2030-01-31T12:00:00Z"), "{text}: {error}");
        }
    }

    #[test]
    fn durations_are_read_with_their_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1_500)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7_200)));
        for text in ["", "5", "s", "1..5s", "5 parsecs", "1e300d"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(interval("0s").is_err());
    }

    #[test]
    fn spans_are_told_in_the_units_that_matter() {
        let from = DateTime::UNIX_EPOCH;
        for (millis, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_250, "1.2 s"),
            (61_000, "1 min 1 s"),
            (3_660_000, "1 h 1 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(span(from, from + TimeDelta::milliseconds(millis)), text);
        }
        assert_eq!(span(from + TimeDelta::seconds(1), from), "0 ms");
    }
}
