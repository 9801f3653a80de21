//! What a status query returns.

use std::fmt;
use std::future::IntoFuture;

use chrono::{DateTime, Utc};
use futures_core::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ClientError, DurableClient};
use crate::engine::decode_history;
use crate::model::{
    EventKind, Failure, HistoryEvent, HistoryRow, InstanceId, InstanceRecord, Payload,
    RuntimeStatus, StoredInstance, Tags,
};

/// An orchestration, as it stood when it was asked for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OrchestrationStatus {
    /// The name of the orchestrator.
    pub name: String,
    /// The id of the instance.
    pub instance_id: String,
    /// Where it stands.
    pub runtime_status: RuntimeStatus,
    /// When it was accepted.
    pub created_time: DateTime<Utc>,
    /// When anything was last recorded of it.
    pub last_updated_time: DateTime<Utc>,
    /// What it was given; `None` if the query left that out. A [`Value`] keeps integers from `i64::MIN` to
    /// `u64::MAX`; others become floating-point numbers in it, here and in what is told over HTTP. Read them
    /// with [`input_as`](Self::input_as), or send them as text.
    pub input: Option<Value>,
    /// What it returned; its failure if it failed; the reason if it was terminated or is suspended. Of
    /// integers the same holds as for the input.
    pub output: Option<Value>,
    /// What its code last set.
    pub custom_status: Option<Value>,
    /// How it failed, if it did.
    pub failure: Option<Failure>,
    /// Its history, if the query asked for that.
    pub history: Option<Vec<HistoryEvent>>,
    /// Its labels.
    pub tags: Tags,
    /// The version it runs, where one was declared.
    pub version: Option<String>,
    /// The instance that started it, where one did.
    pub parent: Option<String>,
    /// The input and the output as they are stored: a [`Value`] has no room for every number.
    stored: (Option<Payload>, Option<Payload>),
}

impl OrchestrationStatus {
    pub(super) fn new(record: &InstanceRecord) -> Self {
        let output = record.output.as_ref();
        Self {
            name: record.name.clone(),
            instance_id: record.id.to_string(),
            runtime_status: record.status,
            created_time: record.created,
            last_updated_time: record.updated,
            input: None,
            output: output.map(Payload::to_value),
            custom_status: record.custom_status.as_ref().map(Payload::to_value),
            failure: match record.status {
                RuntimeStatus::Failed => output.and_then(|output| output.decode().ok()),
                _ => None,
            },
            history: None,
            tags: record.tags.clone(),
            version: record.version.clone(),
            parent: record.parent.as_ref().map(InstanceId::to_string),
            stored: (None, output.cloned()),
        }
    }

    pub(super) fn with_input(mut self, first_row: Option<&HistoryRow>) -> Self {
        let input = first_row.and_then(|row| {
            let events = decode_history(std::slice::from_ref(row)).ok()?;
            match events.into_iter().next()?.kind {
                EventKind::ExecutionStarted(started) => Some(started.input),
                _ => None,
            }
        });
        self.input = input.as_ref().map(Payload::to_value);
        self.stored.0 = input;
        self
    }

    /// The input as a `T`, read from what is stored, with all digits of numbers.
    ///
    /// # Errors
    ///
    /// [`ClientError::Serialization`] if the query left the input out or it does not fit.
    pub fn input_as<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        self.read_as("input", self.stored.0.as_ref())
    }

    /// The output as a `T`, read from what is stored, with all digits of numbers.
    ///
    /// # Errors
    ///
    /// [`ClientError::Serialization`] if there is no output or it does not fit.
    pub fn output_as<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        self.read_as("output", self.stored.1.as_ref())
    }

    fn read_as<T: DeserializeOwned>(
        &self,
        what: &str,
        payload: Option<&Payload>,
    ) -> Result<T, ClientError> {
        let (instance, status) = (&self.instance_id, self.runtime_status);
        let what = format_args!("the {what} of instance {instance:?} ({status})");
        Ok(payload.unwrap_or(&Payload::null()).read(&what)?)
    }
}

/// A status query: made by [`DurableClient::get_status`], sent by awaiting it.
#[must_use = "a query does nothing unless it is awaited"]
pub struct GetStatus {
    client: DurableClient,
    id: String,
    input: bool,
    history: HistoryWanted,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum HistoryWanted {
    No,
    WithoutOutputs,
    WithOutputs,
}

impl GetStatus {
    pub(super) fn new(client: DurableClient, id: String) -> Self {
        Self {
            client,
            id,
            input: true,
            history: HistoryWanted::No,
        }
    }

    /// With the history, but without what the steps returned (`null` in its place).
    pub fn with_history(mut self) -> Self {
        if self.history == HistoryWanted::No {
            self.history = HistoryWanted::WithoutOutputs;
        }
        self
    }

    /// With the history, and in it what the steps returned.
    pub fn with_history_output(mut self) -> Self {
        self.history = HistoryWanted::WithOutputs;
        self
    }

    /// Without the input.
    pub fn without_input(mut self) -> Self {
        self.input = false;
        self
    }

    async fn send(self) -> Result<Option<OrchestrationStatus>, ClientError> {
        let Ok(id) = InstanceId::new(&self.id) else {
            return Ok(None);
        };
        let link = self.client.link();
        if self.history == HistoryWanted::No {
            let with_input = self.input;
            let found = link
                .read(move |storage| storage.summary(&id, with_input))
                .await?;
            return Ok(found.map(|found| {
                OrchestrationStatus::new(&found.record).with_input(found.first_row.as_ref())
            }));
        }
        let loaded = link.read(move |storage| storage.load(&[id])).await?;
        match loaded.into_iter().flatten().next() {
            Some(stored) => Ok(Some(self.with_events(&stored)?)),
            None => Ok(None),
        }
    }

    fn with_events(&self, stored: &StoredInstance) -> Result<OrchestrationStatus, ClientError> {
        let mut events =
            decode_history(&stored.history).map_err(|message| ClientError::Serialization {
                what: format!("the history of instance {:?}", self.id),
                message,
            })?;
        if self.history == HistoryWanted::WithoutOutputs {
            events.iter_mut().for_each(blank_result);
        }
        let mut status = OrchestrationStatus::new(&stored.record);
        if self.input {
            status = status.with_input(stored.history.first());
        }
        status.history = Some(events);
        Ok(status)
    }
}

fn blank_result(event: &mut HistoryEvent) {
    match &mut event.kind {
        EventKind::TaskCompleted { result, .. }
        | EventKind::SubOrchestrationCompleted { result, .. }
        | EventKind::EntityCompleted { result, .. }
        | EventKind::ExecutionCompleted { result } => *result = Payload::null(),
        _ => {}
    }
}

impl IntoFuture for GetStatus {
    type Output = Result<Option<OrchestrationStatus>, ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for GetStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetStatus")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
