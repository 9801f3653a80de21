//! Watching instances as they change.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use durable_runtime::client::RuntimeStatus;

use super::Session;
use super::instances::cells;
use crate::exit::{CliError, Code};
use crate::filter::FilterArguments;
use crate::hub::{Filter, Instance, PageOf};
use crate::output::{Style, Table, count, plain};
use crate::time;

/// How many instances are watched at most.
const AT_MOST: usize = 1_000;

/// Watch instances as they change
///
/// On a terminal a table that refreshes; elsewhere a line for each change, and with --output json each as
/// an object on a line of its own, as in get-runtime-status without input. Shows the first 1,000
/// instances that match; without --runtime-status, those that have not ended, and how they end. Ctrl-C
/// ends it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  durable watch
  durable watch --id order-42 --until-ended --for 5m
  durable watch --id-prefix order- --interval 500ms --output json")]
pub(crate) struct Watch {
    /// Only this instance
    #[arg(long, allow_hyphen_values = true)]
    id: Option<String>,
    #[command(flatten)]
    filter: FilterArguments,
    /// How often to look
    #[arg(long, short = 'n', value_name = "DURATION", default_value = "1s", value_parser = time::interval)]
    interval: Duration,
    /// End when all that is watched has ended
    #[arg(long)]
    until_ended: bool,
    /// End after so long; with --until-ended, that is too late (exit code 6)
    #[arg(long = "for", value_name = "DURATION", value_parser = time::interval)]
    at_most: Option<Duration>,
}

/// What is known of the instances that are watched.
#[derive(Default)]
struct Watched {
    /// By creation and id.
    instances: BTreeMap<Key, Instance>,
}

type Key = (chrono::DateTime<chrono::Utc>, String);

impl Watch {
    pub(super) async fn run(mut self, session: &mut Session) -> Result<(), CliError> {
        let began = Instant::now();
        if self.filter.runtime_status.is_empty() {
            let statuses = RuntimeStatus::ALL.into_iter();
            self.filter.runtime_status = statuses.filter(|status| !status.has_ended()).collect();
        }
        let filter = self.filter.clone().filter();
        let mut watched = Watched::default();
        let mut screen = Screen::default();
        loop {
            let changed = self.look(session, &filter, &mut watched).await?;
            if session.output.is_terminal() && !session.output.is_json() {
                screen.show(session, &watched)?;
            } else {
                for instance in &changed {
                    print_change(session, instance)?;
                }
            }
            session.output.flush()?;
            if self.until_ended && watched.instances.values().all(Instance::has_ended) {
                return Ok(());
            }
            let left = self.at_most.map(|limit| limit.checked_sub(began.elapsed()));
            let pause = match left {
                None => self.interval,
                Some(Some(left)) => self.interval.min(left),
                Some(None) if self.until_ended => {
                    return Err(CliError::new(
                        Code::Timeout,
                        "not all that was watched has ended in time",
                    ));
                }
                Some(None) => return Ok(()),
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Looks at the instances; gives those that have changed.
    async fn look(
        &self,
        session: &Session,
        filter: &Filter,
        watched: &mut Watched,
    ) -> Result<Vec<Instance>, CliError> {
        let found = if let Some(id) = &self.id {
            vec![session.existing(id, false).await?]
        } else {
            let page = PageOf {
                size: AT_MOST,
                token: None,
                with_content: false,
            };
            session.hub.instances(filter, page).await?.items
        };
        let mut found: BTreeMap<_, _> = found.into_iter().map(|i| (key(&i), i)).collect();
        // Those that do not match any more have mostly ended.
        let gone: Vec<_> = watched
            .instances
            .iter()
            .filter(|(key, seen)| !found.contains_key(*key) && !seen.has_ended())
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            match session.hub.status(&key.1, false).await? {
                Some(instance) => {
                    found.insert(key, instance);
                }
                None => {
                    watched.instances.remove(&key);
                }
            }
        }
        let mut changed = Vec::new();
        for (key, instance) in found {
            let before = watched.instances.get(&key);
            if before.is_none_or(|before| is_other(before, &instance)) {
                changed.push(instance.clone());
                watched.instances.insert(key, instance);
            }
        }
        watched.forget();
        Ok(changed)
    }
}

fn key(instance: &Instance) -> Key {
    (instance.created_time, instance.id.clone())
}

fn is_other(before: &Instance, now: &Instance) -> bool {
    before.runtime_status != now.runtime_status
        || before.last_updated_time != now.last_updated_time
        || before.custom_status != now.custom_status
}

impl Watched {
    /// Keeps no more than there is room for: those that have ended go first.
    fn forget(&mut self) {
        let mut surplus = self.instances.len().saturating_sub(AT_MOST);
        self.instances.retain(|_, instance| {
            let goes = surplus > 0 && instance.has_ended();
            surplus -= usize::from(goes);
            !goes
        });
    }
}

fn print_change(session: &mut Session, instance: &Instance) -> Result<(), CliError> {
    if session.output.is_json() {
        session.output.json_inline(instance)?;
        return session.output.line("");
    }
    let status = &instance.runtime_status;
    let status = session
        .output
        .paint(Style::of_status(status), &plain(status));
    let line = format!(
        "{}  {}  {}  {status}",
        time::shown(instance.last_updated_time),
        plain(&instance.id),
        plain(&instance.name),
    );
    session.output.line(&line)
}

/// The table on the terminal, which replaces itself.
#[derive(Default)]
struct Screen {
    /// How many lines it has.
    lines: usize,
}

impl Screen {
    fn show(&mut self, session: &mut Session, watched: &Watched) -> Result<(), CliError> {
        let output = &mut session.output;
        // A line for the title, one for the head of the table, one for what has no room, and the cursor's.
        let room = output.height().saturating_sub(4).max(1);
        let hidden = watched.instances.len().saturating_sub(room);
        let mut table = Table::new(["ID", "NAME", "STATUS", "CREATED", "UPDATED"], 0);
        for instance in watched.instances.values().skip(hidden) {
            table.row(cells(instance));
        }
        let title = format!(
            "{}  {}",
            time::shown_short(time::now()),
            count(watched.instances.len() as u64, "instance"),
        );
        let mut lines = vec![output.paint(Style::Dim, &title)];
        lines.extend(table.lines(output));
        if hidden > 0 {
            let more = format!("and {hidden} that were created before");
            lines.push(output.paint(Style::Dim, &more));
        }
        // A line that is too long must not take two.
        output.text("\u{1b}[?7l")?;
        if self.lines > 0 {
            output.text(&format!("\u{1b}[{}A\u{1b}[J", self.lines))?;
        }
        self.lines = lines.len();
        for line in lines {
            output.line(&line)?;
        }
        output.text("\u{1b}[?7h")
    }
}
