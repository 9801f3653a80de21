//! Every signature that the attributes accept, without a warning.
#![forbid(unsafe_code)]
#![deny(missing_docs, unused, warnings)]
#![warn(clippy::pedantic)]

use std::fmt;

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

/// An input and output of its own.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    /// Its number.
    pub id: u64,
}

/// An error that is not serializable.
#[derive(Debug)]
pub struct Declined;

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("declined")
    }
}

impl std::error::Error for Declined {}

/// An alias of `Result`.
pub type Outcome<T> = std::result::Result<T, Declined>;

/// A state.
pub struct Database;

/// Says hello.
///
/// # Errors
///
/// None.
#[activity]
pub async fn say_hello(city: String) -> Result<String> {
    Ok(format!("Hello {city}!"))
}

#[activity]
async fn nothing() -> Result<()> {
    Ok(())
}

#[activity]
fn blocking(city: String) -> Result<usize> {
    Ok(city.len())
}

#[activity(name = "Transfer")]
pub(crate) async fn transfer(from: String, to: String, amount: u64) -> Outcome<(String, u64)> {
    if from == to {
        Err(Declined)
    } else {
        Ok((from, amount))
    }
}

#[activity]
async fn with_everything(
    ctx: ActivityContext,
    State(database): State<Database>,
    names: durable_runtime::State<Vec<String>>,
    mut order: Order,
    (left, right): (u8, u8),
) -> durable_runtime::model::Result<Order, Declined> {
    let _: &Database = &database;
    order.id += u64::from(left + right) + names.len() as u64 + u64::from(ctx.attempt());
    Ok(order)
}

#[activity]
fn r#type(_ctx: ActivityContext, r#in: Vec<u8>) -> Result<Vec<u8>> {
    Ok(r#in)
}

#[cfg(any())]
#[activity]
async fn left_out_before(missing: Missing) -> Result<Missing> {}

#[activity]
#[cfg(any())]
async fn left_out_after(missing: Missing) -> Result<Missing> {}

#[orchestrator]
async fn without_input(_ctx: OrchestrationContext) -> Result<Vec<String>> {
    Ok(Vec::new())
}

#[orchestrator(name = "WithInput", version = "2.0")]
async fn with_input(
    mut ctx: durable_runtime::OrchestrationContext,
    (first, second): (Order, Order),
) -> Outcome<Order> {
    let not_send = std::rc::Rc::new(first.id);
    ctx = ctx.clone();
    ctx.sleep(std::time::Duration::ZERO).await;
    Ok(Order {
        id: *not_send + second.id,
    })
}

#[orchestrator(crate = durable_runtime)]
async fn context(_: OrchestrationContext, payload: String) -> Result<String> {
    Ok(payload)
}

#[activity(crate = "::durable_runtime")]
async fn invocation(invocation: String) -> Result<String> {
    Ok(invocation)
}

mod inner {
    use durable_runtime::prelude::*;

    #[activity]
    #[expect(
        clippy::unused_async,
        reason = "an expectation is met in one place only"
    )]
    pub(super) async fn argument0(argument0: u8) -> Result<u8> {
        Ok(argument0)
    }
}

fn is_activity<A: durable_runtime::Activity<Input = I, Output = O>, I, O>(name: &str) {
    assert_eq!(A::NAME, name);
}

fn is_orchestrator<S: durable_runtime::Orchestrator<Input = I, Output = O>, I, O>(
    name: &str,
    version: Option<&str>,
) {
    assert_eq!((S::NAME, S::VERSION), (name, version));
}

fn main() {
    is_activity::<say_hello, String, String>("say_hello");
    is_activity::<nothing, (), ()>("nothing");
    is_activity::<blocking, String, usize>("blocking");
    is_activity::<transfer, (String, String, u64), (String, u64)>("Transfer");
    is_activity::<with_everything, (Order, (u8, u8)), Order>("with_everything");
    is_activity::<r#type, Vec<u8>, Vec<u8>>("type");
    is_activity::<inner::argument0, u8, u8>("argument0");
    is_activity::<invocation, String, String>("invocation");
    is_orchestrator::<without_input, (), Vec<String>>("without_input", None);
    is_orchestrator::<with_input, (Order, Order), Order>("WithInput", Some("2.0"));
    is_orchestrator::<context, String, String>("context", None);

    {
        #[activity]
        async fn inside_a_body(city: String) -> Result<String> {
            Ok(city)
        }

        #[orchestrator]
        async fn orchestrate(_ctx: OrchestrationContext, input: u8) -> Result<u8> {
            Ok(input)
        }

        is_activity::<inside_a_body, String, String>("inside_a_body");
        is_orchestrator::<orchestrate, u8, u8>("orchestrate", None);
    }

    // The functions are what they were.
    assert_eq!(blocking("four".to_owned()).unwrap(), 4);
    drop(say_hello("Tokyo".to_owned()));
}
