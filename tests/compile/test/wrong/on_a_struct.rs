//! A test that is no function.
#[durable_runtime::test]
struct Waits;

fn main() {
    let _ = Waits;
}
