//! Commits: atomic, durable, fenced, repeatable (invariants 1 and 3 of the design; rule 46: never a
//! false success).

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::Duration;
use durable_runtime::model::{
    Delta, Due, ExecutionId, InstanceDelta, InstanceRecord, PartitionId, Payload, Reply,
    RuntimeStatus,
};
use durable_runtime::storage::StorageError;
use uuid::Uuid;

use crate::fixture::{
    LONG, Owner, PARTITIONS, SHORT, Site, append, event, eventually, id, id_in, message, page,
    record, replace, request, row, tags, time, upsert, waiting, worker,
};

/// A record in which nothing is left out.
fn full_record(name: &str) -> InstanceRecord {
    InstanceRecord {
        id: id(name),
        execution: ExecutionId(Uuid::from_u128(u128::MAX - 5)),
        name: "other".into(),
        version: Some("2.0".into()),
        status: RuntimeStatus::Failed,
        created: time(123_456),
        updated: time(654_321),
        due: Some(Due::At(time(1_000_001))),
        custom_status: Some(Payload::encode(&"half way").unwrap()),
        output: Some(Payload::encode(&vec!["é\u{0}\""; 3]).unwrap()),
        parent: Some(id("parent")),
        tags: tags([("k\"ey", "välue"), ("", "")]),
    }
}

pub(crate) fn what_was_committed_is_loaded(site: &Site) {
    let owner = site.owner();
    let (bare, full) = (record(&id("bare")), full_record("full"));
    owner.change(upsert(&bare, []));
    owner.change(upsert(&full, [row(0, "[1]"), row(1, "[2]")]));
    let ids = [id("full"), id("none"), id("bare"), id("full")];
    for hub in [&owner.hub, &site.hub_elsewhere()] {
        let found = hub.load(&ids).unwrap();
        assert_eq!(found.len(), 4);
        let loaded = found[0].as_ref().unwrap();
        assert_eq!(loaded.record, full);
        assert_eq!(loaded.history, [row(0, "[1]"), row(1, "[2]")]);
        assert_eq!(found[1], None);
        let loaded = found[2].as_ref().unwrap();
        assert_eq!(loaded.record, bare);
        assert!(loaded.history.is_empty());
        assert_eq!(found[3], found[0]);
    }
    for status in RuntimeStatus::ALL {
        let mut record = bare.clone();
        record.status = status;
        record.due = Some(Due::Now);
        owner.change(upsert(&record, []));
        assert_eq!(owner.record(&bare.id), Some(record));
    }
}

pub(crate) fn times_are_kept_to_the_microsecond(site: &Site) {
    let owner = site.owner();
    let mut fine = record(&id("a"));
    fine.created = time(10) + Duration::nanoseconds(999);
    fine.due = Some(Due::At(time(20) + Duration::nanoseconds(1)));
    owner.change(upsert(&fine, []));
    let found = owner.record(&id("a")).unwrap();
    assert_eq!(found.created, time(10));
    assert_eq!(found.due, Some(Due::At(time(20))));
}

pub(crate) fn any_column_can_change(site: &Site) {
    let owner = site.owner();
    let first = record(&id("full"));
    let second = full_record("full");
    for step in [&first, &second, &second, &first, &second] {
        owner.change(upsert(step, []));
        assert_eq!(owner.record(&id("full")).as_ref(), Some(step));
    }
    assert_eq!(owner.hub.list(&page(9)).unwrap().len(), 1);
    assert_eq!(owner.hub.children(&id("parent")).unwrap(), [id("full")]);
    owner.change(upsert(&first, []));
    assert!(owner.hub.children(&id("parent")).unwrap().is_empty());
    let partition = id("full").partition(PARTITIONS);
    assert!(owner.hub.due_instances(partition).unwrap().is_empty());
}

/// Rules 3, 8 and 19: a new start, a rewind and a continuation as new begin with another history.
pub(crate) fn history_is_appended_and_reset(site: &Site) {
    let owner = site.owner();
    let record = record(&id("a"));
    let pairs = |rows: &[(u64, &str)]| -> Vec<(u64, String)> {
        rows.iter().map(|(n, text)| (*n, (*text).into())).collect()
    };
    owner.change(upsert(&record, [row(0, "a")]));
    owner.change(upsert(&record, [row(1, "b"), row(2, "c")]));
    owner.change(upsert(&record, []));
    assert_eq!(
        owner.history(&record.id),
        pairs(&[(0, "a"), (1, "b"), (2, "c")])
    );
    owner.change(replace(&record, [row(0, "d")]));
    assert_eq!(owner.history(&record.id), pairs(&[(0, "d")]));
    owner.change(upsert(&record, [row(1, "e")]));
    assert_eq!(owner.history(&record.id), pairs(&[(0, "d"), (1, "e")]));
    owner.change(replace(&record, []));
    assert!(owner.history(&record.id).is_empty());
    // More rows than the digits of one sort by as text.
    for n in 0..12 {
        owner.change(upsert(&record, [row(n, &n.to_string())]));
    }
    let sequences: Vec<_> = owner.history(&record.id).iter().map(|r| r.0).collect();
    assert_eq!(sequences, (0..12).collect::<Vec<_>>());
}

/// Everyone sees when it was, also where only the history was written.
pub(crate) fn a_step_that_changes_no_column_is_appended(site: &Site) {
    let owner = site.owner();
    let mut expected = full_record("a");
    let step = |owner: &Owner, expected: &InstanceRecord, rows: u64| {
        owner.change(append(&expected.id, expected.updated, [row(rows, "step")]));
        assert_eq!(owner.record(&expected.id).as_ref(), Some(expected));
        let summary = owner.hub.summary(&expected.id, false).unwrap().unwrap();
        assert_eq!(summary.record, *expected);
        assert_eq!(owner.hub.list(&page(9)).unwrap()[0].record, *expected);
        assert_eq!(owner.history(&expected.id).len() as u64, rows + 1);
    };
    owner.change(upsert(&expected, [row(0, "start")]));
    for rows in 1..4 {
        expected.updated += Duration::seconds(1);
        step(&owner, &expected, rows);
    }
    // The row is written again, and left alone again.
    expected.updated += Duration::seconds(1);
    expected.status = RuntimeStatus::Suspended;
    owner.change(upsert(&expected, [row(4, "change")]));
    assert_eq!(owner.record(&expected.id).as_ref(), Some(&expected));
    expected.updated += Duration::seconds(1);
    step(&owner, &expected, 5);
    // Without history, as when only what is due changes.
    expected.updated += Duration::seconds(1);
    expected.due = None;
    owner.change(upsert(&expected, []));
    assert_eq!(owner.record(&expected.id).as_ref(), Some(&expected));
    drop(owner);
    // By an owner that has not written the row.
    let owner = site.owner();
    expected.updated += Duration::seconds(1);
    step(&owner, &expected, 6);
}

/// Somebody has taken it out by hand.
pub(crate) fn a_step_of_an_instance_that_is_gone_is_dropped(site: &Site) {
    let owner = site.owner();
    owner.change(append(&id("a"), time(1), [row(3, "lost")]));
    assert_eq!(owner.record(&id("a")), None);
    owner.change(upsert(&record(&id("a")), [row(0, "new")]));
    assert_eq!(owner.history(&id("a")), [(0, "new".to_owned())]);
}

/// However many steps an execution takes.
pub(crate) fn rows_of_history_may_have_any_number(site: &Site) {
    const MANY: u64 = 1 << 20;
    let owner = site.owner();
    let (a, b) = (record(&id("a")), record(&id("b")));
    let numbers = [0, MANY - 1, MANY, MANY + 1, 1 << 40];
    for known in [&a, &b] {
        owner.change(upsert(known, [row(0, "first")]));
    }
    for (number, seconds) in numbers.into_iter().zip(1..).skip(1) {
        let updated = a.updated + Duration::seconds(seconds);
        owner.change(append(&a.id, updated, [row(number, "later")]));
        assert_eq!(owner.record(&a.id).unwrap().updated, updated);
    }
    let of_a: Vec<_> = owner.history(&a.id).iter().map(|row| row.0).collect();
    assert_eq!(of_a, numbers);
    assert_eq!(owner.history(&b.id).len(), 1);
    owner.change(replace(&a, [row(0, "again")]));
    assert_eq!(owner.history(&a.id), [(0, "again".to_owned())]);
    owner.change(append(&a.id, a.updated, [row(MANY, "later")]));
    owner.change(InstanceDelta::Delete { id: a.id.clone() });
    owner.change(upsert(&a, []));
    assert!(owner.history(&a.id).is_empty());
}

/// Rule 10.
pub(crate) fn a_deleted_instance_leaves_nothing(site: &Site) {
    let owner = site.owner();
    let full = full_record("a");
    owner.change(upsert(&full, [row(0, "old"), row(1, "old")]));
    let delete = InstanceDelta::Delete { id: id("a") };
    owner.change(delete.clone());
    assert_eq!(owner.record(&id("a")), None);
    assert_eq!(owner.hub.summary(&id("a"), true).unwrap(), None);
    assert!(owner.hub.list(&page(9)).unwrap().is_empty());
    assert!(owner.hub.children(&id("parent")).unwrap().is_empty());
    let partition = id("a").partition(PARTITIONS);
    assert!(owner.hub.due_instances(partition).unwrap().is_empty());
    // One that is not there can be deleted.
    owner.change(delete);
    // And one that comes after it has nothing of it.
    owner.change(upsert(&record(&id("a")), [row(1, "new")]));
    assert_eq!(owner.history(&id("a")), [(1, "new".to_owned())]);
}

pub(crate) fn merged_deltas_are_as_good_as_single_ones(site: &Site) {
    let owner = site.owner();
    let other = Owner::new(crate::fixture::open(site.provider(), "other"), "worker");
    let ids: Vec<_> = ["a", "b", "c"].map(|stem| id_in(0, stem)).into();
    let mut changed = record(&ids[1]);
    changed.status = RuntimeStatus::Completed;
    let steps = [
        upsert(&record(&ids[0]), [row(0, "a0")]),
        upsert(&record(&ids[1]), [row(0, "b0")]),
        upsert(&record(&ids[0]), [row(1, "a1")]),
        append(&ids[1], time(5), [row(1, "b1")]),
        append(&ids[0], time(6), [row(2, "a2")]),
        append(&ids[0], time(7), [row(3, "a3")]),
        InstanceDelta::Delete { id: ids[0].clone() },
        replace(&changed, [row(0, "b0 again")]),
        upsert(&changed, [row(1, "b1")]),
        upsert(&record(&ids[2]), []),
        upsert(&record(&ids[0]), [row(0, "a0 again")]),
        append(&ids[2], time(8), [row(0, "c0")]),
        append(&ids[1], time(9), [row(2, "b2")]),
    ];
    let single = |owner: &Owner, step: &InstanceDelta| {
        let mut delta = owner.delta(PartitionId(0));
        delta.change(step.clone());
        delta
    };
    let mut merged = other.delta(PartitionId(0));
    for step in &steps {
        owner.commit(single(&owner, step));
        merged.merge(single(&other, step));
    }
    other.commit(merged);
    // Steps alone, and then a change of the row.
    let mut merged = other.delta(PartitionId(0));
    for step in [
        append(&ids[2], time(10), [row(1, "c1")]),
        append(&ids[2], time(11), [row(2, "c2")]),
        append(&ids[0], time(12), [row(1, "a1 again")]),
        upsert(&record(&ids[0]), [row(2, "a2 again")]),
        append(&ids[1], time(13), [row(3, "b3")]),
        replace(&changed, [row(0, "b0 at last")]),
    ] {
        owner.commit(single(&owner, &step));
        merged.merge(single(&other, &step));
    }
    other.commit(merged);
    assert_eq!(owner.hub.load(&ids).unwrap(), other.hub.load(&ids).unwrap());
    assert_eq!(other.history(&ids[0]).len(), 3);
    assert_eq!(other.history(&ids[1]), [(0, "b0 at last".to_owned())]);
    assert_eq!(other.record(&ids[2]).unwrap().updated, time(11));
}

pub(crate) fn deleted_and_created_again_in_one_delta(site: &Site) {
    let owner = site.owner();
    let record = record(&id("a"));
    owner.change(upsert(&record, [row(0, "old"), row(1, "old")]));
    let mut delta = owner.delta_of(&record.id);
    delta.change(InstanceDelta::Delete { id: id("a") });
    delta.change(upsert(&record, [row(0, "new")]));
    owner.commit(delta);
    assert_eq!(owner.history(&record.id), [(0, "new".to_owned())]);
}

/// Whoever did not learn how a commit ended repeats it.
pub(crate) fn a_repeated_commit_does_no_harm(site: &Site) {
    let owner = site.owner();
    let (a, b, gone) = (id_in(0, "a"), id_in(0, "b"), id_in(0, "gone"));
    owner.store([record(&gone)]);
    owner.hub.enqueue(&[event(&a, "done")]).unwrap();
    let reply = request();
    let mut delta = owner.delta(PartitionId(0));
    delta.change(upsert(&record(&a), [row(0, "a0"), row(1, "a1")]));
    delta.change(replace(&record(&b), [row(0, "b0")]));
    delta.change(InstanceDelta::Delete { id: gone.clone() });
    delta.consumed = vec![owner.hub.inbox(&[PartitionId(0)]).unwrap()[0].id];
    delta.outgoing = vec![message(0, 1, event(&a, "1")), message(0, 2, event(&b, "2"))];
    delta.replies = vec![(reply, Ok(Reply::Done))];
    for _ in 0..3 {
        owner.commit(delta.clone());
        assert_eq!(owner.history(&a).len(), 2);
        assert_eq!(owner.history(&b).len(), 1);
        assert_eq!(owner.record(&gone), None);
        assert_eq!(waiting(&*owner.hub, &a), ["1", "2"]);
    }
    assert_eq!(owner.hub.take_reply(reply).unwrap(), Some(Ok(Reply::Done)));
}

/// Invariant 5 of the design: once, also when the sender repeats its commit after the receiver has
/// taken the message.
pub(crate) fn a_repeated_commit_does_not_send_again_what_was_received(site: &Site) {
    let owner = site.owner();
    let to = id_in(1, "to");
    let mut sent = owner.delta(PartitionId(0));
    sent.outgoing = vec![message(0, 7, event(&to, "once"))];
    owner.commit(sent.clone());
    let mut received = owner.delta(PartitionId(1));
    received.consumed = vec![sent.outgoing[0].id];
    owner.commit(received);
    owner.commit(sent.clone());
    assert!(waiting(&*owner.hub, &to).is_empty());
    sent.outgoing.push(message(0, 8, event(&to, "next")));
    owner.commit(sent);
    assert_eq!(waiting(&*owner.hub, &to), ["next"]);
}

pub(crate) fn a_stale_epoch_refuses_the_whole_commit(site: &Site) {
    let hub = site.hub();
    let stopped = Owner {
        leases: hub.acquire(&worker("stopped"), SHORT, 9).unwrap(),
        worker: worker("stopped"),
        hub,
    };
    let (a, b) = (id_in(0, "a"), id_in(1, "b"));
    let mut first = stopped.delta(PartitionId(0));
    first.change(upsert(&record(&a), [row(0, "[]")]));
    first.outgoing = vec![message(0, 1, event(&b, "never"))];
    first.replies = vec![(request(), Ok(Reply::Done))];
    let mut second = stopped.delta(PartitionId(1));
    second.change(upsert(&record(&b), [row(0, "[]")]));

    let other = site.hub_elsewhere();
    let taken = eventually("the leases run out", || {
        other.acquire(&worker("next"), LONG, 1).unwrap().pop()
    });
    assert_eq!(taken.partition, PartitionId(0));

    let error = stopped.hub.commit(&[second, first.clone()]).unwrap_err();
    match error {
        StorageError::Fenced { partitions } => assert_eq!(partitions, [PartitionId(0)]),
        other => panic!("{other}"),
    }
    assert_eq!(
        stopped.hub.load(&[a.clone(), b.clone()]).unwrap(),
        [None, None]
    );
    assert!(waiting(&*stopped.hub, &b).is_empty());
    assert_eq!(stopped.hub.take_reply(first.replies[0].0).unwrap(), None);
}

pub(crate) fn a_stale_owner_does_not_stop_others(site: &Site) {
    let hub = site.hub();
    let lease = hub.acquire(&worker("a"), LONG, 9).unwrap();
    hub.release(&worker("a")).unwrap();
    let next = site.hub_elsewhere();
    let taken = next.acquire(&worker("b"), LONG, 2).unwrap();
    let mut deltas: Vec<_> = lease
        .iter()
        .map(|lease| Delta::new(lease.partition, lease.epoch))
        .collect();
    let Err(StorageError::Fenced { partitions }) = hub.commit(&deltas) else {
        panic!("not fenced");
    };
    let lost: Vec<_> = taken.iter().map(|lease| lease.partition).collect();
    assert_eq!(partitions, lost);
    deltas.retain(|delta| !partitions.contains(&delta.partition));
    for delta in &mut deltas {
        delta.change(upsert(&record(&id_in(delta.partition.0, "x")), []));
    }
    let again = hub.acquire(&worker("a"), LONG, 9).unwrap();
    for delta in &mut deltas {
        let lease = again.iter().find(|l| l.partition == delta.partition);
        delta.epoch = lease.unwrap().epoch;
    }
    hub.commit(&deltas).unwrap();
    assert_eq!(next.list(&page(9)).unwrap().len(), 2);
    next.commit(&[Delta::new(taken[0].partition, taken[0].epoch)])
        .unwrap();
}

/// What a provider remembers of rows must not outlive the ownership.
pub(crate) fn rows_are_not_mixed_up_after_a_partition_was_elsewhere(site: &Site) {
    let (a, b) = (id_in(0, "a"), id_in(0, "b"));
    let here = site.owner();
    here.change(upsert(&record(&a), [row(0, "a")]));
    here.change(upsert(&record(&b), [row(0, "b")]));
    here.hub.release(&here.worker).unwrap();

    let there = Owner::new(site.hub_elsewhere(), "there");
    there.change(InstanceDelta::Delete { id: b.clone() });
    there.change(InstanceDelta::Delete { id: a.clone() });
    let mut changed = record(&b);
    changed.due = Some(Due::Now);
    changed.created = time(50);
    there.change(upsert(&changed, [row(0, "b again")]));
    there.change(upsert(&record(&a), [row(0, "a again")]));
    there.hub.release(&there.worker).unwrap();

    let leases = here.hub.acquire(&worker("back"), LONG, 9).unwrap();
    let back = Owner { leases, ..here };
    back.change(upsert(&record(&a), [row(1, "a")]));
    back.change(upsert(&record(&b), [row(1, "b")]));
    assert_eq!(back.history(&a)[0].1, "a again");
    assert_eq!(back.history(&b)[0].1, "b again");
    assert_eq!(back.record(&b), Some(record(&b)));
    assert!(back.hub.due_instances(PartitionId(0)).unwrap().is_empty());
}

pub(crate) fn many_partitions_in_one_commit(site: &Site) {
    let owner = site.owner();
    let deltas: Vec<_> = (0..PARTITIONS)
        .map(|partition| {
            let mut delta = owner.delta(PartitionId(partition));
            for n in 0..50 {
                let id = id_in(partition, &format!("i{n}"));
                delta.change(upsert(&record(&id), [row(0, "[]")]));
            }
            delta
        })
        .collect();
    owner.hub.commit(&deltas).unwrap();
    let found = site.hub_elsewhere().list(&page(1000)).unwrap();
    assert_eq!(found.len(), 50 * PARTITIONS as usize);
    owner.hub.commit(&[]).unwrap();
}

/// Rule 27: those overdue come in order of their due time.
pub(crate) fn due_instances_come_in_order(site: &Site) {
    let owner = site.owner();
    let due = [
        ("late", Some(Due::At(time(300)))),
        ("none", None),
        ("now", Some(Due::Now)),
        ("early", Some(Due::At(time(-300)))),
        ("middle", Some(Due::At(time(0)))),
    ];
    for (stem, due) in due {
        let mut record = record(&id_in(2, stem));
        record.due = due;
        owner.change(upsert(&record, []));
    }
    let found = owner.hub.due_instances(PartitionId(2)).unwrap();
    let expected: Vec<_> = [due[2], due[3], due[4], due[0]]
        .map(|(stem, due)| (id_in(2, stem), due.unwrap()))
        .into();
    assert_eq!(found, expected);
    // One that waits no longer is no longer there.
    owner.change(upsert(&record(&id_in(2, "now")), []));
    assert_eq!(
        owner.hub.due_instances(PartitionId(2)).unwrap(),
        expected[1..]
    );
}

pub(crate) fn a_partition_sees_only_its_own_due_instances(site: &Site) {
    let owner = site.owner();
    for partition in 0..PARTITIONS {
        let mut record = record(&id_in(partition, "x"));
        record.due = Some(Due::Now);
        owner.change(upsert(&record, []));
    }
    for partition in 0..PARTITIONS {
        let found = owner.hub.due_instances(PartitionId(partition)).unwrap();
        assert_eq!(found, [(id_in(partition, "x"), Due::Now)]);
    }
}

/// Readers see whole commits only.
pub(crate) fn commits_and_queries_at_once(site: &Site) {
    let owner = site.owner();
    let (a, b) = (id_in(0, "a"), id_in(1, "b"));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let reader = site.hub_elsewhere();
            while !done.load(Ordering::Relaxed) {
                let found = reader.load(&[a.clone(), b.clone()]).unwrap();
                let lengths = found
                    .iter()
                    .map(|found| found.as_ref().map_or(0, |found| found.history.len()))
                    .collect::<Vec<_>>();
                assert_eq!(lengths[0], lengths[1]);
            }
        });
        for n in 0..100 {
            let mut deltas = [owner.delta(PartitionId(0)), owner.delta(PartitionId(1))];
            deltas[0].change(upsert(&record(&a), [row(n, "[]")]));
            deltas[1].change(upsert(&record(&b), [row(n, "[]")]));
            owner.hub.commit(&deltas).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(owner.history(&a).len(), 100);
}
