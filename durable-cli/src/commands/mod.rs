//! What the command can do, a module for each.

pub(crate) mod completions;
pub(crate) mod delete_task_hub;
pub(crate) mod entities;
pub(crate) mod history;
pub(crate) mod instances;
mod pages;
pub(crate) mod purge;
pub(crate) mod raise_event;
pub(crate) mod replay;
pub(crate) mod restart;
pub(crate) mod signal_entity;
pub(crate) mod start_new;
pub(crate) mod status;
pub(crate) mod steer;
mod wait;
pub(crate) mod watch;

use clap::Args;
use durable_runtime::model::EntityId;
use serde_json::{Map, json};

use crate::arguments::{Cli, Command};
use crate::exit::{CliError, Code};
use crate::hub::{Hub, Steering, name_and_key};
use crate::output::{Output, note, plain};

/// The hub that a command works on, and where its results go.
pub(crate) struct Session {
    hub: Hub,
    output: Output,
}

/// Does what the command line says.
pub(crate) async fn run(cli: Cli) -> Result<(), CliError> {
    let output = Output::new(cli.manner.output, cli.manner.color);
    if let Command::Completions(command) = cli.command {
        return command.run();
    }
    let place = cli.place.place()?;
    let replay = match &cli.command {
        Command::Replay(command) => Some(command.request(&place)?),
        _ => None,
    };
    let hub = Hub::open(&place, cli.manner.timeout).await?;
    let mut session = Session { hub, output };
    match cli.command {
        Command::StartNew(command) => command.run(&mut session).await,
        Command::GetRuntimeStatus(command) => command.run(&mut session).await,
        Command::GetHistory(command) => command.run(&mut session).await,
        Command::GetInstances(command) => command.run(&mut session).await,
        Command::RaiseEvent(command) => command.run(&mut session).await,
        Command::Terminate(command) => command.run(&mut session).await,
        Command::Suspend(command) => command.run(&mut session, Steering::Suspend).await,
        Command::Resume(command) => command.run(&mut session, Steering::Resume).await,
        Command::Rewind(command) => command.run(&mut session, Steering::Rewind).await,
        Command::Restart(command) => command.run(&mut session).await,
        Command::PurgeHistory(command) => command.run(&mut session).await,
        Command::DeleteTaskHub(command) => return command.run(session).await,
        Command::Entities(command) => command.run(&mut session).await,
        Command::SignalEntity(command) => command.run(&mut session).await,
        Command::Watch(command) => command.run(&mut session).await,
        Command::Replay(command) => command.run(&mut session, &replay.unwrap_or_default()),
        Command::Completions(_) => Ok(()),
    }?;
    session.output.flush()
}

/// The instance that a command is about.
#[derive(Debug, Clone, Args)]
pub(crate) struct InstanceArgument {
    /// Id of the instance
    #[arg(value_name = "ID", required_unless_present = "id")]
    instance: Option<String>,
    /// Id of the instance
    #[arg(
        long,
        value_name = "ID",
        conflicts_with = "instance",
        allow_hyphen_values = true
    )]
    id: Option<String>,
}

impl InstanceArgument {
    fn id(&self) -> &str {
        let given = self.id.as_deref().or(self.instance.as_deref());
        // One of the two was given.
        given.unwrap_or_default()
    }
}

/// What a command does without a host.
#[derive(Debug, Clone, Args)]
pub(crate) struct HostArgument {
    /// Do nothing unless a host runs (exit code 5), instead of noting it for the next one
    #[arg(long)]
    require_host: bool,
}

/// What was done, or noted.
struct Report<'a> {
    /// The verb, as in "terminate".
    action: &'a str,
    /// The same, done: "terminated".
    done: &'a str,
    /// What it was done to.
    subject: Subject<'a>,
}

enum Subject<'a> {
    Instance(&'a str),
    Entity(&'a EntityId),
}

impl Session {
    /// Refuses if there has to be a host and there is none.
    async fn check_host(&self, argument: &HostArgument) -> Result<(), CliError> {
        if argument.require_host && !self.hub.is_hosted().await? {
            return Err(self.no_host("nothing was done"));
        }
        Ok(())
    }

    fn no_host(&self, consequence: &str) -> CliError {
        let hub = self.hub.describe();
        CliError::new(
            Code::NoHost,
            format!("no host runs task hub {hub}: {consequence}"),
        )
        .hint("start the program that runs the task hub")
    }

    /// Tells what was done. Returns whether it was: without a host it was noted.
    async fn report(&mut self, report: Report<'_>) -> Result<bool, CliError> {
        // Asked only now: a host that was killed counts as running for a while, in which the command
        // waited for its answer.
        let hosted = self.hub.is_hosted().await?;
        let (field, id, subject) = match report.subject {
            Subject::Instance(id) => ("instanceId", json!(id), id.to_owned()),
            Subject::Entity(id) => ("entityId", name_and_key(id), id.to_string()),
        };
        let subject = plain(&subject);
        if self.output.is_json() {
            let fields = [
                (field, id),
                ("action", report.action.into()),
                ("hosted", hosted.into()),
            ];
            let fields: Map<_, _> = fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            self.output.json(&fields)?;
        } else if hosted {
            let line = format!("{} {subject}", report.done);
            self.output.line(&line)?;
        } else {
            let line = format!("noted: {} {subject}", report.action);
            self.output.line(&line)?;
        }
        // Before what is said of it.
        self.output.flush()?;
        if !hosted {
            let hub = self.hub.describe();
            note(&format!(
                "no host runs task hub {hub}; this is noted in its storage, and done as soon as one runs"
            ));
        }
        Ok(hosted)
    }
}
