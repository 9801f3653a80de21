//! What keeps a host from starting, and what it says then.

use std::time::Duration;

use durable_runtime::host::{HostError, HostOptions};
use durable_runtime::prelude::*;
use durable_runtime::storage::{Memory, Sqlite, StorageError};
use futures_util::FutureExt;

use crate::fixture::host;
use crate::process::Site;

mod here {
    use durable_runtime::prelude::*;

    #[activity(name = "Clashing")]
    pub(super) async fn work() -> Result<()> {
        Ok(())
    }

    #[orchestrator(name = "ClashingToo", version = "1.0")]
    pub(super) async fn flow(_ctx: OrchestrationContext) -> Result<()> {
        Ok(())
    }
}

mod there {
    use durable_runtime::prelude::*;

    #[activity(name = "Clashing")]
    pub(super) async fn work() -> Result<()> {
        Ok(())
    }

    #[orchestrator(name = "ClashingToo", version = "1.0")]
    pub(super) async fn flow(_ctx: OrchestrationContext) -> Result<()> {
        Ok(())
    }
}

/// Of which no host here is given one.
struct Scales;

#[activity]
async fn weigh(_scales: State<Scales>) -> Result<()> {
    Ok(())
}

async fn refused(options: HostOptions) -> HostError {
    host(Memory::new(), options).start().await.unwrap_err()
}

#[tokio::test]
async fn a_name_that_is_used_twice_names_both_places() {
    let activities = host(Memory::new(), HostOptions::default())
        .register::<here::work>()
        .register::<there::work>();
    let orchestrators = host(Memory::new(), HostOptions::default())
        .register::<here::flow>()
        .register::<there::flow>();
    for (builder, name) in [(activities, "Clashing"), (orchestrators, "ClashingToo")] {
        let error = builder.start().await.unwrap_err();
        assert!(matches!(error, HostError::NameClash(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(name), "{text}");
        assert_eq!(text.matches("start_up.rs:").count(), 2, "{text}");
    }
}

#[tokio::test]
async fn the_same_function_twice_is_no_clash() {
    let host = host(Memory::new(), HostOptions::default())
        .register::<here::work>()
        .register::<here::work>();
    host.start().await.unwrap().shutdown().await.unwrap();
}

#[tokio::test]
async fn a_missing_state_names_the_function_and_the_type() {
    let host = host(Memory::new(), HostOptions::default()).register::<weigh>();
    let error = host.start().await.unwrap_err();
    assert!(matches!(error, HostError::MissingState { .. }), "{error}");
    let text = error.to_string();
    for part in ["\"weigh\"", "start_up.rs:", "Scales"] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[tokio::test]
async fn options_that_make_no_sense_are_named() {
    let default = HostOptions::default;
    let cases = [
        (
            "max_concurrent_activities",
            HostOptions {
                max_concurrent_activities: 0,
                ..default()
            },
        ),
        (
            "max_concurrent_orchestrations",
            HostOptions {
                max_concurrent_orchestrations: 0,
                ..default()
            },
        ),
        (
            "partition_count",
            HostOptions {
                partition_count: 0,
                ..default()
            },
        ),
        (
            "partition_count",
            HostOptions {
                partition_count: 1025,
                ..default()
            },
        ),
        (
            "max_payload_bytes",
            HostOptions {
                max_payload_bytes: 0,
                ..default()
            },
        ),
        (
            "max_activity_attempts",
            HostOptions {
                max_activity_attempts: 0,
                ..default()
            },
        ),
        (
            "max_entity_operation_batch_size",
            HostOptions {
                max_entity_operation_batch_size: 0,
                ..default()
            },
        ),
        (
            "queue_concurrency",
            HostOptions {
                queue_concurrency: 0,
                ..default()
            },
        ),
        (
            "max_queue_attempts",
            HostOptions {
                max_queue_attempts: 0,
                ..default()
            },
        ),
        (
            "default_version",
            HostOptions {
                default_version: Some(String::new()),
                ..default()
            },
        ),
        (
            "lease_duration",
            HostOptions {
                lease_duration: Duration::from_millis(999),
                ..default()
            },
        ),
    ];
    for (name, options) in cases {
        let error = refused(options).await;
        assert!(matches!(error, HostError::InvalidOption { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn the_name_of_a_hub_is_checked() {
    let too_long = "h".repeat(46);
    for name in ["", "1st", "a b", "hub/..", too_long.as_str()] {
        let host = host(Memory::new(), HostOptions::default()).task_hub(name);
        let error = host.start().await.unwrap_err();
        assert!(matches!(error, HostError::InvalidTaskHub(_)), "{error}");
    }
}

#[test]
fn outside_of_a_runtime_it_says_what_it_needs() {
    let start = host(Memory::new(), HostOptions::default()).start();
    let error = start.now_or_never().unwrap().unwrap_err();
    assert!(matches!(error, HostError::NoRuntime), "{error}");
    assert!(error.to_string().contains("tokio"), "{error}");
}

#[test]
fn a_runtime_without_timers_is_refused() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).build().unwrap();
    let start = host(Memory::new(), HostOptions::default()).start();
    let error = runtime.block_on(start).unwrap_err();
    assert!(matches!(error, HostError::NoTimers), "{error}");
    assert!(error.to_string().contains("`enable_all()`"), "{error}");
}

/// The file that a host would use is refused when it is opened.
#[tokio::test]
async fn storage_that_is_something_else_is_refused() {
    let site = Site::new();
    std::fs::write(site.database(), "to whom it may concern\n".repeat(100)).unwrap();
    let error = Sqlite::open(site.database()).unwrap_err();
    assert!(matches!(error, StorageError::NotOurs { .. }), "{error}");
    assert!(HostError::from(error).to_string().contains("hub.db"));

    let site = Site::new();
    let started = host(
        Sqlite::open(site.database()).unwrap(),
        HostOptions::default(),
    );
    started.start().await.unwrap().shutdown().await.unwrap();
    let by_hand = rusqlite::Connection::open(site.database()).unwrap();
    by_hand.pragma_update(None, "user_version", 99).unwrap();
    drop(by_hand);
    let error = Sqlite::open(site.database()).unwrap_err();
    assert!(
        matches!(error, StorageError::NewerSchema { found: 99, .. }),
        "{error}"
    );
}
