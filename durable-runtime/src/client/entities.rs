//! Signalling and reading entities.

use std::fmt;
use std::future::IntoFuture;

use chrono::{DateTime, Utc};
use futures_core::Stream;
use futures_core::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::pages::{self, PagedQuery};
use super::{ClientError, DurableClient, token};
use crate::context::{SignalTarget, sealed};
use crate::model::{Command, EntityId, EntityOperation, EntityRecord, EntitySection, InstanceId};
use crate::registry::{Entity, EntityInterface};
use crate::storage::{EntityFilter, EntityPageRequest, HubStorage, StorageError};

impl DurableClient {
    /// Signals the entity `key` of the kind `E`: one way, without hearing how the operation ends. A
    /// method of what this gives returns a future, which is done when the signal is safely stored.
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// # async fn example(client: DurableClient) -> Result<()> {
    /// client.signal_entity(EntityId::new("Counter", "c"), "add", 1).await?;
    /// let value: Option<serde_json::Value> =
    ///     client.read_entity_state(EntityId::new("Counter", "c")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn signal<E: Entity>(&self, key: impl Into<String>) -> E::Signals<ClientSignals> {
        ClientSignals::new(self, EntityId::new(E::NAME, key)).into()
    }

    /// Signals an entity through an interface that it has.
    pub fn signal_as<I: EntityInterface + ?Sized>(
        &self,
        id: EntityId,
    ) -> I::Signals<ClientSignals> {
        ClientSignals::new(self, id).into()
    }

    /// Signals the operation `operation` of an entity, of which the compiler checks nothing. Returns
    /// when the signal is safely stored.
    ///
    /// # Errors
    ///
    /// [`ClientError::InvalidEntityId`], [`ClientError::PayloadTooLarge`],
    /// [`ClientError::Serialization`]; [`ClientError::UnknownEntity`] if a host runs and does not have
    /// the entity or the operation.
    pub async fn signal_entity(
        &self,
        id: EntityId,
        operation: impl AsRef<str>,
        input: impl Serialize,
    ) -> Result<(), ClientError> {
        self.signals_to(id).send(operation.as_ref(), &input).await
    }

    /// What sends signals to an entity of which the compiler knows nothing, now or
    /// [`at`](crate::SignalTarget::at) a time:
    ///
    /// ```
    /// # use durable_runtime::SignalTarget as _;
    /// # use durable_runtime::prelude::*;
    /// # async fn example(client: DurableClient, midnight: chrono::DateTime<chrono::Utc>) -> Result<()> {
    /// let counter = client.signals_to(EntityId::new("Counter", "c"));
    /// counter.at(midnight).send("reset", &()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn signals_to(&self, id: EntityId) -> ClientSignals {
        ClientSignals::new(self, id)
    }

    /// The state of an entity as it was last committed; `None` if there is no such entity, or it was
    /// deleted.
    ///
    /// # Errors
    ///
    /// [`ClientError::InvalidEntityId`]; [`ClientError::Serialization`] if the state does not fit `T`.
    pub async fn read_entity_state<T: DeserializeOwned>(
        &self,
        id: EntityId,
    ) -> Result<Option<T>, ClientError> {
        let instance = id.instance()?;
        let found = self
            .link()
            .read(move |storage| storage.entities(&[instance]))
            .await?;
        let record = found.into_iter().next().flatten();
        let Some(state) = record.and_then(|record| record.state) else {
            return Ok(None);
        };
        Ok(Some(id.read_state(&state)?))
    }

    /// Releases the locks of entities whose holders no longer run, which is what is left when an
    /// orchestration's row was lost or taken out of the database by hand. Entities without a state go
    /// when their lock does; all others without one are gone already.
    ///
    /// # Errors
    ///
    /// [`ClientError::Storage`], [`ClientError::Busy`]; some may have been released then.
    pub async fn clean_entity_storage(&self) -> Result<EntityStorageCleaned, ClientError> {
        const PAGE: usize = 500;
        let mut cleaned = EntityStorageCleaned::default();
        let mut after = None;
        loop {
            let request = EntityPageRequest {
                filter: EntityFilter {
                    include_stateless: true,
                    ..EntityFilter::default()
                },
                size: PAGE,
                after: after.take(),
            };
            let (page, orphaned) = self
                .link()
                .read(move |storage| orphaned_locks(storage, &request))
                .await?;
            for (id, section, has_state) in orphaned {
                let command = Command::UnlockEntity(Box::new(section));
                self.request(&id, command).await?;
                cleaned.orphaned_locks_released += 1;
                cleaned.empty_entities_removed += u64::from(!has_state);
            }
            match page.last {
                Some(last) if page.size >= PAGE => after = Some(last),
                _ => return Ok(cleaned),
            }
        }
    }

    /// The entities that `query` means, in the order of their ids: a page, or a stream of all.
    pub fn list_entities(&self, query: EntityQuery) -> ListEntities {
        ListEntities {
            client: self.clone(),
            query,
        }
    }
}

/// What [`DurableClient::clean_entity_storage`] has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntityStorageCleaned {
    /// Locks whose holders no longer ran.
    pub orphaned_locks_released: u64,
    /// Entities of which nothing was left when they were unlocked.
    pub empty_entities_removed: u64,
}

/// How far a page of entities went.
struct Page {
    size: usize,
    last: Option<InstanceId>,
}

/// The locks on a page of entities whose holders do not run, each with whether its entity has a state.
type OrphanedLocks = Vec<(InstanceId, EntitySection, bool)>;

fn orphaned_locks(
    storage: &dyn HubStorage,
    request: &EntityPageRequest,
) -> Result<(Page, OrphanedLocks), StorageError> {
    let found = storage.list_entities(request)?;
    let page = Page {
        size: found.len(),
        last: found.last().map(|last| last.id.clone()),
    };
    let mut orphaned = Vec::new();
    for record in found {
        let Some(section) = record.lock else {
            continue;
        };
        let holder = storage.summary(&section.holder.instance, false)?;
        let runs = holder.is_some_and(|holder| {
            !holder.record.status.has_ended() && holder.record.execution == section.run
        });
        if !runs {
            orphaned.push((record.id, section, record.state.is_some()));
        }
    }
    Ok((page, orphaned))
}

/// Sends signals of a client.
#[derive(Debug, Clone)]
pub struct ClientSignals {
    client: DurableClient,
    id: EntityId,
    at: Option<DateTime<Utc>>,
}

impl ClientSignals {
    fn new(client: &DurableClient, id: EntityId) -> Self {
        Self {
            client: client.clone(),
            id,
            at: None,
        }
    }

    fn command(
        &self,
        operation: &str,
        input: &impl Serialize,
    ) -> Result<(InstanceId, Command), ClientError> {
        let to = self.id.instance()?;
        let what = format!("the input of operation {operation:?}");
        let operation = EntityOperation {
            name: operation.to_owned(),
            input: self.client.encode(&what, input)?,
            caller: None,
            at: self.at,
        };
        Ok((to, Command::Entity(Box::new(operation))))
    }
}

impl sealed::Target for ClientSignals {}

impl SignalTarget for ClientSignals {
    type Sent = BoxFuture<'static, Result<(), ClientError>>;

    fn at(mut self, time: DateTime<Utc>) -> Self {
        self.at = Some(time);
        self
    }

    fn send(&self, operation: &str, input: &impl Serialize) -> Self::Sent {
        let client = self.client.clone();
        let command = self.command(operation, input);
        Box::pin(async move {
            let (to, command) = command?;
            client.request(&to, command).await.map(drop)
        })
    }
}

/// Which entities are meant, and how many at a time. What is not set does not filter.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityQuery {
    filter: EntityFilter,
    page_size: usize,
    continuation_token: Option<String>,
    without_state: bool,
}

impl Default for EntityQuery {
    fn default() -> Self {
        Self {
            filter: EntityFilter::default(),
            page_size: 100,
            continuation_token: None,
            without_state: false,
        }
    }
}

impl EntityQuery {
    /// All entities, 100 a page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Entities of the kind `name`, without regard to case.
    #[must_use]
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.filter.name = Some(name.as_ref().to_lowercase());
        self
    }

    /// Entities whose last operation was at `time` or later.
    #[must_use]
    pub fn last_operation_from(mut self, time: DateTime<Utc>) -> Self {
        self.filter.last_operation_from = Some(time);
        self
    }

    /// Entities whose last operation was at `time` or earlier.
    #[must_use]
    pub fn last_operation_to(mut self, time: DateTime<Utc>) -> Self {
        self.filter.last_operation_to = Some(time);
        self
    }

    /// Leaves the entities' states out.
    #[must_use]
    pub fn without_state(mut self) -> Self {
        self.without_state = true;
        self
    }

    /// At most so many entities a page, between 1 and 1,000.
    #[must_use]
    pub fn page_size(mut self, page_size: usize) -> Self {
        self.page_size = page_size.clamp(1, 1_000);
        self
    }

    /// Begins after the page that gave `token`. The filters must be the same.
    #[must_use]
    pub fn continuation_token(mut self, token: impl Into<String>) -> Self {
        self.continuation_token = Some(token.into());
        self
    }
}

/// An entity, as a query finds it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EntityMetadata {
    /// Its address.
    pub id: EntityId,
    /// When an operation was last carried out.
    pub last_operation: DateTime<Utc>,
    /// The orchestration that has locked it.
    pub locked_by: Option<String>,
    /// Its state, unless it was left out. A [`Value`] keeps integers from `i64::MIN` to `u64::MAX`; others
    /// become floating-point numbers in it. [`read_entity_state`](DurableClient::read_entity_state) has
    /// all their digits.
    pub state: Option<Value>,
}

/// One page of entities, in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EntityPage {
    /// The entities.
    pub entities: Vec<EntityMetadata>,
    /// Where the next page begins; `None` on the last.
    pub continuation_token: Option<String>,
}

/// A query for entities: made by [`DurableClient::list_entities`]. Await it for one page, or take the
/// [`stream`](Self::stream) of all.
#[must_use = "a query does nothing unless it is awaited or streamed"]
pub struct ListEntities {
    client: DurableClient,
    query: EntityQuery,
}

impl ListEntities {
    /// All entities that match, read page by page as they are taken.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<EntityMetadata, ClientError>> + Send + Unpin + 'static {
        pages::items(self.client, self.query)
    }
}

impl PagedQuery for EntityQuery {
    type Item = EntityMetadata;

    async fn read(
        self,
        client: &DurableClient,
    ) -> Result<(Vec<EntityMetadata>, Option<String>), ClientError> {
        let page = read_page(client, self).await?;
        Ok((page.entities, page.continuation_token))
    }

    fn continued(self, token: String) -> Self {
        self.continuation_token(token)
    }
}

impl IntoFuture for ListEntities {
    type Output = Result<EntityPage, ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { read_page(&self.client, self.query).await })
    }
}

impl fmt::Debug for ListEntities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListEntities")
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

async fn read_page(client: &DurableClient, query: EntityQuery) -> Result<EntityPage, ClientError> {
    let after = match &query.continuation_token {
        Some(given) => {
            let id = token::decode(given).filter(|id| id.starts_with('@'));
            let id = id.ok_or(ClientError::InvalidContinuationToken)?;
            Some(InstanceId::trusted(id))
        }
        None => None,
    };
    let size = query.page_size;
    let request = EntityPageRequest {
        filter: query.filter,
        // One more tells whether this page is the last.
        size: size + 1,
        after,
    };
    let mut found = client
        .link()
        .read(move |storage| storage.list_entities(&request))
        .await?;
    let has_more = found.len() > size;
    found.truncate(size);
    let last = found.last().filter(|_| has_more);
    let continuation_token = last.map(|last| token::encode(last.id.as_str()));
    let entities = found
        .into_iter()
        .filter_map(|record| metadata(record, query.without_state))
        .collect();
    Ok(EntityPage {
        entities,
        continuation_token,
    })
}

fn metadata(record: EntityRecord, without_state: bool) -> Option<EntityMetadata> {
    let state = record.state.filter(|_| !without_state);
    Some(EntityMetadata {
        id: EntityId::of_instance(&record.id)?,
        last_operation: record.last_operation,
        locked_by: record.lock.map(|lock| lock.holder.instance.to_string()),
        state: state.and_then(|state| state.decode().ok()),
    })
}
