//! Where the workloads run: storage, and hosts on it.

use std::path::{Path, PathBuf};

use durable_runtime::Result;
use durable_runtime::host::{DurableHost, DurableHostBuilder, HostOptions};
use durable_runtime::storage::{Memory, Sqlite};
use tempfile::TempDir;

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
}

#[derive(Debug)]
enum Storage {
    Sqlite(PathBuf),
    Memory(Memory),
}

impl Site {
    pub(crate) fn new(choice: &StorageChoice) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("benches-")
            .tempdir_in(".")?;
        let storage = match choice {
            StorageChoice::Temporary => Storage::Sqlite(directory.path().join("bench.db")),
            StorageChoice::File(path) => Storage::Sqlite(path.clone()),
            StorageChoice::Memory => Storage::Memory(Memory::new()),
        };
        Ok(Self { storage, directory })
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
        let builder = DurableHost::builder().task_hub("Benches").options(options);
        Ok(self.with_storage(builder)?.start().await?)
    }

    /// Starts a host with default settings that serves HTTP.
    pub(crate) async fn host_with_http(&self) -> Result<DurableHost> {
        let builder = DurableHost::builder()
            .task_hub("Benches")
            .http("127.0.0.1:0");
        Ok(self.with_storage(builder)?.start().await?)
    }

    fn with_storage(&self, builder: DurableHostBuilder) -> Result<DurableHostBuilder> {
        Ok(match &self.storage {
            Storage::Sqlite(path) => builder.storage(Sqlite::open(path)?),
            Storage::Memory(memory) => builder.storage(memory.clone()),
        })
    }
}
