//! An activity with a lifetime parameter.
use durable_runtime::prelude::*;

#[activity]
async fn echo<'a>(city: std::borrow::Cow<'static, str>) -> Result<String> {
    Ok(city.into_owned())
}

fn main() {}
