//! Colours, and text that is safe to show.

use durable_runtime::client::RuntimeStatus;

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Busy,
    Held,
}

impl Style {
    /// The style of a status, or of a word that is none.
    pub(crate) fn of_status(name: &str) -> Self {
        match name.parse() {
            Ok(RuntimeStatus::Completed) => Self::Good,
            Ok(RuntimeStatus::Failed) => Self::Bad,
            Ok(RuntimeStatus::Running | RuntimeStatus::Pending) => Self::Busy,
            Ok(RuntimeStatus::Suspended | RuntimeStatus::Terminated) => Self::Held,
            _ => Self::Plain,
        }
    }

    pub(super) fn apply(self, text: &str) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Bad => "31",
            Self::Busy => "36",
            Self::Held => "33",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Whether the user's settings allow colours.
pub(super) fn wanted() -> bool {
    let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    !forbidden && !is_dumb
}

/// The text on one line and without control characters: what others have stored must not steer the
/// terminal of whoever looks at it.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// The same with its lines.
pub(super) fn plain_lines(text: &str) -> String {
    let visible = |c: char| if c == '\n' { c } else { visible(c) };
    text.chars().map(visible).collect()
}

fn visible(c: char) -> char {
    // Besides control characters, those that turn the direction of writing around.
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match c {
        '\n' | '\t' | '\r' => ' ',
        c if c.is_control() || turns => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        let text = "a\u{1b}[31mb\u{9b}2Jc\u{7f}\r\nd\u{202e}e";
        assert!(!plain(text).contains(|c: char| c.is_control() || c == '\u{202e}'));
        assert_eq!(plain("Grüße, 東京"), "Grüße, 東京");
        assert_eq!(plain_lines("a\n\u{1b}b"), "a\n\u{fffd}b");
    }
}
