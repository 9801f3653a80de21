//! A program that is asked to replay histories on its code.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use durable_runtime::testing::{ReplayAnswer, ReplayReport, ReplayRequest};

use crate::exit::{CliError, Code};

/// A program that was started. Killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    program: PathBuf,
    child: Child,
    lines: Receiver<String>,
}

impl Worker {
    /// Starts the program, if it is one that can be asked: any other would begin its work.
    pub(crate) fn start(
        program: PathBuf,
        arguments: Vec<OsString>,
        request: &ReplayRequest,
    ) -> Result<Self, CliError> {
        let shown = program.display();
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => {
                CliError::new(Code::NotFound, format!("there is no program {shown}"))
                    .hint("build it, and give the path of the executable file with --worker")
            }
            _ => CliError::usage(format!("the program {shown} cannot be read: {error}")),
        };
        if !mentions(&program, ReplayRequest::VARIABLE).map_err(unreadable)? {
            return Err(CliError::usage(format!(
                "{shown} cannot be asked for a replay: nothing in it runs durable orchestrations"
            ))
            .hint(
                "give the executable file of a program that starts a host and was built with this \
                 version of durable-runtime, and not a script that starts it",
            ));
        }
        let request = serde_json::to_string(request)?;
        // A name without a directory would be searched for elsewhere.
        let started = Command::new(std::path::absolute(&program)?)
            .args(arguments)
            .env(ReplayRequest::VARIABLE, request)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = started.map_err(|error| {
            CliError::usage(format!("the program {shown} cannot be started: {error}"))
        })?;
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                // Until nobody wants more.
                for line in lines_of(stdout) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(Self {
            program,
            child,
            lines,
        })
    }

    /// What has come out of its replays, of each of which `begins` is told before. No one may take longer
    /// than `limit`, nor its start.
    pub(crate) fn report(
        &mut self,
        limit: Duration,
        mut begins: impl FnMut(&str),
    ) -> Result<ReplayReport, CliError> {
        let mut replaying = None;
        let mut said = None;
        loop {
            match self.lines.recv_timeout(limit) {
                Ok(line) => match ReplayAnswer::from_line(&line) {
                    Some(ReplayAnswer::Report(report)) => return Ok(report),
                    Some(ReplayAnswer::Refused(reason)) => {
                        return Err(CliError::new(Code::Failed, reason));
                    }
                    Some(ReplayAnswer::Replaying(id)) => {
                        begins(&id);
                        replaying = Some(id);
                    }
                    Some(_) => {}
                    None if line.trim().is_empty() => {}
                    None => said = Some(line),
                },
                Err(RecvTimeoutError::Timeout) => return Err(self.silent(replaying, limit)),
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended(replaying, said)),
            }
        }
    }

    fn silent(&self, replaying: Option<String>, limit: Duration) -> CliError {
        let program = self.program.display();
        if let Some(id) = replaying {
            let message = format!("{program} has replayed instance {id:?} for {limit:?}");
            return CliError::new(Code::Timeout, message).hint(
                "an orchestrator may run without ever waiting; for a history that takes long, allow \
                 more time with --timeout",
            );
        }
        let message =
            format!("{program} has not begun to replay within {limit:?}, and was stopped");
        CliError::new(Code::Timeout, message).hint(
            "it replays when it starts its host: give it the arguments with which it does, after `--`, \
             or allow more time with --timeout",
        )
    }

    fn ended(&mut self, replaying: Option<String>, said: Option<String>) -> CliError {
        let program = self.program.display().to_string();
        let status = match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let place = match replaying {
            Some(id) => format!("while it replayed instance {id:?}"),
            None => "without a replay".to_owned(),
        };
        let said = said.map_or_else(String::new, |said| format!("; it said: {}", said.trim()));
        CliError::new(
            Code::Failed,
            format!("{program} ended {place} ({status}){said}"),
        )
        .hint(
            "it replays when it starts its host: give it the arguments with which it does, after `--`",
        )
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(stdout: ChildStdout) -> impl Iterator<Item = String> {
    let mut reader = BufReader::new(stdout);
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        let read = reader.read_until(b'\n', &mut line).ok()?;
        (read > 0).then(|| String::from_utf8_lossy(&line).into_owned())
    })
}

/// Whether `text` stands somewhere in the file.
fn mentions(file: &Path, text: &str) -> io::Result<bool> {
    const CHUNK: u64 = 1 << 20;
    let mut file = File::open(file)?;
    let mut window = Vec::new();
    loop {
        let read = Read::by_ref(&mut file)
            .take(CHUNK)
            .read_to_end(&mut window)?;
        if window
            .windows(text.len())
            .any(|part| part == text.as_bytes())
        {
            return Ok(true);
        }
        if read == 0 {
            return Ok(false);
        }
        // It may begin at the end of this chunk.
        let kept = window.len().saturating_sub(text.len() - 1);
        window.drain(..kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_also_between_two_chunks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        for before in [0, 1, (1 << 20) - 3, 1 << 20, (1 << 21) - 1] {
            let mut bytes = vec![0xFF; before];
            bytes.extend(b"NEEDLE");
            std::fs::write(&path, &bytes).unwrap();
            assert!(mentions(&path, "NEEDLE").unwrap(), "{before}");
            assert!(!mentions(&path, "NEEDLES").unwrap(), "{before}");
        }
        std::fs::write(&path, "").unwrap();
        assert!(!mentions(&path, "NEEDLE").unwrap());
    }
}
