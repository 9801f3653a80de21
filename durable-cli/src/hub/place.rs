//! Where the task hub is, as the user says it.

use std::env;
use std::path::PathBuf;

use clap::Args;

use crate::exit::CliError;

const STORAGE: &str = "DURABLE_STORAGE";
const URL: &str = "DURABLE_URL";
const CODE: &str = "DURABLE_CODE";
const TASK_HUB: &str = "DURABLE_TASK_HUB";
/// What a host runs unless told otherwise.
const DEFAULT_HUB: &str = "DurableHub";

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Task hub")]
pub(crate) struct PlaceArguments {
    #[arg(
        long,
        short = 's',
        global = true,
        value_name = "FILE",
        help = "The storage file to work on, whether a host runs or not [env: DURABLE_STORAGE] \
            [default: TASKHUB.db in the working directory]"
    )]
    storage: Option<PathBuf>,
    /// Name of the environment variable that holds the path of the storage file
    #[arg(long, global = true, value_name = "VARIABLE")]
    connection_string_setting: Option<String>,
    #[arg(
        long,
        short = 'u',
        global = true,
        help = "A host to speak to over HTTP instead, such as http://127.0.0.1:7071 \
            [env: DURABLE_URL]"
    )]
    url: Option<String>,
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        allow_hyphen_values = true,
        help = "The system key of the host at --url [env: DURABLE_CODE]"
    )]
    code: Option<String>,
    #[arg(
        long,
        visible_alias = "task-hub",
        short = 't',
        global = true,
        value_name = "NAME",
        help = "The task hub [env: DURABLE_TASK_HUB] [default: DurableHub, or the one that the host \
            at --url runs]"
    )]
    task_hub_name: Option<String>,
}

/// Where the task hub is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    File {
        path: PathBuf,
        hub: String,
    },
    Url {
        url: String,
        code: Option<String>,
        hub: Option<String>,
    },
}

impl PlaceArguments {
    /// What the options and the environment say.
    pub(crate) fn place(self) -> Result<Place, CliError> {
        let given = [
            self.storage.is_some(),
            self.connection_string_setting.is_some(),
            self.url.is_some(),
        ];
        if given.into_iter().filter(|given| *given).count() > 1 {
            return Err(CliError::usage(
                "give one of --storage, --connection-string-setting and --url: they say in different \
                 ways where the task hub is",
            ));
        }
        let hub = self.task_hub_name.or_else(|| variable(TASK_HUB));
        let file = |path: PathBuf, hub: Option<String>| {
            check_file(&path)?;
            let hub = hub.unwrap_or_else(|| DEFAULT_HUB.to_owned());
            Ok(Place::File { path, hub })
        };
        let code = self.code.or_else(|| variable(CODE));
        let remote = |url| {
            Ok(Place::Url {
                url,
                code,
                hub: hub.clone(),
            })
        };
        if let Some(path) = self.storage {
            return file(path, hub);
        }
        if let Some(name) = self.connection_string_setting {
            let Some(path) = variable(&name) else {
                return Err(CliError::usage(format!(
                    "the environment variable {name:?} of --connection-string-setting is not set: set \
                     it to the path of the storage file"
                )));
            };
            return file(path.into(), hub);
        }
        if let Some(url) = self.url {
            return remote(url);
        }
        match (variable(STORAGE), variable(URL)) {
            (Some(_), Some(_)) => Err(CliError::usage(format!(
                "both {STORAGE} and {URL} are set: say which one is meant with --storage or --url"
            ))),
            (Some(path), None) => file(path.into(), hub),
            (None, Some(url)) => remote(url),
            (None, None) => {
                let name = hub.clone().unwrap_or_else(|| DEFAULT_HUB.to_owned());
                file(format!("{name}.db").into(), hub)
            }
        }
    }
}

/// One that is empty counts as one that is not set.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn check_file(path: &std::path::Path) -> Result<(), CliError> {
    let text = path.to_string_lossy();
    let Some((scheme, _)) = text.split_once("://") else {
        return Ok(());
    };
    let error = CliError::usage(format!("{scheme}:// is no storage that this command knows"));
    Err(match scheme {
        "http" | "https" => error.hint("a host is named with --url, a SQLite file with --storage"),
        _ => error.hint("give the path of a SQLite file, or speak to the host with --url"),
    })
}
