//! A task hub, and the two ways to it: through its storage, or over HTTP. Commands are written once,
//! against [`Hub`].

mod answer;
mod instance;
mod place;
mod remote;
mod stored;

use std::time::Duration;

use chrono::{DateTime, Utc};
use durable_runtime::client::{OnExisting, RuntimeStatus};
use durable_runtime::model::{EntityId, HistoryEvent, InstanceId, Tags};
use serde_json::Value;
use serde_json::value::RawValue;

pub(crate) use instance::{Entity, Instance, name_and_key};
pub(crate) use place::{Place, PlaceArguments};
use remote::RemoteHub;
use stored::StoredHub;

use crate::exit::CliError;
use crate::output::note;

/// Whoever waits for so long wants to know what for.
const LONG: Duration = Duration::from_secs(3);

/// A task hub that was found.
#[derive(Debug)]
pub(crate) struct Hub {
    way: Way,
    limit: Duration,
}

#[derive(Debug)]
enum Way {
    Stored(StoredHub),
    Remote(RemoteHub),
}

/// Calls the method on whichever way it is, within the time limit.
macro_rules! either {
    ($self:ident, $hub:ident => $call:expr) => {
        $self
            .within(async {
                match &$self.way {
                    Way::Stored($hub) => $call.await,
                    Way::Remote($hub) => $call.await,
                }
            })
            .await
    };
}

/// A start.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) name: String,
    pub(crate) input: Box<RawValue>,
    pub(crate) id: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) tags: Tags,
    pub(crate) on_existing: Option<OnExisting>,
}

/// What an operator can do with an instance that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Steering {
    Terminate,
    TerminateAll,
    Suspend,
    Resume,
    Rewind,
}

/// Which instances are meant. What is not set does not filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) statuses: Vec<RuntimeStatus>,
    pub(crate) created_from: Option<DateTime<Utc>>,
    pub(crate) created_to: Option<DateTime<Utc>>,
    pub(crate) id_prefix: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) tags: Tags,
}

/// Which entities are meant.
#[derive(Debug, Clone, Default)]
pub(crate) struct EntityFilter {
    pub(crate) name: Option<String>,
    pub(crate) last_operation_from: Option<DateTime<Utc>>,
    pub(crate) last_operation_to: Option<DateTime<Utc>>,
}

/// How much of a list to read.
#[derive(Debug, Clone)]
pub(crate) struct PageOf {
    /// At most so many, between 1 and [`PageOf::MAX`].
    pub(crate) size: usize,
    /// Where the page before ended.
    pub(crate) token: Option<String>,
    /// Whether with inputs, or states.
    pub(crate) with_content: bool,
}

impl PageOf {
    /// The most that are read at a time.
    pub(crate) const MAX: usize = 1_000;
}

/// A part of a list.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Where the next one begins; `None` if there is none.
    pub(crate) token: Option<String>,
}

/// The history of an instance.
#[derive(Debug)]
pub(crate) enum History {
    /// As it is stored.
    Recorded(Vec<HistoryEvent>),
    /// As the management API tells it.
    Reported(Vec<Value>),
}

impl Hub {
    /// Finds the hub. Nothing is created.
    pub(crate) async fn open(place: &Place, limit: Duration) -> Result<Self, CliError> {
        let way = match place {
            Place::File { path, hub } => {
                let opened = StoredHub::open(path.clone(), hub.clone());
                let opened = tokio::time::timeout(limit, opened).await;
                Way::Stored(opened.map_err(|_| CliError::no_answer(limit))??)
            }
            Place::Url { url, code, hub } => {
                Way::Remote(RemoteHub::new(url, code.as_deref(), hub.as_deref(), limit)?)
            }
        };
        Ok(Self { way, limit })
    }

    async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, CliError>>,
    ) -> Result<T, CliError> {
        let call = tokio::time::timeout(self.limit, call);
        let mut call = std::pin::pin!(call);
        let mut answered = tokio::time::timeout(LONG, &mut call).await.ok();
        if answered.is_none() {
            let limit = self.limit;
            note(&format!("no answer yet; waiting for {limit:?} at most"));
            answered = Some(call.await);
        }
        match answered {
            Some(Ok(answer)) => answer,
            _ => Err(CliError::no_answer(self.limit)),
        }
    }

    /// Which hub this is, for people.
    pub(crate) fn describe(&self) -> String {
        match &self.way {
            Way::Stored(hub) => hub.describe(),
            Way::Remote(hub) => hub.describe(),
        }
    }

    /// How long any answer may take.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Whether it is reached over HTTP.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self.way, Way::Remote(_))
    }

    /// Whether a host runs it.
    pub(crate) async fn is_hosted(&self) -> Result<bool, CliError> {
        match &self.way {
            Way::Stored(hub) => self.within(hub.is_hosted()).await,
            // Whoever answers is one.
            Way::Remote(_) => Ok(true),
        }
    }

    /// Starts an orchestration; gives the id of the instance.
    pub(crate) async fn start(&self, start: Start) -> Result<String, CliError> {
        if let Some(id) = &start.id {
            InstanceId::new(id).map_err(|error| CliError::usage(error.to_string()))?;
        }
        either!(self, hub => hub.start(start))
    }

    /// The status of an instance, if there is one.
    pub(crate) async fn status(
        &self,
        id: &str,
        with_input: bool,
    ) -> Result<Option<Instance>, CliError> {
        either!(self, hub => hub.status(id, with_input))
    }

    /// An instance with its history, if there is one.
    pub(crate) async fn history(&self, id: &str) -> Result<Option<(Instance, History)>, CliError> {
        either!(self, hub => hub.history(id))
    }

    /// A page of instances, in the order of their creation.
    pub(crate) async fn instances(
        &self,
        filter: &Filter,
        page: PageOf,
    ) -> Result<Page<Instance>, CliError> {
        either!(self, hub => hub.instances(filter, page))
    }

    /// Raises an external event.
    pub(crate) async fn raise_event(
        &self,
        id: &str,
        name: &str,
        data: &RawValue,
    ) -> Result<(), CliError> {
        either!(self, hub => hub.raise_event(id, name, data))
    }

    /// Terminates, suspends, resumes or rewinds an instance.
    pub(crate) async fn steer(
        &self,
        id: &str,
        steering: Steering,
        reason: &str,
    ) -> Result<(), CliError> {
        either!(self, hub => hub.steer(id, steering, reason))
    }

    /// Starts an instance again; gives the id under which it runs.
    pub(crate) async fn restart(&self, id: &str, with_new_id: bool) -> Result<String, CliError> {
        either!(self, hub => hub.restart(id, with_new_id))
    }

    /// Deletes an instance that has ended.
    pub(crate) async fn purge(&self, id: &str) -> Result<(), CliError> {
        either!(self, hub => hub.purge(id))
    }

    /// A page of entities, in the order of their ids.
    pub(crate) async fn entities(
        &self,
        filter: &EntityFilter,
        page: PageOf,
    ) -> Result<Page<Entity>, CliError> {
        either!(self, hub => hub.entities(filter, page))
    }

    /// The state of an entity, if there is one.
    pub(crate) async fn entity_state(&self, id: &EntityId) -> Result<Option<Value>, CliError> {
        either!(self, hub => hub.entity_state(id))
    }

    /// Signals an entity; at a time, if that is given.
    pub(crate) async fn signal(
        &self,
        id: &EntityId,
        operation: &str,
        input: &RawValue,
        at: Option<DateTime<Utc>>,
    ) -> Result<(), CliError> {
        either!(self, hub => hub.signal(id, operation, input, at))
    }

    /// Deletes the hub with all it holds; gives its name. There is no time limit: a large one takes
    /// its time.
    pub(crate) async fn delete(self) -> Result<String, CliError> {
        match self.way {
            Way::Stored(hub) => hub.delete().await,
            Way::Remote(_) => Err(CliError::usage(
                "the management API has no way to delete a task hub",
            )
            .hint("delete it on the machine of its storage file, with --storage")),
        }
    }
}
