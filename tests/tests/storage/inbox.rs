//! Messages and replies (invariant 5 of the design: between a pair in order, once; rules 24 and 35).

use durable_runtime::model::{
    Command, EntityCaller, EntityId, EntityLock, EntityLockAnswer, EntityOperation, Envelope,
    ExecutionId, Failure, InboxMessage, MessageOrigin, OnExisting, ParentLink, PartitionId,
    Payload, Rejection, Reply, RuntimeStatus, StartOrchestration, TaskId,
};
use uuid::Uuid;

use crate::fixture::{
    Owner, PARTITIONS, Site, event, id, id_in, message, request, section, tags, time, waiting,
};

pub(crate) fn clients_messages_come_in_order(site: &Site) {
    let hub = site.hub();
    let elsewhere = site.hub_elsewhere();
    let (a, b) = (id_in(0, "a"), id_in(1, "b"));
    hub.enqueue(&[event(&a, "1"), event(&b, "2"), event(&a, "3")])
        .unwrap();
    elsewhere.enqueue(&[event(&a, "4")]).unwrap();
    hub.enqueue(&[event(&a, "5")]).unwrap();
    assert_eq!(waiting(&*hub, &a), ["1", "3", "4", "5"]);
    assert_eq!(waiting(&*elsewhere, &b), ["2"]);
    let both = hub.inbox(&[PartitionId(1), PartitionId(0)]).unwrap();
    assert_eq!(both.len(), 5);
    assert!(both.iter().all(|m| m.id.origin == MessageOrigin::Client));
    assert!(hub.inbox(&[]).unwrap().is_empty());
    let length = |partition, at_most| hub.inbox_length(PartitionId(partition), at_most).unwrap();
    assert_eq!([length(0, 10), length(0, 2), length(1, 10)], [4, 2, 1]);
    assert_eq!(length(2, 10), 0);
}

pub(crate) fn messages_of_partitions_come_in_order(site: &Site) {
    let owner = site.owner();
    let to = id_in(2, "to");
    for (from, number) in [(1, 5), (0, 1), (1, 6), (0, 300), (1, 70_000)] {
        let mut delta = owner.delta(PartitionId(from));
        let envelope = event(&to, &format!("{from}-{number}"));
        delta.outgoing.push(message(from, number, envelope));
        owner.commit(delta);
    }
    owner.hub.enqueue(&[event(&to, "client")]).unwrap();
    let found = waiting(&*owner.hub, &to);
    let of = |from: &str| -> Vec<_> {
        let own = found.iter().filter(|name| name.starts_with(from));
        own.map(String::as_str).collect()
    };
    assert_eq!(of("0-"), ["0-1", "0-300"]);
    assert_eq!(of("1-"), ["1-5", "1-6", "1-70000"]);
    assert_eq!(of("client"), ["client"]);
}

pub(crate) fn a_message_is_delivered_once(site: &Site) {
    let owner = site.owner();
    let to = id_in(0, "to");
    owner
        .hub
        .enqueue(&[event(&to, "1"), event(&to, "2"), event(&to, "3")])
        .unwrap();
    let found = owner.hub.inbox(&[PartitionId(0)]).unwrap();
    let mut delta = owner.delta(PartitionId(0));
    delta.consumed = vec![found[0].id, found[2].id];
    owner.commit(delta.clone());
    assert_eq!(waiting(&*owner.hub, &to), ["2"]);
    owner.commit(delta);
    assert_eq!(waiting(&*owner.hub, &to), ["2"]);
}

/// Otherwise the repetition of a commit that consumed the earlier message would swallow the later.
pub(crate) fn numbers_of_clients_are_never_used_twice(site: &Site) {
    let owner = site.owner();
    let to = id_in(3, "to");
    let mut last = None;
    for _ in 0..3 {
        owner
            .hub
            .enqueue(&[event(&to, "x"), event(&to, "y")])
            .unwrap();
        let mut delta = owner.delta(PartitionId(3));
        for InboxMessage { id, .. } in owner.hub.inbox(&[PartitionId(3)]).unwrap() {
            assert!(Some(id.number) > last);
            last = Some(id.number);
            delta.consumed.push(id);
        }
        owner.commit(delta);
        assert!(waiting(&*owner.hub, &to).is_empty());
    }
}

/// `Delta::merge`: what was sent to itself and dealt with before the commit is never written.
pub(crate) fn a_message_sent_and_consumed_in_one_delta_is_never_seen(site: &Site) {
    let owner = site.owner();
    let (own, other) = (id_in(0, "own"), id_in(1, "other"));
    let mut first = owner.delta(PartitionId(0));
    first.outgoing = vec![
        message(0, 1, event(&own, "stays")),
        message(0, 2, event(&own, "goes")),
        message(0, 3, event(&other, "elsewhere")),
    ];
    let mut later = owner.delta(PartitionId(0));
    later.consumed = vec![first.outgoing[1].id];
    later.outgoing = vec![message(0, 4, event(&own, "later"))];
    first.merge(later);
    owner.commit(first);
    assert_eq!(waiting(&*owner.hub, &own), ["stays", "later"]);
    assert_eq!(waiting(&*owner.hub, &other), ["elsewhere"]);
}

pub(crate) fn every_command_survives_the_way(site: &Site) {
    let parent = ParentLink {
        instance: id("parent"),
        execution: ExecutionId(Uuid::from_u128(3)),
        task: TaskId(4),
    };
    let commands = [
        Command::Start(Box::new(StartOrchestration {
            name: "näme \"quoted\"".into(),
            version: Some("1.2".into()),
            input: Payload::encode(&[1, 2]).unwrap(),
            execution: ExecutionId(Uuid::from_u128(1)),
            parent: Some(parent.clone()),
            start_at: Some(time(5)),
            tags: tags([("a", "b")]),
            on_existing: Some(OnExisting::Restart),
            has_new_id: false,
        })),
        Command::RaiseEvent {
            name: "\u{1F980}\0\n".into(),
            data: Payload::encode(&"x".repeat(100_000)).unwrap(),
        },
        Command::SubOrchestrationEnded {
            execution: parent.execution,
            task: parent.task,
            outcome: Err(Failure::new("Broken", "in two")),
        },
        Command::Entity(Box::new(EntityOperation {
            name: "Add \"one\"".into(),
            input: Payload::encode(&[1, 2]).unwrap(),
            caller: Some(EntityCaller {
                instance: id("caller"),
                execution: ExecutionId(Uuid::from_u128(5)),
                task: TaskId(6),
            }),
            at: Some(time(7)),
        })),
        Command::EntityAnswered {
            execution: parent.execution,
            task: parent.task,
            outcome: Ok(Payload::null()),
        },
        Command::LockEntity(Box::new(EntityLock {
            section: section(),
            entities: vec![EntityId::new("A", "\u{1F980}"), EntityId::new("b", "")],
            position: 1,
        })),
        Command::UnlockEntity(Box::new(section())),
        Command::LockAnswered(Box::new(EntityLockAnswer {
            section: section(),
            entities: vec![EntityId::new("A", "k")],
            outcome: Err(Failure::new("Broken", "in two")),
        })),
        Command::Terminate {
            reason: "r".into(),
            recursive: true,
        },
        Command::Suspend { reason: "r".into() },
        Command::Resume { reason: "r".into() },
        Command::Rewind {
            reason: "r".into(),
            start: None,
        },
        Command::Purge,
    ];
    let envelopes = commands.map(|command| Envelope {
        to: id("to"),
        command,
        request: Some(request()),
    });
    site.hub().enqueue(&envelopes).unwrap();
    let partition = id("to").partition(PARTITIONS);
    let found = site.hub_elsewhere().inbox(&[partition]).unwrap();
    let found: Vec<_> = found.into_iter().map(|message| message.envelope).collect();
    assert_eq!(found, envelopes);
}

pub(crate) fn replies_are_taken_once(site: &Site) {
    let owner = site.owner();
    let client = site.hub_elsewhere();
    let refusal = Rejection::AlreadyExists {
        id: id("a"),
        status: RuntimeStatus::Running,
    };
    let (yes, no) = (request(), request());
    assert_eq!(client.take_reply(yes).unwrap(), None);
    let mut delta = owner.delta(PartitionId(0));
    delta.replies = vec![(yes, Ok(Reply::Started)), (no, Err(refusal.clone()))];
    owner.commit(delta);
    assert_eq!(client.take_reply(no).unwrap(), Some(Err(refusal)));
    assert_eq!(client.take_reply(no).unwrap(), None);
    assert_eq!(client.take_reply(yes).unwrap(), Some(Ok(Reply::Started)));
    assert_eq!(owner.hub.take_reply(yes).unwrap(), None);
}

pub(crate) fn many_clients_at_once(site: &Site) {
    let to = id_in(1, "to");
    std::thread::scope(|scope| {
        for client in 0..4 {
            let to = &to;
            scope.spawn(move || {
                let hub = site.hub_elsewhere();
                for n in 0..25 {
                    let name = format!("{client}-{n:02}");
                    hub.enqueue(&[event(to, &name)]).unwrap();
                }
            });
        }
    });
    let owner = Owner::new(site.hub(), "worker");
    let found = waiting(&*owner.hub, &to);
    assert_eq!(found.len(), 100);
    for client in 0..4 {
        let of_one: Vec<_> = found
            .iter()
            .filter(|name| name.starts_with(&format!("{client}-")))
            .collect();
        assert_eq!(of_one.len(), 25);
        assert!(of_one.is_sorted(), "{of_one:?}");
    }
}
