//! Starting instances again.

use clap::Args;

use super::{HostArgument, InstanceArgument, Report, Session, Subject};
use crate::exit::CliError;

/// Start an instance again, with the input that it was given
///
/// Under its id, which replaces its history and needs one that has ended; or under a new one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable restart --id order-42
  durable restart order-42 --new-id")]
pub(crate) struct Restart {
    #[command(flatten)]
    instance: InstanceArgument,
    /// Start it under a new, random id, and leave the instance as it is
    #[arg(long, visible_alias = "restart-with-new-instance-id")]
    new_id: bool,
    #[command(flatten)]
    host: HostArgument,
}

impl Restart {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), CliError> {
        session.check_host(&self.host).await?;
        let id = self.instance.id();
        let id = session.hub.restart(id, self.new_id).await?;
        let report = Report {
            action: "restart",
            done: "restarted as",
            subject: Subject::Instance(&id),
        };
        session.report(report).await.map(drop)
    }
}
