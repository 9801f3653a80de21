//! What clients of this process use of the host.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::backlog::Backlog;
use super::router::Router;
use super::triggers::News;
use super::watchers::Watchers;
use crate::client::{LocalHost, NotTaken};
use crate::model::{Command, InstanceId, InstanceRecord, QueueName, Rejection, Reply};
use crate::partition::{Input, Responder};

/// The host as its clients see it.
#[derive(Debug)]
pub(super) struct LocalLink {
    pub(super) router: Arc<Router>,
    pub(super) watchers: Arc<Watchers>,
    pub(super) news: Arc<News>,
    pub(super) backlog: Arc<Backlog>,
}

impl LocalHost for LocalLink {
    fn request(
        &self,
        to: &InstanceId,
        command: Command,
    ) -> Result<oneshot::Receiver<Result<Reply, Rejection>>, NotTaken> {
        let partition = self.router.partition_of(to);
        // What goes to another host, or waits for the next one, is none of this one's load.
        if self.router.epoch(partition).is_none() {
            return Err(NotTaken::NotOwned(Box::new(command)));
        }
        let admitted = match self.backlog.admit(&command) {
            Ok(admitted) => admitted,
            Err(message) => {
                let command = Box::new(command);
                return Err(NotTaken::Busy { command, message });
            }
        };
        let (answer, receiver) = oneshot::channel();
        let input = Input::Request {
            to: to.clone(),
            command,
            responder: Responder(Box::new(move |result| {
                drop(admitted);
                // Whoever has stopped waiting does not want it.
                let _ = answer.send(result);
            })),
        };
        match self.router.send(partition, input).map_err(|input| *input) {
            Err(Input::Request { command, .. }) => Err(NotTaken::NotOwned(Box::new(command))),
            Ok(()) | Err(_) => Ok(receiver),
        }
    }

    fn subscribe(&self, id: &InstanceId) -> Option<oneshot::Receiver<Arc<InstanceRecord>>> {
        // In this order: whoever takes the partition away later has all look again.
        let ended = self.watchers.subscribe(id);
        if self.router.epoch(self.router.partition_of(id)).is_none() {
            drop(ended);
            self.watchers.unsubscribe(id);
            return None;
        }
        Some(ended)
    }

    fn unsubscribe(&self, id: &InstanceId) {
        self.watchers.unsubscribe(id);
    }

    fn pushed(&self, queue: &QueueName) {
        self.news.pushed(queue);
    }
}
