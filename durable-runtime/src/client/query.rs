//! Queries for many instances.

use std::fmt;
use std::future::IntoFuture;

use chrono::{DateTime, Utc};
use futures_core::Stream;
use futures_core::future::BoxFuture;

use super::pages::{self, PagedQuery};
use super::{ClientError, DurableClient, OrchestrationStatus, token};
use crate::model::{InstanceId, RuntimeStatus, Tags};
use crate::storage::{InstanceFilter, InstancePageRequest, PageKey};

/// Which instances are meant, and how many at a time. What is not set does not filter.
///
/// ```
/// use durable_runtime::client::{InstanceQuery, RuntimeStatus};
///
/// let failed_orders = InstanceQuery::new()
///     .status(RuntimeStatus::Failed)
///     .id_prefix("order-")
///     .page_size(50);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceQuery {
    pub(super) filter: InstanceFilter,
    page_size: usize,
    continuation_token: Option<String>,
    without_input: bool,
}

impl Default for InstanceQuery {
    fn default() -> Self {
        Self {
            filter: InstanceFilter::default(),
            page_size: 100,
            continuation_token: None,
            without_input: false,
        }
    }
}

impl InstanceQuery {
    /// All instances, 100 a page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Instances with this status; when called several times, with any of them.
    #[must_use]
    pub fn status(mut self, status: RuntimeStatus) -> Self {
        self.filter.statuses.push(status);
        self
    }

    /// Instances with any of these statuses.
    #[must_use]
    pub fn statuses(mut self, statuses: impl IntoIterator<Item = RuntimeStatus>) -> Self {
        self.filter.statuses.extend(statuses);
        self
    }

    /// Instances created at `time` or later.
    #[must_use]
    pub fn created_from(mut self, time: DateTime<Utc>) -> Self {
        self.filter.created_from = Some(time);
        self
    }

    /// Instances created at `time` or earlier.
    #[must_use]
    pub fn created_to(mut self, time: DateTime<Utc>) -> Self {
        self.filter.created_to = Some(time);
        self
    }

    /// Instances whose id starts with `prefix`.
    #[must_use]
    pub fn id_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.filter.id_prefix = Some(prefix.into());
        self
    }

    /// Instances of the orchestrator `name`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.filter.name = Some(name.into());
        self
    }

    /// Instances that were started with this tag; when called several times, with all of them.
    #[must_use]
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.filter.tags.insert(key.into(), value.into());
        self
    }

    /// Instances that were started with all of these tags.
    #[must_use]
    pub fn tags(mut self, tags: Tags) -> Self {
        self.filter.tags.extend(tags);
        self
    }

    /// At most so many instances a page, between 1 and 1,000.
    #[must_use]
    pub fn page_size(mut self, page_size: usize) -> Self {
        self.page_size = page_size.clamp(1, 1_000);
        self
    }

    /// Begins after the page that gave `token`. The filters must be the same.
    #[must_use]
    pub fn continuation_token(mut self, token: impl Into<String>) -> Self {
        self.continuation_token = Some(token.into());
        self
    }

    /// Leaves the instances' inputs out.
    #[must_use]
    pub fn without_input(mut self) -> Self {
        self.without_input = true;
        self
    }
}

impl InstanceQuery {
    /// The request for the first page.
    pub(crate) fn into_request(self) -> Result<InstancePageRequest, ClientError> {
        let after = match &self.continuation_token {
            Some(token) => Some(decode_token(token).ok_or(ClientError::InvalidContinuationToken)?),
            None => None,
        };
        Ok(InstancePageRequest {
            filter: self.filter,
            size: self.page_size,
            after,
            with_input: !self.without_input,
        })
    }
}

/// One page of instances, in the order of their creation.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct InstancePage {
    /// The instances.
    pub instances: Vec<OrchestrationStatus>,
    /// Where the next page begins; `None` on the last.
    pub continuation_token: Option<String>,
}

/// A query for instances: made by [`DurableClient::list_instances`]. Await it for one page, or take
/// the [`stream`](Self::stream) of all.
#[must_use = "a query does nothing unless it is awaited or streamed"]
pub struct ListInstances {
    client: DurableClient,
    query: InstanceQuery,
}

impl ListInstances {
    pub(super) fn new(client: DurableClient, query: InstanceQuery) -> Self {
        Self { client, query }
    }

    /// All instances that match, read page by page as they are taken.
    pub fn stream(
        self,
    ) -> impl Stream<Item = Result<OrchestrationStatus, ClientError>> + Send + Unpin + 'static {
        pages::items(self.client, self.query)
    }
}

impl PagedQuery for InstanceQuery {
    type Item = OrchestrationStatus;

    async fn read(
        self,
        client: &DurableClient,
    ) -> Result<(Vec<OrchestrationStatus>, Option<String>), ClientError> {
        let page = read_page(client, self).await?;
        Ok((page.instances, page.continuation_token))
    }

    fn continued(self, token: String) -> Self {
        self.continuation_token(token)
    }
}

impl IntoFuture for ListInstances {
    type Output = Result<InstancePage, ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { read_page(&self.client, self.query).await })
    }
}

impl fmt::Debug for ListInstances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListInstances")
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

async fn read_page(
    client: &DurableClient,
    query: InstanceQuery,
) -> Result<InstancePage, ClientError> {
    let size = query.page_size;
    let mut request = query.into_request()?;
    // One more tells whether this page is the last.
    request.size += 1;
    let mut found = client
        .link()
        .read(move |storage| storage.list(&request))
        .await?;
    let has_more = found.len() > size;
    found.truncate(size);
    let last = found.last().filter(|_| has_more);
    let continuation_token = last.map(|last| {
        encode_token(&PageKey {
            created: last.record.created,
            id: last.record.id.clone(),
        })
    });
    let instances = found
        .iter()
        .map(|found| OrchestrationStatus::new(&found.record).with_input(found.first_row.as_ref()))
        .collect();
    Ok(InstancePage {
        instances,
        continuation_token,
    })
}

/// A token is the key of the last instance.
fn encode_token(key: &PageKey) -> String {
    token::encode(&format!("{}:{}", key.created.timestamp_micros(), key.id))
}

fn decode_token(token: &str) -> Option<PageKey> {
    let place = token::decode(token)?;
    let (micros, id) = place.split_once(':')?;
    Some(PageKey {
        created: DateTime::from_timestamp_micros(micros.parse().ok()?)?,
        id: InstanceId::new(id).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Rule 11: the continuation token is opaque, and a damaged one is an error.
    #[test]
    fn a_token_is_read_back_and_a_damaged_one_is_not() {
        let key = PageKey {
            created: DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
            id: InstanceId::new("a:b").unwrap(),
        };
        let token = encode_token(&key);
        assert_eq!(decode_token(&token), Some(key));
        for at in 0..token.len() {
            let mut damaged = token.clone();
            let other = if &token[at..=at] == "A" { "B" } else { "A" };
            damaged.replace_range(at..=at, other);
            assert_eq!(decode_token(&damaged), None, "{damaged}");
        }
        assert_eq!(decode_token(&token[1..]), None);
        assert_eq!(decode_token(""), None);
    }
}
