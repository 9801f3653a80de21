//! The `durable` command as it is built, run against files, hosts and mistakes.

mod functions;
mod output;
mod remote;
mod replay;
mod support;
mod timeline;
mod usage;
mod with_host;
mod without_host;
