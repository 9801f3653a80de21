//! An await in the middle of a chain of `?`.
use durable_runtime::prelude::*;

struct Response;

impl Response {
    async fn text(self) -> Result<String> {
        Ok(String::new())
    }
}

#[activity]
async fn fetch(url: String) -> Result<()> {
    drop(url);
    Ok(())
}

fn response(_fetched: ()) -> Result<Response> {
    Ok(Response)
}

#[orchestrator]
async fn page_length(ctx: OrchestrationContext, url: String) -> Result<u32> {
    let length = response(ctx.call_activity::<fetch>(url).await?)?
        .text()
        .await?
        .trim()
        .parse::<u32>()?;
    Ok(length)
}

fn main() {}
