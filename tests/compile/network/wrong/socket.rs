//! A socket of the standard library.
use std::net::TcpStream;

use durable_runtime::prelude::*;

#[orchestrator]
async fn connect(_ctx: OrchestrationContext) -> Result<()> {
    TcpStream::connect("127.0.0.1:80")?;
    Ok(())
}

fn main() {}
