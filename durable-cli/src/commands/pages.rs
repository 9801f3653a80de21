//! Lists, read page by page.

use super::Session;
use crate::exit::CliError;
use crate::hub::{Entity, EntityFilter, Filter, Hub, Instance, Page, PageOf};

/// How many are read at a time for people, who want to see the first ones soon.
const PAGE: usize = 200;

/// What a list is of.
pub(super) trait Listed {
    type Item;

    async fn read(&self, hub: &Hub, page: PageOf) -> Result<Page<Self::Item>, CliError>;
}

impl Listed for Filter {
    type Item = Instance;

    async fn read(&self, hub: &Hub, page: PageOf) -> Result<Page<Instance>, CliError> {
        hub.instances(self, page).await
    }
}

impl Listed for EntityFilter {
    type Item = Entity;

    async fn read(&self, hub: &Hub, page: PageOf) -> Result<Page<Entity>, CliError> {
        hub.entities(self, page).await
    }
}

/// Reads a list page by page.
pub(super) struct Pages<F> {
    filter: F,
    /// Whether with inputs, or states.
    with_content: bool,
    /// How many are wanted yet; `None` for all.
    left: Option<u64>,
    token: Option<String>,
    ended: bool,
}

impl<F: Listed> Pages<F> {
    /// All that match, from the beginning, and without inputs or states.
    pub(super) fn new(filter: F) -> Self {
        Self {
            filter,
            with_content: false,
            left: None,
            token: None,
            ended: false,
        }
    }

    pub(super) fn with_content(mut self, with_content: bool) -> Self {
        self.with_content = with_content;
        self
    }

    pub(super) fn at_most(mut self, count: Option<u64>) -> Self {
        self.left = count;
        self
    }

    pub(super) fn starting_at(mut self, token: Option<String>) -> Self {
        self.token = token;
        self
    }

    /// Where to go on.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The next page, if there is one and it is wanted.
    pub(super) async fn next(
        &mut self,
        session: &Session,
    ) -> Result<Option<Vec<F::Item>>, CliError> {
        if self.ended || self.left == Some(0) {
            return Ok(None);
        }
        let left = self.left.and_then(|left| usize::try_from(left).ok());
        let page = PageOf {
            size: left.unwrap_or(PageOf::MAX).min(PAGE),
            token: self.token.take(),
            with_content: self.with_content,
        };
        let Page { items, token } = self.filter.read(&session.hub, page).await?;
        self.ended = token.is_none();
        self.token = token;
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(items.len() as u64);
        }
        Ok(Some(items))
    }
}
