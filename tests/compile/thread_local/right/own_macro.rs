//! A macro of the user's own that is called as that of the standard library.
use durable_runtime::prelude::*;

mod forum {
    macro_rules! in_this_thread {
        ($text:literal) => {
            concat!("in this thread: ", $text)
        };
    }
    pub(crate) use in_this_thread as thread_local;
}

#[orchestrator]
async fn read(_ctx: OrchestrationContext) -> Result<String> {
    Ok(forum::thread_local!("hello").to_owned())
}

fn main() {}
