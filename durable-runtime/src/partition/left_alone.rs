//! Instances that this worker has no code for: what becomes of them, and who is told.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};

use super::Partition;
use super::instance::Instance;
use crate::model::{Failure, InstanceId, InstanceRecord, PartitionId};
use crate::registry::NoCode;
use crate::registry::version::VersionMismatch;

/// The instances that wait for another worker, by what they run.
#[derive(Debug, Default)]
pub(super) struct LeftAlone(BTreeMap<(String, Option<String>), Group>);

#[derive(Debug)]
struct Group {
    instances: BTreeSet<InstanceId>,
    next_report: DateTime<Utc>,
}

impl LeftAlone {
    fn insert(&mut self, record: &InstanceRecord, now: DateTime<Utc>) {
        let group = self.0.entry(key(record)).or_insert_with(|| Group {
            instances: BTreeSet::new(),
            next_report: now,
        });
        group.instances.insert(record.id.clone());
    }

    /// The instance has ended.
    pub(super) fn remove(&mut self, record: &InstanceRecord) {
        if self.0.is_empty() {
            return;
        }
        if let Some(group) = self.0.get_mut(&key(record)) {
            group.instances.remove(&record.id);
        }
    }

    /// When [`report`](Self::report) has to be called at the latest.
    pub(super) fn next_report(&self) -> Option<DateTime<Utc>> {
        self.0.values().map(|group| group.next_report).min()
    }

    /// Takes what is to be told by now: of each group once a minute.
    fn take_reports(&mut self, now: DateTime<Utc>) -> Vec<Report> {
        let mut reports = Vec::new();
        self.0.retain(|(orchestrator, version), group| {
            if group.next_report > now {
                return true;
            }
            group.next_report = now + Duration::minutes(1);
            let Some(first) = group.instances.first() else {
                return false;
            };
            reports.push(Report {
                orchestrator: orchestrator.clone(),
                version: version.clone(),
                instances: group.instances.len(),
                first: first.clone(),
            });
            true
        });
        reports
    }

    /// Says what is to be told by now.
    pub(super) fn report(&mut self, now: DateTime<Utc>, partition: PartitionId) {
        for report in self.take_reports(now) {
            tracing::warn!(
                partition = partition.0,
                orchestrator = %report.orchestrator,
                version = report.version.as_deref().unwrap_or("(none)"),
                instances = report.instances,
                first = %report.first,
                "this worker does not have the orchestrator in this version; its instances wait for one \
                 that does"
            );
        }
    }
}

/// What is said of the instances that run one version of an orchestrator.
#[derive(Debug, PartialEq)]
struct Report {
    orchestrator: String,
    version: Option<String>,
    instances: usize,
    first: InstanceId,
}

fn key(record: &InstanceRecord) -> (String, Option<String>) {
    (record.name.clone(), record.version.clone())
}

impl Partition {
    /// Leaves an instance alone that is to run and that this worker has no code for, or fails it, as the
    /// host is told.
    pub(super) fn without_code(&mut self, instance: &mut Instance) {
        let record = &instance.record;
        let found = self
            .config
            .registry
            .orchestrator(&record.name, record.version.as_deref());
        let Err(no_code) = found else {
            return;
        };
        match (no_code, self.config.registry.on_mismatch()) {
            (NoCode::Version(failure), VersionMismatch::Fail) => {
                let message = format!(
                    "{}; the host fails such instances because of `HostOptions::on_mismatch`. Rewind the \
                     instance on a host that has the version",
                    failure.message()
                );
                let failure = Failure::new(Failure::VERSION_MISMATCH, message).non_retriable();
                self.fail(instance, failure);
                self.make_runnable(instance);
            }
            _ => self.left_alone.insert(record, self.now),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine;
    use crate::model::{
        Due, Epoch, EventKind, ExecutionStarted, HistoryEvent, HistoryRow, Payload, RuntimeStatus,
        StoredInstance, Tags,
    };
    use crate::partition::{Input, PartitionConfig};

    fn record(id: &str, version: &str) -> InstanceRecord {
        InstanceRecord {
            name: "order".to_owned(),
            version: Some(version.to_owned()),
            ..InstanceRecord::plain(id, RuntimeStatus::Running)
        }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn report(version: &str, instances: usize, first: &str) -> Report {
        Report {
            orchestrator: "order".to_owned(),
            version: Some(version.to_owned()),
            instances,
            first: InstanceId::new(first).unwrap(),
        }
    }

    /// An instance whose history ends with an event that its code has not seen.
    fn stored(record: InstanceRecord) -> StoredInstance {
        let started = ExecutionStarted {
            execution: record.execution,
            name: record.name.clone(),
            version: record.version.clone(),
            input: Payload::null(),
            parent: None,
            start_at: None,
            tags: Tags::new(),
        };
        let raised = EventKind::EventRaised {
            name: "go".to_owned(),
            data: Payload::null(),
        };
        let events = [
            EventKind::ExecutionStarted(Box::new(started)),
            EventKind::OrchestratorStarted,
            raised,
        ];
        let events = events.map(|event| HistoryEvent::new(at(0), event));
        let history = vec![HistoryRow {
            sequence: 0,
            events: engine::encode_history(&events),
        }];
        let due = Some(Due::Now);
        StoredInstance {
            record: InstanceRecord { due, ..record },
            history,
        }
    }

    // Rule 22: what a partition takes over and has no code for, it wakes up for once a minute, and changes
    // nothing of it.
    #[test]
    fn a_partition_looks_at_it_once_a_minute() {
        let config = PartitionConfig {
            id: PartitionId(0),
            epoch: Epoch(1),
            clean: true,
            partition_count: 1,
            registry: Arc::default(),
            max_payload_bytes: 1_024,
            max_cached_instances: 1,
            idle_timeout: std::time::Duration::ZERO,
            max_activity_attempts: 1,
            replay_check: false,
            max_entity_batch: 1,
            states: Arc::default(),
        };
        let record = record("order", "1.0");
        let due = vec![(record.id.clone(), Due::Now)];
        let mut partition = Partition::new(config, at(100), due, Vec::new());
        assert_eq!(partition.take_queries().len(), 1);
        partition.handle(Input::Loaded {
            id: record.id.clone(),
            stored: Ok(Some(stored(record))),
        });
        partition.step();
        assert_eq!(partition.next_due(), Some(at(100)));
        // The first of these lets go of the instance, which has not been used for the idle time of zero.
        for seconds in [100, 160, 220] {
            partition.advance(at(seconds));
            assert_eq!(partition.next_due(), Some(at(seconds + 60)));
            assert!(!partition.has_work());
        }
        assert!(partition.take_output().is_none());
    }

    // Rule 22: the worker says so at once and then once a minute, as long as instances wait.
    #[test]
    fn it_is_said_once_a_minute() {
        let mut left = LeftAlone::default();
        assert_eq!(left.next_report(), None);
        left.insert(&record("b", "1.0"), at(0));
        left.insert(&record("a", "1.0"), at(0));
        assert_eq!(left.next_report(), Some(at(0)));
        assert_eq!(left.take_reports(at(0)), [report("1.0", 2, "a")]);
        // As often as messages to it arrive.
        left.insert(&record("a", "1.0"), at(10));
        assert_eq!(left.take_reports(at(59)), []);
        left.insert(&record("c", "2.0"), at(30));
        assert_eq!(left.take_reports(at(59)), [report("2.0", 1, "c")]);
        assert_eq!(left.next_report(), Some(at(60)));
        left.remove(&record("a", "1.0"));
        assert_eq!(left.take_reports(at(60)), [report("1.0", 1, "b")]);
        left.remove(&record("b", "1.0"));
        left.remove(&record("c", "2.0"));
        assert_eq!(left.take_reports(at(200)), []);
        assert_eq!(left.next_report(), None);
    }
}
