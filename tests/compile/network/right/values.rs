//! Addresses, urls and clients of the user's own.
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use durable_runtime::prelude::*;

mod bank {
    pub struct Client {
        pub name: String,
    }

    impl Client {
        pub fn new(name: &str) -> Self {
            Self {
                name: name.to_owned(),
            }
        }

        pub fn get(&self) -> &str {
            &self.name
        }

        pub fn connect(&self, to: &Self) -> String {
            format!("{} {}", self.name, to.name)
        }
    }
}

#[orchestrator]
async fn address(_ctx: OrchestrationContext) -> Result<String> {
    let address: SocketAddr = "127.0.0.1:80".parse()?;
    let other = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
    let ip = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    Ok(format!("{address} {other} {ip}"))
}

#[orchestrator]
async fn greet(_ctx: OrchestrationContext) -> Result<String> {
    use bank::Client;
    let client = Client::new("Ada");
    let other = Client::new("Grace");
    Ok(format!("{} {}", client.get(), client.connect(&other)))
}

fn main() {}
