//! Entities: their rows are written with everything else of a commit, and read back one by one or in
//! pages.

use chrono::{DateTime, Duration, Utc};
use durable_runtime::model::{
    Due, EntityCaller, EntityOperation, EntityRecord, ExecutionId, InstanceDelta, InstanceId,
    PartitionId, Payload, Reply, TaskId,
};
use durable_runtime::storage::{EntityFilter, EntityPageRequest, HubStorage, StorageError};
use uuid::Uuid;

use crate::fixture::{
    LONG, Owner, PARTITIONS, SHORT, Site, entity, entity_id, entity_in, event, eventually,
    hub_name, id, id_in, message, open, page, put, record, request, row, section, signal, time,
    upsert, waiting, worker,
};

/// A record in which nothing is left out.
fn full_entity(of: &InstanceId) -> EntityRecord {
    let called = EntityOperation {
        name: "Ädd \"one\"\0".into(),
        input: Payload::encode(&vec!["é\u{0}\""; 3]).unwrap(),
        caller: Some(EntityCaller {
            instance: id("caller"),
            execution: ExecutionId(Uuid::from_u128(u128::MAX - 5)),
            task: TaskId(7),
        }),
        at: None,
    };
    let put_off = EntityOperation {
        at: Some(time(123_456)),
        ..signal("later")
    };
    EntityRecord {
        id: of.clone(),
        state: Some(Payload::encode(&"\u{1F980}\0\n'").unwrap()),
        last_operation: time(654_321),
        due: Some(Due::At(time(1_000_001))),
        lock: Some(section()),
        queue: vec![called, put_off, signal("")],
    }
}

fn delete(of: &InstanceId) -> InstanceDelta {
    InstanceDelta::Delete { id: of.clone() }
}

fn find(hub: &dyn HubStorage, of: &InstanceId) -> Option<EntityRecord> {
    hub.entities(std::slice::from_ref(of)).unwrap().remove(0)
}

/// A page of everything.
fn everything(size: usize) -> EntityPageRequest {
    EntityPageRequest {
        filter: EntityFilter {
            include_stateless: true,
            ..EntityFilter::default()
        },
        size,
        after: None,
    }
}

fn ids(page: &[EntityRecord]) -> Vec<&str> {
    page.iter().map(|record| record.id.as_str()).collect()
}

/// The ids of all that match, page by page.
fn all(hub: &dyn HubStorage, filter: &EntityFilter, size: usize) -> Vec<String> {
    let mut request = EntityPageRequest {
        filter: filter.clone(),
        ..everything(size)
    };
    let mut found = Vec::new();
    loop {
        let rows = hub.list_entities(&request).unwrap();
        found.extend(ids(&rows).into_iter().map(str::to_owned));
        if rows.len() < size {
            return found;
        }
        request.after = rows.last().map(|record| record.id.clone());
    }
}

/// In the order asked, with `None` for what is not there, from any process.
pub(crate) fn what_was_committed_is_read_back(site: &Site) {
    let owner = site.owner();
    let [bare, full, none] = ["bare", "full", "none"].map(|key| entity_id("counter", key));
    owner.change(put(&entity(&bare)));
    owner.change(put(&full_entity(&full)));
    for hub in [&owner.hub, &site.hub_elsewhere()] {
        let found = hub
            .entities(&[full.clone(), none.clone(), bare.clone(), full.clone()])
            .unwrap();
        assert_eq!(
            found,
            [
                Some(full_entity(&full)),
                None,
                Some(entity(&bare)),
                Some(full_entity(&full))
            ]
        );
        assert!(hub.entities(&[]).unwrap().is_empty());
    }
}

/// A commit replaces the whole row, also where something was and nothing is now.
pub(crate) fn any_part_of_an_entity_can_change(site: &Site) {
    let owner = site.owner();
    let of = entity_id("counter", "k");
    let first = EntityRecord {
        state: None,
        ..entity(&of)
    };
    let second = full_entity(&of);
    let mut third = second.clone();
    third.due = Some(Due::Now);
    third.lock = None;
    third.queue.remove(0);
    for step in [&first, &second, &second, &third, &first, &second, &first] {
        owner.change(put(step));
        assert_eq!(find(&*owner.hub, &of).as_ref(), Some(step));
    }
    assert_eq!(owner.hub.list_entities(&everything(9)).unwrap(), [first]);
    let partition = of.partition(PARTITIONS);
    assert!(owner.hub.due_instances(partition).unwrap().is_empty());
}

/// A deletion takes the row, its place in queries and what was due, and can be repeated.
pub(crate) fn a_deleted_entity_leaves_nothing(site: &Site) {
    let owner = site.owner();
    let (gone, stays) = (entity_in(0, "gone"), entity_in(0, "stays"));
    owner.change(put(&full_entity(&gone)));
    owner.change(put(&entity(&stays)));
    owner.change(delete(&gone));
    assert_eq!(find(&*owner.hub, &gone), None);
    let found = owner.hub.list_entities(&everything(9)).unwrap();
    assert_eq!(found, [entity(&stays)]);
    assert!(owner.hub.due_instances(PartitionId(0)).unwrap().is_empty());
    // One that is not there can be deleted.
    owner.change(delete(&gone));
    // And one that comes after it has nothing of it.
    owner.change(put(&entity(&gone)));
    assert_eq!(find(&*owner.hub, &gone), Some(entity(&gone)));
}

/// Times are kept to the microsecond, as everywhere in storage.
pub(crate) fn the_times_of_entities_are_kept_to_the_microsecond(site: &Site) {
    let owner = site.owner();
    let of = entity_id("counter", "k");
    let fine = |micros| time(micros) + Duration::nanoseconds(999);
    let mut record = entity(&of);
    record.last_operation = fine(10);
    record.due = Some(Due::At(fine(20)));
    record.queue = vec![EntityOperation {
        at: Some(fine(30)),
        ..signal("later")
    }];
    owner.change(put(&record));
    let found = find(&*owner.hub, &of).unwrap();
    assert_eq!(found.last_operation, time(10));
    assert_eq!(found.due, Some(Due::At(time(20))));
    assert_eq!(found.queue[0].at, Some(time(30)));
}

/// Operations that wait are carried out in order of arrival, so none is lost or moved.
pub(crate) fn a_long_queue_keeps_its_order(site: &Site) {
    let owner = site.owner();
    let of = entity_id("counter", "k");
    let mut record = entity(&of);
    record.queue = (0..1000).map(|n| signal(&n.to_string())).collect();
    owner.change(put(&record));
    assert_eq!(find(&*site.hub_elsewhere(), &of).as_ref(), Some(&record));
    record.queue.drain(..999);
    owner.change(put(&record));
    assert_eq!(find(&*site.hub_elsewhere(), &of), Some(record));
}

/// A state may be as large as any payload, and changes its size from commit to commit.
pub(crate) fn a_large_state_survives(site: &Site) {
    let owner = site.owner();
    let of = entity_id("counter", "k");
    for size in [1 << 20, 10, 5000, 1 << 20, 900] {
        let mut record = entity(&of);
        record.state = Some(Payload::encode(&"x".repeat(size)).unwrap());
        owner.change(put(&record));
        assert_eq!(find(&*owner.hub, &of).as_ref(), Some(&record), "{size}");
    }
}

/// Queries for the one kind do not show the other, nor does deleting the one touch the other.
pub(crate) fn entities_and_instances_are_kept_apart(site: &Site) {
    let owner = site.owner();
    let (of, orchestration) = (entity_id("counter", "k"), id("counter"));
    owner.change(put(&full_entity(&of)));
    owner.change(upsert(&record(&orchestration), [row(0, "[]")]));
    assert_eq!(owner.record(&of), None);
    assert_eq!(owner.hub.summary(&of, true).unwrap(), None);
    assert_eq!(find(&*owner.hub, &orchestration), None);
    assert_eq!(owner.hub.list(&page(9)).unwrap().len(), 1);
    assert_eq!(owner.hub.list_entities(&everything(9)).unwrap().len(), 1);
    owner.change(delete(&of));
    assert_eq!(owner.history(&orchestration).len(), 1);
    owner.change(put(&full_entity(&of)));
    owner.change(delete(&orchestration));
    assert_eq!(find(&*owner.hub, &of), Some(full_entity(&of)));
}

/// An operation's effects come with the end of its message, its answer and all else of the commit;
/// whoever did not learn how that ended repeats it.
pub(crate) fn an_entity_is_written_with_the_rest_of_the_commit(site: &Site) {
    let owner = site.owner();
    let [of, gone] = ["of", "gone"].map(|key| entity_in(0, key));
    let caller = id_in(1, "caller");
    owner.change(put(&entity(&gone)));
    owner.hub.enqueue(&[event(&of, "done")]).unwrap();
    let reply = request();
    let mut delta = owner.delta(PartitionId(0));
    delta.change(put(&full_entity(&of)));
    delta.change(delete(&gone));
    delta.change(upsert(&record(&id_in(0, "x")), [row(0, "[]")]));
    delta.consumed = vec![owner.hub.inbox(&[PartitionId(0)]).unwrap()[0].id];
    delta.outgoing = vec![message(0, 1, event(&caller, "answer"))];
    delta.replies = vec![(reply, Ok(Reply::Done))];
    for _ in 0..3 {
        owner.commit(delta.clone());
        assert_eq!(find(&*owner.hub, &of), Some(full_entity(&of)));
        assert_eq!(find(&*owner.hub, &gone), None);
        assert_eq!(owner.history(&id_in(0, "x")).len(), 1);
        assert!(waiting(&*owner.hub, &of).is_empty());
        assert_eq!(waiting(&*owner.hub, &caller), ["answer"]);
    }
    assert_eq!(owner.hub.take_reply(reply).unwrap(), Some(Ok(Reply::Done)));
}

/// Two owners never carry out operations of one entity: a commit of the earlier is refused, with all
/// that other partitions have in it.
pub(crate) fn a_stale_owner_writes_no_entity(site: &Site) {
    let hub = site.hub();
    let stopped = Owner {
        leases: hub.acquire(&worker("stopped"), SHORT, 9).unwrap(),
        worker: worker("stopped"),
        hub,
    };
    let [lost, kept] = [0, 1].map(|partition| entity_in(partition, "x"));
    stopped.change(put(&entity(&lost)));
    let mut first = stopped.delta(PartitionId(0));
    first.change(delete(&lost));
    first.outgoing = vec![message(0, 1, event(&kept, "never"))];
    let mut second = stopped.delta(PartitionId(1));
    second.change(put(&entity(&kept)));

    let other = site.hub_elsewhere();
    let taken = eventually("the leases run out", || {
        other.acquire(&worker("next"), LONG, 1).unwrap().pop()
    });
    assert_eq!(taken.partition, PartitionId(0));
    match stopped.hub.commit(&[second, first]).unwrap_err() {
        StorageError::Fenced { partitions } => assert_eq!(partitions, [PartitionId(0)]),
        other => panic!("{other}"),
    }
    let found = other.entities(&[lost.clone(), kept.clone()]).unwrap();
    assert_eq!(found, [Some(entity(&lost)), None]);
    assert!(waiting(&*other, &kept).is_empty());
}

/// `Delta::change` and `Delta::merge`: of several changes of one entity the last is written.
pub(crate) fn the_last_change_of_a_delta_is_written(site: &Site) {
    let owner = site.owner();
    let [kept, gone, again] = ["kept", "gone", "again"].map(|key| entity_in(0, key));
    owner.change(put(&full_entity(&again)));
    let state = |of: &InstanceId, n: u32| EntityRecord {
        state: Some(Payload::encode(&n).unwrap()),
        ..entity(of)
    };
    let mut delta = owner.delta(PartitionId(0));
    delta.change(put(&full_entity(&kept)));
    delta.change(put(&full_entity(&gone)));
    delta.change(put(&state(&kept, 1)));
    delta.change(delete(&again));
    let mut later = owner.delta(PartitionId(0));
    later.change(put(&state(&kept, 2)));
    later.change(put(&state(&kept, 3)));
    later.change(delete(&gone));
    later.change(put(&state(&again, 4)));
    delta.merge(later);
    owner.commit(delta);
    let found = owner
        .hub
        .entities(&[kept.clone(), gone, again.clone()])
        .unwrap();
    assert_eq!(found, [Some(state(&kept, 3)), None, Some(state(&again, 4))]);
    assert!(owner.hub.due_instances(PartitionId(0)).unwrap().is_empty());
}

/// A new owner takes up entities and orchestrations alike, in order of their due times, and only those
/// of its partition.
pub(crate) fn due_entities_come_in_order_with_instances(site: &Site) {
    let owner = site.owner();
    let due = [
        ("late", Some(Due::At(time(300)))),
        ("none", None),
        ("now", Some(Due::Now)),
        ("early", Some(Due::At(time(-300)))),
    ];
    for (key, due) in due {
        owner.change(put(&EntityRecord {
            due,
            ..entity(&entity_in(2, key))
        }));
    }
    let mut orchestration = record(&id_in(2, "middle"));
    orchestration.due = Some(Due::At(time(0)));
    owner.change(upsert(&orchestration, []));
    owner.change(put(&EntityRecord {
        due: Some(Due::Now),
        ..entity(&entity_in(1, "elsewhere"))
    }));
    let expected = [
        (entity_in(2, "now"), Due::Now),
        (entity_in(2, "early"), Due::At(time(-300))),
        (orchestration.id, Due::At(time(0))),
        (entity_in(2, "late"), Due::At(time(300))),
    ];
    let found = || owner.hub.due_instances(PartitionId(2)).unwrap();
    assert_eq!(found(), expected);
    // One that waits no longer is no longer there, and one that waits for longer is elsewhere.
    owner.change(put(&entity(&entity_in(2, "now"))));
    owner.change(put(&EntityRecord {
        due: Some(Due::At(time(301))),
        ..entity(&entity_in(2, "early"))
    }));
    let [_, early, middle, late] = expected;
    assert_eq!(found(), [middle, late, (early.0, Due::At(time(301)))]);
}

/// In the order of the ids' bytes, whatever the size of the pages.
pub(crate) fn pages_of_entities_are_in_order_of_id(site: &Site) {
    let owner = site.owner();
    let sorted = [
        "@a0@x", "@a@", "@a@1", "@a@B", "@a@b", "@a@ä", "@aa@x", "@b@x", "@ä@x",
    ];
    for text in [3, 7, 0, 5, 8, 1, 6, 4, 2].map(|n: usize| sorted[n]) {
        let (name, key) = text[1..].split_once('@').unwrap();
        owner.change(put(&entity(&entity_id(name, key))));
    }
    for size in [1, 2, 4, 8, 9, 10, 100] {
        let found = all(&*owner.hub, &everything(1).filter, size);
        assert_eq!(found, sorted, "{size}");
    }
    let none = owner.hub.list_entities(&everything(0)).unwrap();
    assert!(none.is_empty());
}

/// A page begins after the last id, also when the entity that had it is gone.
pub(crate) fn pages_have_no_gaps_while_entities_come_and_go(site: &Site) {
    let owner = site.owner();
    let of = |key: &str| entity_id("counter", key);
    for n in 0..20 {
        owner.change(put(&entity(&of(&format!("{n:02}")))));
    }
    let mut request = everything(4);
    let mut found = Vec::new();
    for round in 0.. {
        let rows = owner.hub.list_entities(&request).unwrap();
        found.extend(ids(&rows).into_iter().map(str::to_owned));
        let Some(last) = rows.last() else { break };
        request.after = Some(last.id.clone());
        owner.change(delete(&last.id));
        owner.change(put(&entity(&of(&format!("00-before-{round}")))));
        if round < 3 {
            owner.change(put(&entity(&of(&format!("99-after-{round}")))));
        }
    }
    let numbers = (0..20).map(|n| format!("@counter@{n:02}"));
    let after = (0..3).map(|n| format!("@counter@99-after-{n}"));
    assert_eq!(found, numbers.chain(after).collect::<Vec<_>>());
}

/// Queues may be long, and no query shows them.
pub(crate) fn pages_show_all_of_an_entity_but_its_queue(site: &Site) {
    let owner = site.owner();
    let mut expected = full_entity(&entity_id("counter", "k"));
    owner.change(put(&expected));
    let found = site.hub_elsewhere().list_entities(&everything(9)).unwrap();
    expected.queue.clear();
    assert_eq!(found, [expected]);
}

fn zoo(owner: &Owner) {
    let zoo = [
        ("count", "a", 0),
        ("counter", "", 10),
        ("counter", "a", 20),
        ("counter", "~", 30),
        ("counterfeit", "a", 40),
        ("c%nter", "a", 50),
    ];
    for (name, key, micros) in zoo {
        let mut record = entity(&entity_id(name, key));
        record.last_operation = time(micros);
        if key == "~" {
            record.state = None;
        }
        owner.change(put(&record));
    }
}

fn from_to(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> EntityFilter {
    EntityFilter {
        last_operation_from: from,
        last_operation_to: to,
        ..everything(1).filter
    }
}

/// Names are compared as a whole and literally; both ends of a span of time belong to it, between
/// microseconds as well.
pub(crate) fn every_filter_of_entities_filters(site: &Site) {
    let owner = site.owner();
    zoo(&owner);
    let check = |filter: EntityFilter, expected: &[&str]| {
        for size in [1, 2, 100] {
            assert_eq!(all(&*owner.hub, &filter, size), expected, "{filter:?}");
        }
    };
    let name = |name: &str| EntityFilter {
        name: Some(name.into()),
        ..everything(1).filter
    };
    check(name("counter"), &["@counter@", "@counter@a", "@counter@~"]);
    check(name("count"), &["@count@a"]);
    check(name("c%nter"), &["@c%nter@a"]);
    check(name("c_unt"), &[]);
    check(name("Counter"), &[]);
    check(name(""), &[]);

    check(
        from_to(Some(time(30)), None),
        &["@c%nter@a", "@counter@~", "@counterfeit@a"],
    );
    check(from_to(None, Some(time(10))), &["@count@a", "@counter@"]);
    let nano = Duration::nanoseconds(1);
    check(
        from_to(Some(time(10)), Some(time(20))),
        &["@counter@", "@counter@a"],
    );
    check(
        from_to(Some(time(10) + nano), Some(time(20) + nano)),
        &["@counter@a"],
    );
    check(from_to(Some(time(10) + nano), Some(time(20) - nano)), &[]);

    // Entities without a state are left out unless asked for.
    let with_state = all(&*owner.hub, &EntityFilter::default(), 2);
    assert_eq!(with_state.len(), 5);
    assert!(!with_state.contains(&"@counter@~".to_owned()));
    assert_eq!(all(&*owner.hub, &everything(1).filter, 2).len(), 6);
}

/// An entity is shown if all filters let it through, on whichever page.
pub(crate) fn filters_of_entities_are_combined(site: &Site) {
    let owner = site.owner();
    zoo(&owner);
    let mut filter = EntityFilter {
        name: Some("counter".into()),
        ..from_to(Some(time(10)), Some(time(40)))
    };
    let found = |filter: &EntityFilter| all(&*owner.hub, filter, 1);
    assert_eq!(found(&filter), ["@counter@", "@counter@a", "@counter@~"]);
    filter.last_operation_from = Some(time(20));
    assert_eq!(found(&filter), ["@counter@a", "@counter@~"]);
    filter.include_stateless = false;
    assert_eq!(found(&filter), ["@counter@a"]);
    // A page may begin before, within and behind what has the name.
    filter = EntityFilter {
        name: Some("counter".into()),
        ..EntityFilter::default()
    };
    for (after, expected) in [
        ("@a@x", Some("@counter@")),
        ("@counter@0", Some("@counter@a")),
        ("@counter@a", None),
        ("@d@x", None),
    ] {
        let (name, key) = after[1..].split_once('@').unwrap();
        let request = EntityPageRequest {
            filter: filter.clone(),
            size: 1,
            after: Some(entity_id(name, key)),
        };
        let found = owner.hub.list_entities(&request).unwrap();
        assert_eq!(ids(&found).first().copied(), expected, "{after}");
    }
}

/// Two hubs of one provider can have entities of the same id.
pub(crate) fn hubs_have_entities_of_their_own(site: &Site) {
    let [one, two] = ["one", "two"].map(|name| Owner::new(open(site.provider(), name), "worker"));
    let of = entity_id("counter", "k");
    one.change(put(&full_entity(&of)));
    assert_eq!(find(&*two.hub, &of), None);
    assert!(two.hub.list_entities(&everything(9)).unwrap().is_empty());
    let partition = of.partition(PARTITIONS);
    assert!(two.hub.due_instances(partition).unwrap().is_empty());
    two.change(put(&entity(&of)));
    assert_eq!(find(&*one.hub, &of), Some(full_entity(&of)));
    two.change(delete(&of));
    assert_eq!(find(&*one.hub, &of), Some(full_entity(&of)));
}

/// The hub that comes after a deleted one has nothing of it, and another hub keeps what it has.
pub(crate) fn a_deleted_hub_takes_its_entities_with_it(site: &Site) {
    let of = entity_id("counter", "k");
    let owner = site.owner();
    owner.change(put(&full_entity(&of)));
    let other = Owner::new(open(site.provider(), "other"), "worker");
    other.change(put(&entity(&of)));

    assert!(site.elsewhere().delete_hub(&hub_name("hub")).unwrap());
    assert_eq!(find(&*owner.hub, &of), None);
    let next = Owner::new(site.hub(), "next");
    assert_eq!(find(&*next.hub, &of), None);
    assert!(next.hub.list_entities(&everything(9)).unwrap().is_empty());
    let partition = of.partition(PARTITIONS);
    assert!(next.hub.due_instances(partition).unwrap().is_empty());
    assert_eq!(find(&*other.hub, &of), Some(entity(&of)));
}
