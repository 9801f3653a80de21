//! Lists of instances.

use clap::Args;
use serde_json::Value;

use super::Session;
use super::pages::Pages;
use super::status::Shown;
use crate::exit::CliError;
use crate::filter::FilterArguments;
use crate::hub::{Filter, Instance};
use crate::output::{Style, Table, note};
use crate::time;

/// List instances, in the order of their creation
///
/// Without --top, all that match are printed, as they are read. With --output json: {"instances": [..],
/// "continuationToken": ..}, where an instance has the form of get-runtime-status, and the token is null
/// after the last one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable get-instances --runtime-status failed terminated --created-after 7d
  durable get-instances --id-prefix order- --function-name place_order --tags region=eu
  durable get-instances --top 100 --output json
  durable get-instances --top 100 --continuation-token TOKEN")]
pub(crate) struct GetInstances {
    #[command(flatten)]
    filter: FilterArguments,
    /// At most so many; a note says where the next ones begin
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    top: Option<u64>,
    /// Begin where the list that gave this token ended. The filters must be the same
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    continuation_token: Option<String>,
    #[command(flatten)]
    shown: Shown,
}

impl GetInstances {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), CliError> {
        let is_json = session.output.is_json();
        let mut pages = Pages::new(self.filter.filter())
            .with_content(is_json && self.shown.show_input)
            .at_most(self.top)
            .starting_at(self.continuation_token);
        if is_json {
            return print_json(session, &mut pages, self.shown.show_output).await;
        }
        let mut table = Table::new(["ID", "NAME", "STATUS", "CREATED", "UPDATED"], 0);
        let mut any = false;
        while let Some(instances) = pages.next(session).await? {
            any |= !instances.is_empty();
            for instance in &instances {
                table.row(cells(instance));
            }
            // No table without rows.
            if any {
                table.print(&mut session.output)?;
            }
            session.output.flush()?;
        }
        match pages.token() {
            Some(token) => note(&format!("there may be more: --continuation-token {token}")),
            None if !any => note("there are no such instances"),
            None => {}
        }
        Ok(())
    }
}

async fn print_json(
    session: &mut Session,
    pages: &mut Pages<Filter>,
    with_output: bool,
) -> Result<(), CliError> {
    session.output.text("{\n  \"instances\": [")?;
    let mut separator = "\n    ";
    while let Some(instances) = pages.next(session).await? {
        for mut instance in instances {
            if !with_output {
                instance.output = Value::Null;
            }
            session.output.text(separator)?;
            session.output.json_inline(&instance)?;
            separator = ",\n    ";
        }
        session.output.flush()?;
    }
    session.output.text("\n  ],\n  \"continuationToken\": ")?;
    session.output.json_inline(&pages.token())?;
    session.output.line("\n}")
}

/// A row of a table of instances.
pub(super) fn cells(instance: &Instance) -> [(Style, String); 5] {
    [
        (Style::Plain, instance.id.clone()),
        (Style::Plain, instance.name.clone()),
        (
            Style::of_status(&instance.runtime_status),
            instance.runtime_status.clone(),
        ),
        (Style::Dim, time::shown_short(instance.created_time)),
        (Style::Dim, time::shown_short(instance.last_updated_time)),
    ]
}
