//! Functions and methods of the user's own with the names of those that spawn.
use durable_runtime::prelude::*;

struct World {
    monsters: Vec<u32>,
}

impl World {
    fn spawn(&mut self, health: u32) -> &mut Self {
        self.monsters.push(health);
        self
    }

    fn join(&self, separator: &str) -> String {
        let monsters: Vec<_> = self.monsters.iter().map(u32::to_string).collect();
        monsters.join(separator)
    }

    fn scope(&self, visit: impl Fn(&u32)) {
        self.monsters.iter().for_each(visit);
    }
}

fn spawn(health: u32) -> u32 {
    health
}

mod forum {
    pub mod thread {
        pub fn current() -> &'static str {
            "first"
        }
    }
}

#[orchestrator]
async fn play(ctx: OrchestrationContext) -> Result<String> {
    let mut world = World {
        monsters: Vec::new(),
    };
    world.spawn(spawn(3)).spawn(5);
    world.scope(|monster| tracing::info!(monster, id = ctx.instance_id()));
    Ok(world.join(",") + forum::thread::current())
}

fn main() {}
