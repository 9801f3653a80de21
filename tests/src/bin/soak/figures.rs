//! What is measured of a soak now and then.

use std::fmt;
use std::fs;
use std::time::Duration;

use durable_runtime::prelude::*;
use rusqlite::{Connection, OpenFlags};

use crate::site::{Site, Worker};
use crate::{KILLED, STEADY};

/// Kibibytes in a mebibyte, and so on.
const KILO: f64 = 1024.0;

/// One line of them.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    after: Duration,
    kills: u32,
    /// How many batches were done so far, by all.
    pub(crate) batches: u64,
    /// Memory, open files and threads of the process that lives on.
    pub(crate) resident_mib: f64,
    pub(crate) open_files: u32,
    pub(crate) threads: u32,
    /// The files of the hub.
    pub(crate) database_mib: f64,
    pub(crate) log_mib: f64,
    /// The part of the database that is in use.
    used_mib: f64,
    /// Rows of instances and entities.
    instances: u64,
    entities: u64,
}

impl Figures {
    /// What the columns are.
    pub(crate) const HEADER: &str = " seconds  kills  batches  resident MiB  files  threads  \
        database MiB  in use MiB  log MiB  instances  entities";

    pub(crate) fn take(site: &Site, steady: &Worker, after: Duration, kills: u32) -> Result<Self> {
        // In whole kibibytes, of which a file that is too large to be told has too many anyway.
        let mib = |path| {
            let kib = fs::metadata(path).map_or(0, |metadata| metadata.len() / 1024);
            f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / KILO
        };
        let database = site.database();
        let connection = Connection::open_with_flags(&database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(Duration::from_secs(30))?;
        let number = |sql| connection.query_row(sql, [], |row| row.get::<_, u32>(0));
        let pages = number("PRAGMA page_count")?.saturating_sub(number("PRAGMA freelist_count")?);
        let used = f64::from(pages) * f64::from(number("PRAGMA page_size")?);
        Ok(Self {
            after,
            kills,
            batches: [STEADY, KILLED[0], KILLED[1]]
                .iter()
                .map(|name| site.batches(name))
                .sum(),
            resident_mib: resident_kib(steady)? / KILO,
            open_files: entries(steady, "fd")?,
            threads: entries(steady, "task")?,
            database_mib: mib(database.clone()),
            log_mib: mib(format!("{}-wal", database.display()).into()),
            used_mib: used / KILO / KILO,
            instances: number("SELECT count(*) FROM instances")?.into(),
            entities: number("SELECT count(*) FROM entities")?.into(),
        })
    }
}

/// What the system says of the process (on Linux).
fn resident_kib(process: &Worker) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    let number =
        number.ok_or_else(|| Error::msg("the system does not tell the resident memory"))?;
    Ok(number.parse()?)
}

fn entries(process: &Worker, folder: &str) -> Result<u32> {
    let entries = fs::read_dir(format!("/proc/{}/{folder}", process.id()))?;
    Ok(u32::try_from(entries.count())?)
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:8} {:6} {:8} {:13.1} {:6} {:8} {:13.2} {:11.2} {:8.2} {:10} {:9}",
            self.after.as_secs(),
            self.kills,
            self.batches,
            self.resident_mib,
            self.open_files,
            self.threads,
            self.database_mib,
            self.used_mib,
            self.log_mib,
            self.instances,
            self.entities,
        )
    }
}
