//! Functions and types of the user's own with the names of clocks.
use durable_runtime::prelude::*;

mod ledger {
    use chrono::{DateTime, Utc};

    pub fn now(entries: &[DateTime<Utc>]) -> Option<DateTime<Utc>> {
        entries.last().copied()
    }

    pub struct Instant(pub u64);

    impl Instant {
        pub fn now() -> Self {
            Self(0)
        }
    }
}

struct Turn {
    rounds: u32,
}

impl Turn {
    fn elapsed(&self) -> u32 {
        self.rounds
    }
}

#[orchestrator]
async fn play(ctx: OrchestrationContext) -> Result<u32> {
    let entries = [ctx.current_utc_datetime()];
    let _last = ledger::now(&entries);
    let turn = Turn { rounds: 3 };
    Ok(turn.elapsed())
}

#[orchestrator]
async fn play_by_use(_ctx: OrchestrationContext) -> Result<u64> {
    use crate::ledger::Instant;
    Ok(Instant::now().0)
}

#[orchestrator]
async fn play_by_declaration(_ctx: OrchestrationContext) -> Result<u64> {
    struct SystemTime(u64);

    impl SystemTime {
        fn now() -> Self {
            Self(1)
        }
    }

    Ok(SystemTime::now().0)
}

fn main() {}
