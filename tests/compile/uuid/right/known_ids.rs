//! Ids that are read or computed.
use durable_runtime::prelude::*;
use uuid::{Uuid, uuid};

const NAMESPACE: Uuid = uuid!("6ba7b810-9dad-11d1-80b4-00c04fd430c8");

#[orchestrator]
async fn ids(ctx: OrchestrationContext, id: String) -> Result<Vec<Uuid>> {
    let parsed = Uuid::parse_str(&id)?;
    let named = Uuid::new_v5(&NAMESPACE, id.as_bytes());
    let guid = ctx.new_guid();
    Ok(vec![
        parsed,
        named,
        guid,
        Uuid::nil(),
        Uuid::max(),
        Uuid::from_u128(7),
    ])
}

fn main() {}
