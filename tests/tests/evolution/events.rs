//! Events that were raised by those who know another type.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestHost;
use serde::Deserialize;
use serde_json::json;

use crate::support::says;

#[derive(Debug, Deserialize)]
enum Answer {
    Yes,
    No,
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Deserialize)]
struct Approval {
    #[serde(alias = "approved")]
    answer: Answer,
    #[serde(default)]
    by: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    #[serde(rename = "answer")]
    _answer: Answer,
}

#[orchestrator]
async fn collects(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let mut seen = Vec::new();
    for _ in 0..4 {
        let approval: Approval = ctx.wait_for_external_event("approval").await?;
        let by = approval.by.unwrap_or_else(|| "nobody".to_owned());
        seen.push(format!("{:?} by {by}", approval.answer));
    }
    Ok(seen)
}

#[orchestrator]
async fn is_strict(ctx: OrchestrationContext) -> Result<(String, String)> {
    let failed = ctx.wait_for_external_event::<Strict>("approval").await;
    let next: Approval = ctx.wait_for_external_event("approval").await?;
    Ok((
        failed.unwrap_err().message().to_owned(),
        format!("{:?}", next.answer),
    ))
}

fn host() -> TestHost {
    let builder = TestHost::builder().without_discovery();
    let builder = builder.register::<collects>().register::<is_strict>();
    builder.build().unwrap()
}

#[tokio::test]
async fn events_of_old_and_of_new_senders_are_read() {
    let host = host();
    let run = host.start::<collects>(()).instance_id("c").await.unwrap();
    let events = [
        json!({ "approved": "Yes" }),
        json!({ "answer": "No", "by": "Ada" }),
        json!({ "answer": "Later", "by": null }),
        json!({ "answer": "Yes", "comment": "of a later version" }),
    ];
    for event in events {
        run.raise_event("approval", event).await.unwrap();
    }
    let seen = run.output().await.unwrap();
    let expected = [
        "Yes by nobody",
        "No by Ada",
        "Unknown by nobody",
        "Yes by nobody",
    ];
    assert_eq!(seen, expected);
}

// Rule 26: an event with a field that is denied fails the wait and is consumed; the next one is read.
#[tokio::test]
async fn an_event_that_does_not_fit_is_consumed() {
    let host = host();
    let run = host.start::<is_strict>(()).instance_id("s").await.unwrap();
    let events = [
        json!({ "answer": "Yes", "by": "Ada" }),
        json!({ "answer": "No" }),
    ];
    for event in events {
        run.raise_event("approval", event).await.unwrap();
    }
    let (message, next) = run.output().await.unwrap();
    let parts = [
        "the payload of event \"approval\" of instance \"s\"",
        "`evolution::events::Strict`",
        "unknown field `by`",
    ];
    says(&message, &parts);
    assert_eq!(next, "No");
}
