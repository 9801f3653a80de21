//! An input with a lifetime.
use durable_runtime::prelude::*;

#[activity]
async fn hello(city: std::borrow::Cow<'_, str>) -> Result<String> {
    Ok(city.into_owned())
}

fn main() {}
