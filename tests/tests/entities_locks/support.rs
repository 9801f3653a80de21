//! A host over memory, and an entity that notes what it is told, in order.

use std::time::Duration;

use durable_runtime::client::ClientError;
use durable_runtime::host::DurableHostBuilder;
use durable_runtime::model::{RuntimeStatus, TaskHubName};
use durable_runtime::prelude::*;
use durable_runtime::storage::{EntityFilter, EntityPageRequest, HubOptions, StorageProvider};
use durable_runtime::{Failure, Orchestrator};
use serde::{Deserialize, Serialize};

use crate::bench::{Bench, until, within};

/// A host for a test.
pub(crate) fn builder() -> DurableHostBuilder {
    DurableHost::builder()
}

impl Bench {
    pub(crate) async fn begin<O: Orchestrator>(&self, id: &str, input: impl Into<O::Input>) {
        let start = self.client.start_new::<O>(input).instance_id(id);
        within(start).await.unwrap();
    }

    pub(crate) async fn failure<O: Orchestrator>(&self, input: impl Into<O::Input>) -> Failure
    where
        O::Output: std::fmt::Debug,
    {
        let run = within(self.client.start_new::<O>(input)).await.unwrap();
        match within(run.output()).await {
            Err(ClientError::Failed(failure)) => failure,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until an instance has set this custom status.
    pub(crate) async fn until_status(&self, id: &str, wanted: &str) {
        until(async || {
            let status = within(self.client.get_status(id)).await.unwrap()?;
            let custom = status.custom_status?;
            (custom == serde_json::json!(wanted)).then_some(())
        })
        .await;
    }

    pub(crate) async fn until_ended(&self, id: &str) -> RuntimeStatus {
        until(async || {
            let status = within(self.client.get_status(id)).await.unwrap()?;
            let status = status.runtime_status;
            status.has_ended().then_some(status)
        })
        .await
    }

    pub(crate) async fn go(&self, id: &str) {
        within(self.client.raise_event(id, "go", ())).await.unwrap();
    }

    /// Has a text noted, and returns when that is sure to be done.
    pub(crate) async fn note(&self, key: &str, text: &str) {
        let sent = self.client.signal_entity(log(key), "add", text);
        within(sent).await.unwrap();
    }

    pub(crate) async fn texts(&self, key: &str) -> Vec<String> {
        let state = within(self.client.read_entity_state(log(key))).await;
        state.unwrap().unwrap_or_default()
    }

    pub(crate) async fn until_texts(&self, key: &str, wanted: &[&str]) {
        let is_wanted = async || {
            let texts = self.texts(key).await;
            (texts == wanted).then_some(()).ok_or(texts)
        };
        let last = std::sync::Mutex::new(Vec::new());
        let outcome = tokio::time::timeout(Duration::from_secs(10), async {
            while let Err(texts) = is_wanted().await {
                *last.lock().unwrap() = texts;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        assert!(outcome.await.is_ok(), "{:?} is not {wanted:?}", last.lock());
    }

    /// The entities that are locked, and by whom.
    pub(crate) fn locks(&self) -> Vec<(String, String)> {
        // Also those without a state, which a client's query leaves out.
        let request = EntityPageRequest {
            filter: EntityFilter {
                include_stateless: true,
                ..EntityFilter::default()
            },
            size: 100,
            after: None,
        };
        let hub = TaskHubName::new("DurableHub").unwrap();
        let hub = self.storage.open_hub(&hub, &HubOptions::default()).unwrap();
        let entities = hub.list_entities(&request).unwrap();
        entities
            .into_iter()
            .filter_map(|entity| {
                let key = entity.id.as_str().strip_prefix("@log@")?.to_owned();
                Some((key, entity.lock?.holder.instance.to_string()))
            })
            .collect()
    }

    pub(crate) async fn until_unlocked(&self) {
        until(async || self.locks().is_empty().then_some(())).await;
    }
}

pub(crate) fn log(key: &str) -> EntityId {
    EntityId::new("Log", key)
}

/// Locks entities of the log, notes that in each of them, and waits to be told to go on.
#[orchestrator]
pub(crate) async fn holds(ctx: OrchestrationContext, keys: Vec<String>) -> Result<()> {
    let guard = ctx.lock(keys.iter().map(|key| log(key))).await?;
    for entity in guard.entities().to_vec() {
        guard.call_entity::<()>(entity, "add", "locked").await?;
    }
    ctx.set_custom_status("inside")?;
    ctx.wait_for_external_event::<()>("go").await?;
    for entity in guard.entities().to_vec() {
        guard.call_entity::<()>(entity, "add", "released").await?;
    }
    drop(guard);
    ctx.set_custom_status("outside")?;
    Ok(())
}

/// How long a slow note takes.
pub(crate) const ADDS_IN: Duration = Duration::from_millis(5);

/// Notes what it is told.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Log(Vec<String>);

impl Log {
    pub(crate) fn push(&mut self, text: String) {
        self.0.push(text);
    }
}

#[entity]
impl Log {
    fn add(&mut self, text: String) {
        self.0.push(text);
    }

    async fn add_slowly(&mut self, text: String) {
        tokio::time::sleep(ADDS_IN).await;
        self.0.push(text);
    }
}
