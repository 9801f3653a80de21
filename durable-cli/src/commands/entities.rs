//! Entities and their states.

use chrono::{DateTime, Utc};
use clap::Args;
use durable_runtime::model::EntityId;
use serde_json::json;

use super::Session;
use super::pages::Pages;
use crate::exit::{CliError, Code};
use crate::hub::{EntityFilter, name_and_key};
use crate::output::{Style, Table, note, plain};
use crate::time;

/// List entities, or show one with its state
///
/// With --output json: {"entities": [{"entityId": {"name": .., "key": ..}, "lastOperationTime": ..,
/// "lockedBy": .., "state": ..}], "continuationToken": ..}; for one entity {"entityId": .., "state": ..}.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable entities --name Counter --show-state
  durable entities @counter@visits
  durable entities --last-operation-before 30d --output json")]
pub(crate) struct Entities {
    /// Show only this one, with its state
    #[arg(value_name = "@NAME@KEY", value_parser = entity_id)]
    entity: Option<EntityId>,
    /// Show only this one, with its state
    #[arg(long, value_name = "@NAME@KEY", value_parser = entity_id, conflicts_with = "entity")]
    id: Option<EntityId>,
    /// Only entities of this name, without regard to case
    #[arg(long, visible_alias = "function-name", conflicts_with_all = ["entity", "id"])]
    name: Option<String>,
    /// Only entities with an operation then or later: 2030-01-31T12:00:00Z, or 2h (ago)
    #[arg(long, value_name = "TIME", value_parser = time::past, conflicts_with_all = ["entity", "id"])]
    last_operation_after: Option<DateTime<Utc>>,
    /// Only entities whose last operation was then or earlier
    #[arg(long, value_name = "TIME", value_parser = time::past, conflicts_with_all = ["entity", "id"])]
    last_operation_before: Option<DateTime<Utc>>,
    /// Show the states as well
    #[arg(long)]
    show_state: bool,
    /// At most so many; a note says where the next ones begin
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    top: Option<u64>,
    /// Begin where the list that gave this token ended
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    continuation_token: Option<String>,
}

impl Entities {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), CliError> {
        if let Some(id) = self.id.as_ref().or(self.entity.as_ref()) {
            return session.show_entity(id).await;
        }
        let with_state = self.show_state;
        let pages = Pages::new(EntityFilter {
            name: self.name,
            last_operation_from: self.last_operation_after,
            last_operation_to: self.last_operation_before,
        })
        .with_content(with_state)
        .at_most(self.top)
        .starting_at(self.continuation_token);
        if session.output.is_json() {
            print_json(session, pages).await
        } else {
            print_table(session, pages, with_state).await
        }
    }
}

/// Reads `@name@key`.
pub(super) fn entity_id(text: &str) -> Result<EntityId, String> {
    let parts = text.strip_prefix('@').and_then(|rest| rest.split_once('@'));
    match parts {
        Some((name, key)) if !name.is_empty() && !key.contains('@') => Ok(EntityId::new(name, key)),
        _ => Err("this is no entity: write @name@key, such as @counter@visits".to_owned()),
    }
}

impl Session {
    async fn show_entity(&mut self, id: &EntityId) -> Result<(), CliError> {
        let Some(state) = self.hub.entity_state(id).await? else {
            let hub = self.hub.describe();
            return Err(CliError::new(
                Code::NotFound,
                format!("there is no entity {id} in task hub {hub}"),
            ));
        };
        if self.output.is_json() {
            let shown = json!({ "entityId": name_and_key(id), "state": state });
            return self.output.json(&shown);
        }
        for (title, text) in [("Entity", id.to_string()), ("State", state.to_string())] {
            let title = self.output.paint(Style::Bold, &format!("{title:<8}"));
            self.output.line(&format!("{title}{}", plain(&text)))?;
        }
        Ok(())
    }
}

async fn print_table(
    session: &mut Session,
    mut pages: Pages<EntityFilter>,
    with_state: bool,
) -> Result<(), CliError> {
    let mut titles = vec!["ENTITY", "LAST OPERATION", "LOCKED BY"];
    let mut elastic = 0;
    if with_state {
        elastic = titles.len();
        titles.push("STATE");
    }
    let mut table = Table::new(titles, elastic);
    let mut any = false;
    while let Some(entities) = pages.next(session).await? {
        any |= !entities.is_empty();
        for entity in entities {
            let mut cells = vec![
                (Style::Plain, entity.id.to_string()),
                (Style::Dim, time::shown_short(entity.last_operation_time)),
                (
                    Style::Held,
                    entity.locked_by.unwrap_or_else(|| "-".to_owned()),
                ),
            ];
            if with_state {
                cells.push((Style::Plain, entity.state.unwrap_or_default().to_string()));
            }
            table.row(cells);
        }
        if any {
            table.print(&mut session.output)?;
        }
        session.output.flush()?;
    }
    match pages.token() {
        Some(token) => note(&format!("there may be more: --continuation-token {token}")),
        None if !any => note("there are no such entities"),
        None => {}
    }
    Ok(())
}

async fn print_json(session: &mut Session, mut pages: Pages<EntityFilter>) -> Result<(), CliError> {
    session.output.text("{\n  \"entities\": [")?;
    let mut separator = "\n    ";
    while let Some(entities) = pages.next(session).await? {
        for entity in entities {
            session.output.text(separator)?;
            session.output.json_inline(&entity)?;
            separator = ",\n    ";
        }
        session.output.flush()?;
    }
    session.output.text("\n  ],\n  \"continuationToken\": ")?;
    session.output.json_inline(&pages.token())?;
    session.output.line("\n}")
}
