//! Signals to another process, for tests that put one to sleep.

use std::process::Command;

use crate::process::Process;

impl Process {
    /// Sends the signal of this name, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(id)
            .status();
        assert!(sent.unwrap().success());
    }
}
