//! Signalling and reading entities.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::error::HttpError;
use super::page::Page;
use super::service::Call;
use super::status::to_the_tick;
use crate::client::EntityQuery;
use crate::model::EntityId;

/// What stands for the empty key, which a path cannot hold.
const EMPTY_KEY: &str = "$";

/// An entity in a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EntityBody {
    entity_id: Value,
    last_operation_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Value>,
}

impl Call {
    pub(super) async fn entity(
        self,
        name: &str,
        key: Option<String>,
    ) -> Result<Response, HttpError> {
        let id = entity_id(name, key);
        match self.client.read_entity_state::<Value>(id.clone()).await? {
            Some(state) => Ok(Json(state).into_response()),
            None => Err(HttpError::not_found(format!("there is no entity \"{id}\""))),
        }
    }

    pub(super) async fn signal(
        mut self,
        name: &str,
        key: Option<String>,
    ) -> Result<Response, HttpError> {
        let content = self.content().await?;
        let input = content
            .json_or_text()?
            .unwrap_or_else(|| RawValue::NULL.to_owned());
        let operation = self.query.text("op").unwrap_or_default();
        self.client
            .signal_entity(entity_id(name, key), operation, input)
            .await?;
        Ok(StatusCode::ACCEPTED.into_response())
    }

    pub(super) async fn delete_entity(
        self,
        name: &str,
        key: Option<String>,
    ) -> Result<Response, HttpError> {
        self.client
            .signal_entity(entity_id(name, key), "delete", ())
            .await?;
        Ok(StatusCode::ACCEPTED.into_response())
    }

    pub(super) async fn list_entities(self, name: Option<String>) -> Result<Response, HttpError> {
        let mut page = Page::of(&self)?;
        let mut query = EntityQuery::new();
        if let Some(name) = name {
            query = query.name(name);
        }
        if let Some(from) = self.query.time("lastOperationTimeFrom")? {
            query = query.last_operation_from(from);
        }
        if let Some(to) = self.query.time("lastOperationTimeTo")? {
            query = query.last_operation_to(to);
        }
        let with_state = self.query.flag("fetchState", false)?;
        if !with_state {
            query = query.without_state();
        }
        loop {
            let mut part = query.clone().page_size(page.part_size());
            if let Some(token) = page.token() {
                part = part.continuation_token(token);
            }
            let read = self.client.list_entities(part).await?;
            let entities = read.entities.into_iter().map(|entity| EntityBody {
                entity_id: json!({ "name": entity.id.name(), "key": entity.id.key() }),
                last_operation_time: to_the_tick(entity.last_operation),
                state: with_state.then(|| entity.state.unwrap_or_default()),
            });
            if page.add(entities, read.continuation_token)? {
                return Ok(page.into_response());
            }
        }
    }
}

fn entity_id(name: &str, key: Option<String>) -> EntityId {
    let key = key.unwrap_or_default();
    EntityId::new(name, if key == EMPTY_KEY { String::new() } else { key })
}
