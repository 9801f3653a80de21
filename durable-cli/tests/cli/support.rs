//! A directory with a task hub, and the command run in it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use durable_runtime::client::RuntimeStatus;
use durable_runtime::prelude::*;
use durable_runtime::storage::Sqlite;
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything takes on the slowest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The task hub that is meant when none is named.
pub(crate) const HUB: &str = "DurableHub";

pub(crate) struct Site {
    directory: TempDir,
}

impl Site {
    /// With nothing in it.
    pub(crate) fn empty() -> Self {
        Self {
            directory: TempDir::new().unwrap(),
        }
    }

    /// With a task hub that nobody runs.
    pub(crate) fn new() -> Self {
        let site = Self::empty();
        site.client();
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn storage(&self) -> Sqlite {
        Sqlite::open(self.path("DurableHub.db")).unwrap()
    }

    /// A client without a host; creates the hub.
    pub(crate) fn client(&self) -> DurableClient {
        DurableClient::connect(self.storage(), HUB).unwrap()
    }

    pub(crate) async fn host(&self) -> DurableHost {
        let builder = DurableHost::builder().task_hub(HUB);
        builder.storage(self.storage()).start().await.unwrap()
    }

    /// The command, to be run in the directory.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_durable"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for variable in ["STORAGE", "URL", "CODE", "TASK_HUB"] {
            command.env_remove(format!("DURABLE_{variable}"));
        }
        command.env_remove("NO_COLOR");
        command
    }

    /// Runs the command to its end.
    pub(crate) fn durable(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments), "")
    }

    /// The same with something to read.
    pub(crate) fn durable_reading(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped());
        Run::of(command, input)
    }
}

/// What a run of the command has left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(mut command: Command, input: &str) -> Self {
        let mut child = command.spawn().unwrap();
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).unwrap();
        }
        let (sender, ended) = channel();
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        let output = ended.recv_timeout(PATIENCE).expect("the command hangs");
        let output = output.unwrap();
        Self {
            code: output.status.code().expect("it was killed"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts that it ended well, and gives what it printed.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// Asserts that it ended well, and gives the JSON that it printed.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Asserts how it failed: the exit code, and what stderr says. Nothing is on stdout.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.stdout, "");
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is not in {self:?}");
        }
    }
}

/// Waits until the instance has the status.
pub(crate) async fn until(client: &DurableClient, id: &str, wanted: RuntimeStatus) {
    let reached = async {
        loop {
            let status = client.get_status(id).await.unwrap();
            if status.is_some_and(|status| status.runtime_status == wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let reached = tokio::time::timeout(PATIENCE, reached).await;
    reached.unwrap_or_else(|_| panic!("{id} does not become {wanted}"));
}
