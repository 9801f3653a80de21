//! A state that cannot be shared between threads.
use durable_runtime::prelude::*;

struct Connection(std::rc::Rc<()>);

#[activity]
fn hello(_connection: State<Connection>) -> Result<()> {
    Ok(())
}

fn main() {}
