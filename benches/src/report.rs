//! What a workload has found.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::measure::{Durations, Used, mebibytes};

/// The figures of one workload, printed as one line.
#[derive(Debug)]
pub(crate) struct Report {
    workload: &'static str,
    /// How many times the usual load.
    times: u32,
    figures: Vec<Figure>,
}

/// A number that was measured.
#[derive(Debug)]
pub(crate) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    floor: Option<Floor>,
}

/// What a figure is to reach.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Floor {
    AtLeast(f64),
    AtMost(f64),
}

impl Report {
    pub(crate) fn new(workload: &'static str) -> Self {
        Self {
            workload,
            times: 1,
            figures: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, figure: Figure) -> Self {
        self.figures.push(figure);
        self
    }

    /// Adds half and 99 of 100 of the times that single operations took.
    pub(crate) fn with_times(self, took: Vec<Duration>) -> Self {
        let took = Durations::new(took);
        self.with(Figure::time("p50", took.median()))
            .with(Figure::time("p99", took.percentile(99)))
    }

    /// Says how many times the usual load this was.
    pub(crate) fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Adds what `used` comes to for each of `count` steps, called `step`.
    pub(crate) fn with_cost(self, used: &Used, count: u32, step: &str) -> Self {
        let processor = used.processor_micros_per(count);
        let name = format!("processor time per {step}");
        let report = self.with(Figure::new(name, processor, "µs"));
        let name = format!("written per {step}");
        let report = report.with(Figure::new(name, used.bytes_per(count), "bytes"));
        let report = report.with(Figure::new("commits", used.commits(), ""));
        let report = report.with(Figure::new("instances per commit", used.group_size(), ""));
        report.with(Figure::new("resident", mebibytes(used.resident), "MB"))
    }

    pub(crate) fn to_json(&self) -> Value {
        let figures: Vec<Value> = self.figures.iter().map(Figure::to_json).collect();
        json!({ "workload": self.workload, "times": self.times, "figures": figures })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.workload)?;
        if self.times > 1 {
            write!(f, " × {}", self.times)?;
        }
        f.write_str(": ")?;
        for (number, figure) in self.figures.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{figure}")?;
        }
        Ok(())
    }
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            floor: None,
        }
    }

    /// How many of something were done in a second.
    pub(crate) fn rate(
        name: impl Into<String>,
        count: u32,
        time: Duration,
        unit: &'static str,
    ) -> Self {
        Self::new(name, f64::from(count) / time.as_secs_f64(), unit)
    }

    /// A duration, in milliseconds.
    pub(crate) fn time(name: impl Into<String>, time: Duration) -> Self {
        Self::new(name, time.as_secs_f64() * 1e3, "ms")
    }

    pub(crate) fn floor(mut self, floor: Floor) -> Self {
        self.floor = Some(floor);
        self
    }

    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "floor": self.floor.map(Floor::value),
            "met": self.floor.map(|floor| floor.is_met_by(self.value)),
        })
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, Rounded(self.value))?;
        if !self.unit.is_empty() {
            write!(f, " {}", self.unit)?;
        }
        if let Some(floor) = self.floor {
            let sign = match floor {
                Floor::AtLeast(_) => "≥",
                Floor::AtMost(_) => "≤",
            };
            let result = if floor.is_met_by(self.value) {
                "met"
            } else {
                "MISSED"
            };
            write!(f, " ({sign} {}: {result})", Rounded(floor.value()))?;
        }
        Ok(())
    }
}

impl Floor {
    fn value(self) -> f64 {
        match self {
            Self::AtLeast(value) | Self::AtMost(value) => value,
        }
    }

    fn is_met_by(self, measured: f64) -> bool {
        match self {
            Self::AtLeast(value) => measured >= value,
            Self::AtMost(value) => measured <= value,
        }
    }
}

/// A number with as many digits as tell something.
struct Rounded(f64);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.0.abs() {
            value if value >= 100.0 => 0,
            value if value >= 10.0 => 1,
            _ => 2,
        };
        write!(f, "{:.digits$}", self.0)
    }
}
