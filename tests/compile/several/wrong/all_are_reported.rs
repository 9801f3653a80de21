//! Many mistakes in two functions are all reported.
use durable_runtime::prelude::*;

#[activity(nam = "Transfer")]
unsafe extern "C" fn transfer(_to: &str, _state: &State<u8>, _ctx: ActivityContext) {}

#[orchestrator(name = "", version = 2)]
fn pay(_state: State<String>, _from: &str, _to: String) -> Result<u64> {
    Ok(1)
}

fn main() {}
