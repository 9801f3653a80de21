//! Reading instances, and what is due.

use chrono::{DateTime, Utc};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params_from_iter};

use super::error::Fault;
use super::history::HistoryReader;
use super::hub::Hub;
use super::row::{Instance, instance_columns};
use super::transaction::Transaction;
use crate::model::{Due, InstanceId, PartitionId, RuntimeStatus, StoredInstance};
use crate::storage::{InstanceFilter, InstancePageRequest, InstanceSummary, PageKey, StorageError};

const INSTANCE: &str = concat!(
    "SELECT ",
    instance_columns!(),
    " FROM instances WHERE hub = ?1 AND id = ?2"
);
// Without statistics, which nobody gathers here, the planner may prefer an index that has the order
// or the columns over the one that finds the rows. So they are named.
const DUE: &str = "
    SELECT id, due FROM instances INDEXED BY instances_by_due
    WHERE hub = ?1 AND partition = ?2 AND due IS NOT NULL
    UNION ALL
    SELECT id, due FROM entities INDEXED BY entities_by_due
    WHERE hub = ?1 AND partition = ?2 AND due IS NOT NULL
    ORDER BY due";
const CHILDREN: &str = "
    SELECT id FROM instances INDEXED BY instances_by_parent WHERE hub = ?1 AND parent = ?2";

// Read in the order of the index until the page is full, so that a page costs what it holds and what
// the filter leaves out before it, not what comes after.
const PAGE: &str = concat!(
    "SELECT ",
    instance_columns!(),
    " FROM instances INDEXED BY instances_by_creation WHERE hub = ?"
);
const PAGE_ORDER: &str = " ORDER BY created, id";

impl Hub {
    pub(super) fn read_due(
        &self,
        partition: PartitionId,
    ) -> Result<Vec<(InstanceId, Due)>, StorageError> {
        self.database.read(|transaction| {
            let due = transaction
                .prepare_cached(DUE)?
                .query_map((self.key, partition.0), |row| {
                    let id: String = row.get(0)?;
                    Ok((InstanceId::trusted(id), Due::from_micros(row.get(1)?)))
                })?
                .collect::<Result<_, _>>()?;
            Ok(due)
        })
    }

    pub(super) fn read_instances(
        &self,
        ids: &[InstanceId],
    ) -> Result<Vec<Option<StoredInstance>>, StorageError> {
        self.database.read(|transaction| {
            let mut history = HistoryReader::new(transaction)?;
            ids.iter()
                .map(|id| {
                    let Some(Instance { key, record }) = self.find(transaction, id)? else {
                        return Ok(None);
                    };
                    Ok(Some(StoredInstance {
                        record,
                        history: history.read(key)?,
                    }))
                })
                .collect()
        })
    }

    pub(super) fn read_summary(
        &self,
        id: &InstanceId,
        with_input: bool,
    ) -> Result<Option<InstanceSummary>, StorageError> {
        self.database.read(|transaction| {
            self.find(transaction, id)?
                .map(|instance| summarize(transaction, instance, with_input))
                .transpose()
        })
    }

    pub(super) fn read_page(
        &self,
        request: &InstancePageRequest,
    ) -> Result<Vec<InstanceSummary>, StorageError> {
        let query = page_query(self.key, &request.filter, request.after.as_ref());
        self.database.read(|transaction| {
            let mut page = Vec::new();
            let mut statement = transaction.prepare_cached(&query.sql)?;
            let mut rows = statement.query(params_from_iter(query.params))?;
            while page.len() < request.size
                && let Some(row) = rows.next()?
            {
                let instance = Instance::read(row)?;
                // The filter's tags are compared here: SQL is no good at JSON objects whose keys
                // are arbitrary.
                if request.filter.matches(&instance.record) {
                    page.push(summarize(transaction, instance, request.with_input)?);
                }
            }
            Ok(page)
        })
    }

    pub(super) fn read_children(
        &self,
        parent: &InstanceId,
    ) -> Result<Vec<InstanceId>, StorageError> {
        self.database.read(|transaction| {
            let children = transaction
                .prepare_cached(CHILDREN)?
                .query_map((self.key, parent.as_str()), |row| {
                    row.get::<_, String>(0).map(InstanceId::trusted)
                })?
                .collect::<Result<_, _>>()?;
            Ok(children)
        })
    }

    fn find(
        &self,
        transaction: &Transaction<'_>,
        id: &InstanceId,
    ) -> Result<Option<Instance>, Fault> {
        transaction
            .prepare_cached(INSTANCE)?
            .query_row((self.key, id.as_str()), |row| Ok(Instance::read(row)))
            .optional()?
            .transpose()
    }
}

fn summarize(
    transaction: &Transaction<'_>,
    instance: Instance,
    with_input: bool,
) -> Result<InstanceSummary, Fault> {
    let first_row = if with_input {
        HistoryReader::new(transaction)?.first(instance.key)?
    } else {
        None
    };
    Ok(InstanceSummary {
        record: instance.record,
        first_row,
    })
}

fn page_query(hub: i64, filter: &InstanceFilter, after: Option<&PageKey>) -> PageQuery {
    let mut query = PageQuery::new(PAGE, hub);
    if let Some(key) = after {
        let created = key.created.timestamp_micros().into();
        let id = key.id.as_str().to_owned().into();
        query.and("(created, id) > (?, ?)", [created, id]);
    }
    if let Some(from) = filter.created_from {
        query.and("created >= ?", [micros_rounded_up(from).into()]);
    }
    if let Some(to) = filter.created_to {
        query.and("created <= ?", [to.timestamp_micros().into()]);
    }
    if let Some(prefix) = &filter.id_prefix {
        let condition = "substr(id, 1, length(?)) = ?";
        query.and(condition, [prefix.clone().into(), prefix.clone().into()]);
    }
    if let Some(name) = &filter.name {
        query.and("name = ?", [name.clone().into()]);
    }
    if !filter.statuses.is_empty() {
        let marks = vec!["?"; filter.statuses.len()].join(", ");
        let names = filter
            .statuses
            .iter()
            .map(|status: &RuntimeStatus| Value::from(status.as_str().to_owned()));
        query.and(&format!("status IN ({marks})"), names);
    }
    query.sql.push_str(PAGE_ORDER);
    query
}

/// The query for a page, of the conditions that its filter has.
pub(super) struct PageQuery {
    pub(super) sql: String,
    pub(super) params: Vec<Value>,
}

impl PageQuery {
    /// What `select` selects, of which the hub is the only condition.
    pub(super) fn new(select: &str, hub: i64) -> Self {
        Self {
            sql: select.to_owned(),
            params: vec![hub.into()],
        }
    }

    pub(super) fn and(&mut self, condition: &str, params: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.params.extend(params);
    }
}

/// Times are stored in whole microseconds, so nothing between two of them is missed.
pub(super) fn micros_rounded_up(time: DateTime<Utc>) -> i64 {
    let micros = time.timestamp_micros();
    if time.timestamp_subsec_nanos().is_multiple_of(1000) {
        micros
    } else {
        micros.saturating_add(1)
    }
}
