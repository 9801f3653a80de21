//! Deleting instances that have ended.

use clap::Args;
use durable_runtime::client::RuntimeStatus;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::json;

use super::pages::Pages;
use super::{HostArgument, Session};
use crate::exit::{CliError, Code};
use crate::filter::FilterArguments;
use crate::output::{Progress, confirm, count, note};

/// How many are deleted at the same time.
const AT_ONCE: usize = 64;

/// Delete instances that have ended, with their histories
///
/// One with --id, or all that match the filters; without any, all that have ended. What they have
/// started goes with them, where it has ended. With --output json: {"instancesDeleted": .., "hosted": ..}.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable purge-history --created-before 30d --runtime-status completed terminated
  durable purge-history --id order-42 --yes")]
pub(crate) struct PurgeHistory {
    /// Only this instance
    #[arg(long, conflicts_with_all = FILTERS, allow_hyphen_values = true)]
    id: Option<String>,
    #[command(flatten)]
    filter: FilterArguments,
    /// Do not ask for confirmation
    #[arg(long, short = 'y')]
    yes: bool,
    #[command(flatten)]
    host: HostArgument,
}

const FILTERS: [&str; 6] = [
    "runtime_status",
    "created_after",
    "created_before",
    "id_prefix",
    "function_name",
    "tags",
];

impl PurgeHistory {
    pub(super) async fn run(mut self, session: &mut Session) -> Result<(), CliError> {
        for status in &self.filter.runtime_status {
            if !status.has_ended() {
                return Err(CliError::usage(format!(
                    "only what has ended can be purged: {status} is not among Completed, Failed and \
                     Terminated"
                )));
            }
        }
        session.check_host(&self.host).await?;
        let hub = session.hub.describe();
        let deleted = if let Some(id) = self.id {
            let question = format!("This deletes instance {id:?} of task hub {hub}.");
            confirm(self.yes, &question)?;
            session.hub.purge(&id).await?;
            1
        } else {
            let what = if self.filter.is_empty() {
                "all instances that have ended"
            } else {
                "the instances that match and have ended"
            };
            confirm(self.yes, &format!("This deletes {what} of task hub {hub}."))?;
            if self.filter.runtime_status.is_empty() {
                let statuses = RuntimeStatus::ALL.into_iter();
                self.filter.runtime_status = statuses.filter(|s| s.has_ended()).collect();
            }
            session.purge_all(self.filter).await?
        };
        let hosted = session.hub.is_hosted().await?;
        if session.output.is_json() {
            let report = json!({ "instancesDeleted": deleted, "hosted": hosted });
            session.output.json(&report)?;
        } else if hosted {
            session
                .output
                .line(&format!("deleted {}", count(deleted, "instance")))?;
        } else {
            let line = format!("noted: delete {}", count(deleted, "instance"));
            session.output.line(&line)?;
        }
        session.output.flush()?;
        if !hosted && deleted > 0 {
            note(&format!(
                "no host runs task hub {hub}; they are deleted as soon as one runs"
            ));
        }
        Ok(())
    }
}

impl Session {
    /// Deletes all that match; returns how many.
    async fn purge_all(&self, filter: FilterArguments) -> Result<u64, CliError> {
        let mut pages = Pages::new(filter.filter());
        let mut progress = Progress::new();
        let mut deleted = 0;
        let mut under_way = FuturesUnordered::new();
        let mut is_last = false;
        while !is_last {
            let page = pages.next(self).await?;
            is_last = page.is_none();
            for instance in page.unwrap_or_default() {
                under_way.push(self.purge_if_there(instance.id));
                if under_way.len() < AT_ONCE {
                    continue;
                }
                if let Some(done) = under_way.next().await {
                    deleted += u64::from(done?);
                    progress.tell(|| format!("deleted {}", count(deleted, "instance")));
                }
            }
        }
        while let Some(done) = under_way.next().await {
            deleted += u64::from(done?);
        }
        Ok(deleted)
    }

    async fn purge_if_there(&self, id: String) -> Result<bool, CliError> {
        match self.hub.purge(&id).await {
            // One that is not there any more went with its parent.
            Ok(())
            | Err(CliError::Told {
                code: Code::NotFound,
                ..
            }) => Ok(true),
            // It was started again.
            Err(CliError::Told {
                code: Code::NotPossible,
                ..
            }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
