//! What a batch does when operations fail: rules 34 and 36 without a host around them.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;

use super::*;
use crate::registry::code::Input;
use crate::registry::entity::{EntityFunction, Operation};
use crate::registry::{Function, Registration, Registry, SourceLocation};

/// How often a state was written down; each test has a counter of its own.
type Writes = &'static AtomicUsize;

fn number(state: &mut (dyn Any + Send)) -> &mut i64 {
    state.downcast_mut().unwrap()
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "add",
        run: OperationRun::Sync(|state, call| {
            *number(state) += call.read(Input::<i64>::OF)?;
            Payload::encode(number(state)).map_err(|error| Failure::from_error(&error))
        }),
    },
    Operation {
        name: "addThenFail",
        run: OperationRun::Sync(|state, call| {
            *number(state) += call.read(Input::<i64>::OF)?;
            call.context().start_new_by_name("never", ());
            Err(Failure::new("Declined", "no"))
        }),
    },
    Operation {
        name: "addThenPanic",
        run: OperationRun::Sync(|state, call| {
            *number(state) += call.read(Input::<i64>::OF)?;
            std::panic::resume_unwind(Box::new("no"))
        }),
    },
    Operation {
        name: "forget",
        run: OperationRun::Sync(|_, call| {
            call.context().delete_state();
            Ok(Payload::null())
        }),
    },
    Operation {
        name: "isNew",
        run: OperationRun::Sync(|_, call| {
            let is_new = call.context().is_newly_constructed();
            Payload::encode(&is_new).map_err(|error| Failure::from_error(&error))
        }),
    },
    Operation {
        name: "addSlowly",
        run: OperationRun::Async(|state, call| {
            Box::pin(async move {
                *number(state) += call.read(Input::<i64>::OF)?;
                Ok(Payload::null())
            })
        }),
    },
];

/// A number, which cannot be written down when it is negative.
fn run(
    writes: Writes,
    write: fn(&(dyn Any + Send)) -> Result<Payload, Failure>,
    saved: Option<&str>,
    operations: &[(&str, &str)],
) -> (Option<String>, Vec<Result<String, String>>, usize) {
    let mut registry = Registry::default();
    let registration = Registration {
        name: "Number",
        location: SourceLocation::here("tests"),
        function: Function::Entity(EntityFunction {
            states: &[],
            begin: |_, saved| {
                let number: i64 = saved.map_or(Ok(0), |saved| {
                    saved
                        .decode()
                        .map_err(|error| Failure::new(Failure::SERIALIZATION, error.to_string()))
                })?;
                Ok(Box::new(number))
            },
            save: write,
            operations: OPERATIONS,
            other: None,
        }),
    };
    registry.add(registration).unwrap();
    let json = |text: &str| Payload::from_json(text.to_owned()).unwrap();
    let batch = EntityBatch {
        entity: EntityId::new("Number", "k"),
        saved: saved.map(json),
        state: None,
        operations: operations
            .iter()
            .map(|(name, input)| EntityOperation {
                name: (*name).to_owned(),
                input: json(input),
                caller: None,
                at: None,
            })
            .collect(),
        seed: Uuid::nil(),
        max_payload_bytes: 1_000,
        states: Arc::default(),
    };
    writes.store(0, Ordering::SeqCst);
    let done = run_batch(registry.entities().code("number").unwrap(), batch)
        .now_or_never()
        .unwrap();
    let outcomes = done.outcomes.into_iter().map(|outcome| {
        if outcome.result.is_err() {
            assert!(outcome.effects.starts.is_empty());
        }
        outcome
            .result
            .map(|output| output.as_json().to_owned())
            .map_err(|failure| failure.message().to_owned())
    });
    let saved = done.saved.map(|saved| saved.as_json().to_owned());
    (saved, outcomes.collect(), writes.load(Ordering::SeqCst))
}

macro_rules! writing {
    ($writes:ident) => {{
        static WRITES: AtomicUsize = AtomicUsize::new(0);
        let $writes: Writes = &WRITES;
        let write: fn(&(dyn Any + Send)) -> Result<Payload, Failure> = |state| {
            WRITES.fetch_add(1, Ordering::SeqCst);
            let number = state.downcast_ref::<i64>().unwrap();
            if *number < 0 {
                return Err(Failure::new(Failure::SERIALIZATION, "negative"));
            }
            Payload::encode(number).map_err(|error| Failure::from_error(&error))
        };
        ($writes, write)
    }};
}

// Rule 36: the state of a batch is written down once.
#[test]
fn a_batch_that_goes_well_is_written_down_once() {
    let (writes, write) = writing!(writes);
    let (saved, outcomes, count) = run(writes, write, Some("5"), &[("add", "1"); 100]);
    assert_eq!(saved.as_deref(), Some("105"));
    assert_eq!(outcomes[99].as_deref(), Ok("105"));
    assert_eq!(count, 1);
}

// Rule 34: what fails leaves the state as it was; the others stand.
#[test]
fn a_failure_in_the_middle_undoes_itself_only() {
    let (writes, write) = writing!(writes);
    let operations = [
        ("add", "1"),
        ("addThenFail", "100"),
        ("add", "2"),
        ("addThenPanic", "100"),
        ("ADD", "3"),
        ("nothing", "1"),
        ("addThenFail", "100"),
    ];
    let (saved, outcomes, _) = run(writes, write, None, &operations);
    assert_eq!(saved.as_deref(), Some("6"));
    assert_eq!(outcomes[0].as_deref(), Ok("1"));
    assert_eq!(outcomes[1].as_ref().unwrap_err(), "no");
    assert_eq!(outcomes[2].as_deref(), Ok("3"));
    assert!(outcomes[3].is_err());
    assert_eq!(outcomes[4].as_deref(), Ok("6"));
    let unknown = outcomes[5].as_ref().unwrap_err();
    assert!(unknown.contains("has no operation"), "{unknown}");
    assert!(outcomes[6].is_err());
}

// Rule 34: a first operation that fails leaves no entity.
#[test]
fn a_first_operation_that_fails_leaves_no_entity() {
    let (writes, write) = writing!(writes);
    let (saved, outcomes, _) = run(writes, write, None, &[("addThenFail", "1")]);
    assert_eq!(saved, None);
    assert!(outcomes[0].is_err());
}

// Rule 34: a state that cannot be written down is a failure of the operation that made it.
#[test]
fn a_state_that_cannot_be_written_down_is_a_failure_of_its_operation() {
    let (writes, write) = writing!(writes);
    let operations = [("add", "2"), ("add", "-10"), ("add", "3")];
    let (saved, outcomes, _) = run(writes, write, Some("1"), &operations);
    assert_eq!(saved.as_deref(), Some("6"));
    assert_eq!(outcomes[1].as_ref().unwrap_err(), "negative");
    assert_eq!(outcomes[2].as_deref(), Ok("6"));
}

// Rule 34, for async operations: what is before and after them is written down.
#[test]
fn around_an_async_operation_the_state_is_written_down() {
    let (writes, write) = writing!(writes);
    let operations = [
        ("add", "1"),
        ("addSlowly", "2"),
        ("addThenFail", "3"),
        ("add", "4"),
    ];
    let (saved, outcomes, count) = run(writes, write, None, &operations);
    assert_eq!(saved.as_deref(), Some("7"));
    assert!(outcomes[2].is_err());
    assert_eq!(count, 3);
}

// Deletion: what comes after begins anew.
#[test]
fn a_deleted_entity_begins_anew() {
    let (writes, write) = writing!(writes);
    let operations = [
        ("isNew", "null"),
        ("add", "1"),
        ("forget", "null"),
        ("isNew", "null"),
        ("addThenFail", "1"),
        ("delete", "null"),
    ];
    let (saved, outcomes, _) = run(writes, write, Some("5"), &operations[..3]);
    assert_eq!(saved, None);
    assert_eq!(outcomes[0].as_deref(), Ok("false"));
    let (saved, outcomes, _) = run(writes, write, Some("5"), &operations[..5]);
    assert_eq!(saved.as_deref(), Some("0"));
    assert_eq!(outcomes[3].as_deref(), Ok("true"));
    let (saved, _, _) = run(writes, write, Some("5"), &operations);
    assert_eq!(saved, None);
}

// A state in storage that does not fit fails every operation, and is kept.
#[test]
fn a_state_that_cannot_be_read_is_kept() {
    let (writes, write) = writing!(writes);
    let (saved, outcomes, _) = run(
        writes,
        write,
        Some("\"text\""),
        &[("add", "1"), ("add", "1")],
    );
    assert_eq!(saved.as_deref(), Some("\"text\""));
    assert!(outcomes.iter().all(Result::is_err));
}
