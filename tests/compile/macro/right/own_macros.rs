//! Macros of the user's own, outside of the body and in it.
use durable_runtime::prelude::*;

#[activity]
async fn square(number: u32) -> Result<u32> {
    Ok(number * number)
}

macro_rules! larger {
    ($left:expr, $right:expr $(,)?) => {
        if $left > $right { $left } else { $right }
    };
}

macro_rules! sum {
    ($($term:expr);* $(;)?) => {
        0 $(+ $term)*
    };
}

macro_rules! table {
    ($($key:ident => $value:expr),* $(,)?) => {
        [$((stringify!($key), $value)),*]
    };
}

macro_rules! rule {
    (when $name:ident is $low:literal to $high:literal then $result:expr) => {
        if ($low..=$high).contains(&$name) {
            $result
        } else {
            0
        }
    };
}

#[orchestrator]
async fn outside(ctx: OrchestrationContext) -> Result<u32> {
    let larger = larger!(ctx.call_activity::<square>(2u32).await?, 3);
    let sum = sum!(1; ctx.call_activity::<square>(3u32).await?; larger);
    let table = table! { one => 1, two => ctx.call_activity::<square>(4u32).await? };
    let discount = rule!(when sum is 1 to 10 then 5);
    Ok(sum + table[1].1 + discount)
}

#[orchestrator]
async fn inside(ctx: OrchestrationContext) -> Result<u32> {
    macro_rules! twice {
        ($value:expr) => {
            $value * 2
        };
    }

    Ok(twice!(ctx.call_activity::<square>(2u32).await?))
}

fn main() {}
