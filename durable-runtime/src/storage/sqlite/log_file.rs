//! Makes the file of the write-ahead log longer ahead of the commits that need it.
//!
//! A sync of a file that has become longer must also write where its new blocks are, and takes several
//! times as long as one of blocks that were there. A commit waits for it. So zeros are written behind
//! the log, and put on the disk, before the log gets there.
//!
//! `SQLite` reads a log up to the first frame that does not bear the checksum of all before it, so
//! that zeros behind it mean nothing. On this file it has no locks that closing a handle would drop.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::error::Fault;
use super::writer::{FairLock, Writer};
use crate::storage::StorageError;

/// What is written while commits are held up, in bytes.
const PIECE: u64 = 256 << 10;

/// What is written with one call, in bytes. The system keeps what it was given at once together in
/// memory, and a commit that changes a part of that has more to do.
const BLOCK: usize = 4 << 10;

/// What a page takes in the file beside itself, in bytes.
const FRAME_HEADER: u64 = 24;

/// The file of a log.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    frame: u64,
}

impl LogFile {
    /// The file of the log of `database`, which has pages of `page_size` bytes.
    pub(super) fn new(database: &Path, page_size: u32) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Self {
            path: path.into(),
            frame: u64::from(page_size) + FRAME_HEADER,
        }
    }

    /// For how many pages there is room.
    pub(super) fn room(&self) -> Result<usize, Fault> {
        let length = std::fs::metadata(&self.path)
            .map_err(|error| failed(&error))?
            .len();
        Ok(usize::try_from(length / self.frame).unwrap_or(usize::MAX))
    }

    /// Makes room for `pages` in all. Commits are held up for a piece at a time.
    pub(super) fn make_room(
        &self,
        pages: usize,
        connection: &mut Connection,
        writer: &FairLock<Writer>,
    ) -> Result<(), Fault> {
        let file = OpenOptions::new().write(true).open(&self.path);
        let mut file = file.map_err(|error| failed(&error))?;
        let enough = self.frame * u64::try_from(pages).unwrap_or(u64::MAX);
        while write_piece(&mut file, enough, connection, writer)? {}
        file.sync_data().map_err(|error| failed(&error))
    }
}

/// Writes all that is in a log once more, and puts it on the disk.
///
/// When a sync of the log has failed, its pages are in the system's memory and not on the disk, and no
/// later sync puts them there. The process that knows of it writes them again. If it was killed before,
/// the next one reads them as if they were on the disk, and what it commits behind them would go with them
/// when the power fails. So the first process to open a log has it written again.
pub(super) fn write_again(file: &File, connection: &mut Connection) -> Result<(), Fault> {
    // Meanwhile no other process can write into it.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let written = copy_onto_itself(file);
    transaction.rollback()?;
    written.map_err(|error| failed(&error))
}

fn copy_onto_itself(mut file: &File) -> io::Result<()> {
    let mut piece = [0; BLOCK];
    let mut offset = 0;
    loop {
        file.seek(SeekFrom::Start(offset))?;
        let length = file.read(&mut piece)?;
        if length == 0 {
            return file.sync_data();
        }
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(&piece[..length])?;
        offset += u64::try_from(length).unwrap_or(0);
    }
}

/// Returns whether more is to be written.
fn write_piece(
    file: &mut File,
    enough: u64,
    connection: &mut Connection,
    writer: &FairLock<Writer>,
) -> Result<bool, Fault> {
    let mut held = writer.lock();
    let _turn = held.turnstile.enter();
    // While this has the database no other process can write into its log.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let written = write_zeros(file, enough);
    transaction.rollback()?;
    written.map_err(|error| failed(&error))
}

fn write_zeros(file: &mut File, enough: u64) -> io::Result<bool> {
    let mut length = file.seek(SeekFrom::End(0))?;
    let end = enough.min(length + PIECE);
    while length < end {
        // Up to the next whole block.
        let rest = BLOCK - usize::try_from(length).unwrap_or(0) % BLOCK;
        file.write_all(&[0; BLOCK][..rest])?;
        length += u64::try_from(rest).unwrap_or(0);
    }
    Ok(length < enough)
}

fn failed(error: &io::Error) -> Fault {
    StorageError::Unavailable {
        message: format!("the file of its write-ahead log cannot be written to ({error})"),
    }
    .into()
}
