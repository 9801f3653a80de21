//! A client of the user's own, and methods of the context that are called as those of a client.
use durable_runtime::prelude::*;

mod bank {
    #[derive(Clone)]
    pub struct Client(pub String);

    impl Client {
        pub fn start(name: &str) -> Self {
            Self(name.to_owned())
        }

        pub fn terminate(&self, _reason: &str) -> usize {
            self.0.len()
        }

        pub fn get_status(&self) -> usize {
            0
        }
    }
}

#[orchestrator]
async fn serve(ctx: OrchestrationContext) -> Result<usize> {
    let client = bank::Client::start("Ada");
    ctx.send_event("other", "started", ());
    Ok(client.terminate("closed") + client.get_status())
}

fn main() {}
