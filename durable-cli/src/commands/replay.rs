//! Which instances would go on with the code of a program.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use durable_runtime::testing::{ReplayReport, ReplayRequest};

use super::Session;
use crate::exit::{CliError, Code};
use crate::filter::FilterArguments;
use crate::hub::{Filter, Place};
use crate::output::{Progress, Style, Table, count, note};
use crate::worker::Worker;

/// Tell which instances would go on with the code of a program, before it is deployed
///
/// The program is started and asked to replay the history of each instance on its orchestrators, in place of
/// running its host; what it does before it starts its host is done. Nothing is written to the storage, and
/// a host may run meanwhile. Without --status, instances that have not ended are meant.
///
/// Safe are those of which the code does what is recorded. The others are listed: the step at which it does
/// something else, what the history has there and what the code did; or why an instance could not be
/// replayed, such as an orchestrator that the program does not have. If there are any, the exit code is 1.
///
/// --timeout is for each instance. With --output json: {"taskHub", "safe": COUNT, "diverging": [..],
/// "notReplayed": [..]}.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable replay --storage orders.db --worker ./target/release/my-app
  durable replay --status suspended --name place_order --worker ./my-app -- --config test.toml")]
pub(crate) struct Replay {
    /// The program: the executable file itself, not a script that starts it
    #[arg(long, value_name = "PROGRAM")]
    worker: PathBuf,
    #[command(flatten)]
    filter: FilterArguments,
    /// What the program is given as its arguments
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

impl Replay {
    /// What the program is asked, if the storage of `place` is one that it can read.
    pub(super) fn request(&self, place: &Place) -> Result<ReplayRequest, CliError> {
        let Place::File { path, hub } = place else {
            return Err(CliError::usage(
                "a replay reads histories from storage: the management API leaves out what it needs",
            )
            .hint("name the storage file of the host with --storage"));
        };
        let Filter {
            statuses,
            created_from,
            created_to,
            id_prefix,
            name,
            tags,
        } = self.filter.clone().filter();
        Ok(ReplayRequest {
            storage: Some(std::path::absolute(path)?),
            task_hub: Some(hub.clone()),
            statuses,
            created_from,
            created_to,
            id_prefix,
            name,
            tags,
        })
    }

    pub(super) fn run(
        self,
        session: &mut Session,
        request: &ReplayRequest,
    ) -> Result<(), CliError> {
        let mut worker = Worker::start(self.worker, self.arguments, request)?;
        let mut progress = Progress::new();
        let mut begun = 0;
        let report = worker.report(session.hub.limit(), |id| {
            begun += 1;
            progress.tell(|| format!("{}: {id}", count(begun, "instance")));
        });
        drop(progress);
        let report = report?;
        if session.output.is_json() {
            session.output.json(&report)?;
        } else {
            print(session, &report)?;
        }
        if report.is_safe() {
            if report.safe == 0 {
                note("there are no such instances: nothing was replayed");
            }
            return Ok(());
        }
        session.output.flush()?;
        let (diverging, not_replayed) = (report.diverging.len(), report.not_replayed.len());
        let unsafe_ones = (diverging + not_replayed) as u64;
        let message = format!(
            "{} would not go on with this program",
            count(unsafe_ones, "instance")
        );
        Err(CliError::new(Code::Failed, message).hint(
            "keep the old code beside the new one, as a version of its own, until these have ended",
        ))
    }
}

fn print(session: &mut Session, report: &ReplayReport) -> Result<(), CliError> {
    let titles = [
        "ID",
        "NAME",
        "STATUS",
        "STEP",
        "THE HISTORY HAS",
        "THE CODE",
    ];
    let mut table = Table::new(titles, 5);
    let diverging = report.diverging.iter().map(|found| {
        let divergence = &found.divergence;
        let step = divergence.step.to_string();
        let texts = (divergence.history.clone(), divergence.code.clone());
        let place = (&divergence.instance_id, &divergence.orchestrator);
        (place, found.runtime_status, step, texts)
    });
    let not_replayed = report.not_replayed.iter().map(|instance| {
        let texts = ("not replayed:".to_owned(), instance.reason.clone());
        let place = (&instance.instance_id, &instance.orchestrator);
        (place, instance.runtime_status, "-".to_owned(), texts)
    });
    let mut any = false;
    for ((id, name), status, step, (history, code)) in diverging.chain(not_replayed) {
        any = true;
        let status = status.to_string();
        table.row([
            (Style::Plain, id.clone()),
            (Style::Plain, name.clone()),
            (Style::of_status(&status), status),
            (Style::Plain, step),
            (Style::Plain, history),
            (Style::Bad, code),
        ]);
    }
    // No table without rows.
    if any {
        table.print(&mut session.output)?;
    }
    let summary = format!(
        "{} safe, {} diverging, {} not replayed",
        report.safe,
        report.diverging.len(),
        report.not_replayed.len()
    );
    session.output.line(&summary)
}
