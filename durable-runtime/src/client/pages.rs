//! All that a query finds, read page by page.

use std::collections::VecDeque;

use futures_util::stream::{self, Stream};

use super::ClientError;

/// What `read` finds from the query `first` on: the items of a page, and the query for the next one.
/// A page is read when the one before it has been taken.
pub(super) fn items<Q, T, F>(
    first: Q,
    read: impl Fn(Q) -> F + Send + 'static,
) -> impl Stream<Item = Result<T, ClientError>> + Send + Unpin + 'static
where
    Q: Send + 'static,
    T: Send + 'static,
    F: Future<Output = Result<(Vec<T>, Option<Q>), ClientError>> + Send + 'static,
{
    let state = (Some(first), VecDeque::new(), read);
    Box::pin(stream::try_unfold(
        state,
        async |(mut next, mut page, read)| {
            while page.is_empty() {
                let Some(query) = next.take() else {
                    return Ok(None);
                };
                let (items, rest) = read(query).await?;
                page = items.into();
                next = rest;
            }
            let item = page.pop_front();
            Ok(item.map(|item| (item, (next, page, read))))
        },
    ))
}
