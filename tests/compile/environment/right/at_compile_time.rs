//! What is known when the program is compiled.
use durable_runtime::prelude::*;

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[orchestrator]
async fn about(_ctx: OrchestrationContext) -> Result<String> {
    let name = std::env!("CARGO_PKG_NAME");
    let branch = option_env!("BRANCH").unwrap_or("none");
    let source = include_str!("at_compile_time.rs").len();
    let place = concat!(file!(), ":", line!(), " ", module_path!());
    let text = stringify!(a + b);
    Ok(format!(
        "{name} {VERSION} {branch} {source} {place} {text} {}",
        cfg!(debug_assertions)
    ))
}

fn main() {}
