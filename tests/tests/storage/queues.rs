//! Durable queues (rule 41): messages are given to one worker at a time, in order, and lost by none.

use std::collections::BTreeSet;
use std::time::Duration;

use durable_runtime::model::{Payload, QueueName, WorkerId};
use durable_runtime::storage::{
    HubStorage, QueueMessage, ScheduleClaim, ScheduleTurn, Settled, Settlement, StorageError,
    TakeMessages, TakenMessages,
};

use crate::fixture::{LONG, Owner, SHORT, Site, eventually, hub_name, open, time, worker};

fn queue(name: &str) -> QueueName {
    QueueName::new(name).unwrap()
}

fn bodies(messages: &[QueueMessage]) -> Vec<u32> {
    messages
        .iter()
        .map(|message| message.body.decode().unwrap())
        .collect()
}

fn push(hub: &dyn HubStorage, name: &str, bodies: impl IntoIterator<Item = u32>) {
    let bodies: Vec<_> = bodies
        .into_iter()
        .map(|body| Payload::encode(&body).unwrap())
        .collect();
    hub.push_messages(&queue(name), &bodies).unwrap();
}

/// Takes from the queue `a`.
fn take(hub: &dyn HubStorage, of: &WorkerId, at_most: usize) -> TakenMessages {
    take_for(hub, of, at_most, LONG)
}

fn take_for(hub: &dyn HubStorage, of: &WorkerId, at_most: usize, lease: Duration) -> TakenMessages {
    hub.take_messages(&TakeMessages {
        queue: &queue("a"),
        worker: of,
        lease,
        at_most,
        in_order: false,
    })
    .unwrap()
}

fn take_in_order(hub: &dyn HubStorage, of: &WorkerId) -> TakenMessages {
    hub.take_messages(&TakeMessages {
        queue: &queue("a"),
        worker: of,
        lease: LONG,
        at_most: 10,
        in_order: true,
    })
    .unwrap()
}

fn settle(hub: &dyn HubStorage, of: &WorkerId, message: &QueueMessage, settled: Settled) -> bool {
    let settlement = Settlement {
        number: message.number,
        attempt: message.attempt,
        settled,
    };
    hub.settle_messages(of, &[settlement]).unwrap()[0]
}

fn again(delay: Duration) -> Settled {
    Settled::Again {
        delay,
        error: "why not".to_owned(),
    }
}

pub(crate) fn messages_come_in_order_to_one_worker(site: &Site) {
    let (hub, other) = (site.hub(), site.hub_elsewhere());
    let (one, two) = (worker("one"), worker("two"));
    assert_eq!(take(&*hub, &one, 9), TakenMessages::default());
    push(&*hub, "a", 0..3);
    push(&*other, "a", 3..5);
    push(&*hub, "b", 7..9);
    let first = take(&*hub, &one, 2).messages;
    let second = take(&*other, &two, 9).messages;
    assert_eq!(
        (bodies(&first), bodies(&second)),
        (vec![0, 1], vec![2, 3, 4])
    );
    assert!(first.iter().all(|message| message.attempt == 1));
    let numbers: BTreeSet<_> = first.iter().chain(&second).map(|m| m.number).collect();
    assert_eq!(numbers.len(), 5);
    let nothing = take(&*hub, &one, 9);
    assert!(nothing.messages.is_empty());
    assert!(nothing.more_in.unwrap() > LONG / 2, "{nothing:?}");
    assert_eq!(hub.queue_length(&queue("a")).unwrap(), 5);
    assert_eq!(hub.queue_length(&queue("c")).unwrap(), 0);
}

pub(crate) fn a_settled_message_is_gone(site: &Site) {
    let (hub, one) = (site.hub(), worker("one"));
    push(&*hub, "a", 0..2);
    let taken = take(&*hub, &one, 9).messages;
    let settlements: Vec<_> = taken
        .iter()
        .map(|message| Settlement {
            number: message.number,
            attempt: message.attempt,
            settled: Settled::Done,
        })
        .collect();
    assert_eq!(hub.settle_messages(&one, &settlements).unwrap(), [true; 2]);
    // A repetition finds nothing.
    assert_eq!(hub.settle_messages(&one, &settlements).unwrap(), [false; 2]);
    assert_eq!(hub.queue_length(&queue("a")).unwrap(), 0);
    // And its number is not used again.
    push(&*hub, "a", [2]);
    let next = take(&*hub, &one, 9).messages;
    assert!(taken.iter().all(|message| message.number < next[0].number));
}

pub(crate) fn a_message_is_given_again_after_its_delay(site: &Site) {
    let (hub, one) = (site.hub(), worker("one"));
    push(&*hub, "a", 0..2);
    let taken = take(&*hub, &one, 1).messages;
    assert!(settle(&*hub, &one, &taken[0], again(LONG)));
    // The other one goes ahead.
    assert_eq!(bodies(&take(&*hub, &one, 9).messages), [1]);
    push(&*hub, "a", [2]);
    let taken = take(&*hub, &one, 9).messages;
    assert_eq!(bodies(&taken), [2]);
    assert!(settle(&*hub, &one, &taken[0], again(SHORT)));
    let waits = take(&*hub, &one, 9);
    assert!(waits.messages.is_empty());
    assert!(
        waits.more_in.unwrap() <= SHORT + Duration::from_millis(1),
        "{waits:?}"
    );
    let taken = eventually("it is given again", || {
        let taken = take(&*hub, &one, 9).messages;
        (!taken.is_empty()).then_some(taken)
    });
    assert_eq!(bodies(&taken), [2]);
    assert_eq!(taken[0].attempt, 2);
    assert_eq!(taken[0].error.as_deref(), Some("why not"));
}

pub(crate) fn a_returned_message_has_had_no_attempt(site: &Site) {
    let (hub, one) = (site.hub(), worker("one"));
    push(&*hub, "a", 0..2);
    let taken = take(&*hub, &one, 1).messages;
    assert!(settle(&*hub, &one, &taken[0], Settled::Returned));
    assert!(!settle(&*hub, &one, &taken[0], Settled::Done));
    let taken = take(&*hub, &worker("two"), 9).messages;
    assert_eq!(
        taken
            .iter()
            .find(|m| bodies(&[(*m).clone()]) == [0])
            .unwrap()
            .attempt,
        1
    );
    assert_eq!(taken.len(), 2);
}

pub(crate) fn a_message_moves_to_another_queue(site: &Site) {
    let (hub, one) = (site.hub(), worker("one"));
    push(&*hub, "a", 0..3);
    for message in take(&*hub, &one, 2).messages {
        let to = queue("a").poison();
        let error = "it is bad".to_owned();
        assert!(settle(&*hub, &one, &message, Settled::Moved { to, error }));
    }
    assert_eq!(hub.queue_length(&queue("a")).unwrap(), 1);
    let poison = hub.peek_messages(&queue("a-poison"), 9).unwrap();
    assert_eq!(bodies(&poison), [0, 1]);
    assert!(poison.iter().all(|message| message.attempt == 0));
    assert!(
        poison
            .iter()
            .all(|message| message.error.as_deref() == Some("it is bad"))
    );
    assert_eq!(
        bodies(&hub.peek_messages(&queue("a-poison"), 1).unwrap()),
        [0]
    );
    // And back, but for what a worker has.
    let moved = hub.move_messages(&queue("a-poison"), &queue("a")).unwrap();
    assert_eq!(moved, 2);
    assert_eq!(
        hub.move_messages(&queue("a-poison"), &queue("a")).unwrap(),
        0
    );
    let taken = take(&*hub, &one, 9).messages;
    assert_eq!(taken.len(), 3);
    assert!(
        taken
            .iter()
            .all(|message| message.attempt == 1 && message.error.is_none())
    );
    assert_eq!(hub.move_messages(&queue("a"), &queue("b")).unwrap(), 0);
}

pub(crate) fn in_order_the_first_holds_up_the_others(site: &Site) {
    let (hub, other) = (site.hub(), site.hub_elsewhere());
    let (one, two) = (worker("one"), worker("two"));
    push(&*hub, "a", 0..3);
    let first = take_in_order(&*hub, &one).messages;
    assert_eq!(bodies(&first), [0]);
    let held = take_in_order(&*other, &two);
    assert!(held.messages.is_empty());
    assert!(held.more_in.unwrap() > LONG / 2, "{held:?}");
    // Also while it waits to be given again.
    assert!(settle(&*hub, &one, &first[0], again(LONG / 2)));
    let held = take_in_order(&*other, &two);
    assert!(held.messages.is_empty());
    assert!(held.more_in.unwrap() > LONG / 4, "{held:?}");
    push(&*hub, "b", 0..3);
    assert_eq!(hub.move_messages(&queue("a"), &queue("c")).unwrap(), 3);
    assert_eq!(hub.move_messages(&queue("c"), &queue("a")).unwrap(), 3);
    for expected in 0..3 {
        let taken = take_in_order(&*other, &two).messages;
        assert_eq!(bodies(&taken), [expected]);
        assert!(settle(&*other, &two, &taken[0], Settled::Done));
    }
    assert_eq!(take_in_order(&*hub, &one), TakenMessages::default());
}

pub(crate) fn what_a_lease_ran_out_on_is_given_again(site: &Site) {
    let (hub, other) = (site.hub(), site.hub_elsewhere());
    let (one, two) = (worker("one"), worker("two"));
    push(&*hub, "a", [7]);
    let lost = take_for(&*hub, &one, 9, SHORT).messages;
    let taken = eventually("the lease runs out", || {
        let taken = take(&*other, &two, 9).messages;
        (!taken.is_empty()).then_some(taken)
    });
    assert_eq!(bodies(&taken), [7]);
    assert_eq!(taken[0].attempt, 2);
    for settled in [
        Settled::Done,
        Settled::Returned,
        again(Duration::ZERO),
        Settled::Moved {
            to: queue("b"),
            error: String::new(),
        },
    ] {
        assert!(
            !settle(&*hub, &one, &lost[0], settled.clone()),
            "{settled:?}"
        );
        // Not even with the number of the attempt that is under way.
        assert!(!settle(&*hub, &one, &taken[0], settled), "not its own");
    }
    assert!(settle(&*other, &two, &taken[0], Settled::Done));
}

pub(crate) fn what_a_worker_that_is_gone_had_is_given_again_at_once(site: &Site) {
    let killed = Owner::new(site.hub_elsewhere(), "killed");
    let survivor = site.hub();
    let next = worker("next");
    push(&*survivor, "a", 0..2);
    survivor.open_schedule("f", "a", time(0)).unwrap();
    let claim = ScheduleClaim {
        name: "f",
        worker: &killed.worker,
        due: time(1),
    };
    killed.hub.take_schedule(&claim, LONG).unwrap();
    assert_eq!(take(&*killed.hub, &killed.worker, 1).messages.len(), 1);
    // While it lives, another one that comes does not have it.
    survivor.acquire(&next, LONG, 9).unwrap();
    assert_eq!(bodies(&take(&*survivor, &next, 1).messages), [1]);
    assert!(take(&*survivor, &next, 1).messages.is_empty());
    drop(killed.hub);
    survivor.acquire(&next, LONG, 9).unwrap();
    let taken = take(&*survivor, &next, 1).messages;
    assert_eq!(bodies(&taken), [0]);
    assert_eq!(taken[0].attempt, 2);
    let claim = ScheduleClaim {
        worker: &next,
        ..claim
    };
    let turn = survivor.take_schedule(&claim, LONG).unwrap();
    assert_eq!(turn, ScheduleTurn::Taken { last: None });
}

pub(crate) fn a_renewed_message_is_kept(site: &Site) {
    let hub = site.hub();
    let (one, two) = (worker("one"), worker("two"));
    push(&*hub, "a", 0..2);
    let kept = take_for(&*hub, &one, 1, SHORT).messages;
    hub.renew_triggers(&one, LONG).unwrap();
    // That of the other worker runs out, and shows that time has gone by.
    take_for(&*hub, &two, 1, SHORT);
    let again = eventually("the lease runs out", || {
        let taken = take(&*hub, &two, 9).messages;
        (!taken.is_empty()).then_some(taken)
    });
    assert_eq!(bodies(&again), [1]);
    assert!(settle(&*hub, &one, &kept[0], Settled::Done));
}

pub(crate) fn many_workers_take_each_message_once(site: &Site) {
    const WORKERS: usize = 4;
    let hub = site.hub();
    let taken: Vec<u32> = std::thread::scope(|scope| {
        let pusher = scope.spawn(|| {
            for body in 0..100 {
                push(&*hub, "a", [body]);
            }
        });
        let workers: Vec<_> = (0..WORKERS)
            .map(|number| {
                scope.spawn(move || {
                    let (hub, of) = (site.hub_elsewhere(), worker(&number.to_string()));
                    let mut all = Vec::new();
                    eventually("all have been taken", || {
                        for message in take(&*hub, &of, 3).messages {
                            all.extend(bodies(std::slice::from_ref(&message)));
                            assert!(settle(&*hub, &of, &message, Settled::Done));
                        }
                        let is_over = hub.queue_length(&queue("a")).unwrap() == 0;
                        (is_over && pusher_is_done(&*hub)).then_some(())
                    });
                    all
                })
            })
            .collect();
        pusher.join().unwrap();
        // The last message of all tells the workers.
        push(&*hub, "end", [0]);
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert_eq!(taken.len(), 100);
    assert_eq!(
        taken.into_iter().collect::<BTreeSet<_>>(),
        (0..100).collect()
    );
}

fn pusher_is_done(hub: &dyn HubStorage) -> bool {
    hub.queue_length(&queue("end")).unwrap() > 0
}

pub(crate) fn a_watch_tells_of_messages(site: &Site) {
    let (hub, other) = (site.hub(), site.hub_elsewhere());
    let mut watch = hub.watch().unwrap();
    while watch.wait(Duration::ZERO) {}
    push(&*other, "a", [1]);
    assert!(watch.wait(LONG));
}

pub(crate) fn a_deleted_hub_has_no_queues(site: &Site) {
    let hub = site.hub();
    push(&*hub, "a", 0..3);
    let others = open(site.provider(), "other");
    push(&*others, "a", [7]);
    assert!(site.provider().delete_hub(&hub_name("hub")).unwrap());
    let refused = hub
        .push_messages(&queue("a"), &[Payload::null()])
        .unwrap_err();
    assert!(
        matches!(refused, StorageError::Unavailable { .. }),
        "{refused}"
    );
    let anew = site.hub();
    assert_eq!(anew.queue_length(&queue("a")).unwrap(), 0);
    assert_eq!(bodies(&take(&*others, &worker("one"), 9).messages), [7]);
}
