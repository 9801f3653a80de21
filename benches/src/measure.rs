//! What is measured: times, and what this process uses of processors, memory and disks.

use std::ops::AddAssign;
use std::str::FromStr;
use std::time::{Duration, Instant};

use durable_runtime::host::{DurableHost, HostStatistics};
use durable_runtime::{Error, Result};

/// Durations of which a share is asked for.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    sorted: Vec<Duration>,
}

impl Durations {
    pub(crate) fn new(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self { sorted: durations }
    }

    /// The duration that `percent` of all do not exceed; zero if there is none.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.sorted.len() * percent).div_ceil(100);
        let found = self.sorted.get(rank.saturating_sub(1));
        found.copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }

    /// The sum of all, divided by how many there are; zero if there is none. As a rate, it is what a loop of
    /// them reaches.
    pub(crate) fn mean(&self) -> Duration {
        let sum: Duration = self.sorted.iter().sum();
        sum.checked_div(u32::try_from(self.sorted.len()).unwrap_or(u32::MAX))
            .unwrap_or_default()
    }
}

/// The counters of this process and its host at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage<'a> {
    host: &'a DurableHost,
    at: Instant,
    processor: Duration,
    written: u64,
    durable: HostStatistics,
}

/// What was used between two moments, or several times.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    pub(crate) time: Duration,
    pub(crate) processor: Duration,
    /// Bytes that went, or will go, to a disk.
    pub(crate) written: u64,
    commits: u64,
    written_instances: u64,
    /// Bytes of memory, at the end.
    pub(crate) resident: u64,
}

impl<'a> Usage<'a> {
    pub(crate) fn of(host: &'a DurableHost) -> Result<Self> {
        Ok(Self {
            host,
            at: Instant::now(),
            processor: processor_time()?,
            written: bytes_written()?,
            durable: host.statistics(),
        })
    }

    pub(crate) fn since(self) -> Result<Used> {
        let now = Self::of(self.host)?;
        let (durable, before) = (now.durable, self.durable);
        Ok(Used {
            time: now.at - self.at,
            processor: now.processor.saturating_sub(self.processor),
            written: now.written - self.written,
            commits: durable.commits - before.commits,
            written_instances: durable.written_instances - before.written_instances,
            resident: resident_memory()?,
        })
    }
}

impl AddAssign for Used {
    fn add_assign(&mut self, more: Self) {
        self.time += more.time;
        self.processor += more.processor;
        self.written += more.written;
        self.commits += more.commits;
        self.written_instances += more.written_instances;
        self.resident = more.resident;
    }
}

impl Used {
    /// Processor time for each of `steps`, in microseconds.
    pub(crate) fn processor_micros_per(&self, steps: u32) -> f64 {
        self.processor.as_secs_f64() * 1e6 / f64::from(steps)
    }

    /// Bytes written for each of `steps`.
    pub(crate) fn bytes_per(&self, steps: u32) -> f64 {
        as_f64(self.written) / f64::from(steps)
    }

    /// How many transactions there were.
    pub(crate) fn commits(&self) -> f64 {
        as_f64(self.commits)
    }

    /// How many instances and entities a transaction wrote, on average.
    pub(crate) fn group_size(&self) -> f64 {
        as_f64(self.written_instances) / as_f64(self.commits.max(1))
    }
}

/// The memory of this process that is resident, in bytes.
pub(crate) fn resident_memory() -> Result<u64> {
    const PAGE: u64 = 4096;
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = field(&text, 1, "statm")?;
    Ok(pages * PAGE)
}

/// Bytes as mebibytes.
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    as_f64(bytes) / f64::from(1 << 20)
}

/// The processor time of all threads, in user and in kernel mode.
fn processor_time() -> Result<Duration> {
    // The kernel counts for programs in hundredths of a second, whatever it does itself.
    const TICK: Duration = Duration::from_millis(10);
    let text = std::fs::read_to_string("/proc/self/stat")?;
    // The second field is the program's name in parentheses, which may hold anything.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let user: u32 = field(rest, 11, "stat")?;
    let system: u32 = field(rest, 12, "stat")?;
    Ok(TICK * (user + system))
}

fn bytes_written() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/io")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes:"));
    field(line.unwrap_or_default(), 0, "io")
}

fn field<T: FromStr>(text: &str, number: usize, file: &str) -> Result<T> {
    let field = text.split_ascii_whitespace().nth(number);
    field
        .and_then(|field| field.parse().ok())
        .ok_or_else(|| Error::msg(format!("/proc/self/{file} does not read as expected")))
}

#[expect(clippy::cast_precision_loss, reason = "measured to a few digits")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
