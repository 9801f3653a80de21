//! The directory of a soak, and the processes that work in it.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use durable_runtime::client::{InstanceQuery, OrchestrationStatus};
use durable_runtime::prelude::*;
use durable_runtime::storage::Sqlite;
use serde_json::Value;
use tempfile::TempDir;

/// In seconds: the shortest there is.
const LEASE: &str = "1";

/// A directory with a task hub and what the processes note.
#[derive(Debug)]
pub(crate) struct Site {
    directory: TempDir,
    /// The program `crash_worker`.
    worker: PathBuf,
}

impl Site {
    /// An empty directory. The program that works in it is built, if there is none yet.
    pub(crate) fn new(worker: Option<PathBuf>) -> Result<Self> {
        Ok(Self {
            directory: TempDir::new()?,
            worker: worker.map_or_else(build_worker, Ok)?,
        })
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.file("hub.db")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A client without a host in this process.
    pub(crate) fn connect(&self) -> Result<DurableClient> {
        let storage = Sqlite::open(self.database())?;
        Ok(DurableClient::connect(storage, "crash")?)
    }

    /// Has one batch done in a directory of its own, and notes what each kind of instance has returned.
    pub(crate) async fn note_expected_outputs(&self) -> Result<()> {
        let apart = Self {
            directory: TempDir::new()?,
            worker: self.worker.clone(),
        };
        apart.spawn_in("mix", "a", 1)?.wait(&apart)?;
        let client = apart.connect()?;
        let mut lines = String::new();
        let mut token = None;
        loop {
            let mut query = InstanceQuery::new().without_input();
            if let Some(token) = token {
                query = query.continuation_token(token);
            }
            let page = client.list_instances(query).await?;
            for status in &page.instances {
                if let Some((kind, value)) = output(status) {
                    writeln!(lines, "{kind} {value}")?;
                }
            }
            token = page.continuation_token;
            if token.is_none() {
                break;
            }
        }
        Ok(fs::write(self.file("expected"), lines)?)
    }

    /// Starts a process that does batch after batch.
    pub(crate) fn spawn(&self, name: &str, batches_of_a_host: u32) -> Result<Worker> {
        self.spawn_in("soak", name, batches_of_a_host)
    }

    /// Starts a process that begins nothing itself, and does what is left to be done.
    pub(crate) fn serve(&self) -> Result<Worker> {
        let child = Command::new(&self.worker)
            .arg("serve")
            .arg(self.database())
            .arg(self.directory.path())
            .args([LEASE, "1000000"])
            // It ends when its input does.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Worker {
            name: "the last".to_owned(),
            child,
        })
    }

    fn spawn_in(&self, mode: &str, name: &str, batches: u32) -> Result<Worker> {
        let child = Command::new(&self.worker)
            .arg(mode)
            .arg(self.database())
            .arg(self.directory.path())
            .args([name, LEASE, &batches.to_string()])
            // Each thread that comes first to one of the allocator's arenas adds what that keeps: with many of
            // them memory grows for an hour without a leak.
            .env("MALLOC_ARENA_MAX", "1")
            .stdin(Stdio::null())
            .spawn()?;
        Ok(Worker {
            name: name.to_owned(),
            child,
        })
    }

    /// How many batches were done under `name`.
    pub(crate) fn batches(&self, name: &str) -> u64 {
        let text = fs::read_to_string(self.file(&format!("acknowledged-{name}")));
        let text = text.unwrap_or_default();
        let done = text.lines().filter_map(|line| line.strip_prefix("batch "));
        done.filter_map(|number| number.parse().ok())
            .max()
            .unwrap_or(0)
    }

    /// Has all processes end when they are done with their batch.
    pub(crate) fn tell_to_stop(&self) -> Result<()> {
        Ok(fs::write(self.file("stop"), "")?)
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.file("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

/// The kind of an instance that has a value for output, and the value.
fn output(status: &OrchestrationStatus) -> Option<(&str, &Value)> {
    let kind = status.instance_id.split('-').next()?;
    // Of the children of others nobody asks.
    let is_of_batch = status.parent.is_none();
    Some((kind, status.output.as_ref()?.get("value")?)).filter(|_| is_of_batch)
}

/// A process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    name: String,
    child: Child,
}

impl Worker {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// # Errors
    ///
    /// When it has ended by itself.
    pub(crate) fn check_alive(&mut self, site: &Site) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(Error::msg(format!(
                "process {} has ended by itself ({status}):\n{}",
                self.name,
                site.log()
            ))),
        }
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&mut self, site: &Site) -> Result<()> {
        self.check_alive(site)?;
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until it has ended in good order.
    pub(crate) fn wait(mut self, site: &Site) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        if status.success() {
            return Ok(());
        }
        let (name, log) = (&self.name, site.log());
        Err(Error::msg(format!(
            "process {name} has ended with {status}:\n{log}"
        )))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds `crash_worker` as this program was built, and gives its path.
fn build_worker() -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let profile = this.parent().unwrap_or(Path::new(""));
    let target = profile.parent().unwrap_or(Path::new(""));
    let name = profile.file_name().unwrap_or_default();
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--quiet", "--package", "tests", "--bin"])
        .args(["crash_worker", "--profile"])
        .arg(if name == "debug" {
            "dev".as_ref()
        } else {
            name
        })
        .arg("--target-dir")
        .arg(target)
        .status()?;
    if !built.success() {
        return Err(Error::msg("the program `crash_worker` does not build"));
    }
    Ok(profile.join(format!("crash_worker{}", std::env::consts::EXE_SUFFIX)))
}
