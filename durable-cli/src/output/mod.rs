//! What the command prints: results to stdout, notes and progress to stderr.

mod style;
mod table;

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::Serialize;

pub(crate) use style::{Style, plain};
pub(crate) use table::Table;

use crate::exit::CliError;

/// How wide a terminal is taken to be that does not say.
const USUAL_WIDTH: usize = 80;

/// In which form results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables and lines for people.
    Table,
    /// JSON for programs.
    Json,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colours {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    Always,
    Never,
}

/// Where results go.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
    out: BufWriter<Stdout>,
    colours: bool,
    /// `None` when it is no terminal.
    width: Option<usize>,
    height: usize,
}

impl Output {
    pub(crate) fn new(format: Format, colours: Colours) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let size = terminal_size::terminal_size();
        let width = size.map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0));
        Self {
            format,
            colours: match colours {
                Colours::Always => true,
                Colours::Never => false,
                Colours::Auto => is_terminal && style::wanted(),
            },
            width: is_terminal.then_some(width.max(20)),
            height: size.map_or(24, |(_, height)| usize::from(height.0)),
            out: BufWriter::new(stdout),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.width.is_some()
    }

    /// How many characters fit on a line; `None` for as many as there are.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// How many lines fit on the terminal.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// `text` in a style, where colours are used. The text is to be printed as it is.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if self.colours {
            style.apply(text)
        } else {
            text.to_owned()
        }
    }

    /// Prints a line, as it is.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), CliError> {
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.write_all(b"\n")?)
    }

    /// Prints a value as JSON on several lines.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), CliError> {
        serde_json::to_writer_pretty(&mut self.out, value)?;
        Ok(self.out.write_all(b"\n")?)
    }

    /// Prints a value as JSON on one line, without ending it.
    pub(crate) fn json_inline(&mut self, value: &impl Serialize) -> Result<(), CliError> {
        Ok(serde_json::to_writer(&mut self.out, value)?)
    }

    /// Prints a piece of text, without ending the line.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), CliError> {
        Ok(self.out.write_all(text.as_bytes())?)
    }

    /// Hands what was printed to whoever reads it.
    pub(crate) fn flush(&mut self) -> Result<(), CliError> {
        Ok(self.out.flush()?)
    }
}

/// Tells people something that is no result, on stderr. That nobody can read it is no mistake.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "note: {}", plain(text));
}

/// Tells people what went wrong.
pub(crate) fn complain(message: &str, hint: Option<&str>) {
    let mut stderr = io::stderr();
    let _ = writeln!(stderr, "error: {}", style::plain_lines(message));
    if let Some(hint) = hint {
        let _ = writeln!(stderr, "hint: {}", plain(hint));
    }
}

/// A number of things, in words.
pub(crate) fn count(number: u64, thing: &str) -> String {
    if number == 1 {
        format!("1 {thing}")
    } else {
        format!("{number} {thing}s")
    }
}

/// A line on the terminal that says how far something is, and replaces itself.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
    last: Option<Instant>,
}

impl Progress {
    /// How often the line changes, at most.
    const OFTEN: Duration = Duration::from_millis(100);

    pub(crate) fn new() -> Self {
        Self {
            shown: io::stderr().is_terminal(),
            last: None,
        }
    }

    pub(crate) fn tell(&mut self, text: impl FnOnce() -> String) {
        if self.shown && self.last.is_none_or(|last| last.elapsed() >= Self::OFTEN) {
            self.last = Some(Instant::now());
            let _ = write!(io::stderr(), "\r\u{1b}[K{}", text());
        }
    }
}

/// Takes the line away.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.last.is_some() {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

/// Asks for consent to what cannot be undone.
pub(crate) fn confirm(consent: bool, question: &str) -> Result<(), CliError> {
    if consent {
        return Ok(());
    }
    let mut stderr = io::stderr();
    if !io::stdin().is_terminal() || !stderr.is_terminal() {
        return Err(CliError::usage(format!("{question} That cannot be undone"))
            .hint("add --yes to confirm, as nobody can be asked without a terminal"));
    }
    let _ = write!(
        stderr,
        "{} That cannot be undone. Continue? [y/N] ",
        plain(question)
    );
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    let answer = answer.trim();
    if read.is_ok()
        && ["y", "yes"]
            .iter()
            .any(|yes| answer.eq_ignore_ascii_case(yes))
    {
        return Ok(());
    }
    Err(CliError::usage("not confirmed: nothing was done"))
}
