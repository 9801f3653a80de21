//! Deleting task hubs.

use clap::Args;
use serde_json::json;

use super::Session;
use crate::exit::{CliError, Code};
use crate::output::confirm;

/// Delete a task hub with all its instances, histories and entities
///
/// Refuses while a host runs it, unless --force is given: that host goes on without what it needs. A
/// host that was killed counts as running for up to 15 seconds.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable delete-task-hub --storage orders.db --task-hub-name Orders
  durable delete-task-hub --storage orders.db --yes")]
pub(crate) struct DeleteTaskHub {
    /// Do not ask for confirmation
    #[arg(long, short = 'y')]
    yes: bool,
    /// Delete it even while a host runs it
    #[arg(long)]
    force: bool,
}

impl DeleteTaskHub {
    pub(super) async fn run(self, session: Session) -> Result<(), CliError> {
        let Session { hub, mut output } = session;
        let name = hub.describe();
        if hub.is_remote() {
            return hub.delete().await.map(drop);
        }
        if !self.force && hub.is_hosted().await? {
            return Err(
                CliError::new(Code::NotPossible, format!("a host runs task hub {name}"))
                    .hint("stop the host first, or delete it under the host's feet with --force"),
            );
        }
        let question = format!("This deletes task hub {name} with all its instances and entities.");
        confirm(self.yes, &question)?;
        let deleted = hub.delete().await?;
        if output.is_json() {
            output.json(&json!({ "taskHub": deleted, "deleted": true }))?;
        } else {
            output.line(&format!("deleted task hub {name}"))?;
        }
        output.flush()
    }
}
