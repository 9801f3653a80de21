//! Items in the body have rules of their own: what is awaited in them is not awaited by the body.
use durable_runtime::prelude::*;

#[orchestrator]
async fn hello(ctx: OrchestrationContext) -> Result<String> {
    #[activity]
    async fn say_hello(city: String) -> Result<String> {
        let path = std::env::temp_dir().join(&city);
        tokio::task::yield_now().await;
        println!("{}", path.display());
        Ok(format!("Hello {city}!"))
    }

    #[deterministic]
    async fn twice(ctx: &OrchestrationContext, city: &str) -> Result<String> {
        ctx.call_activity::<say_hello>(city).await?;
        Ok(ctx.call_activity::<say_hello>(city).await?)
    }

    const CITY: &str = "Tokyo";

    fn exclaim(text: &str) -> String {
        format!("{text}!")
    }

    Ok(exclaim(&twice(&ctx, CITY).await?))
}

fn main() {}
