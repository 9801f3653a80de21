//! When a timer is due.

use chrono::{DateTime, SubsecRound, Utc};
use croner::parser::{CronParser, Seconds, Year};

use super::Bound;
use crate::host::HostError;

/// A schedule of six fields, in UTC.
#[derive(Debug, Clone)]
pub(super) struct Cron {
    cron: croner::Cron,
    /// As it was written.
    pub(super) text: &'static str,
}

impl Cron {
    /// Reads the schedule of a function.
    ///
    /// # Errors
    ///
    /// [`HostError::InvalidSchedule`], also for one that never comes after `now`.
    pub(super) fn parse(
        bound: &Bound,
        text: &'static str,
        now: DateTime<Utc>,
    ) -> Result<Self, HostError> {
        let refuse = |message: String| HostError::InvalidSchedule {
            function: bound.call.name.to_owned(),
            place: bound.location.to_string(),
            schedule: text.to_owned(),
            message,
        };
        let cron = Self::read(text).map_err(&refuse)?;
        match cron.next(now) {
            Some(_) => Ok(cron),
            None => Err(refuse("it never comes".to_owned())),
        }
    }

    fn read(text: &'static str) -> Result<Self, String> {
        let cron = read(text)?;
        Ok(Self { cron, text })
    }

    /// The first due time after `time`.
    pub(super) fn next(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        next(&self.cron, time)
    }

    /// The last due time that is not after `time`.
    pub(super) fn latest(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        latest(&self.cron, time)
    }
}

fn read(text: &str) -> Result<croner::Cron, String> {
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Disallowed)
        // As the schedules of Azure Functions are read.
        .dom_and_dow(true)
        .sloppy_ranges(true)
        .build();
    parser.parse(text).map_err(|error| error.to_string())
}

fn next(cron: &croner::Cron, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let second = time.trunc_subsecs(0);
    cron.find_next_occurrence(&second, false).ok()
}

fn latest(cron: &croner::Cron, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let second = time.trunc_subsecs(0);
    cron.find_previous_occurrence(&second, true).ok()
}

/// The due times of a schedule around `time`: the last one that is not after it, and the first one that is.
///
/// # Errors
///
/// Why it cannot be read.
#[cfg(feature = "fuzzing")]
pub(crate) fn due_times(
    text: &str,
    time: DateTime<Utc>,
) -> Result<[Option<DateTime<Utc>>; 2], String> {
    let cron = read(text)?;
    Ok([latest(&cron, time), next(&cron, time)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn due_times_are_exact() {
        let nightly = Cron::read("0 0 2 * * *").unwrap();
        let two = time("2026-03-01T02:00:00Z");
        let next_day = time("2026-03-02T02:00:00Z");
        assert_eq!(nightly.next(time("2026-03-01T01:59:59.9Z")), Some(two));
        assert_eq!(nightly.next(two), Some(next_day));
        assert_eq!(nightly.next(time("2026-03-01T02:00:00.5Z")), Some(next_day));
        assert_eq!(nightly.latest(two), Some(two));
        assert_eq!(nightly.latest(time("2026-03-01T02:00:00.5Z")), Some(two));
        assert_eq!(nightly.latest(time("2026-03-02T01:59:59.9Z")), Some(two));
    }

    #[test]
    fn every_second_has_one() {
        let cron = Cron::read("* * * * * *").unwrap();
        let half_past = time("2026-03-01T02:00:00.5Z");
        assert_eq!(cron.next(half_past), Some(time("2026-03-01T02:00:01Z")));
        assert_eq!(cron.latest(half_past), Some(time("2026-03-01T02:00:00Z")));
    }

    #[test]
    fn a_day_matches_both_of_its_fields() {
        let cron = Cron::read("0 0 0 1 * MON").unwrap();
        assert_eq!(
            cron.next(time("2026-03-01T00:00:00Z")),
            Some(time("2026-06-01T00:00:00Z"))
        );
    }

    #[test]
    fn leap_days_are_found_and_impossible_ones_are_not() {
        let leap = Cron::read("0 0 0 29 FEB *").unwrap();
        let found = leap.next(time("2096-03-01T00:00:00Z"));
        assert_eq!(found, Some(time("2104-02-29T00:00:00Z")));
        let never = Cron::read("0 0 0 31 FEB *").unwrap();
        assert_eq!(never.next(time("2026-03-01T00:00:00Z")), None);
    }
}
