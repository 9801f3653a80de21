//! The physical limit: how fast the disk takes a write that must survive a power failure. A commit
//! cannot be faster, whatever the program does.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use durable_runtime::Result;

use crate::measure::Durations;

/// Writes `bytes` at the end of a file in `directory` and has them put on the disk, `times` times:
/// what `SQLite` does for a commit. Like its log, the file starts over when it is 32 MiB long.
pub(crate) fn measure(directory: &Path, bytes: usize, times: usize) -> Result<Durations> {
    const LONG: usize = 32 << 20;
    let mut file: File = tempfile::tempfile_in(directory)?;
    let content = vec![0x5a; bytes];
    let mut length = 0;
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        if length >= LONG {
            file.seek(SeekFrom::Start(0))?;
            length = 0;
        }
        let began = Instant::now();
        file.write_all(&content)?;
        file.sync_data()?;
        took.push(began.elapsed());
        length += bytes;
    }
    Ok(Durations::new(took))
}
