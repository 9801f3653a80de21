//! Wherever a value does not fit, it is said what it is, whose it is, and which field of which type does not
//! fit.

use durable_runtime::Failure;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestHost;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::{refused, says};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Order {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    price: u32,
}

/// What is said of [`wrong`], after what it is and whose.
const SAID: &str = "does not fit its type `evolution::errors::Order`: at `lines[1].price`: invalid type: \
                    string \"free\", expected u32";

/// Nearly an [`Order`].
fn wrong() -> Value {
    json!({ "lines": [{ "price": 1 }, { "price": "free" }] })
}

#[activity]
async fn ship(_order: Order) -> Result<()> {
    Ok(())
}

#[activity]
async fn recall() -> Result<Value> {
    Ok(wrong())
}

/// Continues as new with what does not fit.
#[orchestrator]
async fn place(ctx: OrchestrationContext, _order: Order) -> Result<()> {
    ctx.continue_as_new(wrong())
}

#[orchestrator]
async fn find(_ctx: OrchestrationContext) -> Result<Value> {
    Ok(wrong())
}

/// What those who start it take it for.
#[orchestrator(name = "find")]
async fn finds_an_order(_ctx: OrchestrationContext) -> Result<Order> {
    Ok(Order::default())
}

#[orchestrator]
async fn echo(_ctx: OrchestrationContext, number: u128) -> Result<u128> {
    Ok(number)
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Shelf {
    orders: Vec<Order>,
}

#[entity]
impl Shelf {
    fn put(&mut self, order: Order) {
        self.orders.push(order);
    }

    fn take(&mut self) -> Value {
        self.orders.clear();
        wrong()
    }
}

#[entity]
async fn drawer(ctx: EntityContext) -> Result<()> {
    match ctx.operation_name() {
        "fill" => ctx.set_state(ctx.input::<Value>()?),
        "put" => ctx.set_state(ctx.input::<Order>()?),
        _ => ctx.return_value(ctx.state::<Order>()?),
    }
    Ok(())
}

/// Tries all that an orchestrator may be given, and tells what the errors say.
#[orchestrator]
async fn tries_all(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let shelf = EntityId::new("Shelf", "s");
    let drawer = EntityId::new("drawer", "d");
    ctx.call_entity::<()>(drawer.clone(), "fill", wrong())
        .await?;
    let child = ctx.call_sub_orchestrator_by_name::<()>("place", wrong());
    let results = [
        ctx.call_activity_by_name::<()>("ship", wrong()).await.err(),
        ctx.call_activity_by_name::<Order>("recall", ()).await.err(),
        child.instance_id("child").await.err(),
        ctx.call_sub_orchestrator_by_name::<Order>("find", ())
            .await
            .err(),
        ctx.wait_for_external_event::<Order>("ordered").await.err(),
        ctx.call_entity::<()>(shelf.clone(), "put", wrong())
            .await
            .err(),
        ctx.call_entity::<Order>(shelf, "take", ()).await.err(),
        ctx.call_entity::<()>(drawer.clone(), "put", wrong())
            .await
            .err(),
        ctx.call_entity::<Value>(drawer, "look", ()).await.err(),
    ];
    let mut told = Vec::new();
    for failed in results.into_iter().flatten() {
        // An error of the runtime's is told by that of the operation that handed it on.
        assert!(failed.is_non_retriable(), "{failed:?}");
        told.push(failed.message().to_owned());
    }
    Ok(told)
}

fn host() -> TestHost {
    let builder = TestHost::builder().without_discovery();
    let builder = builder.register::<ship>().register::<recall>();
    let builder = builder.register::<place>().register::<find>();
    let builder = builder.register::<echo>().register::<tries_all>();
    let builder = builder.register::<Shelf>().register::<drawer>();
    builder.build().unwrap()
}

// Rules 26, 29, 34.
#[tokio::test]
async fn what_an_orchestrator_is_given() {
    let host = host();
    let run = host.start::<tries_all>(()).instance_id("o1").await.unwrap();
    run.raise_event("ordered", wrong()).await.unwrap();
    let told = run.output().await.unwrap();
    let expected = [
        "the input of activity \"ship\" called by instance \"o1\"",
        "the output of activity \"recall\" in the history of instance \"o1\"",
        "the input of orchestrator \"place\" of instance \"child\"",
        "the output of sub-orchestration \"find\" in the history of instance \"o1\"",
        "the payload of event \"ordered\" of instance \"o1\"",
        "the input of operation \"put\" of entity \"@shelf@s\"",
        "the output of operation \"take\" of entity \"@shelf@s\" in the history of instance \"o1\"",
        "the input of operation \"put\" of entity \"@drawer@d\"",
        "the state of entity \"@drawer@d\"",
    ];
    let expected = expected.map(|what| format!("{what} {SAID}"));
    assert_eq!(told, expected);
}

// Rules 3 and 19: at the start, and when the next generation is begun.
#[tokio::test]
async fn what_an_orchestrator_begins_with() {
    let host = host();
    let client = host.client();
    let begun = client.start_new_by_name("place", wrong()).instance_id("p1");
    begun.await.unwrap();
    let continued = host.start::<place>(Order::default());
    continued.instance_id("p2").await.unwrap();
    for id in ["p1", "p2"] {
        let ended = client.wait_for_completion(id, std::time::Duration::MAX);
        let failure = ended.await.unwrap().failure.unwrap();
        assert_eq!(failure.error_type(), Failure::SERIALIZATION);
        let what = format!("the input of orchestrator \"place\" of instance \"{id}\" {SAID}");
        assert_eq!(failure.message(), what);
    }
}

#[tokio::test]
async fn what_a_client_reads() {
    let host = host();
    let client = host.client();
    let started = client.start_new::<find>(());
    let run = started.instance_id("f").await.unwrap();
    run.output().await.unwrap();
    let status = run.status().await.unwrap();
    refused(
        status.output_as::<Order>(),
        &["the output of instance \"f\" (Completed)", SAID],
    );
    let start = client.start_new_by_name("place", wrong());
    let failed = start.instance_id("p").await.unwrap();
    failed.output().await.unwrap_err();
    let status = failed.status().await.unwrap();
    refused(
        status.input_as::<Order>(),
        &["the input of instance \"p\" (Failed)", SAID],
    );
    let start = client.start_new::<finds_an_order>(());
    let run = start.instance_id("g").await.unwrap();
    refused(run.output().await, &["the output of instance \"g\"", SAID]);
    let drawer = EntityId::new("drawer", "d");
    client
        .signal_entity(drawer.clone(), "fill", wrong())
        .await
        .unwrap();
    refused(
        client.read_entity_state::<Order>(drawer).await,
        &["the state of entity \"@drawer@d\"", SAID],
    );
}

// A JSON value has no room for all digits; what is read as a type has them.
#[tokio::test]
async fn integers_are_read_with_all_digits() {
    let host = host();
    let run = host.start::<echo>(u128::MAX).await.unwrap();
    assert_eq!(run.output().await.unwrap(), u128::MAX);
    let status = run.status().await.unwrap();
    assert_eq!(status.input_as::<u128>().unwrap(), u128::MAX);
    assert_eq!(status.output_as::<u128>().unwrap(), u128::MAX);
    assert!(status.output.unwrap().is_f64());
    says(&status.input.unwrap().to_string(), &["e+38"]);
}
