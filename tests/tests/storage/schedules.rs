//! The schedules of timers (rule 40): each due time is carried out by one worker.

use chrono::{DateTime, Utc};
use durable_runtime::model::WorkerId;
use durable_runtime::storage::{HubStorage, Schedule, ScheduleClaim, ScheduleTurn, StorageError};

use crate::fixture::{LONG, SHORT, Site, eventually, hub_name, time, worker};

const TAKEN: ScheduleTurn = ScheduleTurn::Taken { last: None };

/// A due time, in seconds after a fixed one.
fn due(seconds: i64) -> DateTime<Utc> {
    time(seconds * 1_000_000)
}

fn claim(of: &WorkerId, seconds: i64) -> ScheduleClaim<'_> {
    ScheduleClaim {
        name: "f",
        worker: of,
        due: due(seconds),
    }
}

fn open_f(hub: &dyn HubStorage, cron: &str, seconds: i64) -> Schedule {
    hub.open_schedule("f", cron, due(seconds)).unwrap()
}

pub(crate) fn a_schedule_begins_when_it_is_first_seen(site: &Site) {
    let (hub, other) = (site.hub(), site.hub_elsewhere());
    let first = open_f(&*hub, "a", 5);
    assert_eq!(
        first,
        Schedule {
            since: due(5),
            last: None
        }
    );
    assert_eq!(open_f(&*other, "a", 9), first);
    let one = worker("one");
    assert_eq!(hub.take_schedule(&claim(&one, 10), LONG).unwrap(), TAKEN);
    assert!(hub.settle_schedule(&claim(&one, 10), true).unwrap());
    // Another one under its name begins anew, and knows when it was carried out.
    let changed = open_f(&*other, "b", 20);
    assert_eq!(
        changed,
        Schedule {
            since: due(20),
            last: Some(due(10))
        }
    );
    assert_eq!(open_f(&*hub, "b", 30), changed);
}

pub(crate) fn a_due_time_is_carried_out_once(site: &Site) {
    let (hub, other) = (site.hub(), site.hub_elsewhere());
    let (one, two) = (worker("one"), worker("two"));
    open_f(&*hub, "a", 0);
    assert_eq!(hub.take_schedule(&claim(&one, 1), LONG).unwrap(), TAKEN);
    match other.take_schedule(&claim(&two, 1), LONG).unwrap() {
        ScheduleTurn::Busy { lease } => assert!(lease > LONG / 2, "{lease:?}"),
        turn => panic!("{turn:?}"),
    }
    // Nor a later one, while the first is under way.
    let turn = other.take_schedule(&claim(&two, 2), LONG).unwrap();
    assert!(matches!(turn, ScheduleTurn::Busy { .. }), "{turn:?}");
    // Only the one who has it says what has become of it.
    assert!(!other.settle_schedule(&claim(&two, 1), true).unwrap());
    assert!(!hub.settle_schedule(&claim(&one, 2), true).unwrap());
    assert!(hub.settle_schedule(&claim(&one, 1), true).unwrap());
    assert!(!hub.settle_schedule(&claim(&one, 1), true).unwrap());
    for seconds in [0, 1] {
        let turn = other.take_schedule(&claim(&two, seconds), LONG).unwrap();
        assert_eq!(turn, ScheduleTurn::Done { last: due(1) });
    }
    let turn = other.take_schedule(&claim(&two, 2), LONG).unwrap();
    assert_eq!(turn, ScheduleTurn::Taken { last: Some(due(1)) });
}

pub(crate) fn a_claim_that_was_given_back_is_free(site: &Site) {
    let hub = site.hub();
    let (one, two) = (worker("one"), worker("two"));
    open_f(&*hub, "a", 0);
    assert_eq!(hub.take_schedule(&claim(&one, 1), LONG).unwrap(), TAKEN);
    assert!(hub.settle_schedule(&claim(&one, 1), false).unwrap());
    assert_eq!(hub.take_schedule(&claim(&two, 1), LONG).unwrap(), TAKEN);
}

pub(crate) fn a_claim_runs_out_unless_it_is_renewed(site: &Site) {
    let (hub, other) = (site.hub(), site.hub_elsewhere());
    let (one, two) = (worker("one"), worker("two"));
    for name in ["f", "kept"] {
        hub.open_schedule(name, "a", due(0)).unwrap();
    }
    let kept = ScheduleClaim {
        name: "kept",
        ..claim(&one, 1)
    };
    assert_eq!(hub.take_schedule(&kept, SHORT).unwrap(), TAKEN);
    hub.renew_triggers(&one, LONG).unwrap();
    assert_eq!(hub.take_schedule(&claim(&one, 1), SHORT).unwrap(), TAKEN);
    eventually("the lease runs out", || {
        let turn = other.take_schedule(&claim(&two, 1), LONG).unwrap();
        (turn == TAKEN).then_some(())
    });
    assert!(!hub.settle_schedule(&claim(&one, 1), true).unwrap());
    let of_two = ScheduleClaim {
        worker: &two,
        ..kept
    };
    let turn = other.take_schedule(&of_two, LONG).unwrap();
    assert!(matches!(turn, ScheduleTurn::Busy { .. }), "{turn:?}");
    assert!(hub.settle_schedule(&kept, true).unwrap());
}

pub(crate) fn of_many_workers_one_has_each_due_time(site: &Site) {
    open_f(&*site.hub(), "a", 0);
    let taken: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|number| {
                scope.spawn(move || {
                    let (hub, of) = (site.hub_elsewhere(), worker(&number.to_string()));
                    let carry_out = |seconds: &i64| {
                        let claim = claim(&of, *seconds);
                        eventually("it has been carried out", || {
                            match hub.take_schedule(&claim, LONG).unwrap() {
                                ScheduleTurn::Taken { .. } => {
                                    assert!(hub.settle_schedule(&claim, true).unwrap());
                                    Some(true)
                                }
                                ScheduleTurn::Done { .. } => Some(false),
                                _ => None,
                            }
                        })
                    };
                    (1..=50).filter(carry_out).count()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum()
    });
    // A worker that is behind finds the later ones done.
    assert_eq!(taken, 50);
}

pub(crate) fn a_deleted_hub_has_no_schedules(site: &Site) {
    let (hub, one) = (site.hub(), worker("one"));
    open_f(&*hub, "a", 0);
    assert!(site.provider().delete_hub(&hub_name("hub")).unwrap());
    assert_eq!(
        hub.take_schedule(&claim(&one, 1), LONG).unwrap(),
        ScheduleTurn::Gone
    );
    let refused = hub.open_schedule("f", "a", due(0)).unwrap_err();
    assert!(
        matches!(refused, StorageError::Unavailable { .. }),
        "{refused}"
    );
    assert_eq!(open_f(&*site.hub(), "a", 7).since, due(7));
}
