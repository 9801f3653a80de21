//! Makes the calls of a process on its database fail.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::{PATIENCE, Process, Site};

/// The shim, compiled. The directory lasts as long as the tests.
static SHIM: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let directory = TempDir::new().unwrap();
    let library = directory.path().join("shim.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/shim.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"])
        .arg("-o")
        .arg(&library)
        .arg(source)
        .args(["-ldl", "-lpthread"])
        .status()
        .expect("the tests need a C compiler, as the build does");
    assert!(compiled.success(), "the shim does not compile");
    (directory, library)
});

/// In seconds.
const LEASE: u32 = 3;

/// Which calls fail.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Calls {
    /// Opening for changes.
    Open,
    Read,
    Write,
    Sync,
}

impl Calls {
    fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Read => "read",
            Self::Write => "write",
            Self::Sync => "sync",
        }
    }
}

/// What they fail with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Errno {
    /// A write takes half of what it was given.
    Half = 0,
    Io = 5,
    Access = 13,
    NoSpace = 28,
    ReadOnly = 30,
    Quota = 122,
}

/// A fault: which calls, with what, for paths with which end.
pub(crate) type Fault = (Calls, Errno, &'static str);

/// A site whose processes have the shim.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) site: Site,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut site = Site::new();
        site.environment = vec![
            ("LD_PRELOAD", SHIM.1.clone()),
            ("FAULTS_DATABASE", site.database()),
            ("FAULTS_CONTROL", site.file("faults")),
            ("FAULTS_HITS", site.file("hits")),
        ];
        Self { site }
    }

    /// Has the calls fail from now on.
    pub(crate) fn fail(&self, faults: &[Fault]) {
        let lines = faults
            .iter()
            .map(|(calls, error, end)| format!("{} {} {end}\n", calls.name(), *error as i32));
        // In one piece: whoever reads it meanwhile has all of it or nothing.
        let next = self.site.file("faults.next");
        fs::write(&next, lines.collect::<String>()).unwrap();
        fs::rename(next, self.site.file("faults")).unwrap();
    }

    /// Has them work again.
    pub(crate) fn mend(&self) {
        fs::remove_file(self.site.file("faults")).unwrap();
    }

    /// How many calls have failed so far.
    pub(crate) fn hits(&self) -> usize {
        self.site.lines("hits").len()
    }

    /// Waits until so many more calls have failed.
    pub(crate) fn wait_for_hits(&self, more: usize) {
        let wanted = self.hits() + more;
        self.wait_until("enough calls fail", || self.hits() >= wanted);
    }

    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < PATIENCE, "never: {what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// A process that runs a host behind the shim, with a lease that is renewed every second.
    pub(crate) fn serve(&self) -> Process {
        self.site.serve(LEASE, 10)
    }

    /// One that does not get as far as that.
    pub(crate) fn assert_does_not_start(&self, says: &str) {
        let process = self.site.spawn("serve", [&LEASE.to_string(), "10"]);
        assert!(!process.wait().success());
        let told = self.log();
        assert!(told.contains(says), "{told}");
    }

    /// What the processes have logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.site.file("log")).unwrap_or_default()
    }

    /// Waits until one has logged something of the kind.
    pub(crate) fn wait_for_log(&self, text: &str) {
        self.wait_until(text, || self.log().contains(text));
    }

    /// Whether the database is sound, as `SQLite` sees it.
    pub(crate) fn assert_sound(&self) {
        let connection = rusqlite::Connection::open(self.site.database()).unwrap();
        let verdict: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(verdict, "ok");
    }
}

/// Gives a process a line of input.
pub(crate) fn tell(process: &mut Process, line: &str) {
    let input = process.input.as_mut().expect("it was told to stop");
    input.write_all(format!("{line}\n").as_bytes()).unwrap();
}
