use durable_runtime::prelude::*;

#[activity(nam = "Transfer")]
const unsafe extern "C" fn transfer(to: &str, state: &State<u8>, ctx: ActivityContext) {}

#[orchestrator(name = "", version = 2)]
fn pay(state: State<String>, from: &str, to: String) -> Result<u64> {
    Ok(1)
}

fn main() {}
