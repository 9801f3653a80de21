//! Notices when the files are not those any more that were opened.
//!
//! A file that is deleted while it is open takes whatever is written to it, and is gone when the last
//! process that has it ends. `SQLite` would commit into it without a complaint. So after each commit,
//! before anyone is told of it, the paths are looked at: two calls that take a microsecond each.

#[cfg(unix)]
use std::fs::TryLockError;
use std::fs::{File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::error::{Fault, Place};
#[cfg(unix)]
use super::log_file;
use crate::storage::StorageError;

/// The files of a database as they were when it was opened.
#[derive(Debug)]
pub(super) struct Original {
    place: Place,
    database: OpenedFile,
    log: OpenedFile,
    /// On the log `SQLite` has no locks that closing this would drop; on the database it has.
    log_file: File,
}

/// What is wrong with the files.
#[derive(Debug)]
pub(super) struct Loss {
    pub(super) error: StorageError,
    /// Whether the log was merely deleted: this process still has it, and can move what is in it into
    /// the database.
    pub(super) can_be_rescued: bool,
}

impl Original {
    /// Remembers the files of the database at `path`, which a connection has open.
    pub(super) fn new(place: &Place, path: &Path) -> Result<Self, StorageError> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = PathBuf::from(log);
        let opened = |path| {
            OpenedFile::new(path)
                .map_err(|error| place.unavailable(format_args!("cannot be looked at ({error})")))
        };
        let log_file = OpenOptions::new().read(true).write(true).open(&log);
        let log_file = log_file.map_err(|error| {
            place.unavailable(format_args!(
                "has a write-ahead log that cannot be opened ({error})"
            ))
        })?;
        Ok(Self {
            place: place.clone(),
            database: opened(path.to_owned())?,
            log: opened(log)?,
            log_file,
        })
    }

    /// Makes sure of what earlier processes have left in the log, if no other one is at work. That is known
    /// by a lock on the log, which everyone who has it open shares.
    #[cfg(unix)]
    pub(super) fn settle(&self, connection: &mut Connection) -> Result<(), Fault> {
        // Where files have no locks, several do it, one after the other.
        if !matches!(self.log_file.try_lock(), Err(TryLockError::WouldBlock)) {
            log_file::write_again(&self.log_file, connection)?;
            // Whoever comes in between does it once more.
            drop(self.log_file.unlock());
        }
        drop(self.log_file.try_lock_shared());
        Ok(())
    }

    /// Elsewhere a lock keeps others from the file itself, and a sync that fails can be tried again.
    #[cfg(not(unix))]
    pub(super) fn settle(&self, _: &mut Connection) -> Result<(), Fault> {
        Ok(())
    }

    /// Whether the path of the database leads to where it did.
    pub(super) fn check_database(&self) -> Result<(), StorageError> {
        match self.database.state() {
            State::Same { empty: false } => Ok(()),
            State::Same { empty: true } => Err(self.lost("it was emptied")),
            State::Deleted => Err(self.lost("it was deleted or moved away")),
            State::Replaced => Err(self.lost("another file is in its place")),
            State::Unknown(error) => Err(self
                .place
                .unavailable(format_args!("cannot be looked at ({error})"))),
        }
    }

    /// Whether what was just committed is where the next process looks for it.
    pub(super) fn check(&self) -> Result<(), Loss> {
        self.check_database()?;
        match self.log.state() {
            State::Same { .. } if self.log_has_beginning() => Ok(()),
            State::Same { .. } => Err(self.lost("its write-ahead log was emptied").into()),
            State::Deleted => Err(Loss {
                error: self.lost("its write-ahead log was deleted or moved away"),
                can_be_rescued: true,
            }),
            State::Replaced => {
                let message = "another file is in the place of its write-ahead log";
                Err(self.lost(message).into())
            }
            State::Unknown(error) => Err(self
                .place
                .unavailable(format_args!(
                    "has a write-ahead log that cannot be looked at ({error})"
                ))
                .into()),
        }
    }

    /// A log that was emptied has zeros where it began, up to what was written since. One that
    /// another program has moved into the database may be empty as a whole.
    fn log_has_beginning(&self) -> bool {
        let mut magic = [0; 4];
        match read_beginning(&self.log_file, &mut magic) {
            Ok(()) => magic != [0; 4],
            // Reading fails now and then on a bad disk, where a commit has just been synced.
            Err(_) => true,
        }
    }

    fn lost(&self, message: &str) -> StorageError {
        StorageError::Lost {
            place: self.place.to_string(),
            message: message.to_owned(),
        }
    }
}

impl From<StorageError> for Loss {
    fn from(error: StorageError) -> Self {
        Self {
            error,
            can_be_rescued: false,
        }
    }
}

/// A path, and the file to which it led.
#[derive(Debug)]
struct OpenedFile {
    path: PathBuf,
    number: FileNumber,
}

/// Where the path leads now.
#[derive(Debug)]
enum State {
    Same { empty: bool },
    Replaced,
    Deleted,
    Unknown(std::io::Error),
}

impl OpenedFile {
    fn new(path: PathBuf) -> std::io::Result<Self> {
        let number = Look::at(&path)?.number;
        Ok(Self { path, number })
    }

    fn state(&self) -> State {
        match Look::at(&self.path) {
            Ok(found) if found.number != self.number => State::Replaced,
            Ok(Look { empty, .. }) => State::Same { empty },
            Err(error) if error.kind() == ErrorKind::NotFound => State::Deleted,
            Err(error) => State::Unknown(error),
        }
    }
}

/// What is to be known of a file.
#[derive(Debug, Clone, Copy)]
struct Look {
    number: FileNumber,
    empty: bool,
}

impl Look {
    /// At the file to which `path` leads.
    fn at(path: &Path) -> std::io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Some(look) = Self::without_times(path)? {
            return Ok(look);
        }
        let metadata = path.metadata()?;
        Ok(Self {
            number: file_number(&metadata),
            empty: metadata.len() == 0,
        })
    }

    /// Without asking for the times of the file: from Linux 6.13 on, a file whose times somebody has seen
    /// gets new ones with the next write, and then each sync of the log writes those too. `None` where
    /// the system has no such call, or does not allow it.
    #[cfg(target_os = "linux")]
    fn without_times(path: &Path) -> std::io::Result<Option<Self>> {
        use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
        use rustix::io::Errno;

        let wanted = StatxFlags::INO | StatxFlags::SIZE;
        match statx(CWD, path, AtFlags::empty(), wanted) {
            Ok(found) => {
                let device = makedev(found.stx_dev_major, found.stx_dev_minor);
                Ok(Some(Self {
                    number: (device, found.stx_ino),
                    empty: found.stx_size == 0,
                }))
            }
            Err(Errno::NOSYS | Errno::PERM) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(unix)]
fn read_beginning(file: &File, into: &mut [u8]) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, 0)
}

#[cfg(not(unix))]
fn read_beginning(mut file: &File, into: &mut [u8]) -> std::io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(into)
}

/// The device and the number of a file there.
#[cfg(unix)]
type FileNumber = (u64, u64);

#[cfg(unix)]
fn file_number(metadata: &Metadata) -> FileNumber {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Elsewhere a file that is open can be neither deleted nor replaced.
#[cfg(not(unix))]
type FileNumber = ();

#[cfg(not(unix))]
fn file_number(_: &Metadata) -> FileNumber {}
