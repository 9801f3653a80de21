//! The physical limit: how fast the disk takes a write that must survive a power failure. A commit
//! cannot be faster, whatever the program does.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use durable_runtime::Result;

use crate::measure::Durations;

/// About what a commit with one step writes: the row of the instance and one of its history, each in
/// a page of 8 KiB.
const COMMIT: usize = 2 * (8192 + 24);
/// Like the log of `SQLite`, the file starts over when it is that long.
const LONG: usize = 32 << 20;

/// A file to try the disk with. It is to be tried between the parts of a workload, for the disk may be
/// shared, and another one every minute.
#[derive(Debug)]
pub(crate) struct SyncLimit {
    file: File,
    length: usize,
    took: Vec<Duration>,
}

impl SyncLimit {
    /// A file in `directory`, which is removed with this.
    pub(crate) fn new(directory: &Path) -> Result<Self> {
        Ok(Self {
            file: tempfile::tempfile_in(directory)?,
            length: 0,
            took: Vec::new(),
        })
    }

    /// Writes as much as a commit does and has it put on the disk, `times` times.
    pub(crate) fn probe(&mut self, times: usize) -> Result<()> {
        let content = [0x5a; COMMIT];
        for _ in 0..times {
            if self.length >= LONG {
                self.file.seek(SeekFrom::Start(0))?;
                self.length = 0;
            }
            let began = Instant::now();
            self.file.write_all(&content)?;
            self.file.sync_data()?;
            self.took.push(began.elapsed());
            self.length += COMMIT;
        }
        Ok(())
    }

    /// How long the writes took.
    pub(crate) fn durations(self) -> Durations {
        Durations::new(self.took)
    }
}
