//! Cargo, for tests that build something.

use std::process::Command;

/// Cargo as a shell would start it. What it has set for the test itself is left out: dependencies whose
/// build looks at that would be built again here, and once more after the test.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}
