//! Watching, steering and purging instances.

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::error::HttpError;
use super::history::{self, Shown};
use super::management::location;
use super::page::Page;
use super::routes::Operation;
use super::service::Call;
use super::status::StatusBody;
use crate::client::InstanceQuery;

/// When to look again, in seconds.
const LOOK_AGAIN_AFTER: HeaderValue = HeaderValue::from_static("5");

impl Call {
    pub(super) async fn status(self, id: String) -> Result<Response, HttpError> {
        let shown = Shown {
            inputs: self.query.flag("showInput", true)?,
            outputs: self.query.flag("showHistoryOutput", false)?,
        };
        let code = self.failure_code()?;
        let mut get = self.client.get_status(id.as_str());
        if !shown.inputs {
            get = get.without_input();
        }
        if self.query.flag("showHistory", false)? {
            get = get.with_history();
            if shown.outputs {
                get = get.with_history_output();
            }
        }
        let Some(mut status) = get.await? else {
            return Err(HttpError::not_found(format!("there is no instance {id:?}")));
        };
        let runtime_status = status.runtime_status;
        let history = status.history.take();
        let history = history.map(|events| history::events(&events, shown));
        let body = Json(StatusBody::new(status, history));
        if runtime_status.has_ended() {
            return Ok((code.of(runtime_status), body).into_response());
        }
        let headers = [(RETRY_AFTER, LOOK_AGAIN_AFTER)];
        Ok((StatusCode::ACCEPTED, headers, location(&self.url), body).into_response())
    }

    pub(super) async fn list_instances(self) -> Result<Response, HttpError> {
        let mut page = Page::of(&self)?;
        let with_input = self.query.flag("showInput", true)?;
        let Some(mut query) = self.instance_query()? else {
            return Ok(page.without_any());
        };
        if !with_input {
            query = query.without_input();
        }
        loop {
            let mut part = query.clone().page_size(page.part_size());
            if let Some(token) = page.token() {
                part = part.continuation_token(token);
            }
            let read = self.client.list_instances(part).await?;
            let instances = read.instances.into_iter();
            let instances = instances.map(|status| StatusBody::new(status, None));
            if page.add(instances, read.continuation_token)? {
                return Ok(page.into_response());
            }
        }
    }

    pub(super) async fn purge(self, id: &str) -> Result<Response, HttpError> {
        self.client.purge(id).await?;
        Ok(Json(json!({ "instancesDeleted": 1 })).into_response())
    }

    pub(super) async fn purge_instances(self) -> Result<Response, HttpError> {
        if self.query.time("createdTimeFrom")?.is_none() {
            return Err(HttpError::bad_request(
                "Please provide value for 'createdTimeFrom' parameter.",
            ));
        }
        let deleted = match self.instance_query()? {
            Some(query) => self.client.purge_instances(query).await?,
            None => 0,
        };
        if deleted == 0 {
            return Err(HttpError::not_found(
                "there is no instance to purge that has ended",
            ));
        }
        Ok(Json(json!({ "instancesDeleted": deleted })).into_response())
    }

    pub(super) async fn raise_event(
        mut self,
        id: &str,
        name: String,
    ) -> Result<Response, HttpError> {
        let data = self.content().await?.declared_json()?;
        self.client.raise_event(id, name, data).await?;
        Ok(StatusCode::ACCEPTED.into_response())
    }

    /// What is asked for with a reason and answered with nothing.
    pub(super) async fn steer(self, id: &str, operation: Operation) -> Result<Response, HttpError> {
        let reason = self.query.text("reason").unwrap_or_default();
        match operation {
            Operation::Terminate => self.client.terminate(id, reason).await?,
            Operation::Suspend => self.client.suspend(id, reason).await?,
            Operation::Resume => self.client.resume(id, reason).await?,
            _ => self.client.rewind(id, reason).await?,
        }
        Ok(StatusCode::ACCEPTED.into_response())
    }

    /// The filters of the request; `None` if they leave nothing.
    fn instance_query(&self) -> Result<Option<InstanceQuery>, HttpError> {
        let mut query = InstanceQuery::new();
        if let Some(from) = self.query.time("createdTimeFrom")? {
            query = query.created_from(from);
        }
        if let Some(to) = self.query.time("createdTimeTo")? {
            query = query.created_to(to);
        }
        if let Some(prefix) = self.query.text("instanceIdPrefix") {
            query = query.id_prefix(prefix);
        }
        match self.query.statuses("runtimeStatus")? {
            None => Ok(Some(query)),
            Some(statuses) if statuses.is_empty() => Ok(None),
            Some(statuses) => Ok(Some(query.statuses(statuses))),
        }
    }
}
