//! Outputs of activities and sub-orchestrations that are in the histories of instances in flight.

use serde::{Deserialize, Serialize};
use serde_json::json;

use durable_runtime::Failure;
use durable_runtime::host::DurableHostBuilder;
use durable_runtime::prelude::*;

use crate::support::{Hub, Program, says};

/// An orchestrator that has a quote, from an activity and from a child, before it waits.
macro_rules! program {
    ($name:ident, { $($quote:tt)* }, $told:expr) => {
        mod $name {
            use super::*;

            $($quote)*

            #[orchestrator]
            pub(super) async fn order(ctx: OrchestrationContext) -> Result<String> {
                let quote: Quote = ctx.call_activity_by_name("quote", ()).await?;
                let child: Quote = ctx.call_sub_orchestrator_by_name("child", ()).await?;
                ctx.set_custom_status("quoted")?;
                ctx.wait_for_external_event::<()>("confirmed").await?;
                Ok(format!("{}; {}", $told(quote), $told(child)))
            }

            pub(super) fn all(builder: DurableHostBuilder) -> DurableHostBuilder {
                let builder = builder.register::<order>();
                builder.register::<quote>().register::<child>()
            }
        }
    };
}

/// What they return today.
#[activity]
async fn quote() -> Result<serde_json::Value> {
    Ok(json!({ "cents": 250, "carrier": "Bike", "valid": "a day" }))
}

#[orchestrator]
async fn child(_ctx: OrchestrationContext) -> Result<serde_json::Value> {
    Ok(json!({ "cents": 100, "carrier": "Drone", "valid": "a day" }))
}

program!(
    old,
    {
        #[derive(Debug, Deserialize, Serialize)]
        pub(super) struct Quote {
            cents: u32,
            carrier: String,
            valid: String,
        }
    },
    |quote: Quote| format!("{} by {} for {}", quote.cents, quote.carrier, quote.valid)
);

// A text becomes an enum that knows only some of them, a field has another name, one is new, one is gone.
program!(
    new,
    {
        #[derive(Debug, Deserialize, Serialize)]
        enum Carrier {
            Bike,
            #[serde(other)]
            Other,
        }

        #[derive(Debug, Deserialize, Serialize)]
        pub(super) struct Quote {
            #[serde(alias = "cents")]
            price: i128,
            carrier: Carrier,
            #[serde(default)]
            insured: bool,
        }
    },
    |quote: Quote| format!("{} by {:?}, {}", quote.price, quote.carrier, quote.insured)
);

// No variant for what it does not know.
program!(
    broken,
    {
        #[derive(Debug, Deserialize, Serialize)]
        enum Carrier {
            Bike,
        }

        #[derive(Debug, Deserialize, Serialize)]
        pub(super) struct Quote {
            carrier: Carrier,
        }
    },
    |quote: Quote| format!("{:?}", quote.carrier)
);

// A field that must not be there.
program!(
    strict,
    {
        #[derive(Debug, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct Quote {
            cents: u32,
            carrier: String,
        }
    },
    |quote: Quote| format!("{} by {}", quote.cents, quote.carrier)
);

async fn in_flight(hub: &Hub) {
    let program = hub.deploy(old::all).await;
    program.begin("order", "o1", json!(null)).await;
    program.reached("o1", "quoted").await;
    program.stop().await;
}

async fn mended(hub: &Hub) {
    let program = hub.deploy(new::all).await;
    program.client.rewind("o1", "mended").await.unwrap();
    end(program).await;
}

async fn end(program: Program) {
    program.raise("o1", "confirmed").await;
    let told = "250 by Bike, false; 100 by Other, false";
    assert_eq!(program.output("o1").await, told);
    assert_eq!(program.calls("o1").await, 1);
    program.stop().await;
}

// What is recorded is read as the new type.
#[tokio::test]
async fn recorded_outputs_are_read_as_the_new_type() {
    let hub = Hub::new();
    in_flight(&hub).await;
    let program = hub.deploy(new::all).await;
    end(program).await;
}

// Rule 8: what is recorded and does not fit fails the replay; mended code goes on with it, and calls nothing
// again.
#[tokio::test]
async fn a_recorded_output_that_does_not_fit_fails_the_replay() {
    let hub = Hub::new();
    in_flight(&hub).await;
    let program = hub.deploy(broken::all).await;
    let failure = program.raise_in_vain("o1", "confirmed").await;
    assert_eq!(failure.error_type(), Failure::NON_DETERMINISTIC);
    let parts = [
        "the output of sub-orchestration \"child\" in the history of instance \"o1\"",
        "`evolution::outputs::broken::Quote`",
        "at `carrier`: unknown variant `Drone`",
    ];
    says(failure.message(), &parts);
    says(failure.inner().unwrap().message(), &parts);
    program.stop().await;
    mended(&hub).await;
}

#[tokio::test]
async fn a_recorded_field_that_is_denied_is_named() {
    let hub = Hub::new();
    in_flight(&hub).await;
    let program = hub.deploy(strict::all).await;
    let failure = program.raise_in_vain("o1", "confirmed").await;
    let parts = [
        "the output of activity \"quote\" in the history of instance \"o1\"",
        "unknown field `valid`",
    ];
    says(failure.message(), &parts);
    program.stop().await;
    mended(&hub).await;
}

// Rules 8 and 29: an output that arrives and does not fit fails the instance with that error, is not asked for
// again, and is still there after a rewind.
#[tokio::test]
async fn an_output_that_arrives_and_does_not_fit_is_kept() {
    let hub = Hub::new();
    let program = hub.deploy(strict::all).await;
    program.begin("order", "o1", json!(null)).await;
    let failure = program.failure("o1").await;
    assert!(failure.is_non_retriable());
    says(failure.message(), &["activity \"quote\"", "`valid`"]);
    program.stop().await;

    let program = hub.deploy(new::all).await;
    program.client.rewind("o1", "mended").await.unwrap();
    end(program).await;
}
