//! Events that were raised by those who know another type.

use durable_runtime::Failure;
use durable_runtime::host::DurableHostBuilder;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestHost;
use serde::Deserialize;
use serde_json::json;

use crate::support::{Hub, says, within};

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

/// One with a tag can stand for variants with data, one without only for those that have none.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    #[serde(other)]
    Other,
}

#[orchestrator]
async fn takes_any(ctx: OrchestrationContext) -> Result<(String, String)> {
    let tagged: Tagged = ctx.wait_for_external_event("tagged").await?;
    let failed = ctx.wait_for_external_event::<Answer>("answer").await;
    Ok((
        format!("{tagged:?}"),
        failed.unwrap_err().message().to_owned(),
    ))
}

fn host() -> TestHost {
    let builder = TestHost::builder().without_discovery();
    let builder = builder.register::<collects>().register::<is_strict>();
    builder.register::<takes_any>().build().unwrap()
}

#[tokio::test]
async fn a_variant_that_is_not_known_is_another_one() {
    let host = host();
    let run = host.start::<takes_any>(()).await.unwrap();
    let tagged = json!({ "kind": "Later", "until": "May" });
    run.raise_event("tagged", tagged).await.unwrap();
    let with_data = json!({ "Later": { "until": "May" } });
    run.raise_event("answer", with_data).await.unwrap();
    let (tagged, message) = run.output().await.unwrap();
    assert_eq!(tagged, "Other");
    says(
        &message,
        &["`evolution::events::Answer`", "at `Later`", "expected unit"],
    );
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

/// Wants a name, or tells that there is none and waits for the next.
macro_rules! program {
    ($name:ident, $by:ty) => {
        mod $name {
            use durable_runtime::Failure;

            use super::*;

            #[derive(Debug, Deserialize)]
            struct Approval {
                by: $by,
            }

            #[orchestrator]
            pub(super) async fn fails(ctx: OrchestrationContext) -> Result<String> {
                let approval: Approval = ctx.wait_for_external_event("approval").await?;
                Ok(format!("{:?}", approval.by))
            }

            #[orchestrator]
            pub(super) async fn goes_on(ctx: OrchestrationContext) -> Result<String> {
                loop {
                    match ctx.wait_for_external_event::<Approval>("approval").await {
                        Ok(approval) => return Ok(format!("{:?}", approval.by)),
                        Err(failed) if failed.error_type() == Failure::SERIALIZATION => {
                            ctx.set_custom_status("refused")?;
                        }
                        Err(failed) => return Err(failed.into()),
                    }
                }
            }

            pub(super) fn all(builder: DurableHostBuilder) -> DurableHostBuilder {
                builder.register::<fails>().register::<goes_on>()
            }
        }
    };
}

program!(broken, String);
program!(new, Option<String>);

// Rule 8: the event that failed an instance is in its history, and is read again after a rewind. What code made of
// the error is in the history as well, and is not repeated by code that has no error there.
#[tokio::test]
async fn an_event_is_read_again_after_a_rewind() {
    let hub = Hub::new();
    let program = hub.deploy(broken::all).await;
    for name in ["fails", "goes_on"] {
        program.begin(name, name, json!(null)).await;
        let raised = program.client.raise_event(name, "approval", json!({}));
        within(raised).await.unwrap();
    }
    says(
        program.failure("fails").await.message(),
        &["missing field `by`"],
    );
    program.reached("goes_on", "refused").await;
    program.stop().await;

    let program = hub.deploy(new::all).await;
    program.client.rewind("fails", "mended").await.unwrap();
    assert_eq!(program.output("fails").await, "None");
    let failure = program.raise_in_vain("goes_on", "approval").await;
    assert_eq!(failure.error_type(), Failure::NON_DETERMINISTIC);
    program.stop().await;
}
