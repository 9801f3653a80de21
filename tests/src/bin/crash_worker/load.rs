//! Starts instances of every kind, batch by batch, and sees them to their end.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use durable_runtime::client::{ClientError, OnExisting, OrchestrationStatus};
use durable_runtime::prelude::*;

use crate::bank;
use crate::work::{EVENTS, Journal, Kind, Outcome};

/// What every instance is given.
pub(crate) const SEED: u64 = 11;
/// How many instances of each kind are in a batch.
const OF_EACH: usize = 3;
/// Longer than an instance takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What one process asks of the hub. What was acknowledged is noted, and not asked again after a crash.
#[derive(Debug)]
pub(crate) struct Load {
    client: DurableClient,
    journal: Journal,
    directory: PathBuf,
    name: String,
}

/// An instance of a batch.
#[derive(Debug)]
struct Member {
    kind: Kind,
    id: String,
    /// Among those of its kind.
    number: usize,
}

impl Load {
    /// `name` tells several processes of one directory apart.
    pub(crate) fn new(client: DurableClient, directory: &Path, name: &str) -> Self {
        Self {
            client,
            journal: Journal::new(directory.join(format!("acknowledged-{name}"))),
            directory: directory.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Finishes what was begun by the runs before, and as many `batches` more.
    pub(crate) async fn run(&self, batches: u32) -> Result<()> {
        let known = self.known();
        let Some(last) = last_batch(&known) else {
            return self.batches(&known, 0, batches).await;
        };
        self.batches(&known, last, last + batches).await
    }

    async fn batches(&self, known: &HashSet<String>, first: u32, last: u32) -> Result<()> {
        for batch in first..=last {
            let begun = format!("batch {batch}");
            if !known.contains(&begun) {
                if batch == last {
                    return Ok(());
                }
                self.journal.append(&begun)?;
            }
            self.batch(known, batch).await?;
        }
        Ok(())
    }

    /// The same, and leaves nothing of what has ended, neither in the hub nor in the journal.
    pub(crate) async fn soak(&self, batches: u32) -> Result<()> {
        let expected = self.expected()?;
        let mut known = self.known();
        let first = last_batch(&known).unwrap_or(0);
        for batch in first..first + batches {
            let ended = format!("ended {batch}");
            // Otherwise the run before was killed while it removed it.
            if !known.contains(&ended) {
                self.batch(&known, batch).await?;
                self.journal.append(&ended)?;
            }
            self.clear(batch, &expected).await?;
            self.journal.replace(&format!("batch {}", batch + 1))?;
            known.clear();
            if self.is_to_stop() {
                break;
            }
        }
        self.client.clean_entity_storage().await?;
        Ok(())
    }

    /// Whether a soak has lasted long enough.
    pub(crate) fn is_to_stop(&self) -> bool {
        self.directory.join("stop").exists()
    }

    fn known(&self) -> HashSet<String> {
        self.journal.read().lines().map(str::to_owned).collect()
    }

    /// What each kind returns.
    fn expected(&self) -> Result<BTreeMap<String, u64>> {
        let text = std::fs::read_to_string(self.directory.join("expected"))?;
        let mut expected = BTreeMap::new();
        for line in text.lines() {
            if let Some((kind, value)) = line.split_once(' ') {
                expected.insert(kind.to_owned(), value.parse()?);
            }
        }
        Ok(expected)
    }

    fn members(&self, batch: u32) -> Vec<Member> {
        let kinds = Kind::ALL.into_iter();
        let members = kinds.flat_map(|kind| (0..OF_EACH).map(move |number| (kind, number)));
        members
            .map(|(kind, number)| Member {
                kind,
                id: format!("{}-{}{batch}-{number}", kind.orchestrator(), self.name),
                number,
            })
            .collect()
    }

    async fn batch(&self, known: &HashSet<String>, batch: u32) -> Result<()> {
        let members = self.members(batch);
        for member in &members {
            self.once(known, &format!("started {}", member.id), || {
                self.start(member)
            })
            .await?;
        }
        for number in 0..EVENTS {
            for member in members.iter().filter(|member| member.kind.wants_events()) {
                self.raise(known, member, number).await?;
            }
        }
        for member in &members {
            self.end(member).await?;
        }
        Ok(())
    }

    /// Does what the run before has not noted as done. It may have done it, and been killed before.
    async fn once<F>(
        &self,
        known: &HashSet<String>,
        note: &str,
        attempt: impl Fn() -> F,
    ) -> Result<()>
    where
        F: Future<Output = std::result::Result<(), ClientError>>,
    {
        if known.contains(note) {
            return Ok(());
        }
        match insist(attempt).await {
            Ok(()) | Err(ClientError::NotRunning { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.journal.append(note)?)
    }

    async fn start(&self, member: &Member) -> std::result::Result<(), ClientError> {
        let (name, id) = (member.kind.orchestrator(), member.id.as_str());
        let start = match member.kind {
            // A function of a queue starts it.
            Kind::Ordered => return self.client.enqueue(bank::ORDERS, id).await,
            Kind::Generations => self
                .client
                .start_new_by_name(name, (SEED, 0, Outcome::default())),
            _ => self.client.start_new_by_name(name, SEED),
        };
        let start = start.instance_id(id).on_existing(OnExisting::Ignore);
        start.await.map(drop)
    }

    /// Raises an event; one of some instances arrives while they are suspended.
    async fn raise(&self, known: &HashSet<String>, member: &Member, number: u64) -> Result<()> {
        let id = member.id.as_str();
        let is_suspended = number == 1 && member.number == 0;
        if is_suspended {
            let suspend = || self.client.suspend(id, "for a moment");
            self.once(known, &format!("suspended {id}"), suspend)
                .await?;
        }
        let raise = || self.client.raise_event(id, format!("go-{number}"), number);
        self.once(known, &format!("raised {id}/{number}"), raise)
            .await?;
        if is_suspended {
            let resume = || self.client.resume(id, "enough");
            self.once(known, &format!("resumed {id}"), resume).await?;
        }
        Ok(())
    }

    async fn end(&self, member: &Member) -> Result<OrchestrationStatus> {
        let mut look = tokio::time::interval(Duration::from_millis(5));
        loop {
            let ended = insist(|| self.client.wait_for_completion(&member.id, PATIENCE)).await;
            match ended {
                Ok(status) => return Ok(status),
                // Its order is still in the queue.
                Err(ClientError::InstanceNotFound { .. }) if member.kind == Kind::Ordered => {
                    look.tick().await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Compares what a batch has returned, and removes it from the hub.
    async fn clear(&self, batch: u32, expected: &BTreeMap<String, u64>) -> Result<()> {
        for member in self.members(batch) {
            let id = member.id.as_str();
            let Some(status) = insist(|| self.client.get_status(id).into_future()).await? else {
                // The run before has removed it.
                continue;
            };
            let value = status.output_as::<Outcome>().map(|outcome| outcome.value);
            let wanted = expected.get(member.kind.orchestrator());
            if value.as_ref().ok() != wanted {
                return Err(Error::msg(format!("{id} has ended wrong: {status:?}")));
            }
            match insist(|| self.client.purge(id)).await {
                Ok(()) | Err(ClientError::InstanceNotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            Journal::nowhere(&self.directory).forget_attempts(id);
            if member.kind == Kind::Tally {
                let own = || {
                    self.client
                        .signal_entity(EntityId::new("Tally", id), "delete", ())
                };
                insist(own).await?;
            }
        }
        Ok(())
    }
}

fn last_batch(known: &HashSet<String>) -> Option<u32> {
    known
        .iter()
        .filter_map(|line| line.strip_prefix("batch ")?.parse().ok())
        .max()
}

/// Tries again while nobody owns the partition: its owner was killed.
async fn insist<T, F>(attempt: impl Fn() -> F) -> std::result::Result<T, ClientError>
where
    F: Future<Output = std::result::Result<T, ClientError>>,
{
    loop {
        match attempt().await {
            Err(ClientError::Busy { .. }) => tokio::task::yield_now().await,
            other => return other,
        }
    }
}
