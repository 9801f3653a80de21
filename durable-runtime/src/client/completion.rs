//! Waiting for the end of an instance.

use std::sync::Arc;
use std::time::Duration;

use super::{ClientError, DurableClient, queued};
use crate::model::{InstanceId, InstanceRecord};

/// Where an instance is.
enum Stage {
    Ended(Arc<InstanceRecord>),
    Runs,
    /// Its start or rewind waits for a host. It has not ended: what is in storage until then is how it ended before.
    IsQueued,
}

impl DurableClient {
    /// Waits until an instance has ended. If it `may_replace` one that runs, the host of this process is not asked
    /// to tell: it would tell of the end of that.
    pub(super) async fn ended_record(
        &self,
        id: &InstanceId,
        may_replace: bool,
    ) -> Result<Arc<InstanceRecord>, ClientError> {
        const LOOK_AGAIN: Duration = Duration::from_secs(1);
        loop {
            let subscription = if may_replace {
                None
            } else {
                self.link().subscribe(id)
            };
            let stage = self.stage(id).await?;
            if let Stage::Ended(record) = stage {
                return Ok(record);
            }
            if let Some(message) = self.link().standstill() {
                return Err(ClientError::Standstill { message });
            }
            match (stage, subscription) {
                (Stage::Runs, Some(subscription)) => {
                    if let Some(record) = subscription.ended().await {
                        return Ok(record);
                    }
                }
                // A host tells of an end, and not of a start of which nothing comes.
                _ => self.link().changed(LOOK_AGAIN).await?,
            }
        }
    }

    async fn stage(&self, id: &InstanceId) -> Result<Stage, ClientError> {
        let wanted = id.clone();
        let found = self.link().read(move |storage| {
            let found = storage.summary(&wanted, false)?;
            if let Some(found) = &found
                && !found.record.status.has_ended()
            {
                return Ok(Some(Stage::Runs));
            }
            if queued::is_to_run(storage, &wanted, found.is_some())? {
                return Ok(Some(Stage::IsQueued));
            }
            // A host may have taken it up between the two looks.
            let found = storage.summary(&wanted, false)?;
            Ok(found.map(|found| match found.record {
                record if record.status.has_ended() => Stage::Ended(Arc::new(record)),
                _ => Stage::Runs,
            }))
        });
        let found = found.await?;
        found.ok_or_else(|| ClientError::InstanceNotFound { id: id.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::link::tests::Idle;
    use crate::client::{LocalHost, OnExisting};
    use crate::model::{Delta, InstanceDelta, PartitionId, RuntimeStatus, TaskHubName, WorkerId};
    use crate::storage::{HubOptions, HubStorage, Memory, StorageProvider};

    const PARTITION: PartitionId = PartitionId(0);
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Commits as the owner of the only partition for a moment.
    fn commit(storage: &dyn HubStorage, change: impl FnOnce(&mut Delta)) {
        let worker = WorkerId("worker".to_owned());
        let lease = storage.acquire(&worker, PATIENCE, 1).unwrap().remove(0);
        let mut delta = Delta::new(lease.partition, lease.epoch);
        change(&mut delta);
        storage.commit(&[delta]).unwrap();
        storage.release(&worker).unwrap();
    }

    fn upsert(status: RuntimeStatus) -> InstanceDelta {
        InstanceDelta::Upsert {
            record: Box::new(InstanceRecord::plain("any", status)),
            reset_history: true,
            append: Vec::new(),
        }
    }

    /// A hub with one instance, whose owner is gone, and a client in a host that owns nothing.
    fn hub_with(status: RuntimeStatus) -> (Arc<dyn HubStorage>, DurableClient, Arc<Idle>) {
        let hub = TaskHubName::new("hub").unwrap();
        let options = HubOptions { partition_count: 1 };
        let storage = Memory::new().open_hub(&hub, &options).unwrap();
        commit(&*storage, |delta| delta.change(upsert(status)));
        let local = Arc::new(Idle::default());
        let link: Arc<dyn LocalHost> = Arc::clone(&local) as _;
        let client = DurableClient::new(hub, Arc::clone(&storage), Some(link), 1_024);
        (storage, client, local)
    }

    // Else it waits for ever: a host tells of ends, and not of a start of which nothing comes.
    #[tokio::test]
    async fn who_waits_for_a_start_that_does_nothing_gets_what_is_there() {
        let (storage, client, local) = hub_with(RuntimeStatus::Completed);
        let run = client
            .start_new_by_name("any", ())
            .instance_id("any")
            .on_existing(OnExisting::Ignore);
        let run = run.await.unwrap();
        let waiting = tokio::spawn(async move { run.wait(PATIENCE).await });
        // The second time that it looks, it has found the start in the queue.
        let looks = || local.senders.lock().unwrap().len();
        let looked_twice = async {
            while looks() < 2 {
                tokio::task::yield_now().await;
            }
        };
        let looked_twice = tokio::time::timeout(PATIENCE, looked_twice).await;
        looked_twice.expect("it waits to be told of an end that nobody tells of");
        assert!(!waiting.is_finished(), "it may be started anew");

        let queued = storage.inbox(&[PARTITION]).unwrap();
        commit(&*storage, |delta| delta.consume(queued[0].id));
        let status = waiting.await.unwrap().unwrap();
        assert_eq!(status.runtime_status, RuntimeStatus::Completed);
    }

    // Rule 3. The host that takes the start up tells of the end of what it replaces.
    #[tokio::test]
    async fn who_waits_for_a_start_that_is_to_replace_what_runs_is_not_told_of_that() {
        let (storage, client, local) = hub_with(RuntimeStatus::Running);
        let run = client
            .start_new_by_name("any", ())
            .instance_id("any")
            .on_existing(OnExisting::Restart);
        let run = run.await.unwrap();
        let waiting = tokio::spawn(async move { run.wait(PATIENCE).await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "what is to be replaced runs");

        let queued = storage.inbox(&[PARTITION]).unwrap();
        commit(&*storage, |delta| {
            delta.consume(queued[0].id);
            delta.change(upsert(RuntimeStatus::Completed));
        });
        let status = waiting.await.unwrap().unwrap();
        assert_eq!(status.runtime_status, RuntimeStatus::Completed);
        assert!(local.senders.lock().unwrap().is_empty());
    }
}
