//! Answers the partitions' queries from storage.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::router::Router;
use super::state::HostState;
use crate::model::{EntityRecord, Epoch, InstanceId, PartitionId, StoredInstance};

/// An instance as it was found; an error if its row cannot be read.
type Found = Result<Option<StoredInstance>, String>;

use crate::partition::{Input, Query};
use crate::storage::{HubStorage, StorageError};

/// A query, and where its answer goes.
#[derive(Debug)]
pub(super) struct LoadRequest {
    pub(super) partition: PartitionId,
    pub(super) epoch: Epoch,
    pub(super) query: Query,
}

/// The reading thread.
#[derive(Debug)]
pub(super) struct Loader {
    pub(super) requests: Receiver<LoadRequest>,
    pub(super) storage: Arc<dyn HubStorage>,
    pub(super) router: Arc<Router>,
    pub(super) state: Arc<HostState>,
}

/// How many instances are read at once.
const BATCH: usize = 256;

impl Loader {
    /// Runs until nobody can ask any more.
    pub(super) fn run(self) {
        while let Ok(first) = self.requests.recv() {
            if !self.answer(first) {
                return;
            }
        }
    }

    /// Answers what is asked by now. Returns whether something was.
    #[cfg(feature = "simulation")]
    pub(super) fn round(&self) -> bool {
        let first = self.requests.try_recv();
        first.is_ok_and(|first| self.answer(first))
    }

    /// Answers `first` and what else is asked by now; `false` when the host is done for.
    fn answer(&self, first: LoadRequest) -> bool {
        let mut to = Vec::new();
        let mut ids = Vec::new();
        let mut entities = Vec::new();
        let more = std::iter::from_fn(|| self.requests.try_recv().ok());
        for request in std::iter::once(first).chain(more.take(BATCH)) {
            let from = (request.partition, request.epoch);
            match request.query {
                Query::Instance(id) => {
                    ids.push(id);
                    to.push(from);
                }
                Query::Entity(id) => entities.push((from, id)),
                Query::Children(id) => self.find_children(from, id),
            }
        }
        if !entities.is_empty() && !self.load_entities(entities) {
            return false;
        }
        let Some(loaded) = self.load(&ids) else {
            return false;
        };
        for (((partition, epoch), id), stored) in to.into_iter().zip(ids).zip(loaded) {
            let input = Input::Loaded { id, stored };
            self.router.send_to(partition, epoch, input);
        }
        true
    }

    /// `false` when the host is done for.
    fn load_entities(&self, asked: Vec<((PartitionId, Epoch), InstanceId)>) -> bool {
        let (to, ids): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
        let Some(found) = self.entities(&ids) else {
            return false;
        };
        for (((partition, epoch), id), stored) in to.into_iter().zip(ids).zip(found) {
            let input = Input::EntityLoaded { id, stored };
            self.router.send_to(partition, epoch, input);
        }
        true
    }

    fn entities(&self, ids: &[InstanceId]) -> Option<Vec<Result<Option<EntityRecord>, String>>> {
        match self.retry(|| self.storage.entities(ids))? {
            Ok(found) => Some(found.into_iter().map(Ok).collect()),
            // One of them cannot be read: the others are not to suffer.
            Err(_) if ids.len() > 1 => {
                let mut found = Vec::new();
                for id in ids {
                    found.append(&mut self.entities(std::slice::from_ref(id))?);
                }
                Some(found)
            }
            Err(error) => {
                tracing::error!(%error, entity = ?ids.first(), "the entity cannot be read");
                Some(vec![Err(error.to_string()); ids.len()])
            }
        }
    }

    fn find_children(&self, (partition, epoch): (PartitionId, Epoch), id: InstanceId) {
        match self.retry(|| self.storage.children(&id)) {
            Some(Ok(children)) => {
                let input = Input::Children { id, children };
                self.router.send_to(partition, epoch, input);
            }
            Some(Err(error)) => self.state.fail(error.into()),
            None => {}
        }
    }

    fn load(&self, ids: &[InstanceId]) -> Option<Vec<Found>> {
        match self.retry(|| self.storage.load(ids))? {
            Ok(loaded) => Some(loaded.into_iter().map(Ok).collect()),
            // One of them cannot be read: the others are not to suffer.
            Err(_) if ids.len() > 1 => {
                let mut loaded = Vec::new();
                for id in ids {
                    loaded.append(&mut self.load(std::slice::from_ref(id))?);
                }
                Some(loaded)
            }
            Err(error) => {
                tracing::error!(%error, instance = ?ids.first(), "the instance cannot be read");
                Some(vec![Err(error.to_string()); ids.len()])
            }
        }
    }

    /// Repeats a read while storage is unavailable; `None` when the host is done for.
    fn retry<T>(
        &self,
        read: impl Fn() -> Result<T, StorageError>,
    ) -> Option<Result<T, StorageError>> {
        let mut pause = Duration::from_millis(5);
        loop {
            match read() {
                Err(error) if error.is_transient() => {
                    tracing::warn!(%error, "reading failed; trying again");
                    if self.state.wait_for_abandon(pause) {
                        return None;
                    }
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
                // Of no instance in particular.
                Err(error @ StorageError::Lost { .. }) => {
                    self.state.fail(error.into());
                    return None;
                }
                result => return Some(result),
            }
        }
    }
}
