//! Functions of the user's own with the names of generators, and a generator with a seed.
use durable_runtime::prelude::*;

struct Rng(u64);

impl Rng {
    fn seed_from_u64(seed: u64) -> Self {
        Self(seed)
    }

    fn random_range(&mut self, range: std::ops::Range<u64>) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        range.start + self.0 % (range.end - range.start)
    }
}

fn random() -> u32 {
    4
}

fn thread_rng() -> u32 {
    4
}

#[orchestrator]
async fn draw(ctx: OrchestrationContext) -> Result<u64> {
    let mut rng = Rng::seed_from_u64(ctx.new_guid().as_u64_pair().0);
    Ok(rng.random_range(1..7) + u64::from(random()) + u64::from(thread_rng()))
}

fn main() {}
