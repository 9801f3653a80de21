//! The workloads. Each brings its host to where measuring makes sense, runs, and checks the results.

mod entity_calls;
mod events;
mod fan_out;
mod http;
mod latency;
mod long;
mod overload;
mod parked;
mod parked_many;
mod recovery;
mod sequence;
mod signals;
mod start;
mod sub_orchestrations;
mod timers;
mod transfers;

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use durable_runtime::{Error, Result};
pub(crate) use recovery::{HOLD, hold};
use tokio::task::JoinSet;

use crate::report::Report;
use crate::site::Site;

/// Something to be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    Sequence,
    Latency,
    FanOut,
    Long,
    Events,
    Parked,
    Evicted,
    ParkedMany,
    Recovery,
    Timers,
    Start,
    SubOrchestrations,
    Signals,
    SignalsToMany,
    EntityCalls,
    Transfers,
    HttpStatus,
    HttpStart,
    Overload,
    HttpOverload,
}

impl Workload {
    pub(crate) const ALL: [Self; 20] = [
        Self::Sequence,
        Self::Latency,
        Self::FanOut,
        Self::Long,
        Self::Events,
        Self::Parked,
        Self::Evicted,
        Self::ParkedMany,
        Self::Recovery,
        Self::Timers,
        Self::Start,
        Self::SubOrchestrations,
        Self::Signals,
        Self::SignalsToMany,
        Self::EntityCalls,
        Self::Transfers,
        Self::HttpStatus,
        Self::HttpStart,
        Self::Overload,
        Self::HttpOverload,
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|workload| workload.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Latency => "latency",
            Self::FanOut => "fan-out",
            Self::Long => "long",
            Self::Events => "events",
            Self::Parked => "parked",
            Self::Evicted => "evicted",
            Self::ParkedMany => "parked-many",
            Self::Recovery => "recovery",
            Self::Timers => "timers",
            Self::Start => "start",
            Self::SubOrchestrations => "sub-orchestrations",
            Self::Signals => "signals",
            Self::SignalsToMany => "signals-to-many",
            Self::EntityCalls => "entity-calls",
            Self::Transfers => "transfers",
            Self::HttpStatus => "http-status",
            Self::HttpStart => "http-start",
            Self::Overload => "overload",
            Self::HttpOverload => "http-overload",
        }
    }

    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Sequence => "10,000 orchestrations of 5 activities, 200 in flight",
            Self::Latency => "orchestrations of 5 activities, one at a time",
            Self::FanOut => "one orchestration with 10,000, then 20,000 activities at once",
            Self::Long => "one orchestration with 1,000, then 10,000 activities in a row",
            Self::Events => "10,000 orchestrations that wait get their events",
            Self::Parked => "the memory of 10,000 orchestrations that wait",
            Self::Evicted => "the same on a host that keeps only 100 of them in memory",
            Self::ParkedMany => {
                "1,000,000 orchestrations that wait: file, memory, and lists of them"
            }
            Self::Recovery => "100,000 orchestrations go on after their process was killed",
            Self::Timers => "100,000 orchestrations have timers that are due at one time",
            Self::Start => "starts of trivial orchestrations by 200 clients",
            Self::SubOrchestrations => "one orchestration with 1,000 children",
            Self::Signals => "100,000 signals of one client to one entity",
            Self::SignalsToMany => "the same to 1,000 entities",
            Self::EntityCalls => "one orchestration that calls an entity 1,000 times in a row",
            Self::Transfers => "1,000 transfers, each under the locks of two of 100 entities",
            Self::HttpStatus => "100,000 reads of statuses over 50 connections of HTTP",
            Self::HttpStart => {
                "30,000 starts of trivial orchestrations over 50 connections of HTTP"
            }
            Self::Overload => "1,000 clients start more than can be done, for --seconds",
            Self::HttpOverload => "the same over 200 connections of HTTP",
        }
    }

    /// Measures; an overload lasts for the time given.
    pub(crate) async fn run(self, site: &Site, overload: Duration) -> Result<Report> {
        let report = Report::new(self.name());
        match self {
            Self::Sequence => sequence::run(site, report).await,
            Self::Latency => latency::run(site, report).await,
            Self::FanOut => fan_out::run(site, report).await,
            Self::Long => long::run(site, report).await,
            Self::Events => events::run(site, report).await,
            Self::Parked => parked::run(site, report).await,
            Self::Evicted => parked::run_evicted(site, report).await,
            Self::ParkedMany => parked_many::run(site, report).await,
            Self::Recovery => recovery::run(site, report).await,
            Self::Timers => timers::run(site, report).await,
            Self::Start => start::run(site, report).await,
            Self::SubOrchestrations => sub_orchestrations::run(site, report).await,
            Self::Signals => signals::run(site, report).await,
            Self::SignalsToMany => signals::run_many(site, report).await,
            Self::EntityCalls => entity_calls::run(site, report).await,
            Self::Transfers => transfers::run(site, report).await,
            Self::HttpStatus => http::run_status(site, report).await,
            Self::HttpStart => http::run_start(site, report).await,
            Self::Overload => overload::run(site, report, overload).await,
            Self::HttpOverload => overload::run_http(site, report, overload).await,
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Does `work` for each number below `count`, `clients` of them at a time; the results come in no
/// order.
async fn in_flight<T, F>(
    clients: u32,
    count: u32,
    work: impl Fn(u32) -> F + Clone + Send + 'static,
) -> Result<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send,
{
    let next = Arc::new(AtomicU32::new(0));
    let mut running = JoinSet::new();
    for _ in 0..clients {
        let (next, work) = (Arc::clone(&next), work.clone());
        running.spawn(async move {
            let mut results = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok::<_, Error>(results);
                }
                results.push(work(number).await?);
            }
        });
    }
    let mut all = Vec::new();
    while let Some(joined) = running.join_next().await {
        all.append(&mut joined??);
    }
    Ok(all)
}

/// An error if what came out is not what should have.
fn check<T: PartialEq + Debug>(what: &str, actual: &T, expected: &T) -> Result<()> {
    if actual == expected {
        return Ok(());
    }
    Err(Error::msg(format!(
        "{what} gave {actual:?} instead of {expected:?}"
    )))
}
