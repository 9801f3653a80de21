//! Starting orchestrations.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_core::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::link::Subscription;
use super::{ClientError, DurableClient, OrchestrationStatus};
use crate::model::{
    Command, ExecutionId, InstanceId, InstanceRecord, OnExisting, Payload, Reply, RuntimeStatus,
    StartOrchestration, Tags,
};

/// A start: made by [`DurableClient::start_new`], sent by awaiting it.
#[must_use = "nothing is started unless this is awaited"]
pub struct StartNew<T> {
    client: DurableClient,
    name: String,
    input: Result<Payload, ClientError>,
    instance_id: Option<String>,
    version: Option<String>,
    start_at: Option<DateTime<Utc>>,
    tags: Tags,
    on_existing: Option<OnExisting>,
    output: PhantomData<fn() -> T>,
}

impl<T> StartNew<T> {
    pub(super) fn new(client: DurableClient, name: &str, input: &impl Serialize) -> Self {
        let input = client.encode(&format!("the input of orchestrator {name:?}"), input);
        Self {
            client,
            name: name.to_owned(),
            input,
            instance_id: None,
            version: None,
            start_at: None,
            tags: Tags::new(),
            on_existing: None,
            output: PhantomData,
        }
    }

    /// Gives the instance this id: 1 to 256 characters, not starting with `@`, none of `/ \ # ?`, no
    /// control characters. Without it the id is a random UUID of 32 hexadecimal digits.
    pub fn instance_id(mut self, id: impl Into<String>) -> Self {
        self.instance_id = Some(id.into());
        self
    }

    /// Runs this version of the orchestrator; without it, the
    /// [default](crate::host::HostOptions::default_version) of the host that starts it, else the highest
    /// that is registered.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Runs it at `time`; the instance is `Pending` until then.
    pub fn start_at(mut self, time: DateTime<Utc>) -> Self {
        self.start_at = Some(time);
        self
    }

    /// Labels the instance, for queries.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// What to do if an instance of the id exists, ended or not. Without it, one that has ended is
    /// replaced, and one that has not is the error [`ClientError::AlreadyExists`].
    pub fn on_existing(mut self, on_existing: OnExisting) -> Self {
        self.on_existing = Some(on_existing);
        self
    }

    async fn send(self) -> Result<OrchestrationRun<T>, ClientError> {
        let id = match &self.instance_id {
            Some(id) => InstanceId::new(id)?,
            None => InstanceId::from_uuid(self.client.link().new_id()),
        };
        let execution = ExecutionId(self.client.link().new_id());
        let command = Command::Start(Box::new(StartOrchestration {
            name: self.name,
            version: self.version,
            input: self.input?,
            execution,
            parent: None,
            start_at: self.start_at,
            tags: self.tags,
            on_existing: self.on_existing,
            has_new_id: self.instance_id.is_none(),
        }));
        let mut run = OrchestrationRun::new(self.client, id);
        // A replaced instance must not be taken for the new one: that one's end is not waited for.
        if self.on_existing.is_none() {
            run.subscribe();
        }
        let client = &run.client;
        let link = client.link();
        let answer = link.request(&run.id, command, client.when_busy).await?;
        match answer.reply {
            Reply::Existing => run.unsubscribe(),
            Reply::Started | Reply::Done => run.forget_replaced(execution),
        }
        run.may_replace = self.on_existing == Some(OnExisting::Restart) && !answer.by_host;
        Ok(run)
    }
}

impl<T: 'static> IntoFuture for StartNew<T> {
    type Output = Result<OrchestrationRun<T>, ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<T> fmt::Debug for StartNew<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartNew")
            .field("name", &self.name)
            .field("instance_id", &self.instance_id)
            .finish_non_exhaustive()
    }
}

/// A started orchestration with the output `T`.
pub struct OrchestrationRun<T> {
    client: DurableClient,
    id: InstanceId,
    /// Whether it may be about to replace one that runs.
    may_replace: bool,
    ended: Mutex<Option<Subscription>>,
    output: PhantomData<fn() -> T>,
}

impl<T> OrchestrationRun<T> {
    pub(super) fn new(client: DurableClient, id: InstanceId) -> Self {
        Self {
            client,
            id,
            may_replace: false,
            ended: Mutex::new(None),
            output: PhantomData,
        }
    }

    /// Has the host tell when the instance ends; to be called before it is started.
    fn subscribe(&mut self) {
        self.ended = Mutex::new(self.client.link().subscribe(&self.id));
    }

    /// What has ended before the start was answered may be the instance that was replaced. What
    /// ends later is not.
    fn forget_replaced(&mut self, started: ExecutionId) {
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        ended.take_if(|ended| ended.is_of_other_than(started));
    }

    fn unsubscribe(&mut self) {
        self.ended = Mutex::new(None);
    }

    /// The id of the instance.
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// Waits until the orchestration has ended and gives what it returned.
    ///
    /// # Errors
    ///
    /// [`ClientError::Failed`], [`ClientError::Terminated`], [`ClientError::Serialization`] if the
    /// output is no `T`, [`ClientError::InstanceNotFound`] if the instance was purged.
    pub async fn output(&self) -> Result<T, ClientError>
    where
        T: DeserializeOwned,
    {
        let subscribed = self
            .ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let record = match subscribed {
            Some(ended) => ended.ended().await,
            None => None,
        };
        let record = match record {
            Some(record) => record,
            None => self.client.ended_record(&self.id, self.may_replace).await?,
        };
        output_of(&record)
    }

    /// Waits until the orchestration has ended, for at most `timeout`, and gives its status.
    ///
    /// # Errors
    ///
    /// [`ClientError::Timeout`]; as for [`DurableClient::wait_for_completion`].
    pub async fn wait(&self, timeout: Duration) -> Result<OrchestrationStatus, ClientError> {
        let may_replace = self.may_replace;
        self.client
            .ended_status(&self.id, may_replace, timeout)
            .await
    }

    /// The status as it is now.
    ///
    /// # Errors
    ///
    /// [`ClientError::InstanceNotFound`] if the instance was purged.
    pub async fn status(&self) -> Result<OrchestrationStatus, ClientError> {
        let status = self.client.get_status(self.id()).await?;
        status.ok_or_else(|| ClientError::InstanceNotFound {
            id: self.id.to_string(),
        })
    }

    /// Raises an external event; see [`DurableClient::raise_event`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn raise_event(
        &self,
        name: impl Into<String>,
        data: impl Serialize,
    ) -> Result<(), ClientError> {
        self.client.raise_event(self.id(), name, data).await
    }

    /// Ends the orchestration; see [`DurableClient::terminate`].
    pub fn terminate(&self, reason: impl Into<String>) -> super::Terminate {
        self.client.terminate(self.id(), reason)
    }
}

/// The result that the record of an ended instance holds.
fn output_of<T: DeserializeOwned>(record: &InstanceRecord) -> Result<T, ClientError> {
    let output = record.output.clone().unwrap_or_else(Payload::null);
    let what = format_args!("the output of instance {:?}", record.id.as_str());
    match record.status {
        RuntimeStatus::Failed => Err(ClientError::Failed(output.read(&what)?)),
        RuntimeStatus::Terminated => Err(ClientError::Terminated(output.read(&what)?)),
        _ => Ok(output.read(&what)?),
    }
}

impl<T> fmt::Debug for OrchestrationRun<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrchestrationRun")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
