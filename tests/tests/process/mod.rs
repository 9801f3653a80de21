//! Another process that runs a host, to be killed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use durable_runtime::prelude::DurableClient;
use durable_runtime::storage::Sqlite;
use tempfile::TempDir;

/// Longer than anything takes on the slowest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A directory with a task hub and what its activities write.
#[derive(Debug)]
pub(crate) struct Site {
    directory: TempDir,
    /// What its processes have in their environment.
    pub(crate) environment: Vec<(&'static str, PathBuf)>,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self {
            directory: TempDir::new().unwrap(),
            environment: Vec::new(),
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.directory.path().join("hub.db")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The lines of a file; none if there is no file.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.file(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// A client without a host in this process.
    pub(crate) fn connect(&self) -> DurableClient {
        DurableClient::connect(Sqlite::open(self.database()).unwrap(), "crash").unwrap()
    }

    /// Starts the program `crash_worker` here.
    pub(crate) fn spawn<const N: usize>(&self, mode: &str, arguments: [&str; N]) -> Process {
        let mut child = Command::new(env!("CARGO_BIN_EXE_crash_worker"))
            .arg(mode)
            .arg(self.database())
            .arg(self.directory.path())
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Process {
            input: child.stdin.take(),
            child,
            lines,
        }
    }

    /// A process that runs a host until it is told to stop.
    pub(crate) fn serve(&self, lease_seconds: u32, attempts: u32) -> Process {
        let arguments = [lease_seconds, attempts].map(|number| number.to_string());
        let process = self.spawn("serve", [&arguments[0], &arguments[1]]);
        process.expect_line("ready");
        process
    }
}

/// A process; killed with SIGKILL when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) input: Option<ChildStdin>,
    pub(crate) lines: Receiver<String>,
}

impl Process {
    pub(crate) fn expect_line(&self, expected: &str) {
        assert_eq!(self.lines.recv_timeout(PATIENCE).as_deref(), Ok(expected));
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(mut self) -> ExitStatus {
        let ended = self.lines.recv_timeout(PATIENCE);
        assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "it goes on");
        self.child.wait().unwrap()
    }

    /// Has it shut down.
    pub(crate) fn stop(mut self) {
        self.input = None;
        let status = self.wait();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
