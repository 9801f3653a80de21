//! Inputs that were stored by old code.

use serde::Deserialize;
use serde_json::json;

use durable_runtime::Failure;
use durable_runtime::host::DurableHostBuilder;
use durable_runtime::prelude::*;

use crate::support::{Hub, says};

/// What runs in production.
mod old {
    use super::*;

    #[derive(Debug, Deserialize, serde::Serialize)]
    pub(super) struct Order {
        customer: String,
        cents: u32,
        note: String,
    }

    #[activity]
    pub(super) async fn charge(order: Order) -> Result<u32> {
        Ok(order.cents)
    }

    /// Waits before and after its call.
    #[orchestrator]
    pub(super) async fn order(ctx: OrchestrationContext, order: Order) -> Result<u32> {
        ctx.set_custom_status("waits")?;
        ctx.wait_for_external_event::<()>("confirmed").await?;
        Ok(ctx.call_activity::<charge>(order).await?)
    }

    pub(super) fn all(builder: DurableHostBuilder) -> DurableHostBuilder {
        builder.register::<order>().register::<charge>()
    }
}

/// One field is new, one has another name, one is gone.
mod new {
    use super::*;

    #[derive(Debug, Deserialize, serde::Serialize)]
    pub(super) struct Order {
        customer: String,
        #[serde(alias = "cents")]
        amount: u64,
        #[serde(default = "euro")]
        currency: String,
    }

    fn euro() -> String {
        "EUR".to_owned()
    }

    #[activity]
    pub(super) async fn charge(order: Order) -> Result<String> {
        Ok(format!(
            "{} {} of {}",
            order.amount, order.currency, order.customer
        ))
    }

    #[orchestrator]
    pub(super) async fn order(ctx: OrchestrationContext, order: Order) -> Result<String> {
        ctx.set_custom_status("waits")?;
        ctx.wait_for_external_event::<()>("confirmed").await?;
        Ok(ctx.call_activity::<charge>(order).await?)
    }

    pub(super) fn all(builder: DurableHostBuilder) -> DurableHostBuilder {
        builder.register::<order>().register::<charge>()
    }
}

/// A field is new, and old inputs do not have it.
mod broken {
    use super::*;

    #[derive(Debug, Deserialize, serde::Serialize)]
    pub(super) struct Order {
        customer: String,
        currency: String,
    }

    #[activity]
    pub(super) async fn charge(_order: Order) -> Result<String> {
        Ok("nothing".to_owned())
    }

    #[orchestrator]
    pub(super) async fn order(ctx: OrchestrationContext, order: Order) -> Result<String> {
        ctx.set_custom_status("waits")?;
        ctx.wait_for_external_event::<()>("confirmed").await?;
        Ok(ctx.call_activity::<charge>(order).await?)
    }

    pub(super) fn all(builder: DurableHostBuilder) -> DurableHostBuilder {
        builder.register::<order>().register::<charge>()
    }
}

fn old_input() -> serde_json::Value {
    json!({ "customer": "Ada", "cents": 250, "note": "a gift" })
}

// An instance in flight goes on with the new type: a default for what is new, an alias for what has another
// name, and what is gone is passed over.
#[tokio::test]
async fn an_instance_in_flight_takes_the_new_type() {
    let hub = Hub::new();
    let program = hub.deploy(old::all).await;
    program.begin("order", "o1", old_input()).await;
    program.reached("o1", "waits").await;
    program.stop().await;

    let program = hub.deploy(new::all).await;
    program.raise("o1", "confirmed").await;
    assert_eq!(program.output("o1").await, "250 EUR of Ada");
    program.stop().await;
}

// Rolled back: the old code passes over the field that it does not know, and misses the one that has another
// name now.
#[tokio::test]
async fn old_code_reads_what_new_code_wrote() {
    let hub = Hub::new();
    let program = hub.deploy(new::all).await;
    let both = json!({ "customer": "Ada", "cents": 9, "note": "", "currency": "USD" });
    program.begin("order", "o1", both).await;
    let renamed = json!({ "customer": "Ada", "amount": 9, "note": "", "currency": "USD" });
    program.begin("order", "o2", renamed).await;
    program.reached("o1", "waits").await;
    program.reached("o2", "waits").await;
    program.stop().await;

    let program = hub.deploy(old::all).await;
    program.raise("o1", "confirmed").await;
    assert_eq!(program.output("o1").await, 9);
    says(
        program.raise_in_vain("o2", "confirmed").await.message(),
        &["\"o2\"", "missing field `cents`"],
    );
    program.stop().await;
}

// Rules 8 and 9: an instance that is begun by code which its input does not fit fails with that error, and is
// rewound, or restarted, where the code is mended.
#[tokio::test]
async fn an_input_that_does_not_fit_fails_the_instance() {
    let hub = Hub::new();
    let program = hub.deploy(broken::all).await;
    for id in ["o1", "o2"] {
        program.begin("order", id, old_input()).await;
        let failure = program.failure(id).await;
        assert_eq!(failure.error_type(), Failure::SERIALIZATION);
        assert!(failure.is_non_retriable());
        assert_eq!(
            failure.message(),
            format!(
                "the input of orchestrator \"order\" of instance \"{id}\" does not fit its type \
                 `evolution::inputs::broken::Order`: missing field `currency`"
            )
        );
    }
    program.stop().await;

    let program = hub.deploy(new::all).await;
    program.client.rewind("o1", "mended").await.unwrap();
    program.client.restart("o2").await.unwrap();
    for id in ["o1", "o2"] {
        program.raise(id, "confirmed").await;
        assert_eq!(program.output(id).await, "250 EUR of Ada");
    }
    program.stop().await;
}

// Rule 8: one that has taken steps fails when it is replayed, with the same words; none of it is lost.
#[tokio::test]
async fn an_instance_in_flight_that_does_not_fit_is_rewound() {
    let hub = Hub::new();
    let program = hub.deploy(old::all).await;
    program.begin("order", "o1", old_input()).await;
    program.reached("o1", "waits").await;
    program.stop().await;

    let program = hub.deploy(broken::all).await;
    let failure = program.raise_in_vain("o1", "confirmed").await;
    assert_eq!(failure.error_type(), Failure::NON_DETERMINISTIC);
    let parts = [
        "the input of orchestrator \"order\" of instance \"o1\"",
        "`evolution::inputs::broken::Order`",
        "missing field `currency`",
    ];
    says(failure.message(), &parts);
    says(failure.message(), &["rewound"]);
    let cause = failure.inner().unwrap();
    assert_eq!(cause.error_type(), Failure::SERIALIZATION);
    says(cause.message(), &parts);
    program.stop().await;

    let program = hub.deploy(new::all).await;
    program.client.rewind("o1", "mended").await.unwrap();
    program.raise("o1", "confirmed").await;
    assert_eq!(program.output("o1").await, "250 EUR of Ada");
    program.stop().await;
}

/// The orchestrator as it was, with activities of tomorrow.
mod retrying {
    use std::time::Duration;

    use super::*;

    #[orchestrator]
    pub(super) async fn order(ctx: OrchestrationContext, order: old::Order) -> Result<String> {
        ctx.set_custom_status("waits")?;
        ctx.wait_for_external_event::<()>("confirmed").await?;
        let call = ctx.call_activity_by_name::<String>("charge", order);
        let policy = RetryPolicy::new(5, Duration::from_secs(3600));
        Ok(call.retry(policy).await?)
    }
}

// Rules 8 and 29: an activity that cannot read its input is not tried again by a policy; after a rewind it is
// given the same input where it is mended.
#[tokio::test]
async fn an_activity_that_cannot_read_its_input_is_called_after_a_rewind() {
    let hub = Hub::new();
    let program = hub
        .deploy(|builder| {
            builder
                .register::<retrying::order>()
                .register::<broken::charge>()
        })
        .await;
    program.begin("order", "o1", old_input()).await;
    program.raise("o1", "confirmed").await;
    let failure = program.failure("o1").await;
    assert!(failure.is_non_retriable());
    let parts = [
        "the input of activity \"charge\" called by instance \"o1\"",
        "`evolution::inputs::broken::Order`",
        "missing field `currency`",
    ];
    says(failure.message(), &parts);
    assert_eq!(program.calls("o1").await, 1);
    program.stop().await;

    let program = hub
        .deploy(|builder| {
            builder
                .register::<retrying::order>()
                .register::<new::charge>()
        })
        .await;
    program.client.rewind("o1", "mended").await.unwrap();
    assert_eq!(program.output("o1").await, "250 EUR of Ada");
    program.stop().await;
}
