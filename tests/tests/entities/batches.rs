//! How many operations are carried out and stored together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize, Serializer};

use crate::bench::Bench;
use crate::support::Counter;

/// How often a [`Written`] was serialized: once for each batch.
static BATCHES: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
struct Written(u64);

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        BATCHES.fetch_add(1, Ordering::SeqCst);
        serializer.serialize_u64(self.0)
    }
}

#[entity]
impl Written {
    fn add(&mut self) {
        self.0 += 1;
    }
}

/// How many batches 1,000 signals, sent at once, are carried out in.
async fn batches_of_1000(options: HostOptions) -> usize {
    let bench = Bench::with(options).await;
    BATCHES.store(0, Ordering::SeqCst);
    let written = bench.client.signal::<Written>("a");
    let sent = (0..1_000).map(|_| written.add());
    for sent in futures_util::future::join_all(sent).await {
        sent.unwrap();
    }
    let state: Written = bench.state(Written::id("a")).await.unwrap();
    assert_eq!(state.0, 1_000);
    BATCHES.load(Ordering::SeqCst)
}

// Rule 36: what waits is carried out and stored together, but no more of it than is allowed.
#[tokio::test]
async fn a_batch_is_as_long_as_it_may() {
    let few = batches_of_1000(HostOptions::default()).await;
    assert!(few < 500, "{few} batches");
    let many = batches_of_1000(HostOptions {
        max_entity_operation_batch_size: 7,
        ..HostOptions::default()
    })
    .await;
    assert!(many >= 1_000_usize.div_ceil(7), "{many} batches");
}

// An entity that is let go of is read again when it is needed.
#[tokio::test]
async fn an_idle_entity_is_let_go_and_comes_back() {
    let bench = Bench::with(HostOptions {
        max_cached_instances: 1,
        idle_timeout: Duration::ZERO,
        partition_count: 1,
        ..HostOptions::default()
    })
    .await;
    for round in 1..=3 {
        for key in 0..50 {
            let counter = bench.client.signal::<Counter>(key.to_string());
            counter.add(1).await.unwrap();
        }
        for key in 0..50 {
            let state: Counter = bench.state(Counter::id(key.to_string())).await.unwrap();
            assert_eq!(state.value, round);
        }
    }
}
