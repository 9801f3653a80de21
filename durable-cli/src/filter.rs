//! The options that say which instances are meant.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use durable_runtime::client::RuntimeStatus;

use crate::hub::Filter;
use crate::time;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterArguments {
    /// Only instances with any of these statuses
    #[arg(
        long,
        visible_alias = "status",
        value_name = "STATUS",
        num_args = 1..,
        value_delimiter = ',',
        ignore_case = true,
        value_parser = statuses(),
    )]
    pub(crate) runtime_status: Vec<RuntimeStatus>,
    /// Only instances created then or later: 2030-01-31T12:00:00Z, 2030-01-31, or 2h (ago)
    #[arg(long, value_name = "TIME", value_parser = time::past)]
    created_after: Option<DateTime<Utc>>,
    /// Only instances created then or earlier
    #[arg(long, value_name = "TIME", value_parser = time::past)]
    created_before: Option<DateTime<Utc>>,
    /// Only instances whose id begins like this
    #[arg(
        long,
        visible_alias = "prefix",
        value_name = "TEXT",
        allow_hyphen_values = true
    )]
    id_prefix: Option<String>,
    /// Only instances of this orchestrator
    #[arg(long, visible_alias = "name", value_name = "NAME")]
    function_name: Option<String>,
    /// Only instances that were started with all of these tags
    #[arg(long, visible_alias = "tag", value_name = "KEY=VALUE", num_args = 1.., value_parser = tag)]
    tags: Vec<(String, String)>,
}

impl FilterArguments {
    /// Whether everything is meant.
    pub(crate) fn is_empty(&self) -> bool {
        self.runtime_status.is_empty()
            && self.created_after.is_none()
            && self.created_before.is_none()
            && self.id_prefix.is_none()
            && self.function_name.is_none()
            && self.tags.is_empty()
    }

    pub(crate) fn filter(self) -> Filter {
        Filter {
            statuses: self.runtime_status,
            created_from: self.created_after,
            created_to: self.created_before,
            id_prefix: self.id_prefix,
            name: self.function_name,
            tags: self.tags.into_iter().collect::<BTreeMap<_, _>>(),
        }
    }
}

fn statuses() -> impl TypedValueParser<Value = RuntimeStatus> {
    // None is ever seen to be continued as new.
    let names = RuntimeStatus::ALL.into_iter();
    let names = names.filter(|status| *status != RuntimeStatus::ContinuedAsNew);
    PossibleValuesParser::new(names.map(RuntimeStatus::as_str))
        .try_map(|name| name.parse::<RuntimeStatus>())
}

/// Reads `key=value`.
pub(crate) fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("this is no tag: write key=value".to_owned()),
    }
}
