use super::*;
use crate::engine::ExecutionState;
use crate::model::{MessageId, MessageOrigin, PartitionId, TaskId};
use crate::partition::{Input, PartitionConfig};

/// With an instance in memory, whose last change is durable.
fn partition(id: &str, status: RuntimeStatus, edit: impl FnOnce(&mut Instance)) -> Partition {
    let config = PartitionConfig::small(PartitionId(0));
    let mut partition = Partition::new(config, DateTime::default(), Vec::new(), Vec::new());
    let record = InstanceRecord::plain(id, status);
    let state = ExecutionState::new(record.execution, None, None);
    let mut instance = Instance::new(record, state);
    edit(&mut instance);
    let slot = Slot::Present(Box::new(instance));
    partition.slots.insert(InstanceId::trusted(id), slot);
    partition
}

/// A command of another instance.
fn send(partition: &mut Partition, to: &str, number: u64, command: Command) {
    let from = Origin::Inbox {
        id: MessageId {
            origin: MessageOrigin::Partition(PartitionId(1)),
            number,
        },
        request: None,
    };
    let to = InstanceId::trusted(to);
    partition.request(Request { to, command, from });
}

fn event() -> Command {
    Command::RaiseEvent {
        name: "any".to_owned(),
        data: Payload::null(),
    }
}

/// How many commands have been answered.
fn answered(partition: &Partition) -> usize {
    partition.delta.consumed.len()
}

fn is_there(partition: &Partition, id: &str) -> bool {
    let slot = partition.slots.get(&InstanceId::trusted(id));
    matches!(slot, Some(Slot::Present(_)))
}

// Rule 6. Else an event that follows a rewind is refused, for the instance still has failed.
#[test]
fn nothing_overtakes_a_rewind_that_waits_for_a_commit() {
    let mut partition = partition("one", RuntimeStatus::Failed, |instance| {
        instance.changed_in = 1;
    });
    let rewind = Command::Rewind {
        reason: "mended".to_owned(),
        start: None,
    };
    send(&mut partition, "one", 1, rewind);
    send(&mut partition, "one", 2, event());
    assert_eq!(answered(&partition), 0);
    let Some(Slot::Present(instance)) = partition.slots.get(&InstanceId::trusted("one")) else {
        panic!("it is in memory");
    };
    assert_eq!(instance.after_commit.len(), 2);
}

// Rule 6.
#[test]
fn nothing_overtakes_what_waits_for_children() {
    let mut partition = partition("one", RuntimeStatus::Completed, |_| {});
    let terminate = Command::Terminate {
        reason: "enough".to_owned(),
        recursive: true,
    };
    send(&mut partition, "one", 1, terminate);
    send(&mut partition, "one", 2, event());
    assert_eq!(answered(&partition), 0);
    partition.handle(Input::Children {
        id: InstanceId::trusted("one"),
        children: Vec::new(),
    });
    assert_eq!(answered(&partition), 2);
}

// Rule 6. What came after a recursive termination is no recursive one for that.
#[test]
fn what_waits_for_children_is_done_as_it_was_asked_for() {
    let mut partition = partition("one", RuntimeStatus::Running, |instance| {
        let child = InstanceId::trusted("child");
        instance.state.children.insert(TaskId(0), child);
    });
    send(&mut partition, "one", 1, Command::Purge);
    let terminate = Command::Terminate {
        reason: "enough".to_owned(),
        recursive: false,
    };
    send(&mut partition, "one", 2, terminate);
    partition.handle(Input::Children {
        id: InstanceId::trusted("one"),
        children: Vec::new(),
    });
    assert_eq!(answered(&partition), 2);
    assert!(partition.delta.outgoing.is_empty());
}

// Rule 10: also one whose start has not arrived, and of which storage knows nothing yet.
#[test]
fn a_purge_reaches_children_that_are_still_to_be_started() {
    let child = InstanceId::trusted("child");
    let mut partition = partition("one", RuntimeStatus::Terminated, |instance| {
        instance.state.children.insert(TaskId(0), child.clone());
    });
    send(&mut partition, "one", 1, Command::Purge);
    partition.handle(Input::Children {
        id: InstanceId::trusted("one"),
        children: Vec::new(),
    });
    assert!(!is_there(&partition, "one"));
    let parent = InstanceId::trusted("one");
    let sent: Vec<_> = partition
        .delta
        .outgoing
        .iter()
        .map(|message| &message.envelope)
        .map(|envelope| (&envelope.to, &envelope.command))
        .collect();
    assert_eq!(sent, [(&child, &Command::PurgeChild { parent })]);
}

// Rule 10: who has the id of a child by now stays.
#[test]
fn only_a_child_of_who_is_purged_goes_with_it() {
    for (parent, goes) in [(Some("one"), true), (Some("two"), false), (None, false)] {
        let mut partition = partition("child", RuntimeStatus::Completed, |instance| {
            instance.record.edit().parent = parent.map(InstanceId::trusted);
        });
        let parent = InstanceId::trusted("one");
        send(&mut partition, "child", 1, Command::PurgeChild { parent });
        partition.handle(Input::Children {
            id: InstanceId::trusted("child"),
            children: Vec::new(),
        });
        assert_eq!(answered(&partition), 1);
        assert_eq!(is_there(&partition, "child"), !goes);
    }
}
