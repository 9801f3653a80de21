//! An operation whose future cannot be sent to another thread.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    async fn add(&mut self, amount: i64) -> Result<()> {
        let amount = std::rc::Rc::new(amount);
        std::future::ready(()).await;
        self.value += *amount;
        Ok(())
    }

    async fn count(&self) -> i64 {
        let value = std::rc::Rc::new(self.value);
        std::future::ready(()).await;
        *value
    }
}

fn main() {}
