//! Fan-out and fan-in: one activity lists the files of a directory, one activity per file copies it
//! into `./site_backup`, all at the same time, and the sizes are added up.
//!
//! ```text
//! site_backup DIRECTORY
//! ```
//!
//! Kill it in the middle and start it again: it carries on, files whose copy was recorded are not
//! copied again (each activity says what it copies), and the sum is that of all files.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use durable_runtime::client::OnExisting;
use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;

const TASK_HUB: &str = "SiteBackup";
const BACKUP: &str = "site_backup";

/// The files below `site`, by their paths within it. A plain function may block.
#[activity]
fn list_files(site: PathBuf) -> Result<Vec<PathBuf>> {
    let here = env::current_dir()?.canonicalize()?;
    let mut files = Vec::new();
    let mut folders = vec![site.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| at(&folder, &error))? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if is_ours(&path, &here) {
                continue;
            }
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                files.push(path.strip_prefix(&site)?.to_owned());
            }
        }
    }
    println!("found {} files in {}", files.len(), site.display());
    Ok(files)
}

/// Copies one file and returns its size. It may be run twice if the program is killed, so it
/// begins by removing what the first time may have left.
#[activity]
fn copy_file(site: PathBuf, file: PathBuf) -> Result<u64> {
    println!("copying {}", file.display());
    let (from, to) = (site.join(&file), Path::new(BACKUP).join(&file));
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
    }
    match fs::remove_file(&to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&to, &error)),
        _ => {}
    }
    fs::copy(&from, &to).map_err(|error| at(&from, &error))
}

#[orchestrator]
async fn site_backup(ctx: OrchestrationContext, site: PathBuf) -> Result<u64> {
    let files = ctx.call_activity::<list_files>(site.clone()).await?;
    let copies = files
        .into_iter()
        .map(|file| ctx.call_activity::<copy_file>((site.clone(), file)));
    let sizes = when_all(copies).await?;
    Ok(sizes.iter().sum())
}

#[tokio::main]
async fn main() -> Result<()> {
    let site = site_to_back_up()?;
    let host = DurableHost::builder()
        .task_hub(TASK_HUB)
        .options(HostOptions {
            max_concurrent_activities: 16,
            ..HostOptions::default()
        })
        .start()
        .await?;
    let client = host.client();
    // If the last run of this program was killed, its backup is there and is joined.
    let run = client
        .start_new::<site_backup>(site.clone())
        .instance_id("site-backup")
        .on_existing(OnExisting::Ignore)
        .await?;
    let joined = run.status().await?.input;
    if joined.as_ref() != Some(&serde_json::to_value(&site)?) {
        println!("first the backup that was interrupted; start again for this one");
    }
    let bytes = run.output().await;
    client.purge(run.id()).await?;
    host.shutdown().await?;
    println!("backed up {} bytes to ./{BACKUP}", bytes?);
    Ok(())
}

fn site_to_back_up() -> Result<PathBuf> {
    let mut arguments = env::args_os().skip(1);
    match (arguments.next().map(PathBuf::from), arguments.next()) {
        (Some(site), None) if site.is_dir() => Ok(site.canonicalize()?),
        (Some(site), None) => Err(Error::msg(format!("{} is no directory", site.display()))),
        _ => Err(Error::msg("usage: site_backup DIRECTORY")),
    }
}

/// Whether `path` belongs to this program itself: the site may be the working directory.
fn is_ours(path: &Path, here: &Path) -> bool {
    path.strip_prefix(here).is_ok_and(|path| {
        let name = path.to_string_lossy();
        name == BACKUP || name.starts_with(&format!("{TASK_HUB}.db"))
    })
}

fn at(path: &Path, error: &io::Error) -> Error {
    Error::msg(format!("{}: {error}", path.display()))
}
