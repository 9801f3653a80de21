//! `tracing` in orchestrators.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use durable_runtime::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::{Bench, LONG, double, within};

/// What the orchestrators of this file have logged.
static MESSAGES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Collector;

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == module_path!()
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let mut messages = MESSAGES.lock().unwrap_or_else(PoisonError::into_inner);
        messages.push(message.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn collect() {
    static COLLECTS: OnceLock<()> = OnceLock::new();
    COLLECTS.get_or_init(|| {
        tracing::subscriber::set_global_default(Collector).expect("the only subscriber");
    });
}

fn messages_of(id: &str) -> Vec<String> {
    let messages = MESSAGES.lock().unwrap_or_else(PoisonError::into_inner);
    let of_instance = messages.iter().filter_map(|text| text.strip_prefix(id));
    of_instance.map(str::to_owned).collect()
}

#[orchestrator]
async fn logs(ctx: OrchestrationContext) -> Result<()> {
    tracing::info!("{} began", ctx.instance_id());
    ctx.call_activity::<double>(1).await?;
    tracing::info!("{} waits", ctx.instance_id());
    ctx.set_custom_status("waiting")?;
    ctx.wait_for_external_event::<()>("go").await?;
    tracing::info!("{} ends", ctx.instance_id());
    Ok(())
}

// OrchestrationContext: `tracing` events are dropped while it replays, and only then.
#[tokio::test]
async fn what_is_replayed_is_not_logged_again() {
    collect();
    let bench = Bench::start().await;
    let run = bench.begin_run::<logs>(()).await;
    let id = run.id().to_owned();
    drop(run);
    bench.reached(&id, "waiting").await;
    let bench = bench.restart().await.restart().await;
    bench.raise(&id, "go", ()).await;
    within(bench.client.wait_for_completion(&id, LONG))
        .await
        .unwrap();
    assert_eq!(messages_of(&id), [" began", " waits", " ends"]);
}
