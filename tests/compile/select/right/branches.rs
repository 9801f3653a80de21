//! `select!` in an orchestrator, with everything that a branch can hold.
use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::{TaskFailed, select as first_of};

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Vote {
    yes: bool,
}

#[orchestrator]
async fn votes(ctx: OrchestrationContext) -> Result<u32> {
    let deadline = ctx.sleep(Duration::from_secs(3600)).start();
    let mut deadline = deadline;
    let mut yes = 0;
    'voting: loop {
        select! {
            Ok(Vote { yes: true }) | Ok(Vote { yes: false }) | Err(_)
                = ctx.wait_for_external_event::<Vote>("vote") => yes += 1,
            () = &mut deadline => break 'voting,
        }
    }
    Ok(yes)
}

#[orchestrator]
async fn nested(ctx: OrchestrationContext) -> Result<bool> {
    let approved: std::result::Result<bool, TaskFailed> = select! {
        approved = ctx.wait_for_external_event("approval") => approved,
        () = ctx.sleep(Duration::from_secs(60)) => {
            ctx.send_event("boss", "reminder", ());
            select! {
                approved = ctx.wait_for_external_event("approval") => approved,
                () = ctx.sleep(Duration::from_secs(60)) => return Ok(false),
            }
        }
    };
    Ok(approved?)
}

#[orchestrator]
async fn by_other_names(ctx: OrchestrationContext) -> Result<()> {
    durable_runtime::select! {
        () = ctx.sleep(Duration::from_secs(60)) => {}
    }
    first_of! {
        () = ctx.sleep(Duration::from_secs(60)) => {}
    }
    let ((), ()) = durable_runtime::join!(
        ctx.sleep(Duration::from_secs(1)),
        ctx.sleep(Duration::from_secs(2)),
    );
    Ok(())
}

fn main() {}
