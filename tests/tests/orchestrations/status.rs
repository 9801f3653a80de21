//! The custom status.

use durable_runtime::prelude::*;
use serde_json::json;

use crate::support::{Bench, LONG, within};

const LIMIT: usize = 16 * 1024;

#[orchestrator]
async fn sets_status_of(ctx: OrchestrationContext, text: String) -> Result<Option<String>> {
    ctx.set_custom_status("before")?;
    let refused = ctx.set_custom_status(text).err();
    Ok(refused.map(|error| error.to_string()))
}

// Rule 21: over 16 KiB of UTF-16 JSON is an error, and nothing is stored.
#[tokio::test]
async fn the_custom_status_is_limited_in_utf_16() {
    let bench = Bench::start().await;
    // Two quotes belong to the JSON. Each letter is two bytes of UTF-16, and up to four of UTF-8.
    let fits = LIMIT / 2 - 2;
    let texts = [
        ("a".repeat(fits), true),
        ("a".repeat(fits + 1), false),
        ("\u{20ac}".repeat(fits), true),
        ("\u{20ac}".repeat(fits + 1), false),
        ("\u{1f600}".repeat(fits / 2), true),
        ("\u{1f600}".repeat(fits / 2 + 1), false),
    ];
    for (text, should_fit) in texts {
        let run = bench.begin_run::<sets_status_of>(text.clone()).await;
        let refused = within(run.output()).await.unwrap();
        let status = bench.status(run.id()).await.custom_status;
        if should_fit {
            assert_eq!(refused, None);
            assert_eq!(status, Some(text.into()));
        } else {
            assert!(refused.unwrap().contains("16384"));
            assert_eq!(status, Some("before".into()));
        }
    }
}

#[orchestrator]
async fn status_of_many_kinds(ctx: OrchestrationContext) -> Result<()> {
    ctx.set_custom_status("not seen")?;
    ctx.set_custom_status(json!({"step": 1, "of": [1, 2, 3]}))?;
    ctx.wait_for_external_event::<()>("go").await?;
    Ok(())
}

// Rule 21: the last status of an episode is the one shown, and it stays when the orchestration ends.
#[tokio::test]
async fn the_last_status_stays() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<status_of_many_kinds>(()).await;
    let wanted = json!({"step": 1, "of": [1, 2, 3]});
    bench.reached(run.id(), wanted.clone()).await;
    bench.raise(run.id(), "go", ()).await;
    let ended = within(run.wait(LONG)).await.unwrap();
    assert_eq!(ended.custom_status, Some(wanted));
}

#[orchestrator]
async fn status_over_the_limit_fails_it(ctx: OrchestrationContext) -> Result<()> {
    ctx.set_custom_status("x".repeat(LIMIT))?;
    Ok(())
}

// Rule 21: not handled, the error fails the orchestration.
#[tokio::test]
async fn a_status_over_the_limit_fails_the_orchestration() {
    let bench = Bench::start().await;
    let failure = bench.failure::<status_over_the_limit_fails_it>(()).await;
    assert!(failure.message().contains("custom status"), "{failure}");
}
