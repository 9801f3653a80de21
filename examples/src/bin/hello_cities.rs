//! Function chaining: an orchestrator calls an activity three times, one after the other.
//!
//! Kill it at any moment and start it again: the cities that were greeted are not greeted again
//! (each activity says when it runs), and the result is the same.

use std::time::Duration;

use durable_runtime::client::OnExisting;
use durable_runtime::prelude::*;

#[activity]
async fn say_hello(city: String) -> Result<String> {
    println!("greeting {city}");
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(format!("Hello {city}!"))
}

#[orchestrator]
async fn hello_cities(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let mut greetings = Vec::new();
    for city in ["Tokyo", "Seattle", "London"] {
        greetings.push(ctx.call_activity::<say_hello>(city).await?);
    }
    Ok(greetings)
}

#[tokio::main]
async fn main() -> Result<()> {
    let host = DurableHost::builder()
        .task_hub("HelloCities")
        .start()
        .await?;
    let client = host.client();
    // What an earlier run has finished goes. If that was killed, its orchestration is joined.
    client.purge("hello-cities").await.ok();
    let run = client
        .start_new::<hello_cities>(())
        .instance_id("hello-cities")
        .on_existing(OnExisting::Ignore)
        .await?;
    for greeting in run.output().await? {
        println!("{greeting}");
    }
    host.shutdown().await?;
    Ok(())
}
