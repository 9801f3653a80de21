//! The command line.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::commands::completions::Completions;
use crate::commands::delete_task_hub::DeleteTaskHub;
use crate::commands::entities::Entities;
use crate::commands::history::GetHistory;
use crate::commands::instances::GetInstances;
use crate::commands::purge::PurgeHistory;
use crate::commands::raise_event::RaiseEvent;
use crate::commands::replay::Replay;
use crate::commands::restart::Restart;
use crate::commands::signal_entity::SignalEntity;
use crate::commands::start_new::StartNew;
use crate::commands::status::GetRuntimeStatus;
use crate::commands::steer::{Reasoned, Terminate};
use crate::commands::watch::Watch;
use crate::exit::EXIT_CODES;
use crate::hub::PlaceArguments;
use crate::output::{Colours, Format};
use crate::time;

/// Start, watch and steer durable orchestrations and entities.
///
/// Works on the storage file of a task hub, whether a host runs or not, or on a host over HTTP. Without
/// a host, what changes an orchestration or an entity is noted in the storage, and done as soon as a
/// host runs.
#[derive(Debug, Parser)]
#[command(name = "durable", version, after_help = after_help())]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: PlaceArguments,
    #[command(flatten)]
    pub(crate) manner: Manner,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  durable start-new --function-name hello_cities --input '\"Tokyo\"' --storage orders.db
  durable get-instances --runtime-status running pending --created-after 2h
  durable get-history --id order-42
  durable watch --url http://127.0.0.1:7071";

fn after_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}

/// How the command is to behave, whatever it does.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output and limits")]
pub(crate) struct Manner {
    /// The form of the results
    #[arg(
        long,
        short = 'o',
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value = "table"
    )]
    pub(crate) output: Format,
    /// When to use colours
    #[arg(
        long,
        visible_alias = "colour",
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub(crate) color: Colours,
    /// How long to wait for any answer: 500ms, 30s, 5m
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        default_value = "40s",
        value_parser = time::interval,
    )]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    StartNew(StartNew),
    GetRuntimeStatus(GetRuntimeStatus),
    GetHistory(GetHistory),
    GetInstances(GetInstances),
    RaiseEvent(RaiseEvent),
    Terminate(Terminate),
    /// Hold an instance: it takes no step until it is resumed
    #[command(
        after_help = "Examples:\n  durable suspend --id order-42 --reason 'stock is counted'"
    )]
    Suspend(Reasoned),
    /// Let a suspended instance go on
    #[command(
        after_help = "Examples:\n  durable resume --id order-42 --reason 'stock was counted'"
    )]
    Resume(Reasoned),
    /// Run what made an instance fail once more, and go on from there
    #[command(after_help = "Examples:\n  durable rewind --id order-42 --reason 'the bank is back'")]
    Rewind(Reasoned),
    Restart(Restart),
    PurgeHistory(PurgeHistory),
    DeleteTaskHub(DeleteTaskHub),
    Entities(Entities),
    SignalEntity(SignalEntity),
    Watch(Watch),
    Replay(Replay),
    Completions(Completions),
}
