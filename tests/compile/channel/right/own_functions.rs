//! Functions of the user's own with the names of channels.
use durable_runtime::prelude::*;

mod tv {
    pub mod mpsc {
        pub fn channel(number: u32) -> u32 {
            number
        }
    }
}

struct Radio {
    station: u32,
}

impl Radio {
    fn send(&self, text: &str) -> usize {
        text.len() + self.station as usize
    }

    fn recv(&self) -> u32 {
        self.station
    }
}

fn channel() -> u32 {
    5
}

#[orchestrator]
async fn tune(ctx: OrchestrationContext) -> Result<u32> {
    let radio = Radio {
        station: channel() + tv::mpsc::channel(1),
    };
    ctx.send_event("listener", "song", radio.send("la"));
    Ok(radio.recv())
}

fn main() {}
