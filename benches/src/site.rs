//! Where the workloads run: storage, and hosts on it.

use std::path::{Path, PathBuf};

use durable_runtime::host::{DurableHost, DurableHostBuilder, HostOptions};
use durable_runtime::storage::{Memory, Sqlite};
use durable_runtime::{Error, Result};
use tempfile::TempDir;

use crate::functions::Gate;

/// Which storage was asked for.
#[derive(Debug)]
pub(crate) enum StorageChoice {
    /// A new `SQLite` file, removed at the end.
    Temporary,
    /// A `SQLite` file that stays.
    File(PathBuf),
    /// The memory of the process.
    Memory,
}

/// Storage for one workload.
#[derive(Debug)]
pub(crate) struct Site {
    storage: Storage,
    /// In the current directory, and so on a disk where the system's directory for temporary files
    /// may be in memory. Removed when this is dropped.
    directory: TempDir,
    /// How many times the usual load.
    times: u32,
}

#[derive(Debug)]
enum Storage {
    Sqlite(PathBuf),
    Memory(Memory),
}

impl Site {
    pub(crate) fn new(choice: &StorageChoice, times: u32) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("benches-")
            .tempdir_in(".")?;
        let storage = match choice {
            StorageChoice::Temporary => Storage::Sqlite(directory.path().join("bench.db")),
            StorageChoice::File(path) => Storage::Sqlite(path.clone()),
            StorageChoice::Memory => Storage::Memory(Memory::new()),
        };
        Ok(Self {
            storage,
            directory,
            times,
        })
    }

    /// The load that is asked for, where `count` is the usual one.
    pub(crate) fn load(&self, count: u32) -> u32 {
        count * self.times
    }

    /// The file, if the storage is one.
    pub(crate) fn file(&self) -> Result<&Path> {
        match &self.storage {
            Storage::Sqlite(path) => Ok(path),
            Storage::Memory(_) => Err(Error::msg(
                "this workload is about a file: leave out `--storage memory`",
            )),
        }
    }

    /// A directory on the disk that is measured.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Starts a host with default settings.
    pub(crate) async fn host(&self) -> Result<DurableHost> {
        self.host_with(HostOptions::default()).await
    }

    /// Starts a host.
    pub(crate) async fn host_with(&self, options: HostOptions) -> Result<DurableHost> {
        let builder = Self::builder(Gate::Open).options(options);
        Ok(self.with_storage(builder)?.start().await?)
    }

    /// Starts a host with default settings that serves HTTP.
    pub(crate) async fn host_with_http(&self) -> Result<DurableHost> {
        self.host_with_http_and(HostOptions::default()).await
    }

    /// Starts a host that serves HTTP.
    pub(crate) async fn host_with_http_and(&self, options: HostOptions) -> Result<DurableHost> {
        let builder = Self::builder(Gate::Open)
            .options(options)
            .http("127.0.0.1:0");
        Ok(self.with_storage(builder)?.start().await?)
    }

    /// Starts a host whose gate is closed, and that lets any number of activities wait.
    pub(crate) async fn host_with_closed_gate(&self) -> Result<DurableHost> {
        let options = HostOptions {
            max_waiting_activities: usize::MAX,
            ..HostOptions::default()
        };
        let builder = Self::builder(Gate::Closed).options(options);
        Ok(self.with_storage(builder)?.start().await?)
    }

    fn builder(gate: Gate) -> DurableHostBuilder {
        DurableHost::builder().task_hub("Benches").state(gate)
    }

    fn with_storage(&self, builder: DurableHostBuilder) -> Result<DurableHostBuilder> {
        Ok(match &self.storage {
            Storage::Sqlite(path) => builder.storage(Sqlite::open(path)?),
            Storage::Memory(memory) => builder.storage(memory.clone()),
        })
    }
}
