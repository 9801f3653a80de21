//! The schedule of a timer: six fields, checked here so that a mistake does not compile. (The crate that
//! reads schedules at run time would more than double the time that these macros take to be built.) What
//! passes here is read there.

/// A field of a schedule.
struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    /// Names that stand for numbers, from `first_name` on.
    names: &'static [&'static str],
    first_name: u32,
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const FIELDS: [Field; 6] = [
    Field::numbers("second", 0, 59),
    Field::numbers("minute", 0, 59),
    Field::numbers("hour", 0, 23),
    Field::numbers("day of the month", 1, 31),
    Field {
        names: &MONTHS,
        first_name: 1,
        ..Field::numbers("month", 1, 12)
    },
    Field {
        names: &DAYS,
        ..Field::numbers("day of the week", 0, 7)
    },
];

const ORDER: &str = "second, minute, hour, day of the month, month, day of the week";

/// Whether a schedule can be read.
pub(super) fn check(schedule: &str) -> Result<(), String> {
    let fields: Vec<_> = schedule.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        let hint = if fields.len() == 5 {
            "; the first one is the second: write `0` before the others"
        } else {
            ""
        };
        return Err(format!(
            "a schedule has six fields ({ORDER}), and this one has {}{hint}",
            fields.len()
        ));
    }
    let mut values = Vec::new();
    for (field, text) in FIELDS.iter().zip(fields) {
        values.push(field.values(text)?);
    }
    let last_day = values[4].iter().map(|month| days_of(*month)).max();
    if values[3].iter().min() > last_day.as_ref() {
        return Err("this day never comes: no month of the schedule has it".to_owned());
    }
    Ok(())
}

fn days_of(month: u32) -> u32 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Field {
    const fn numbers(name: &'static str, min: u32, max: u32) -> Self {
        Self {
            name,
            min,
            max,
            names: &[],
            first_name: 0,
        }
    }

    /// The values that the field has.
    fn values(&self, text: &str) -> Result<Vec<u32>, String> {
        let mut values = Vec::new();
        for part in text.split(',') {
            // The reader of the runtime takes it for a number.
            if part == "*" && text != "*" {
                return Err(format!(
                    "the {} `{text}` has a `*` in a list: write `*` alone",
                    self.name
                ));
            }
            let (range, step) = match part.split_once('/') {
                None => (part, None),
                Some((range, step)) => (range, Some(self.step(part, step)?)),
            };
            let (first, last) = match range.split_once('-') {
                _ if range == "*" => (self.min, self.max),
                Some((first, last)) => (self.value(first)?, self.last(last)?),
                // `5/10` goes on to the end.
                None if step.is_some() => (self.value(range)?, self.max),
                None => (self.value(range)?, self.value(range)?),
            };
            if first > last {
                return Err(format!(
                    "the {} `{range}` goes backwards: write two ranges, as in `5-{},{}-3`",
                    self.name, self.max, self.min
                ));
            }
            values.extend((first..=last).step_by(step.unwrap_or(1)));
        }
        Ok(values)
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let name = self
            .names
            .iter()
            .zip(self.first_name..)
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        if let Some((_, number)) = name {
            return Ok(number);
        }
        // `parse` takes a sign.
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_number);
        number
            .filter(|number| (self.min..=self.max).contains(number))
            .ok_or_else(|| self.refuse(text))
    }

    /// The end of a range, where Sunday comes after Saturday.
    fn last(&self, text: &str) -> Result<u32, String> {
        let is_sunday = self.max == 7 && text.eq_ignore_ascii_case("SUN");
        if is_sunday { Ok(7) } else { self.value(text) }
    }

    fn step(&self, part: &str, text: &str) -> Result<usize, String> {
        let step = text.parse().ok().filter(|_| !text.starts_with('+'));
        let largest = usize::try_from(self.max - self.min)
            .unwrap_or(usize::MAX)
            .max(1);
        step.filter(|step| (1..=largest).contains(step))
            .ok_or_else(|| {
                format!(
                    "the step of the {} in `{part}` is a number from 1 to {largest}",
                    self.name
                )
            })
    }

    fn refuse(&self, text: &str) -> String {
        let Self { name, min, max, .. } = self;
        let names = match (self.names.first(), self.names.last()) {
            (Some(first), Some(last)) => format!(", or `{first}` to `{last}`"),
            _ => String::new(),
        };
        format!(
            "`{text}` is no {name}: it is a number from {min} to {max}{names}, a range `1-5`, a list \
             `1,3`, or a step `*/5`"
        )
    }
}

#[cfg(test)]
mod tests {
    use croner::parser::{CronParser, Seconds, Year};

    use super::*;

    fn is_read_at_run_time(schedule: &str) -> bool {
        CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Disallowed)
            .dom_and_dow(true)
            .sloppy_ranges(true)
            .build()
            .parse(schedule)
            .is_ok()
    }

    #[test]
    fn what_passes_is_read_at_run_time() {
        let parts = [
            "*", "*/5", "3", "1-5", "1-5/2", "2,4", "1/2", "6", "0", "7", "31", "JAN-mar", "MON",
            "fri-SUN", "sun", "MON,WED", "12", "*/31", "*/7", "*/59", "01",
        ];
        for field in 0..6 {
            for part in parts {
                let mut schedule = ["*"; 6];
                schedule[field] = part;
                let schedule = schedule.join(" ");
                if check(&schedule).is_ok() {
                    assert!(is_read_at_run_time(&schedule), "{schedule}");
                }
            }
        }
    }

    #[test]
    fn usual_schedules_pass() {
        for schedule in [
            "* * * * * *",
            "0 */5 * * * *",
            "0 0 2 * * *",
            "0 30 9-17 * * MON-FRI",
            "0 0 0 1 JAN,JUL *",
            "  0 0 0 29 2 *  ",
            "15/20 * * * * 5-7",
        ] {
            assert_eq!(check(schedule), Ok(()), "{schedule}");
            assert!(is_read_at_run_time(schedule), "{schedule}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (schedule, part) in [
            ("", "has 0"),
            ("0 2 * * *", "write `0` before"),
            ("60 * * * * *", "`60` is no second"),
            ("0 0 24 * * *", "`24` is no hour"),
            ("0 0 0 0 * *", "no day of the month"),
            ("0 0 0 * 13 *", "or `JAN` to `DEC`"),
            ("0 0 0 * * 8", "or `SUN` to `SAT`"),
            ("0 0 0 * * MONDAY", "`MONDAY`"),
            ("*/0 * * * * *", "from 1 to 59"),
            ("+5 * * * * *", "`+5`"),
            ("5-1 * * * * *", "backwards"),
            ("1,,2 * * * * *", "`` is no second"),
            ("0 0 0 31 2,4 *", "never comes"),
        ] {
            let message = check(schedule).unwrap_err();
            assert!(message.contains(part), "{schedule:?}: {message}");
        }
    }
}
