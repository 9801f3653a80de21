//! JSON that a user gives: in place, in a file, or through stdin.

use std::io::Read;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::exit::{CliError, Code};

/// How much of a text that is not JSON is shown.
const SHOWN: usize = 60;

/// Reads what the option `option` gives: JSON, `@file` for the JSON in a file, or `-` for that of
/// stdin. Without it, `null`.
pub(crate) fn read(option: &str, given: Option<&str>) -> Result<Box<RawValue>, CliError> {
    let Some(given) = given else {
        return Ok(RawValue::NULL.to_owned());
    };
    if given == "-" {
        let mut text = String::new();
        let mut stdin = std::io::stdin().lock();
        stdin.read_to_string(&mut text).map_err(|error| {
            CliError::usage(format!("{option} cannot be read from stdin: {error}"))
        })?;
        return parse(&format!("{option} (from stdin)"), &text);
    }
    if let Some(path) = given.strip_prefix('@') {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let code = match error.kind() {
                std::io::ErrorKind::NotFound => Code::NotFound,
                _ => Code::Usage,
            };
            CliError::new(
                code,
                format!("{option}: the file {path:?} cannot be read: {error}"),
            )
        })?;
        return parse(&format!("{option} (from {path})"), &text);
    }
    parse(option, given).map_err(|error| {
        error.hint(format!(
            "a text needs quotes of its own, which the shell must not take: {option} '\"Tokyo\"'; \
             or give {option} @file.json, or {option} - for stdin"
        ))
    })
}

/// The text as it is, when it is JSON that everybody who reads it later can read.
fn parse(what: &str, text: &str) -> Result<Box<RawValue>, CliError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    serde_json::from_str::<Value>(text)
        .and_then(|_| RawValue::from_string(text.to_owned()))
        .map_err(|error| {
            let place = excerpt(text, error.line(), error.column());
            CliError::usage(format!("{what} is not JSON: {error}{place}"))
        })
}

/// The line of the mistake, with a mark below it.
fn excerpt(text: &str, line: usize, column: usize) -> String {
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    if line.is_empty() {
        return String::new();
    }
    // Columns count bytes, from 1.
    let before = line
        .char_indices()
        .take_while(|(at, _)| at + 1 < column)
        .count();
    let skipped = before.saturating_sub(SHOWN / 2);
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let shown: String = line
        .chars()
        .skip(skipped)
        .take(SHOWN)
        .map(visible)
        .collect();
    format!("\n  {shown}\n  {}^", " ".repeat(before - skipped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_kept_as_it_was_given() {
        for text in ["{\"a\": 1.50}", "\"\"", "12345678901234567890123", "-5"] {
            assert_eq!(read("--input", Some(text)).unwrap().get(), text);
        }
        assert_eq!(read("--input", None).unwrap().get(), "null");
    }

    #[test]
    fn the_place_of_a_mistake_is_marked() {
        let error = read("--input", Some("{\"city\": Tokyo}")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("line 1 column 10"), "{text}");
        assert!(
            text.ends_with("  {\"city\": Tokyo}\n           ^"),
            "{text}"
        );
        for text in ["", "ä", "{\"ä\":", "[1,\n2,,3]", "\u{1b}[31m", "1e999"] {
            assert!(read("--input", Some(text)).is_err(), "{text:?}");
        }
        let long = format!("[{}x]", "1,".repeat(500));
        assert!(read("--input", Some(&long)).unwrap_err().to_string().len() < 300);
    }
}
