//! All that a query finds, read page by page.

use std::collections::VecDeque;

use futures_util::stream::{self, Stream};

use super::{ClientError, DurableClient};

/// A query whose answer comes in pages.
pub(super) trait PagedQuery: Clone + Send + Sync + 'static {
    /// What it finds.
    type Item: Send + 'static;

    /// Reads a page, and gives the token of the next one if there is one.
    fn read(
        self,
        client: &DurableClient,
    ) -> impl Future<Output = Result<(Vec<Self::Item>, Option<String>), ClientError>> + Send;

    /// The same query, from `token` on.
    fn continued(self, token: String) -> Self;
}

/// What `query` finds. A page is read when the one before it has been taken.
pub(super) fn items<Q: PagedQuery>(
    client: DurableClient,
    query: Q,
) -> impl Stream<Item = Result<Q::Item, ClientError>> + Send + Unpin + 'static {
    let state = (Some(query), VecDeque::new(), client);
    Box::pin(stream::try_unfold(state, next_item))
}

type State<Q> = (Option<Q>, VecDeque<<Q as PagedQuery>::Item>, DurableClient);

async fn next_item<Q: PagedQuery>(
    (mut next, mut page, client): State<Q>,
) -> Result<Option<(Q::Item, State<Q>)>, ClientError> {
    while page.is_empty() {
        let Some(query) = next.take() else {
            return Ok(None);
        };
        let (items, token) = query.clone().read(&client).await?;
        page = items.into();
        next = token.map(|token| query.continued(token));
    }
    let item = page.pop_front();
    Ok(item.map(|item| (item, (next, page, client))))
}
