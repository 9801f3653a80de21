//! Attributes, comments and options on an orchestrator and in it.
#![deny(missing_docs)]

use durable_runtime as runtime;
use durable_runtime::prelude::*;

/// Documented,
/// on two lines.
#[orchestrator(name = "Attributes", version = "2.0")]
#[allow(clippy::needless_pass_by_value)]
#[cfg(not(any()))]
pub async fn attributes(ctx: OrchestrationContext, #[allow(unused)] r#type: String) -> Result<u32> {
    #![allow(unused_variables)]
    //! Documented from within.

    // A comment.
    let unused = 1;
    #[cfg(any())]
    let number = missing(ctx).await;
    #[cfg(not(any()))]
    let number = 7;
    #[rustfmt::skip]
    let r#match = r#type.len ( );
    /* Another. */
    if cfg!(debug_assertions) {
        tracing::debug!(r#match, "debug");
    }
    #[expect(clippy::let_and_return, reason = "it shows an attribute")]
    let result = number;
    Ok(result)
}

#[runtime::orchestrator(crate = runtime)]
async fn by_another_name(_: runtime::OrchestrationContext) -> runtime::Result<()> {
    Ok(())
}

#[durable_runtime::deterministic(crate = "::durable_runtime")]
async fn helper(ctx: &durable_runtime::OrchestrationContext) {
    ctx.sleep(std::time::Duration::ZERO).await;
}

/// Calls the helper.
#[durable_runtime::orchestrator]
pub async fn by_path(ctx: durable_runtime::OrchestrationContext) -> durable_runtime::Result<()> {
    helper(&ctx).await;
    Ok(())
}

fn main() {}
