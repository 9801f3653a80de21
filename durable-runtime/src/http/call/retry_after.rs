//! When a server is to be asked again.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::model::http::{DurableHttpResponse, HttpAnswer};

/// What came back, `now` being the time, with how long to wait before the next request: as long as the server
/// says in `Retry-After`, else `poll_interval` for an answer that is to be polled.
pub(crate) fn answered(
    response: DurableHttpResponse,
    now: DateTime<Utc>,
    poll_interval: Duration,
) -> HttpAnswer {
    let asked = response.header("retry-after");
    let asked = asked.and_then(|value| retry_after(value, now));
    let wait = match response.status_code {
        202 => Some(asked.unwrap_or(poll_interval)),
        _ => asked,
    };
    let millis = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    HttpAnswer {
        response,
        wait_millis: wait.map(millis),
    }
}

/// How long the header `Retry-After` asks to wait: it has a number of seconds or a time, in any of the three
/// forms that HTTP has for one. `None` if it has neither.
fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = value.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds));
    }
    let time = http_date(value)?;
    Some((time - now).to_std().unwrap_or_default())
}

fn http_date(value: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc2822(value) {
        return Some(time.to_utc());
    }
    let obsolete = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let mut times = obsolete
        .iter()
        .map(|form| NaiveDateTime::parse_from_str(value, form));
    times.find_map(Result::ok).map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Rule 44: `Retry-After` is obeyed, in seconds and as a time.
    #[test]
    fn seconds_and_times_are_understood() {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        let after = |value| retry_after(value, now);
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!(after(" 0 "), Some(Duration::ZERO));
        assert_eq!(
            after("99999999999999999999999"),
            Some(Duration::from_secs(u64::MAX))
        );
        for time in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(after(time), Some(Duration::from_secs(37)), "{time}");
        }
        assert_eq!(after("Sat, 05 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn anything_else_is_as_if_it_were_not_there() {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        for value in [
            "",
            "-1",
            "1.5",
            "soon",
            "+3",
            "Sun, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(retry_after(value, now), None, "{value}");
        }
    }
}
