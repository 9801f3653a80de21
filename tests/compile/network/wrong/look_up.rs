//! A host name that is looked up by a method of a string.
use std::net::ToSocketAddrs;

use durable_runtime::prelude::*;

#[orchestrator]
async fn addresses(_ctx: OrchestrationContext, host: String) -> Result<usize> {
    Ok(host.to_socket_addrs()?.count())
}

fn main() {}
