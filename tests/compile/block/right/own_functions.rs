//! Functions of the user's own with the names of those that block.
use durable_runtime::prelude::*;

mod garden {
    pub fn park(visitors: u32) -> u32 {
        visitors + 1
    }
}

struct Wall {
    blocks: Vec<u32>,
}

impl Wall {
    fn block(&mut self, size: u32) -> &mut Self {
        self.blocks.push(size);
        self
    }

    fn wait(&self) -> usize {
        self.blocks.len()
    }
}

fn block_on(wall: &mut Wall, size: u32) {
    wall.block(size);
}

#[orchestrator]
async fn build(_ctx: OrchestrationContext) -> Result<usize> {
    let mut wall = Wall { blocks: Vec::new() };
    block_on(&mut wall, garden::park(3));
    Ok(wall.wait())
}

fn main() {}
