//! An argument of `join!` that is no durable task.
use durable_runtime::prelude::*;

#[activity]
async fn book_hotel(city: String) -> Result<u64> {
    Ok(city.len() as u64)
}

async fn book_flight(_city: &str) -> Result<u64> {
    Ok(2)
}

#[orchestrator]
async fn book(ctx: OrchestrationContext, city: String) -> Result<u64> {
    let (hotel, flight) = join!(
        ctx.call_activity::<book_hotel>(city.as_str()),
        book_flight(&city),
    );
    Ok(hotel? + flight?)
}

fn main() {}
