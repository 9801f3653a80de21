//! An attribute on a function of a trait, which has no body.
use durable_runtime::prelude::*;

trait Greeter {
    #[activity]
    async fn say_hello(city: String) -> Result<String>;
}

fn main() {}
