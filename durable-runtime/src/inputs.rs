//! What reads text from outside and cannot be reached on its own through the public face.

use chrono::{DateTime, Utc};

use crate::host::HostOptions;

/// What the text of a `host.json` makes of the default options, and the name of the hub.
///
/// # Errors
///
/// What is wrong with the text.
pub fn host_json(text: &str) -> Result<(HostOptions, Option<String>), String> {
    crate::host::options_of(text)
}

/// The last due time of a schedule that is not after `time`, and the first one that is.
///
/// # Errors
///
/// Why the schedule cannot be read.
pub fn due_times(cron: &str, time: DateTime<Utc>) -> Result<[Option<DateTime<Utc>>; 2], String> {
    crate::host::due_times(cron, time)
}
