//! An activity that is a method.
use durable_runtime::prelude::*;

struct Greeter;

impl Greeter {
    #[activity]
    async fn say_hello(&self, city: String) -> Result<String> {
        Ok(city)
    }
}

fn main() {}
