use super::*;
use crate::host::router::ThreadInput;
use crate::host::router::tests::acquired;
use crate::model::{Command, Envelope, InstanceId, OutgoingMessage, TaskHubName, WorkerId};
use crate::storage::{HubOptions, Memory, StorageProvider};

const ONE: PartitionId = PartitionId(1);
const TWO: PartitionId = PartitionId(2);

fn handed_over(partition: PartitionId) -> HandedOver {
    HandedOver {
        delta: Delta::new(partition, Epoch(1)),
        sequence: 1,
        held_back: Vec::new(),
    }
}

fn message(number: u64) -> MessageId {
    MessageId {
        origin: MessageOrigin::Partition(ONE),
        number,
    }
}

fn sending(numbers: impl IntoIterator<Item = u64>) -> HandedOver {
    let mut sender = handed_over(ONE);
    sender.delta.outgoing = numbers
        .into_iter()
        .map(|number| OutgoingMessage {
            to: TWO,
            id: message(number),
            envelope: Envelope {
                to: InstanceId::new("receiver").unwrap(),
                command: Command::Resume {
                    reason: String::new(),
                },
                request: None,
            },
        })
        .collect();
    sender
}

fn consuming(ids: impl IntoIterator<Item = MessageId>) -> HandedOver {
    let mut receiver = handed_over(TWO);
    receiver.delta.consumed = ids.into_iter().collect();
    receiver
}

fn settled(mut group: Group) {
    group.content = None;
}

#[test]
fn what_is_sent_and_consumed_in_one_commit_is_not_written() {
    let of_a_client = MessageId {
        origin: MessageOrigin::Client,
        number: 3,
    };
    let handover = Arc::new(Handover::default());
    handover.add(sending(2..5), || ());
    handover.add(
        consuming([message(1), message(2), of_a_client, message(4)]),
        || (),
    );
    let group = handover.take().unwrap();
    let of = |partition| {
        let mut deltas = group.deltas().iter();
        deltas.find(|delta| delta.partition == partition).unwrap()
    };
    let sent: Vec<_> = of(ONE).outgoing.iter().map(|message| message.id).collect();
    assert_eq!(sent, [message(3)]);
    // The first was committed before, so its row is to be deleted.
    assert_eq!(of(TWO).consumed, [message(1), of_a_client]);
}

#[test]
fn what_is_given_back_comes_before_all_else() {
    let handover = Arc::new(Handover::default());
    handover.add(sending([1]), || ());
    let first = handover.take_little().unwrap();
    handover.add(sending([2]), || ());
    // One commit at a time.
    assert!(handover.take_little().is_none());
    drop(first);
    // What went wrong is the business of the committing thread.
    assert!(handover.take_little().is_none());
    let again = handover.take().unwrap();
    assert!(again.deltas()[0].sends(message(1)));
    settled(again);
    let second = handover.take_little().unwrap();
    assert!(second.deltas()[0].sends(message(2)));
}

#[test]
fn what_is_refused_is_not_taken() {
    let handover = Arc::new(Handover::default());
    handover.add(sending([1]), || ());
    handover.refuse(&[(ONE, Epoch(1))].into_iter().collect());
    handover.add(sending([2]), || panic!("delivered"));
    handover.add(consuming([]), || ());
    let group = handover.take().unwrap();
    assert_eq!(group.deltas().len(), 1);
    assert_eq!(group.deltas()[0].partition, TWO);
    settled(group);
    // The next owner is another one.
    let mut later = sending([3]);
    later.delta.epoch = Epoch(2);
    handover.add(later, || ());
    assert!(handover.take().unwrap().deltas()[0].sends(message(3)));
}

// Rule 35. What is under way is of a partition that another worker owns by now, and of one whose thread has ended.
#[test]
fn what_follows_a_group_that_is_refused_is_not_taken() {
    let handover = Arc::new(Handover::default());
    handover.add(sending([1]), || ());
    handover.add(consuming([]), || ());
    let refused = handover.take().unwrap();
    handover.add(consuming([message(1)]), || ());
    handover.refuse(&[(ONE, Epoch(1))].into_iter().collect());
    settled(refused);
    assert!(handover.take_little().is_none());
    handover.add(consuming([message(2)]), || panic!("delivered"));
    assert!(handover.take_little().is_none());
}

/// What the thread of partition two is told once a message to it is durable: it was held back, for this
/// process did not own the partition then, and comes to own it while the commit is under way.
fn told_to_a_later_owner(was_dealt_with: bool) -> Vec<MessageId> {
    let hub = TaskHubName::new("hub").unwrap();
    let storage = Memory::new()
        .open_hub(&hub, &HubOptions { partition_count: 3 })
        .unwrap();
    let worker = WorkerId("worker".to_owned());
    storage.acquire(&worker, Duration::MAX, 3).unwrap();
    let (router, inputs) = Router::new(1, 3);
    let committer = Committer {
        handover: Arc::default(),
        storage: Arc::clone(&storage),
        router: Arc::new(router),
        state: Arc::default(),
    };
    let mut sender = sending([1]);
    sender.held_back = vec![message(1)];
    committer.handover.add(sender, || ());
    let mut group = committer.handover.take().unwrap();
    let stored = committer.store(&mut group);
    if was_dealt_with {
        storage.commit(&[consuming([message(1)]).delta]).unwrap();
    }
    committer.router.own(acquired(TWO));
    assert!(matches!(committer.settle(group, stored), Settled::Done));
    let told = inputs[0].try_iter().filter_map(|input| match input {
        ThreadInput::Partition { id, input, .. } if id == TWO => Some(input),
        _ => None,
    });
    told.flat_map(|input| match *input {
        Input::Message(message) => vec![message.id],
        Input::Inbox { messages, .. } => messages.iter().map(|found| found.id).collect(),
        _ => Vec::new(),
    })
    .collect()
}

// The owner before may have dealt with it, which the new one cannot know but from storage.
#[test]
fn who_owns_a_partition_later_is_told_what_is_in_its_inbox() {
    assert_eq!(told_to_a_later_owner(false), [message(1)]);
    assert_eq!(told_to_a_later_owner(true), []);
}
