//! The parameters in the query of a URL.

use std::time::Duration;

use axum::http::Uri;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use super::error::HttpError;
use crate::model::RuntimeStatus;

/// Parameters are found by their names without regard to case. One that is empty counts as one that is
/// not there, and those that nobody asks for are ignored.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(uri: &Uri) -> Self {
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    pub(super) fn text(&self, name: &'static str) -> Option<&str> {
        self.all(name).next()
    }

    fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let named = self
            .0
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// `true` or `false` in any case.
    pub(super) fn flag(&self, name: &'static str, default: bool) -> Result<bool, HttpError> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        let flag = text.trim();
        if flag.eq_ignore_ascii_case("true") {
            Ok(true)
        } else if flag.eq_ignore_ascii_case("false") {
            Ok(false)
        } else {
            Err(wrong(name, text, "`true` or `false`"))
        }
    }

    /// A whole number, at least 1.
    pub(super) fn count(&self, name: &'static str) -> Result<Option<usize>, HttpError> {
        let count = |text: &str| match text.trim().parse() {
            Ok(count) if count > 0 => Ok(count),
            _ => Err(wrong(name, text, "a whole number, at least 1")),
        };
        self.text(name).map(count).transpose()
    }

    /// A number of seconds.
    pub(super) fn seconds(&self, name: &'static str) -> Result<Option<Duration>, HttpError> {
        let seconds = |text: &str| {
            let seconds = text.trim().parse().ok();
            let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            duration.ok_or_else(|| wrong(name, text, "a number of seconds"))
        };
        self.text(name).map(seconds).transpose()
    }

    /// A time as ISO 8601 has it; without an offset it is UTC.
    pub(super) fn time(&self, name: &'static str) -> Result<Option<DateTime<Utc>>, HttpError> {
        let time = |text: &str| {
            parse_time(text).ok_or_else(|| wrong(name, text, "a time such as 2030-01-31T12:00:00Z"))
        };
        self.text(name).map(time).transpose()
    }

    /// Names of statuses, separated by commas or in several parameters. `Some` of an empty list is a
    /// status that no instance has here.
    pub(super) fn statuses(
        &self,
        name: &'static str,
    ) -> Result<Option<Vec<RuntimeStatus>>, HttpError> {
        let texts = self.all(name).flat_map(|list| list.split(','));
        let mut texts = texts
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .peekable();
        if texts.peek().is_none() {
            return Ok(None);
        }
        let mut statuses = Vec::new();
        for text in texts {
            // It belongs to Durable Functions, which has never set it.
            if !text.eq_ignore_ascii_case("Canceled") {
                statuses.push(text.parse().map_err(HttpError::bad_request)?);
            }
        }
        Ok(Some(statuses))
    }
}

fn wrong(name: &'static str, text: &str, needed: &str) -> HttpError {
    let text: String = text.chars().take(100).collect();
    HttpError::bad_request(format!("the parameter `{name}` is {text:?}: give {needed}"))
}

fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    // Where the plus of an offset was not encoded, it has become a space.
    let spaced = match text.rsplit_once(' ') {
        Some((time, offset)) if text.contains(['T', 't']) => Some(format!("{time}+{offset}")),
        _ => None,
    };
    let text = spaced.as_deref().unwrap_or(text);
    // Some clients write the years before 1000 with fewer digits.
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let text = format!("{}{text}", "0".repeat(4_usize.saturating_sub(digits)));
    let with_zone = DateTime::parse_from_rfc3339(&text)
        .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%#z"))
        .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M%#z"));
    if let Ok(time) = with_zone {
        return Some(time.to_utc());
    }
    let plain = text.trim_end_matches(['Z', 'z']);
    [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ]
    .into_iter()
    .find_map(|format| NaiveDateTime::parse_from_str(plain, format).ok())
    .or_else(|| {
        NaiveDate::parse_from_str(plain, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    })
    .map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::of(&format!("/x?{text}").parse().unwrap())
    }

    #[test]
    fn times_are_read_as_clients_write_them() {
        let expected = "2030-01-31T12:00:00Z".parse::<DateTime<Utc>>().unwrap();
        for text in [
            "2030-01-31T12:00:00Z",
            "2030-01-31T12:00:00.0000000Z",
            "2030-01-31T12:00:00",
            "2030-01-31T13:00:00%2B01:00",
            "2030-01-31T13:00:00+01:00",
            "2030-01-31T13:00:00+0100",
            "2030-01-31T12:00Z",
            "2030-01-31T12:00",
            "2030-01-31%2012:00:00",
        ] {
            let time = query(&format!("t={text}")).time("t").unwrap();
            assert_eq!(time, Some(expected), "{text}");
        }
        let midnight = query("t=2030-01-31").time("t").unwrap().unwrap();
        assert_eq!(midnight.to_rfc3339(), "2030-01-31T00:00:00+00:00");
        let first = query("t=1-01-01T00:00:00.000000Z")
            .time("t")
            .unwrap()
            .unwrap();
        assert_eq!(first.to_rfc3339(), "0001-01-01T00:00:00+00:00");
        for text in ["yesterday", "2030-13-01", "2030-01-31T25:00:00Z", "12"] {
            assert!(query(&format!("t={text}")).time("t").is_err(), "{text}");
        }
        assert_eq!(query("t=").time("t").unwrap(), None);
    }

    #[test]
    fn flags_have_any_case() {
        for (text, flag) in [
            ("True", true),
            ("TRUE", true),
            ("false", false),
            ("FALSE", false),
        ] {
            assert_eq!(
                query(&format!("SHOWINPUT={text}"))
                    .flag("showInput", !flag)
                    .unwrap(),
                flag
            );
        }
        assert!(query("showInput=").flag("showInput", true).unwrap());
        assert!(query("showInput=1").flag("showInput", true).is_err());
    }

    #[test]
    fn statuses_are_lists() {
        let statuses = |text: &str| query(text).statuses("runtimeStatus");
        assert_eq!(statuses("top=1").unwrap(), None);
        assert_eq!(statuses("runtimeStatus=,").unwrap(), None);
        assert_eq!(
            statuses("runtimeStatus=Canceled").unwrap(),
            Some(Vec::new())
        );
        assert_eq!(
            statuses("runtimeStatus=running,%20Failed&runtimeStatus=Pending").unwrap(),
            Some(vec![
                RuntimeStatus::Running,
                RuntimeStatus::Failed,
                RuntimeStatus::Pending
            ])
        );
        assert!(statuses("runtimeStatus=Finished").is_err());
    }

    #[test]
    fn numbers_are_checked() {
        assert_eq!(query("top=7").count("top").unwrap(), Some(7));
        for text in ["0", "-1", "1.5", "many", "99999999999999999999"] {
            assert!(
                query(&format!("top={text}")).count("top").is_err(),
                "{text}"
            );
        }
        assert_eq!(
            query("timeout=1.5").seconds("timeout").unwrap(),
            Some(Duration::from_millis(1_500))
        );
        for text in ["-1", "NaN", "inf", "soon"] {
            assert!(
                query(&format!("timeout={text}"))
                    .seconds("timeout")
                    .is_err(),
                "{text}"
            );
        }
    }
}
