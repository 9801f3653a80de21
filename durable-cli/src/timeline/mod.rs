//! A history as a timeline: a line for each call, in the order in which they were made.

pub(crate) mod recorded;
pub(crate) mod reported;

use chrono::{DateTime, Utc};

use crate::time;

/// What happened, in order.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    lines: Vec<Line>,
    began: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
}

/// One call, or something that happened.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Line {
    /// When it began, counted from the start.
    pub(crate) at: String,
    /// What it is.
    pub(crate) what: String,
    /// How long it took; nothing if it took no time, or goes on.
    pub(crate) took: String,
    /// What came of it, in a word or with the failure.
    pub(crate) outcome: String,
    pub(crate) mark: Mark,
    /// What it was given, as JSON.
    pub(crate) input: Option<String>,
    /// What it returned, as JSON.
    pub(crate) result: Option<String>,
    /// The sub-orchestration.
    pub(crate) child: Option<String>,
    since: Option<DateTime<Utc>>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    #[default]
    Plain,
    Good,
    Bad,
    /// Not over yet.
    Open,
}

impl Timeline {
    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// From the first event to the last one.
    pub(crate) fn duration(&self) -> String {
        match (self.began, self.last) {
            (Some(began), Some(last)) => time::span(began, last),
            _ => String::new(),
        }
    }

    /// Takes note of the time of an event.
    fn tick(&mut self, at: DateTime<Utc>) {
        self.began = Some(self.began.map_or(at, |began| began.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
    }

    /// Adds a line; gives its place.
    fn add(&mut self, at: DateTime<Utc>, line: Line) -> usize {
        self.tick(at);
        let began = self.began.unwrap_or(at);
        self.lines.push(Line {
            at: format!("+{}", time::span(began, at)),
            since: Some(at),
            ..line
        });
        self.lines.len() - 1
    }

    /// The code has returned: nobody waits any more for what is open.
    fn close(&mut self) {
        for line in &mut self.lines {
            if line.mark == Mark::Open {
                line.outcome = String::from("not awaited");
                line.mark = Mark::Plain;
            }
        }
    }

    /// Ends the line at a place.
    fn end(&mut self, place: usize, at: DateTime<Utc>, mark: Mark, outcome: impl Into<String>) {
        self.tick(at);
        if let Some(line) = self.lines.get_mut(place) {
            line.took = line
                .since
                .map_or(String::new(), |since| time::span(since, at));
            line.outcome = outcome.into();
            line.mark = mark;
        }
    }
}

impl Line {
    fn of(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            ..Self::default()
        }
    }

    /// What may take some time.
    fn open(what: impl Into<String>) -> Self {
        Self {
            outcome: "open".to_owned(),
            mark: Mark::Open,
            ..Self::of(what)
        }
    }

    fn given(mut self, input: impl Into<String>) -> Self {
        let input = input.into();
        self.input = (input != "null").then_some(input);
        self
    }

    fn with(mut self, mark: Mark, outcome: impl Into<String>) -> Self {
        self.outcome = outcome.into();
        self.mark = mark;
        self
    }
}
