//! Terminating, suspending, resuming and rewinding instances.

use clap::Args;

use super::{HostArgument, InstanceArgument, Report, Session, Subject};
use crate::exit::CliError;
use crate::hub::Steering;

/// End an instance; the reason becomes its output
///
/// Its running activities are told, not killed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable terminate --id order-42 --reason 'the customer has gone'
  durable terminate order-42 --recursive")]
pub(crate) struct Terminate {
    #[command(flatten)]
    reasoned: Reasoned,
    /// End every instance that it has started, and so on, as well
    #[arg(long)]
    recursive: bool,
}

/// The arguments of what is done to an instance for a reason.
#[derive(Debug, Args)]
pub(crate) struct Reasoned {
    #[command(flatten)]
    instance: InstanceArgument,
    /// Why; kept in the history
    #[arg(
        long,
        short = 'r',
        value_name = "TEXT",
        default_value = "",
        allow_hyphen_values = true
    )]
    reason: String,
    #[command(flatten)]
    host: HostArgument,
}

impl Terminate {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), CliError> {
        let steering = if self.recursive {
            Steering::TerminateAll
        } else {
            Steering::Terminate
        };
        self.reasoned.run(session, steering).await
    }
}

impl Reasoned {
    pub(super) async fn run(
        self,
        session: &mut Session,
        steering: Steering,
    ) -> Result<(), CliError> {
        let id = self.instance.id();
        session.check_host(&self.host).await?;
        session.hub.steer(id, steering, &self.reason).await?;
        let (action, done) = match steering {
            Steering::Terminate | Steering::TerminateAll => ("terminate", "terminated"),
            Steering::Suspend => ("suspend", "suspended"),
            Steering::Resume => ("resume", "resumed"),
            Steering::Rewind => ("rewind", "rewound"),
        };
        let report = Report {
            action,
            done,
            subject: Subject::Instance(id),
        };
        session.report(report).await.map(drop)
    }
}
