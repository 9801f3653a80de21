//! Starting orchestrations.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use durable_runtime::client::OnExisting;

use super::{HostArgument, Report, Session, Subject};
use crate::exit::CliError;
use crate::filter::tag;
use crate::hub::Start;
use crate::{payload, time};

/// Start an orchestration
///
/// Prints the id of the new instance. Whether the orchestrator exists is known to the host: without
/// one, a start of an unknown one is accepted, and fails when a host takes it up.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable start-new --function-name hello_cities
  durable start-new hello_cities --id order-42 --input '{\"city\": \"Tokyo\"}' --tags region=eu
  durable start-new hello_cities --input @input.json --wait 30s
  echo '\"Tokyo\"' | durable start-new hello_cities --input -")]
pub(crate) struct StartNew {
    /// Name of the orchestrator
    #[arg(value_name = "NAME", required_unless_present = "function_name")]
    orchestrator: Option<String>,
    /// Name of the orchestrator
    #[arg(
        long,
        visible_alias = "name",
        value_name = "NAME",
        conflicts_with = "orchestrator"
    )]
    function_name: Option<String>,
    /// What it is given: JSON, @FILE for the JSON in a file, or - for that of stdin
    #[arg(long, short = 'i', value_name = "JSON", allow_hyphen_values = true)]
    input: Option<String>,
    /// Id of the new instance [default: a random one]
    #[arg(long, allow_hyphen_values = true)]
    id: Option<String>,
    /// Version of the orchestrator [default: that of the host, else the highest]
    #[arg(long)]
    version: Option<String>,
    /// Labels for the instance, for queries
    #[arg(long, visible_alias = "tag", value_name = "KEY=VALUE", num_args = 1.., value_parser = tag)]
    tags: Vec<(String, String)>,
    /// When to run it: 2030-01-31T12:00:00Z, or 2h (from now) [default: at once]
    #[arg(long, value_name = "TIME", value_parser = time::future)]
    start_at: Option<DateTime<Utc>>,
    /// What to do if an instance of the id exists [default: replace one that has ended]
    #[arg(long, value_enum, value_name = "WHAT")]
    on_existing: Option<Existing>,
    /// Wait until it has ended, for so long; without a duration, for a minute
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        default_missing_value = "60s",
        value_parser = time::interval,
    )]
    wait: Option<Duration>,
    #[command(flatten)]
    host: HostArgument,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Existing {
    /// Refuse, even if it has ended.
    Error,
    /// Replace it, even if it runs.
    Restart,
    /// Leave it as it is.
    Ignore,
}

impl StartNew {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), CliError> {
        let input = payload::read("--input", self.input.as_deref())?;
        session.check_host(&self.host).await?;
        let name = self.function_name.or(self.orchestrator);
        let start = Start {
            name: name.unwrap_or_default(),
            input,
            id: self.id,
            version: self.version,
            at: self.start_at,
            tags: self.tags.into_iter().collect(),
            on_existing: self.on_existing.map(|existing| match existing {
                Existing::Error => OnExisting::Error,
                Existing::Restart => OnExisting::Restart,
                Existing::Ignore => OnExisting::Ignore,
            }),
        };
        let id = session.hub.start(start).await?;
        let Some(limit) = self.wait else {
            let report = Report {
                action: "start",
                done: "started",
                subject: Subject::Instance(&id),
            };
            return session.report(report).await.map(drop);
        };
        if !session.hub.is_hosted().await? {
            let noted = format!("the start of {id:?} is noted, and there is nothing to wait for");
            return Err(session.no_host(&noted));
        }
        session.wait(&id, limit).await
    }
}
