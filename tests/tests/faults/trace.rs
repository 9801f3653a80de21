//! What a process has written and synced, in order, and what of that is on the disk when the power fails.
//!
//! The system keeps what is written in memory, page by page, and puts it on the disk when it likes, at the
//! latest with a sync. When a sync fails, the pages that it was for count as written all the same: the next
//! sync succeeds without them. That is what Linux does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What the system keeps and writes at once, in bytes.
const PAGE: usize = 4096;

/// A change that the shim has noted.
#[derive(Debug)]
pub(crate) enum Change {
    Write { offset: usize, data: Vec<u8> },
    Truncate { length: usize },
    Synced,
    NotSynced,
}

/// Which file was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Database,
    Log,
    /// Where the process notes what it has acknowledged.
    Acknowledged,
}

/// Reads what the shim has noted: records of what was done (one letter), to which file (one letter), at
/// which offset or to which length (8 bytes), how many bytes (4 bytes), and these.
pub(crate) fn read(path: &Path) -> Vec<(Place, Change)> {
    let bytes = fs::read(path).unwrap();
    let mut rest = bytes.as_slice();
    let mut changes = Vec::new();
    while let Some((head, tail)) = rest.split_first_chunk::<14>() {
        let offset = u64::from_ne_bytes(head[2..10].try_into().unwrap());
        let offset = usize::try_from(offset).unwrap();
        let length = u32::from_ne_bytes(head[10..14].try_into().unwrap());
        let (data, tail) = tail.split_at(usize::try_from(length).unwrap());
        let place = match head[1] {
            b'd' => Place::Database,
            b'w' => Place::Log,
            b'a' => Place::Acknowledged,
            other => panic!("{other}"),
        };
        let change = match head[0] {
            b'W' => Change::Write {
                offset,
                data: data.to_vec(),
            },
            b'T' => Change::Truncate { length: offset },
            b'S' => Change::Synced,
            b'F' => Change::NotSynced,
            other => panic!("{other}"),
        };
        changes.push((place, change));
        rest = tail;
    }
    assert!(rest.is_empty(), "a torn record");
    changes
}

/// A disk, and what the system keeps in memory of its files.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    files: BTreeMap<Place, Pages>,
}

#[derive(Debug, Default, Clone)]
struct Pages {
    in_memory: Vec<u8>,
    on_disk: Vec<u8>,
    /// The pages that are not on the disk and wait to be put there.
    dirty: BTreeSet<usize>,
}

impl Disk {
    pub(crate) fn apply(&mut self, place: Place, change: &Change) {
        self.files.entry(place).or_default().apply(change);
    }

    /// What a process reads.
    pub(crate) fn in_memory(&self, place: Place) -> &[u8] {
        self.files
            .get(&place)
            .map_or(&[], |file| file.in_memory.as_slice())
    }

    /// What is there when the power comes back: of the pages that were waiting, those that the system
    /// happens to have put on the disk already.
    pub(crate) fn after_power_failure(
        &self,
        place: Place,
        mut is_lucky: impl FnMut() -> bool,
    ) -> Vec<u8> {
        let Some(mut file) = self.files.get(&place).cloned() else {
            return Vec::new();
        };
        for page in std::mem::take(&mut file.dirty) {
            if is_lucky() {
                file.put(page);
            }
        }
        file.on_disk
    }
}

impl Pages {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Write { offset, data } => {
                let end = offset + data.len();
                if self.in_memory.len() < end {
                    self.in_memory.resize(end, 0);
                }
                self.in_memory[*offset..end].copy_from_slice(data);
                self.dirty.extend(offset / PAGE..end.div_ceil(PAGE));
            }
            // At once on the disk as well: none of what is tested depends on that.
            Change::Truncate { length } => {
                self.in_memory.resize(*length, 0);
                self.on_disk.truncate(*length);
                self.dirty.retain(|page| page * PAGE < *length);
            }
            Change::Synced => {
                for page in std::mem::take(&mut self.dirty) {
                    self.put(page);
                }
            }
            // None of them was put there, and nobody will do so.
            Change::NotSynced => self.dirty.clear(),
        }
    }

    fn put(&mut self, page: usize) {
        let begin = page * PAGE;
        let end = self.in_memory.len().min(begin + PAGE);
        if begin >= end {
            return;
        }
        if self.on_disk.len() < end {
            self.on_disk.resize(end, 0);
        }
        self.on_disk[begin..end].copy_from_slice(&self.in_memory[begin..end]);
    }
}
