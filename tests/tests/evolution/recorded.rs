//! Known before a deployment: recorded histories, replayed on the new code.

use durable_runtime::prelude::*;
use durable_runtime::testing::{Ending, ReplayError, TestHost, replay};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::says;

/// An orchestrator of the name `order` that has the price of what is ordered, and waits.
macro_rules! program {
    ($name:ident, { $($price:tt)* }) => {
        mod $name {
            use super::*;

            $($price)*

            #[activity]
            pub(super) async fn price(_of: String) -> Result<Price> {
                Ok(Price::default())
            }

            #[orchestrator]
            pub(super) async fn order(ctx: OrchestrationContext) -> Result<Vec<Price>> {
                let tea = ctx.call_activity::<price>("tea").await?;
                let salt = ctx.call_activity::<price>("salt").await?;
                ctx.wait_for_external_event::<()>("confirmed").await?;
                Ok(vec![tea, salt])
            }
        }
    };
}

program!(old, {
    #[derive(Debug, Default, Serialize, Deserialize)]
    pub(super) struct Price {
        cents: u32,
    }
});

program!(new, {
    #[derive(Debug, Default, Serialize, Deserialize)]
    pub(super) struct Price {
        #[serde(alias = "cents")]
        amount: u64,
        currency: Option<String>,
    }
});

program!(broken, {
    #[derive(Debug, Default, Serialize, Deserialize)]
    pub(super) struct Price {
        cents: String,
    }
});

/// A history that the old code has recorded.
async fn record() -> String {
    let builder = TestHost::builder().without_discovery();
    let builder = builder.register::<old::order>().register::<old::price>();
    let host = builder.build().unwrap();
    let run = host
        .start::<old::order>(())
        .instance_id("o1")
        .await
        .unwrap();
    // Nothing will happen any more: it waits.
    run.output().await.unwrap_err();
    let history = host.history("o1").unwrap();
    let recorded = json!({ "instanceId": "o1", "name": "order", "history": history.events() });
    recorded.to_string()
}

#[tokio::test]
async fn types_that_fit_what_is_recorded_are_safe() {
    let recorded = record().await;
    for replayed in [
        replay::<old::order>(&recorded),
        replay::<new::order>(&recorded),
    ] {
        let replayed = replayed.unwrap();
        assert_eq!((replayed.steps, replayed.ending), (3, Ending::Waiting));
    }
}

#[tokio::test]
async fn a_type_that_does_not_fit_is_found() {
    let replayed = replay::<broken::order>(&record().await);
    let Err(ReplayError::Diverges(found)) = replayed else {
        panic!("{replayed:?}");
    };
    assert_eq!((&*found.instance_id, found.step), ("o1", 2));
    assert_eq!(found.history, "call #1 of activity \"price\"");
    let parts = [
        "failed (`price` failed: the output of activity \"price\" in the history of instance \"o1\"",
        "`evolution::recorded::broken::Price`",
        "at `cents`: invalid type: integer `0`, expected a string",
    ];
    says(&found.code, &parts);
    says(&found.causes, &["does not fit a type of the code", "alias"]);
}
