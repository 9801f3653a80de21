//! Queries for instances.

use chrono::{DateTime, Utc};

use crate::model::{EntityRecord, HistoryRow, InstanceId, InstanceRecord, RuntimeStatus, Tags};

/// Which instances a query is about. A field left empty does not filter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InstanceFilter {
    /// Any of these statuses.
    pub statuses: Vec<RuntimeStatus>,
    /// Created at this time or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Created at this time or earlier.
    pub created_to: Option<DateTime<Utc>>,
    /// Ids that start with this text.
    pub id_prefix: Option<String>,
    /// Instances of this orchestrator.
    pub name: Option<String>,
    /// Instances that have all of these tags, with these values.
    pub tags: Tags,
}

impl InstanceFilter {
    /// Whether `record` is among those meant.
    pub fn matches(&self, record: &InstanceRecord) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&record.status))
            && self.created_from.is_none_or(|from| record.created >= from)
            && self.created_to.is_none_or(|to| record.created <= to)
            && self
                .id_prefix
                .as_ref()
                .is_none_or(|prefix| record.id.as_str().starts_with(prefix.as_str()))
            && self.name.as_ref().is_none_or(|name| record.name == *name)
            && self
                .tags
                .iter()
                .all(|(key, value)| record.tags.get(key) == Some(value))
    }
}

/// Where a page of instances ends: the next one begins after it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageKey {
    /// Creation time of the last instance.
    pub created: DateTime<Utc>,
    /// Its id.
    pub id: InstanceId,
}

/// One page of a query.
#[derive(Debug, Clone)]
pub struct InstancePageRequest {
    /// Which instances.
    pub filter: InstanceFilter,
    /// At most as many.
    pub size: usize,
    /// Only instances after this.
    pub after: Option<PageKey>,
    /// Whether to read the instances' inputs.
    pub with_input: bool,
}

/// An instance as a query returns it.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceSummary {
    /// The row.
    pub record: InstanceRecord,
    /// The first row of history, which holds the input, where that was asked for.
    pub first_row: Option<HistoryRow>,
}

/// Which entities a query is about. A field left empty does not filter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EntityFilter {
    /// Entities of this name, in lower case.
    pub name: Option<String>,
    /// The last operation was at this time or later.
    pub last_operation_from: Option<DateTime<Utc>>,
    /// The last operation was at this time or earlier.
    pub last_operation_to: Option<DateTime<Utc>>,
    /// Whether entities without a state are meant too.
    pub include_stateless: bool,
}

impl EntityFilter {
    /// Whether `record` is among those meant.
    pub fn matches(&self, record: &EntityRecord) -> bool {
        let last = record.last_operation;
        let is_named = |name: &String| {
            let rest = record.id.as_str().strip_prefix('@');
            rest.and_then(|rest| rest.strip_prefix(name.as_str()))
                .is_some_and(|rest| rest.starts_with('@'))
        };
        self.name.as_ref().is_none_or(is_named)
            && self.last_operation_from.is_none_or(|from| last >= from)
            && self.last_operation_to.is_none_or(|to| last <= to)
            && (self.include_stateless || record.state.is_some())
    }
}

/// One page of a query for entities.
#[derive(Debug, Clone)]
pub struct EntityPageRequest {
    /// Which entities.
    pub filter: EntityFilter,
    /// At most as many.
    pub size: usize,
    /// Only entities whose id comes after this one.
    pub after: Option<InstanceId>,
}
