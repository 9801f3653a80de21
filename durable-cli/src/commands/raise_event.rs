//! Raising external events.

use clap::Args;

use super::{HostArgument, InstanceArgument, Report, Session, Subject};
use crate::exit::CliError;
use crate::payload;

/// Raise an external event, for whoever in an orchestration waits for it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable raise-event --id order-42 --event-name approved --event-data true
  durable raise-event order-42 -e approved -d @approval.json")]
pub(crate) struct RaiseEvent {
    #[command(flatten)]
    instance: InstanceArgument,
    /// Name of the event, without regard to case
    #[arg(long, short = 'e', value_name = "NAME")]
    event_name: String,
    /// What it carries: JSON, @FILE for the JSON in a file, or - for that of stdin [default: null]
    #[arg(long, short = 'd', value_name = "JSON", allow_hyphen_values = true)]
    event_data: Option<String>,
    #[command(flatten)]
    host: HostArgument,
}

impl RaiseEvent {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), CliError> {
        let data = payload::read("--event-data", self.event_data.as_deref())?;
        let id = self.instance.id();
        session.check_host(&self.host).await?;
        session.hub.raise_event(id, &self.event_name, &data).await?;
        let report = Report {
            action: "raise-event",
            done: "raised event for",
            subject: Subject::Instance(id),
        };
        session.report(report).await.map(drop)
    }
}
