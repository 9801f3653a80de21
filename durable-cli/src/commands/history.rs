//! The history of an instance.

use std::collections::HashSet;

use clap::Args;
use serde_json::json;

use super::status::Shown;
use super::{InstanceArgument, Session};
use crate::exit::CliError;
use crate::hub::{History, Instance};
use crate::output::{Style, plain};
use crate::timeline::{self, Line, Timeline};

/// How deep sub-orchestrations are followed.
const DEEPEST: usize = 16;

/// Show the history of an instance, as a timeline
///
/// A line for each call, with when it was made, how long it took and what came of it.
///
/// With --output json: the history as it was recorded, whole and as it stands in storage, which is
/// enough to replay it. An object with instanceId, name, version, runtimeStatus and history: a list of
/// events in order, each [MICROSECONDS SINCE 1970, {"KIND": {..}}]. Over --url there is historyEvents in
/// place of history: what the management API tells, which is not enough for a replay.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable get-history --id order-42
  durable get-history order-42 --recursive
  durable get-history order-42 --output json > tests/histories/order-42.json")]
pub(crate) struct GetHistory {
    #[command(flatten)]
    instance: InstanceArgument,
    /// Show the timelines of sub-orchestrations as well, indented
    #[arg(long)]
    recursive: bool,
    #[command(flatten)]
    shown: Shown,
    /// Show payloads whole
    #[arg(long)]
    full: bool,
}

impl GetHistory {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), CliError> {
        let id = self.instance.id().to_owned();
        let Some((instance, history)) = session.hub.history(&id).await? else {
            return Err(session.nobody(&id).await);
        };
        if session.output.is_json() {
            if self.recursive || !self.shown.show_input || !self.shown.show_output {
                return Err(CliError::usage(
                    "with --output json a history is whole, and that of one instance: leave --recursive, \
                     --show-input and --show-output out, and get those of others one by one",
                ));
            }
            return print_json(session, &instance, &history);
        }
        let mut seen = HashSet::from([id]);
        self.print(session, (instance, history), 0, &mut seen).await
    }

    async fn print(
        &self,
        session: &mut Session,
        (instance, history): (Instance, History),
        depth: usize,
        seen: &mut HashSet<String>,
    ) -> Result<(), CliError> {
        let timeline = match &history {
            History::Recorded(events) => timeline::recorded::read(events),
            History::Reported(events) => timeline::reported::read(events),
        };
        print_title(session, &instance, &timeline, depth)?;
        for line in timeline.lines() {
            self.print_line(session, line, depth)?;
            let Some(child) = line.child.as_ref().filter(|_| self.recursive) else {
                continue;
            };
            if depth >= DEEPEST || !seen.insert(child.clone()) {
                continue;
            }
            if let Some(found) = session.hub.history(child).await? {
                Box::pin(self.print(session, found, depth + 1, seen)).await?;
            } else {
                let text = format!("{}{child} is not there", indent(depth + 1));
                let text = session.output.paint(Style::Dim, &plain(&text));
                session.output.line(&text)?;
            }
        }
        Ok(())
    }

    fn print_line(&self, session: &mut Session, line: &Line, depth: usize) -> Result<(), CliError> {
        let output = &mut session.output;
        let style = match line.mark {
            timeline::Mark::Good => Style::Good,
            timeline::Mark::Bad => Style::Bad,
            timeline::Mark::Open => Style::Busy,
            timeline::Mark::Plain => Style::Plain,
        };
        let mut columns = format!(
            "{}  {:>9}  {:<36}  {:>9}  {}",
            indent(depth),
            line.at,
            plain(&line.what),
            line.took,
            output.paint(style, &plain(&line.outcome)),
        );
        let payloads = [
            ("", line.input.as_ref().filter(|_| self.shown.show_input)),
            (
                "→ ",
                line.result.as_ref().filter(|_| self.shown.show_output),
            ),
        ];
        for (arrow, payload) in payloads {
            if let Some(payload) = payload {
                let text = format!("{arrow}{}", self.payload(payload));
                columns.push_str("  ");
                columns.push_str(&output.paint(Style::Dim, &text));
            }
        }
        output.line(columns.trim_end())
    }

    fn payload(&self, text: &str) -> String {
        const SHOWN: usize = 60;
        let text = plain(text);
        if self.full || text.chars().count() <= SHOWN {
            return text;
        }
        let mut text: String = text.chars().take(SHOWN - 1).collect();
        text.push('…');
        text
    }
}

fn print_title(
    session: &mut Session,
    instance: &Instance,
    timeline: &Timeline,
    depth: usize,
) -> Result<(), CliError> {
    let output = &mut session.output;
    let status = &instance.runtime_status;
    let title = format!(
        "{}{}  {}  {}  {}",
        indent(depth),
        output.paint(Style::Bold, &plain(&instance.id)),
        plain(&instance.name),
        output.paint(Style::of_status(status), &plain(status)),
        output.paint(Style::Dim, &timeline.duration()),
    );
    output.line(&title)
}

fn indent(depth: usize) -> String {
    "    ".repeat(depth)
}

/// One event a line, so that two histories can be compared.
fn print_json(
    session: &mut Session,
    instance: &Instance,
    history: &History,
) -> Result<(), CliError> {
    let output = &mut session.output;
    let fields = [
        ("instanceId", json!(instance.id)),
        ("name", json!(instance.name)),
        ("version", json!(instance.version)),
        ("runtimeStatus", json!(instance.runtime_status)),
    ];
    output.text("{")?;
    for (name, value) in fields {
        output.text(&format!("\n  \"{name}\": "))?;
        output.json_inline(&value)?;
        output.text(",")?;
    }
    let mut separator = "\n    ";
    match history {
        History::Recorded(events) => {
            output.text("\n  \"history\": [")?;
            for event in events {
                output.text(separator)?;
                output.json_inline(event)?;
                separator = ",\n    ";
            }
        }
        History::Reported(events) => {
            output.text("\n  \"historyEvents\": [")?;
            for event in events {
                output.text(separator)?;
                output.json_inline(event)?;
                separator = ",\n    ";
            }
        }
    }
    output.line("\n  ]\n}")
}
