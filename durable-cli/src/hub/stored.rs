//! The way to a task hub through its storage.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use durable_runtime::SignalTarget as _;
use durable_runtime::client::{
    ClientError, DurableClient, EntityQuery, InstanceQuery, OrchestrationStatus,
};
use durable_runtime::model::{EntityId, TaskHubName};
use durable_runtime::storage::{Sqlite, StorageError, StorageProvider};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Entity, EntityFilter, Filter, History, Instance, Page, PageOf, Start, Steering};
use crate::exit::{CliError, Code};

#[derive(Debug)]
pub(super) struct StoredHub {
    client: DurableClient,
    sqlite: Sqlite,
    path: PathBuf,
}

impl StoredHub {
    pub(super) async fn open(path: PathBuf, hub: String) -> Result<Self, CliError> {
        let opened = tokio::task::spawn_blocking(move || open(path, &hub)).await;
        opened.map_err(|error| CliError::new(Code::Failed, error.to_string()))?
    }

    pub(super) fn describe(&self) -> String {
        format!("{:?} in {}", self.client.task_hub(), self.path.display())
    }

    pub(super) async fn is_hosted(&self) -> Result<bool, CliError> {
        Ok(self.client.is_hosted().await?)
    }

    pub(super) async fn start(&self, start: Start) -> Result<String, CliError> {
        let mut new = self.client.start_new_by_name(start.name, start.input);
        if let Some(id) = start.id {
            new = new.instance_id(id);
        }
        if let Some(version) = start.version {
            new = new.version(version);
        }
        if let Some(time) = start.at {
            new = new.start_at(time);
        }
        for (key, value) in start.tags {
            new = new.tag(key, value);
        }
        if let Some(on_existing) = start.on_existing {
            new = new.on_existing(on_existing);
        }
        Ok(new.await?.id().to_owned())
    }

    pub(super) async fn status(
        &self,
        id: &str,
        with_input: bool,
    ) -> Result<Option<Instance>, CliError> {
        let mut get = self.client.get_status(id);
        if !with_input {
            get = get.without_input();
        }
        Ok(get.await?.map(Instance::from))
    }

    pub(super) async fn history(&self, id: &str) -> Result<Option<(Instance, History)>, CliError> {
        let status = self.client.get_status(id).with_history_output().await?;
        Ok(status.map(|mut status: OrchestrationStatus| {
            let events = status.history.take().unwrap_or_default();
            (status.into(), History::Recorded(events))
        }))
    }

    pub(super) async fn instances(
        &self,
        filter: &Filter,
        page: PageOf,
    ) -> Result<Page<Instance>, CliError> {
        let mut query = InstanceQuery::new()
            .statuses(filter.statuses.iter().copied())
            .tags(filter.tags.clone())
            .page_size(page.size);
        if let Some(time) = filter.created_from {
            query = query.created_from(time);
        }
        if let Some(time) = filter.created_to {
            query = query.created_to(time);
        }
        if let Some(prefix) = &filter.id_prefix {
            query = query.id_prefix(prefix);
        }
        if let Some(name) = &filter.name {
            query = query.name(name);
        }
        if let Some(token) = page.token {
            query = query.continuation_token(token);
        }
        if !page.with_content {
            query = query.without_input();
        }
        let read = self.client.list_instances(query).await?;
        Ok(Page {
            items: read.instances.into_iter().map(Instance::from).collect(),
            token: read.continuation_token,
        })
    }

    pub(super) async fn raise_event(
        &self,
        id: &str,
        name: &str,
        data: &RawValue,
    ) -> Result<(), CliError> {
        Ok(self.client.raise_event(id, name, data).await?)
    }

    pub(super) async fn steer(
        &self,
        id: &str,
        steering: Steering,
        reason: &str,
    ) -> Result<(), CliError> {
        let client = &self.client;
        let steered = match steering {
            Steering::Terminate => client.terminate(id, reason).await,
            Steering::TerminateAll => client.terminate(id, reason).recursive().await,
            Steering::Suspend => client.suspend(id, reason).await,
            Steering::Resume => client.resume(id, reason).await,
            Steering::Rewind => client.rewind(id, reason).await,
        };
        Ok(steered?)
    }

    pub(super) async fn restart(&self, id: &str, with_new_id: bool) -> Result<String, CliError> {
        let mut restart = self.client.restart(id);
        if with_new_id {
            restart = restart.with_new_instance_id();
        }
        let restarted = restart.await.map_err(|error| match error {
            ClientError::AlreadyExists { id, status } => CliError::new(
                Code::NotPossible,
                format!("instance {id:?} is {status}: it can be restarted when it has ended"),
            )
            .hint("start it a second time under a new id with --new-id"),
            error => error.into(),
        });
        Ok(restarted?.id().to_owned())
    }

    pub(super) async fn purge(&self, id: &str) -> Result<(), CliError> {
        Ok(self.client.purge(id).await?)
    }

    pub(super) async fn entities(
        &self,
        filter: &EntityFilter,
        page: PageOf,
    ) -> Result<Page<Entity>, CliError> {
        let mut query = EntityQuery::new().page_size(page.size);
        if let Some(name) = &filter.name {
            query = query.name(name);
        }
        if let Some(time) = filter.last_operation_from {
            query = query.last_operation_from(time);
        }
        if let Some(time) = filter.last_operation_to {
            query = query.last_operation_to(time);
        }
        if let Some(token) = page.token {
            query = query.continuation_token(token);
        }
        if !page.with_content {
            query = query.without_state();
        }
        let read = self.client.list_entities(query).await?;
        Ok(Page {
            items: read.entities.into_iter().map(Entity::from).collect(),
            token: read.continuation_token,
        })
    }

    pub(super) async fn entity_state(&self, id: &EntityId) -> Result<Option<Value>, CliError> {
        Ok(self.client.read_entity_state(id.clone()).await?)
    }

    pub(super) async fn signal(
        &self,
        id: &EntityId,
        operation: &str,
        input: &RawValue,
        at: Option<DateTime<Utc>>,
    ) -> Result<(), CliError> {
        let id = id.clone();
        let sent = match at {
            None => self.client.signal_entity(id, operation, input).await,
            Some(time) => {
                let signals = self.client.signals_to(id).at(time);
                signals.send(operation, &input).await
            }
        };
        Ok(sent?)
    }

    pub(super) async fn delete(self) -> Result<String, CliError> {
        let hub = TaskHubName::new(self.client.task_hub()).map_err(CliError::usage)?;
        let deleted = tokio::task::spawn_blocking(move || self.sqlite.delete_hub(&hub)).await;
        let deleted = deleted.map_err(|error| CliError::new(Code::Failed, error.to_string()))?;
        if deleted.map_err(ClientError::from)? {
            return Ok(self.client.task_hub().to_owned());
        }
        let reason = "somebody else has deleted the task hub meanwhile";
        Err(CliError::new(Code::NotFound, reason))
    }
}

fn open(path: PathBuf, hub: &str) -> Result<StoredHub, CliError> {
    // Before anything else: with the default file, a mistake here is one of the path as well.
    TaskHubName::new(hub).map_err(CliError::usage)?;
    let sqlite = Sqlite::options().existing().open(&path).map_err(|error| {
        let is_missing = matches!(error, StorageError::NotFound { .. });
        if !is_missing {
            return CliError::from(ClientError::from(error));
        }
        CliError::new(
            Code::NotFound,
            format!("there is no storage file {}", shown(&path)),
        )
        .hint(
            "name the file of the host with --storage FILE or DURABLE_STORAGE, or speak to the host \
             with --url http://HOST:PORT",
        )
    })?;
    let client = DurableClient::connect_existing(sqlite.clone(), hub)?;
    Ok(StoredHub {
        client,
        sqlite,
        path,
    })
}

fn shown(path: &std::path::Path) -> String {
    let absolute = std::path::absolute(path);
    absolute.as_deref().unwrap_or(path).display().to_string()
}
