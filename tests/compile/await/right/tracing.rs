//! The syntaxes of `tracing`, with awaits and without.
use durable_runtime::prelude::*;
use tracing::{Level, debug, error, event, info, info_span, span, trace, warn};

#[derive(Debug)]
struct User {
    name: &'static str,
}

#[activity]
async fn depth(queue: String) -> Result<usize> {
    Ok(queue.len())
}

#[orchestrator]
async fn report(ctx: OrchestrationContext, queue: String) -> Result<()> {
    let user = User { name: "Ada" };
    info!("plain");
    info!("inline {queue} {:?} {}", user, user.name);
    info!(queue, "a field");
    debug!(%queue, ?user, user.name, "sigils");
    trace!(target: "reports", length = queue.len(), name = %user.name, who = ?user, "named");
    warn!(http.status = 404, "dotted");
    warn!("quoted key" = 1, "r#type" = "x");
    error!(parent: None, "without a parent");
    info!(name: "report", target: "reports", queue, "with a name");
    event!(Level::INFO, queue, "event");
    event!(target: "reports", Level::WARN, depth = ctx.call_activity::<depth>(queue.as_str()).await?);
    info!(
        depth = ctx.call_activity::<depth>(queue.as_str()).await?,
        "an await"
    );
    info!("{}", ctx.call_activity::<depth>(queue.as_str()).await?);
    let span = info_span!("work", queue, later = tracing::field::Empty);
    span.record("later", 1);
    let inner = span!(parent: &span, Level::DEBUG, "inner", number = 1);
    inner.in_scope(|| tracing::debug!("inside"));
    Ok(())
}

fn main() {}
