//! Mistakes in functions make no error where these are called.
use durable_runtime::prelude::*;

#[activity]
async fn hello(city: &str) -> Result<String> {
    Ok(city.to_owned())
}

#[orchestrator]
async fn pay(amount: u64) -> Result<u64> {
    Ok(amount)
}

fn call<A: durable_runtime::Activity>(_: impl Into<A::Input>) -> Option<A::Output> {
    None
}

fn start<O: durable_runtime::Orchestrator>(_: impl Into<O::Input>) -> Option<O::Output> {
    None
}

fn register<R: durable_runtime::Register>() {}

fn main() {
    let _: Option<String> = call::<hello>("Tokyo");
    let _: Option<u64> = start::<pay>(7_u64);
    register::<hello>();
    register::<pay>();
}
