//! Starting, watching and steering orchestrations.

#[cfg(feature = "http")]
mod address;
mod completion;
mod entities;
mod error;
mod link;
mod pages;
mod query;
mod queue;
mod queued;
mod readers;
mod start;
mod status;
mod token;

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use futures_core::future::BoxFuture;
use futures_util::TryStreamExt;
use serde::Serialize;
use serde_json::Value;

#[cfg(feature = "http")]
pub(crate) use address::WebAddress;
pub use entities::{
    ClientSignals, EntityMetadata, EntityPage, EntityQuery, EntityStorageCleaned, ListEntities,
};
pub use error::ClientError;
use link::{Link, WhenBusy};
pub(crate) use link::{LocalHost, NotTaken};
pub use query::{InstancePage, InstanceQuery, ListInstances};
pub use queue::QueuedMessage;
use readers::Readers;
pub use start::{OrchestrationRun, StartNew};
pub use status::{GetStatus, OrchestrationStatus};

use crate::model::{Command, InstanceId, PartitionId, Payload, Reply, TaskHubName};
pub use crate::model::{OnExisting, RuntimeStatus, TimerInfo};
use crate::registry::Orchestrator;
use crate::storage::{HubOptions, HubStorage, StorageError, StorageProvider};

/// Starts, watches and steers the orchestrations of a task hub. Cheap to clone.
///
/// A client of a host speaks to it directly; one made with [`connect`](Self::connect) goes through
/// storage, and works whether a host runs at the time or not. Every method that changes something
/// returns when the change is durable.
#[derive(Clone)]
pub struct DurableClient {
    inner: Arc<Inner>,
    when_busy: WhenBusy,
    /// The address by which the request came that this client serves.
    #[cfg(feature = "http")]
    address: Option<WebAddress>,
}

struct Inner {
    hub: TaskHubName,
    link: Link,
    max_payload_bytes: usize,
    /// The address that the host listens on.
    #[cfg(feature = "http")]
    address: std::sync::OnceLock<WebAddress>,
}

impl DurableClient {
    pub(crate) fn new(
        hub: TaskHubName,
        storage: Arc<dyn HubStorage>,
        local: Option<Arc<dyn LocalHost>>,
        max_payload_bytes: usize,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                hub,
                link: Link {
                    storage,
                    local,
                    readers: Readers::default(),
                },
                max_payload_bytes,
                #[cfg(feature = "http")]
                address: std::sync::OnceLock::new(),
            }),
            when_busy: WhenBusy::Refuse,
            #[cfg(feature = "http")]
            address: None,
        }
    }

    /// This client, for a function that the host itself calls: no more often than it can, and with nobody to
    /// be told to try again.
    pub(crate) fn waiting_for_room(mut self) -> Self {
        self.when_busy = WhenBusy::Wait;
        self
    }

    /// Says where the management API is, for all clones. Only the first to do so is heard.
    #[cfg(feature = "http")]
    pub(crate) fn publish_address(&self, address: WebAddress) {
        let _ = self.inner.address.set(address);
    }

    /// This client, for a request that came by `address`.
    #[cfg(feature = "http")]
    pub(crate) fn with_address(mut self, address: WebAddress) -> Self {
        self.address = Some(address);
        self
    }

    #[cfg(feature = "http")]
    pub(crate) fn address(&self) -> Option<&WebAddress> {
        self.address.as_ref().or_else(|| self.inner.address.get())
    }

    /// A client of the task hub `task_hub` in `storage`, without a host in this process. A hub that
    /// does not exist is created.
    ///
    /// # Errors
    ///
    /// [`ClientError::Storage`] if the storage cannot be opened or the hub's name is not valid.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a storage is given to whoever uses it, as to a host"
    )]
    pub fn connect(storage: impl StorageProvider, task_hub: &str) -> Result<Self, ClientError> {
        let hub = hub_name(task_hub)?;
        let storage = storage.open_hub(&hub, &HubOptions::default())?;
        Ok(Self::without_host(hub, storage))
    }

    /// As [`connect`](Self::connect), but creates nothing.
    ///
    /// # Errors
    ///
    /// [`ClientError::TaskHubNotFound`], which names the hubs that there are; and as for
    /// [`connect`](Self::connect).
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a storage is given to whoever uses it, as to a host"
    )]
    pub fn connect_existing(
        storage: impl StorageProvider,
        task_hub: &str,
    ) -> Result<Self, ClientError> {
        let (hub, storage) = find_hub(&storage, task_hub)?;
        Ok(Self::without_host(hub, storage))
    }

    fn without_host(hub: TaskHubName, storage: Arc<dyn HubStorage>) -> Self {
        let limit = crate::host::HostOptions::default().max_payload_bytes;
        Self::new(hub, storage, None, limit)
    }

    /// Whether a host, of this process or any other, runs the task hub. Without one, what is asked for
    /// is noted and done when one runs. A host that was killed counts as running until its leases
    /// have run out ([`HostOptions::lease_duration`](crate::host::HostOptions::lease_duration)).
    ///
    /// # Errors
    ///
    /// [`ClientError::Storage`].
    pub async fn is_hosted(&self) -> Result<bool, ClientError> {
        let any_is_owned = |storage: &dyn HubStorage| {
            for partition in 0..storage.partition_count() {
                if storage.is_owned(PartitionId(partition))? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        self.link().read(any_is_owned).await
    }

    /// The name of the task hub.
    pub fn task_hub(&self) -> &str {
        self.inner.hub.as_str()
    }

    /// Starts the orchestrator `O`. Await what it returns, after adding options:
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// # #[orchestrator]
    /// # async fn hello_cities(_ctx: OrchestrationContext) -> Result<Vec<String>> { Ok(Vec::new()) }
    /// # async fn example(client: DurableClient) -> Result<()> {
    /// let run = client.start_new::<hello_cities>(()).instance_id("order-42").await?;
    /// let greetings: Vec<String> = run.output().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn start_new<O: Orchestrator>(&self, input: impl Into<O::Input>) -> StartNew<O::Output> {
        StartNew::new(self.clone(), O::NAME, &input.into())
    }

    /// Starts the orchestrator that is registered as `name`.
    pub fn start_new_by_name(
        &self,
        name: impl AsRef<str>,
        input: impl Serialize,
    ) -> StartNew<Value> {
        StartNew::new(self.clone(), name.as_ref(), &input)
    }

    /// The status of an instance; `None` if there is none of the id.
    pub fn get_status(&self, id: impl Into<String>) -> GetStatus {
        GetStatus::new(self.clone(), id.into())
    }

    /// The instances that `query` means, in the order of their creation: a page, or a stream of all.
    pub fn list_instances(&self, query: InstanceQuery) -> ListInstances {
        ListInstances::new(self.clone(), query)
    }

    /// Raises the external event `name`, which is given to whoever in the orchestration waits for it,
    /// or kept until somebody does. Names are compared without regard to case.
    ///
    /// # Errors
    ///
    /// [`ClientError::InstanceNotFound`]; [`ClientError::NotRunning`] if the instance has ended;
    /// [`ClientError::PayloadTooLarge`].
    pub async fn raise_event(
        &self,
        id: impl AsRef<str>,
        name: impl Into<String>,
        data: impl Serialize,
    ) -> Result<(), ClientError> {
        let name = name.into();
        let data = self.encode(&format!("the payload of event {name:?}"), &data)?;
        self.command(id.as_ref(), Command::RaiseEvent { name, data })
            .await
    }

    /// Ends an instance; `reason` becomes its output. Its running activities are told, not killed.
    /// Await what it returns.
    ///
    /// # Errors
    ///
    /// [`ClientError::InstanceNotFound`]; [`ClientError::NotRunning`] if the instance has ended.
    pub fn terminate(&self, id: impl Into<String>, reason: impl Into<String>) -> Terminate {
        Terminate {
            client: self.clone(),
            id: id.into(),
            reason: reason.into(),
            recursive: false,
        }
    }

    /// Holds an instance: it takes no step until it is resumed, and loses nothing meanwhile.
    ///
    /// # Errors
    ///
    /// [`ClientError::InstanceNotFound`]; [`ClientError::NotRunning`] if the instance has ended.
    pub async fn suspend(
        &self,
        id: impl AsRef<str>,
        reason: impl Into<String>,
    ) -> Result<(), ClientError> {
        let reason = reason.into();
        self.command(id.as_ref(), Command::Suspend { reason }).await
    }

    /// Lets a suspended instance go on.
    ///
    /// # Errors
    ///
    /// [`ClientError::InstanceNotFound`]; [`ClientError::NotRunning`] if the instance has ended.
    pub async fn resume(
        &self,
        id: impl AsRef<str>,
        reason: impl Into<String>,
    ) -> Result<(), ClientError> {
        let reason = reason.into();
        self.command(id.as_ref(), Command::Resume { reason }).await
    }

    /// Runs the activities and sub-orchestrations that made an instance fail again, and goes on from
    /// there. What succeeded is not run again.
    ///
    /// # Errors
    ///
    /// [`ClientError::InstanceNotFound`]; [`ClientError::NotRunning`] if the instance has not failed;
    /// [`ClientError::UnknownOrchestrator`] if its code is not registered.
    pub async fn rewind(
        &self,
        id: impl AsRef<str>,
        reason: impl Into<String>,
    ) -> Result<(), ClientError> {
        let command = Command::Rewind {
            reason: reason.into(),
            start: None,
        };
        self.command(id.as_ref(), command).await
    }

    /// Starts the orchestrator of an instance again with the same input, under the same id if the
    /// instance has ended, or under a new one. Await what it returns.
    ///
    /// # Errors
    ///
    /// [`ClientError::InstanceNotFound`]; [`ClientError::AlreadyExists`] if the instance has not
    /// ended and no new id was asked for.
    pub fn restart(&self, id: impl Into<String>) -> Restart {
        Restart {
            client: self.clone(),
            id: id.into(),
            new_instance_id: false,
        }
    }

    /// Deletes an instance that has ended, its history, and the ended instances that it started.
    ///
    /// # Errors
    ///
    /// [`ClientError::InstanceNotFound`]; [`ClientError::NotRunning`] if it has not ended.
    pub async fn purge(&self, id: impl AsRef<str>) -> Result<(), ClientError> {
        self.command(id.as_ref(), Command::Purge).await
    }

    /// Deletes the instances that `filter` means and that have ended, each as [`purge`](Self::purge)
    /// does, and returns how many of those that matched were deleted.
    ///
    /// # Errors
    ///
    /// [`ClientError::Storage`]; some may have been deleted then.
    pub async fn purge_instances(&self, filter: InstanceQuery) -> Result<u64, ClientError> {
        const AT_ONCE: usize = 64;
        let mut filter = filter.without_input();
        let statuses = &mut filter.filter.statuses;
        if statuses.is_empty() {
            statuses.extend(RuntimeStatus::ALL);
        }
        statuses.retain(|status| status.has_ended());
        if statuses.is_empty() {
            return Ok(0);
        }
        let found = self.list_instances(filter.page_size(1_000)).stream();
        found
            .map_ok(|instance| self.purge_if_there(instance.instance_id))
            .try_buffer_unordered(AT_ONCE)
            .try_fold(0, async |count, purged| Ok(count + u64::from(purged)))
            .await
    }

    async fn purge_if_there(&self, id: String) -> Result<bool, ClientError> {
        match self.purge(id).await {
            // One that is not there any more went with its parent.
            Ok(()) | Err(ClientError::InstanceNotFound { .. }) => Ok(true),
            // It was started again.
            Err(ClientError::NotRunning { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Waits until an instance has ended, for at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`ClientError::Timeout`]; [`ClientError::InstanceNotFound`].
    pub async fn wait_for_completion(
        &self,
        id: impl AsRef<str>,
        timeout: Duration,
    ) -> Result<OrchestrationStatus, ClientError> {
        let id = existing_id(id.as_ref())?;
        self.ended_status(&id, false, timeout).await
    }

    /// As [`wait_for_completion`](Self::wait_for_completion), of an instance that may be about to replace one that runs
    /// if `may_replace`.
    async fn ended_status(
        &self,
        id: &InstanceId,
        may_replace: bool,
        timeout: Duration,
    ) -> Result<OrchestrationStatus, ClientError> {
        let ended = tokio::time::timeout(timeout, self.ended_record(id, may_replace)).await;
        let record = ended.map_err(|_| ClientError::Timeout {
            id: id.to_string(),
            waited: timeout,
        })??;
        // Read back with its input, which the record does not hold.
        match self.get_status(id.as_str()).await? {
            Some(status) if status.runtime_status.has_ended() => Ok(status),
            _ => Ok(OrchestrationStatus::new(&record)),
        }
    }

    async fn command(&self, id: &str, command: Command) -> Result<(), ClientError> {
        let id = existing_id(id)?;
        self.request(&id, command).await.map(drop)
    }

    /// Has a command carried out.
    async fn request(&self, to: &InstanceId, command: Command) -> Result<Reply, ClientError> {
        let answer = self.link().request(to, command, self.when_busy).await?;
        Ok(answer.reply)
    }

    fn link(&self) -> &Link {
        &self.inner.link
    }

    fn encode(&self, what: &str, value: &impl Serialize) -> Result<Payload, ClientError> {
        let payload =
            Payload::encode(value).map_err(|error| ClientError::serialization(what, &error))?;
        payload.check_size(self.inner.max_payload_bytes)?;
        Ok(payload)
    }
}

/// The task hub `name`, which must exist.
pub(crate) fn find_hub(
    storage: &dyn StorageProvider,
    name: &str,
) -> Result<(TaskHubName, Arc<dyn HubStorage>), ClientError> {
    let hub = hub_name(name)?;
    match storage.find_hub(&hub)? {
        Some(storage) => Ok((hub, storage)),
        None => Err(ClientError::TaskHubNotFound {
            name: name.to_owned(),
            hubs: storage.hubs()?,
        }),
    }
}

fn hub_name(name: &str) -> Result<TaskHubName, StorageError> {
    TaskHubName::new(name).map_err(|message| StorageError::NotOurs {
        place: format!("{name:?}"),
        message,
    })
}

/// The id of an instance that should exist: none has an id that is not valid.
fn existing_id(id: &str) -> Result<InstanceId, ClientError> {
    InstanceId::new(id).map_err(|_| ClientError::InstanceNotFound { id: id.to_owned() })
}

impl fmt::Debug for DurableClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableClient")
            .field("task_hub", &self.inner.hub.as_str())
            .finish_non_exhaustive()
    }
}

/// A termination: made by [`DurableClient::terminate`], sent by awaiting it.
#[derive(Debug)]
#[must_use = "nothing is terminated unless this is awaited"]
pub struct Terminate {
    client: DurableClient,
    id: String,
    reason: String,
    recursive: bool,
}

impl Terminate {
    /// Ends every descendant that has not ended as well.
    pub fn recursive(mut self) -> Self {
        self.recursive = true;
        self
    }
}

impl IntoFuture for Terminate {
    type Output = Result<(), ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            client,
            id,
            reason,
            recursive,
        } = self;
        Box::pin(async move {
            let command = Command::Terminate { reason, recursive };
            client.command(&id, command).await
        })
    }
}

/// A restart: made by [`DurableClient::restart`], sent by awaiting it.
#[derive(Debug)]
#[must_use = "nothing is restarted unless this is awaited"]
pub struct Restart {
    client: DurableClient,
    id: String,
    new_instance_id: bool,
}

impl Restart {
    /// Starts under a new, random id; the instance stays as it is.
    pub fn with_new_instance_id(mut self) -> Self {
        self.new_instance_id = true;
        self
    }

    async fn send(self) -> Result<OrchestrationRun<Value>, ClientError> {
        let status = self.client.get_status(&self.id).await?;
        let Some(status) = status else {
            return Err(ClientError::InstanceNotFound { id: self.id });
        };
        let mut start = self
            .client
            .start_new_by_name(&status.name, status.input.unwrap_or(Value::Null));
        if let Some(version) = status.version {
            start = start.version(version);
        }
        for (key, value) in status.tags {
            start = start.tag(key, value);
        }
        if !self.new_instance_id {
            start = start.instance_id(self.id);
        }
        start.await
    }
}

impl IntoFuture for Restart {
    type Output = Result<OrchestrationRun<Value>, ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
