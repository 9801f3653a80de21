//! The physical limit: how fast the disk takes a write that must survive a power failure. A commit
//! cannot be faster, whatever the program does.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use durable_runtime::Result;

use crate::measure::Durations;

/// About what a commit with one step writes: the row of the instance and one of its history, each in
/// a page of 4 KiB.
const COMMIT: usize = 2 * (4096 + 24);
/// Like the log of `SQLite`, the file has room for all that is written, and starts over at its end.
const LONG: usize = 8 << 20;
const BLOCK: usize = 4 << 10;

/// A file to try the disk with. It is to be tried between the parts of a workload, for the disk may be
/// shared, and another one every minute.
#[derive(Debug)]
pub(crate) struct SyncLimit {
    file: File,
    position: usize,
    took: Vec<Duration>,
}

impl SyncLimit {
    /// A file in `directory`, which is removed with this.
    pub(crate) fn new(directory: &Path) -> Result<Self> {
        let mut file = tempfile::tempfile_in(directory)?;
        for _ in 0..LONG / BLOCK {
            file.write_all(&[0; BLOCK])?;
        }
        file.sync_all()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Self {
            file,
            position: 0,
            took: Vec::new(),
        })
    }

    /// Writes as much as a commit does and has it put on the disk, `times` times.
    pub(crate) fn probe(&mut self, times: usize) -> Result<()> {
        let content = vec![0x5a; COMMIT];
        for _ in 0..times {
            if self.position + COMMIT > LONG {
                self.file.seek(SeekFrom::Start(0))?;
                self.position = 0;
            }
            let began = Instant::now();
            self.file.write_all(&content)?;
            self.file.sync_data()?;
            self.took.push(began.elapsed());
            self.position += COMMIT;
        }
        Ok(())
    }

    /// How long `number` writes took, one after the other.
    pub(crate) fn durations_of(&self, number: usize) -> Durations {
        let rows = self.took.chunks_exact(number);
        Durations::new(rows.map(|row| row.iter().sum()).collect())
    }

    /// How long the writes took.
    pub(crate) fn durations(self) -> Durations {
        Durations::new(self.took)
    }
}
