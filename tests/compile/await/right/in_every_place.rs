//! Awaits of durable tasks in every place where an expression can stand.
#![allow(unused_labels)]

use std::time::Duration;

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Quote {
    symbol: String,
    cents: u64,
}

#[activity]
async fn price(symbol: String) -> Result<u64> {
    Ok(symbol.len() as u64)
}

#[activity]
async fn find(symbol: String) -> Result<Option<String>> {
    Ok(Some(symbol))
}

#[orchestrator]
async fn blocks(ctx: OrchestrationContext, symbol: String) -> Result<u64> {
    let labeled = 'block: {
        if symbol.is_empty() {
            break 'block 0;
        }
        {
            let price = ctx.call_activity::<price>(symbol.as_str());
            price.await?
        }
    };
    let sum = labeled + ctx.call_activity::<price>("a").await? * 2;
    Ok((sum, ctx.call_activity::<price>("b").await?).0)
}

#[orchestrator]
async fn conditions(ctx: OrchestrationContext, symbol: Option<String>) -> Result<Quote> {
    let Some(symbol) = symbol else {
        return Ok(Quote {
            cents: ctx.call_activity::<price>("none").await?,
            ..Quote::default()
        });
    };
    if ctx.call_activity::<price>(symbol.as_str()).await? > 3 && !symbol.is_empty() {
        return Err(Error::msg("too much"));
    } else if let Some(found) = ctx.call_activity::<find>(symbol.as_str()).await?
        && found.len() > 2
        && let Some(other) = ctx.call_activity::<find>(found).await?
    {
        tracing::info!(other, "found another");
    }
    let Some(found) = ctx.call_activity::<find>(symbol.as_str()).await? else {
        return Err(Error::msg("nothing"));
    };
    Ok(Quote {
        cents: match ctx.call_activity::<price>(found).await? {
            0 => ctx.call_activity::<price>("zero").await?,
            cents if ctx.call_activity::<price>("limit").await? < cents => 1,
            cents => cents,
        },
        symbol,
    })
}

#[orchestrator]
async fn loops(ctx: OrchestrationContext, symbols: Vec<String>) -> Result<Vec<u64>> {
    let mut prices = vec![0; 1 + ctx.call_activity::<price>("length").await? as usize];
    'all: for (place, symbol) in symbols.iter().enumerate() {
        while let Some(found) = ctx.call_activity::<find>(symbol.as_str()).await? {
            if found.is_empty() {
                continue 'all;
            }
            prices[place] += ctx.call_activity::<price>(found).await?;
            if prices[place] > 100 {
                break 'all;
            }
        }
    }
    while ctx.call_activity::<price>("open").await? == 0 {
        ctx.sleep(Duration::from_secs(60)).await;
    }
    let last = loop {
        if let Some(found) = ctx.call_activity::<find>("last").await? {
            break ctx.call_activity::<price>(found).await?;
        }
    };
    prices.push(last);
    prices[0] = ctx.call_activity::<price>("first").await?;
    Ok(prices)
}

#[orchestrator]
async fn chains(ctx: OrchestrationContext) -> Result<String> {
    let length = ctx
        .call_activity::<find>(ctx.call_activity::<price>("inner").await?.to_string())
        .await?
        .as_deref()
        .unwrap_or("nothing")
        .trim()
        .len();
    let range = 0..ctx.call_activity::<price>("end").await?;
    let negative = -(ctx.call_activity::<price>("debt").await? as i64);
    let failed = ctx.call_activity::<price>("wrong").await.is_err();
    Ok(format!("{length} {range:?} {negative} {failed}"))
}

fn main() {}
