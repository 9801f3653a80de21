//! A queue of orders, each of which starts an orchestration: the way in for what arrives faster than it can
//! be dealt with, or while nobody is there to deal with it.
//!
//! The messages are durable, and each is delivered until `on_order` returns `Ok`. As that can be more than
//! once, the order's number is the id of its orchestration, and a start that is repeated changes nothing.
//! An order that cannot be taken goes to the queue `orders-poison`, with the reason.
//!
//! Kill it at any time, and start it again: no order is lost, and none is shipped twice.

use std::collections::BTreeSet;
use std::time::Duration;

use durable_runtime::client::OnExisting;
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

const ORDERS: u32 = 20;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    number: u32,
    pieces: u32,
}

impl Order {
    fn id(number: u32) -> String {
        format!("order-{number:02}")
    }
}

#[activity]
async fn pack(order: Order) -> Result<String> {
    tokio::time::sleep(Duration::from_millis(30)).await;
    Ok(format!("{} pieces", order.pieces))
}

#[orchestrator]
async fn ship(ctx: OrchestrationContext, order: Order) -> Result<String> {
    Ok(ctx.call_activity::<pack>(order).await?)
}

#[durable_client(queue("orders"))]
async fn on_order(client: DurableClient, order: Order) -> Result<()> {
    if order.pieces == 0 {
        // To try again would not help.
        let reason = format!("order {} is for nothing", order.number);
        return Err(Error::non_retriable(reason));
    }
    client
        .start_new::<ship>(order.clone())
        .instance_id(Order::id(order.number))
        .on_existing(OnExisting::Ignore)
        .await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let host = DurableHost::builder()
        .task_hub("OrderQueue")
        .start()
        .await?;
    let client = host.client();
    for number in 1..=ORDERS {
        // One of them is for nothing.
        let order = Order {
            number,
            pieces: number % 13,
        };
        client.enqueue("orders", &order).await?;
    }
    while client.queue_length("orders").await? > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut shipped = 0;
    for number in (1..=ORDERS).filter(|number| number % 13 != 0) {
        let id = Order::id(number);
        let status = client
            .wait_for_completion(&id, Duration::from_secs(60))
            .await?;
        shipped += u32::from(status.output_as::<String>().is_ok());
    }
    println!("shipped {shipped} orders");
    let poison = client.peek_queue("orders-poison", 100).await?;
    let reasons: BTreeSet<_> = poison
        .into_iter()
        .filter_map(|message| message.error)
        .collect();
    println!("not taken: {reasons:?}");
    host.shutdown().await?;
    Ok(())
}
