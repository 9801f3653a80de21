//! The copy of the sources in which mistakes are made.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::list::{Edit, Mutant};

/// Where mistakes are tried out.
#[derive(Debug)]
pub(crate) struct Workshop {
    /// The workspace.
    sources: PathBuf,
    /// Its copy.
    copy: PathBuf,
    /// Where it is built.
    target: PathBuf,
}

/// Whether a mistake was found.
#[derive(Debug)]
pub(crate) enum Found {
    /// By the seed that is named.
    By(String),
    Not,
}

/// The parts of the workspace that the simulation is built of.
const PARTS: [&str; 4] = ["durable-macros", "durable-runtime", "fuzz/inputs", "tests"];

impl Workshop {
    pub(crate) fn new() -> Result<Self, String> {
        // That of this program: target/debug/mutants.
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let target = program
            .ancestors()
            .nth(2)
            .ok_or("there is no directory for build results")?;
        Ok(Self {
            copy: target.join("mutants"),
            target: target.to_owned(),
            sources: workspace(),
        })
    }

    /// Makes a mistake, and runs the simulation until it is found.
    pub(crate) fn try_out(&self, mutant: &Mutant, seeds: u64) -> Result<Found, String> {
        self.copy_sources()
            .map_err(|error| format!("copying the sources: {error}"))?;
        for edit in mutant.edits {
            self.edit(edit)?;
        }
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut build = Command::new(cargo);
        build
            .args([
                "build",
                "--offline",
                "--package",
                "tests",
                "--bin",
                "simulate",
            ])
            .current_dir(&self.copy)
            .env("CARGO_TARGET_DIR", &self.target);
        let done = output(&mut build)?;
        if !done.status.success() {
            let errors = String::from_utf8_lossy(&done.stderr).into_owned();
            return Err(format!("the mistake does not compile:\n{errors}"));
        }
        let mut simulate = Command::new(self.target.join("debug/simulate"));
        let ran = output(simulate.args(["--seeds", &seeds.to_string()]))?;
        if ran.status.success() {
            return Ok(Found::Not);
        }
        let told = String::from_utf8_lossy(&ran.stdout);
        let mut lines = told.lines().skip_while(|line| !line.starts_with("seed "));
        let found: Vec<_> = lines.by_ref().take(2).map(str::trim).collect();
        Ok(Found::By(found.join(" ")))
    }

    fn copy_sources(&self) -> std::io::Result<()> {
        if self.copy.exists() {
            fs::remove_dir_all(&self.copy)?;
        }
        fs::create_dir_all(&self.copy)?;
        for part in PARTS {
            copy_all(&self.sources.join(part), &self.copy.join(part))?;
        }
        copy_all(&self.sources.join("docs"), &self.copy.join("docs"))?;
        fs::copy(
            self.sources.join("Cargo.lock"),
            self.copy.join("Cargo.lock"),
        )?;
        let workspace = fs::read_to_string(self.sources.join("Cargo.toml"))?;
        let lines = workspace.lines().map(|line| {
            if line.starts_with("members") {
                format!("members = {PARTS:?}")
            } else if line.starts_with("default-members") {
                String::new()
            } else {
                line.to_owned()
            }
        });
        let workspace = lines.collect::<Vec<_>>().join("\n");
        fs::write(self.copy.join("Cargo.toml"), workspace)
    }

    fn edit(&self, edit: &Edit) -> Result<(), String> {
        let text = edited(&self.copy, edit)?;
        let path = self.copy.join(SOURCES).join(edit.file);
        fs::write(&path, text).map_err(|error| error.to_string())
    }
}

/// Where what is edited is in a workspace.
const SOURCES: &str = "durable-runtime/src";

/// The workspace of this program.
pub(crate) fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// The text of a file of a workspace after an edit.
pub(crate) fn edited(workspace: &Path, edit: &Edit) -> Result<String, String> {
    let path = workspace.join(SOURCES).join(edit.file);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", edit.file))?;
    match text.matches(edit.before).count() {
        1 => Ok(text.replace(edit.before, edit.after)),
        count => Err(format!(
            "{:?} is {count} times in {}, not once: look what has become of it, and mend the list of \
             mistakes",
            edit.before, edit.file
        )),
    }
}

fn output(command: &mut Command) -> Result<Output, String> {
    let output = command.output();
    output.map_err(|error| format!("starting {}: {error}", command.get_program().display()))
}

fn copy_all(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
