//! An example that is run, and killed.

use std::env::consts::EXE_SUFFIX;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use uuid::Uuid;

use crate::cargo::cargo;
use crate::server::Server;

/// No example takes nearly as long.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// How often each is killed, at most: it may come to its end before.
pub(crate) const KILLS: usize = 8;

/// Where the examples are, once they are built: `cargo test` builds only what it tests.
static BINARIES: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let name = profile.file_name().unwrap().to_str().unwrap();
    let built = cargo()
        .args(["build", "--quiet", "--package", "examples", "--bins"])
        .args(["--profile", if name == "debug" { "dev" } else { name }])
        .arg("--target-dir")
        .arg(profile.parent().unwrap())
        .status()
        .unwrap();
    assert!(built.success(), "the examples do not build");
    profile.to_owned()
});

/// An example, in a working directory of its own.
pub(crate) struct Program {
    name: &'static str,
    arguments: Vec<&'static str>,
    folder: TempDir,
}

impl Program {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            arguments: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn argument(mut self, argument: &'static str) -> Self {
        self.arguments.push(argument);
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs it again and again, killing it at random instants at most `longest` after its start, and
    /// at last to its end. Gives what that last run has printed.
    pub(crate) fn killed_now_and_then(&self, longest: Duration) -> String {
        let mut outputs = self.outputs_until_killed_enough(longest);
        outputs.pop().unwrap_or_default()
    }

    /// The same, and gives what every run has printed.
    pub(crate) fn outputs_until_killed_enough(&self, longest: Duration) -> Vec<String> {
        let mut outputs = Vec::new();
        for _ in 0..KILLS {
            let (status, output) = self.run(random_below(longest));
            assert!(status.is_none_or(|status| status.success()), "{output}");
            outputs.push(output);
            if status.is_some() {
                return outputs;
            }
        }
        let (status, output) = self.run_to_the_end();
        assert!(status.success(), "{output}");
        outputs.push(output);
        outputs
    }

    /// Runs it for as long as `work` takes, and kills it then. It says where it listens.
    pub(crate) fn serving(&self, work: impl FnOnce(&Server)) {
        let program = BINARIES.join(format!("{}{EXE_SUFFIX}", self.name));
        let child = Command::new(program)
            .args(&self.arguments)
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let mut server = Server {
            child: child.unwrap(),
            address: String::new(),
        };
        let mut said = String::new();
        let output = server.child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut said).unwrap();
        let address = said.trim().rsplit_once("http://").expect(&said).1;
        address.clone_into(&mut server.address);
        work(&server);
    }

    pub(crate) fn run_to_the_end(&self) -> (ExitStatus, String) {
        let (status, output) = self.run(LIMIT);
        let name = self.name;
        let status = status.unwrap_or_else(|| panic!("{name} hangs: {output}"));
        (status, output)
    }

    /// Runs it once, and kills it after `limit` if it has not ended by then: it has no status then.
    pub(crate) fn run(&self, limit: Duration) -> (Option<ExitStatus>, String) {
        self.run_typing("", limit)
    }

    /// The same, with something typed at its beginning.
    pub(crate) fn run_typing(&self, text: &str, limit: Duration) -> (Option<ExitStatus>, String) {
        let program = BINARIES.join(format!("{}{EXE_SUFFIX}", self.name));
        let (mut reader, writer) = io::pipe().unwrap();
        let (keyboard, mut typist) = io::pipe().unwrap();
        typist.write_all(text.as_bytes()).unwrap();
        drop(typist);
        let mut child = Command::new(program)
            .args(&self.arguments)
            .current_dir(self.folder())
            .stdin(keyboard)
            .stdout(writer.try_clone().unwrap())
            .stderr(writer)
            .spawn()
            .unwrap();
        // Its output ends when it does.
        let (sender, ended) = channel();
        thread::spawn(move || {
            let mut output = String::new();
            reader.read_to_string(&mut output).unwrap();
            sender.send(output).unwrap();
        });
        if let Ok(output) = ended.recv_timeout(limit) {
            return (Some(child.wait().unwrap()), output);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        (None, ended.recv_timeout(LIMIT).unwrap())
    }
}

pub(crate) fn random_below(longest: Duration) -> Duration {
    let nanoseconds = Uuid::new_v4().as_u128() % longest.as_nanos();
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap())
}
