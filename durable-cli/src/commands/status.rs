//! The status of an instance.

use std::time::Duration;

use clap::{ArgAction, Args};
use serde_json::Value;

use super::{InstanceArgument, Session};
use crate::exit::{CliError, Code};
use crate::hub::Instance;
use crate::output::{Style, plain};
use crate::time;

/// Show the status of an instance
///
/// With --output json: an object with name, instanceId, runtimeStatus, input, customStatus, output,
/// createdTime, lastUpdatedTime, version, parentInstanceId and tags; null where there is nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable get-runtime-status --id order-42
  durable get-runtime-status order-42 --show-input false --output json
  durable get-runtime-status order-42 --wait 5m && echo completed")]
pub(crate) struct GetRuntimeStatus {
    #[command(flatten)]
    instance: InstanceArgument,
    #[command(flatten)]
    shown: Shown,
    /// Wait until it has ended, for so long; without a duration, for a minute
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        default_missing_value = "60s",
        value_parser = time::interval,
    )]
    wait: Option<Duration>,
}

/// What of the payloads is shown.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Shown {
    /// Whether to show inputs
    #[arg(
        long,
        value_name = "BOOL",
        action = ArgAction::Set,
        num_args = 0..=1,
        default_value_t = true,
        default_missing_value = "true",
    )]
    pub(crate) show_input: bool,
    /// Whether to show outputs
    #[arg(
        long,
        value_name = "BOOL",
        action = ArgAction::Set,
        num_args = 0..=1,
        default_value_t = true,
        default_missing_value = "true",
    )]
    pub(crate) show_output: bool,
}

impl GetRuntimeStatus {
    pub(super) async fn run(self, session: &mut Session) -> Result<(), CliError> {
        let id = self.instance.id();
        if let Some(limit) = self.wait {
            let found = session.existing(id, false).await?;
            if !found.has_ended() && !session.hub.is_hosted().await? {
                return Err(session.no_host(&format!("there is no end of {id:?} to wait for")));
            }
            return session.wait(id, limit).await;
        }
        let mut instance = session.existing(id, self.shown.show_input).await?;
        if !self.shown.show_output {
            instance.output = Value::Null;
        }
        session.print_status(&instance)
    }
}

impl Session {
    /// The status of an instance that should exist.
    pub(super) async fn existing(&self, id: &str, with_input: bool) -> Result<Instance, CliError> {
        match self.hub.status(id, with_input).await? {
            Some(instance) => Ok(instance),
            None => Err(self.nobody(id).await),
        }
    }

    /// There is no instance of the id, or a host has to take its start up first.
    pub(super) async fn nobody(&self, id: &str) -> CliError {
        let hub = self.hub.describe();
        let error = CliError::new(
            Code::NotFound,
            format!("there is no instance {id:?} in task hub {hub}"),
        );
        match self.hub.is_hosted().await {
            Ok(false) => error
                .hint("no host runs: an instance that was started meanwhile shows when one does"),
            _ => error,
        }
    }

    pub(super) fn print_status(&mut self, instance: &Instance) -> Result<(), CliError> {
        if self.output.is_json() {
            return self.output.json(instance);
        }
        let mut fields = vec![
            ("Instance", instance.id.clone()),
            ("Orchestrator", named(instance)),
            ("Status", instance.runtime_status.clone()),
            ("Created", time::shown(instance.created_time)),
            ("Updated", time::shown(instance.last_updated_time)),
        ];
        if let Some(parent) = &instance.parent_instance_id {
            fields.push(("Parent", parent.clone()));
        }
        let tags = instance.tags.iter().flatten();
        fields.extend(tags.map(|(key, value)| ("Tag", format!("{key}={value}"))));
        for (title, value) in [
            ("Input", &instance.input),
            ("Custom status", &instance.custom_status),
        ] {
            if !value.is_null() {
                fields.push((title, value.to_string()));
            }
        }
        fields.extend(ended_with(instance));
        for (title, text) in fields {
            let style = match title {
                "Status" => Style::of_status(&text),
                "Failure" => Style::Bad,
                _ => Style::Plain,
            };
            let title = self.output.paint(Style::Bold, &format!("{title:<14}"));
            let text = self.output.paint(style, &plain(&text));
            self.output.line(&format!("{title}{text}"))?;
        }
        Ok(())
    }
}

fn named(instance: &Instance) -> String {
    match &instance.version {
        Some(version) => format!("{} (version {version})", instance.name),
        None => instance.name.clone(),
    }
}

/// The output under the name of what it is, with the causes of a failure.
fn ended_with(instance: &Instance) -> Vec<(&'static str, String)> {
    let Some(failure) = instance.failure() else {
        return match &instance.output {
            Value::Null => Vec::new(),
            output if instance.runtime_status == "Completed" => {
                vec![("Output", output.to_string())]
            }
            Value::String(reason) => vec![("Reason", reason.clone())],
            output => vec![("Output", output.to_string())],
        };
    };
    let mut lines = Vec::new();
    let mut next = Some(&failure);
    while let Some(failure) = next {
        let title = if lines.is_empty() {
            "Failure"
        } else {
            "  caused by"
        };
        lines.push((
            title,
            format!("{}: {}", failure.error_type(), failure.message()),
        ));
        next = failure.inner();
    }
    lines
}
