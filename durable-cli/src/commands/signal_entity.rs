//! Signalling entities.

use chrono::{DateTime, Utc};
use clap::Args;
use durable_runtime::model::EntityId;

use super::entities::entity_id;
use super::{HostArgument, Report, Session, Subject};
use crate::exit::CliError;
use crate::{payload, time};

/// Signal an entity: one way, without hearing how the operation ends
///
/// An entity that does not exist comes into being.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable signal-entity --id @counter@visits --operation add --input 1
  durable signal-entity @counter@visits --operation delete
  durable signal-entity @counter@visits --operation reset --at 2h")]
pub(crate) struct SignalEntity {
    /// The entity
    #[arg(value_name = "@NAME@KEY", value_parser = entity_id, required_unless_present = "id")]
    entity: Option<EntityId>,
    /// The entity
    #[arg(long, value_name = "@NAME@KEY", value_parser = entity_id, conflicts_with = "entity")]
    id: Option<EntityId>,
    /// Name of the operation
    #[arg(
        long,
        visible_alias = "operation-name",
        visible_alias = "op",
        value_name = "NAME"
    )]
    operation: String,
    /// What it is given: JSON, @FILE for the JSON in a file, or - for that of stdin [default: null]
    #[arg(long, short = 'i', value_name = "JSON", allow_hyphen_values = true)]
    input: Option<String>,
    /// When to carry it out: 2030-01-31T12:00:00Z, or 2h (from now) [default: at once]
    #[arg(long, value_name = "TIME", value_parser = time::future)]
    at: Option<DateTime<Utc>>,
    #[command(flatten)]
    host: HostArgument,
}

impl SignalEntity {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), CliError> {
        let input = payload::read("--input", self.input.as_deref())?;
        let Some(id) = self.id.or(self.entity) else {
            return Err(CliError::usage("name the entity: --id @name@key"));
        };
        session.check_host(&self.host).await?;
        session
            .hub
            .signal(&id, &self.operation, &input, self.at)
            .await?;
        let report = Report {
            action: "signal",
            done: "signalled",
            subject: Subject::Entity(&id),
        };
        session.report(report).await.map(drop)
    }
}
