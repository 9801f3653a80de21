//! The way to a task hub over HTTP: the management API of Durable Functions 2.x, which hosts of other
//! makes have as well.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use durable_runtime::model::EntityId;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::answer::Answer;
use super::{Entity, EntityFilter, Filter, History, Instance, Page, PageOf, Start, Steering};
use crate::exit::{CliError, Code};
use crate::time;

const BASE: [&str; 3] = ["runtime", "webhooks", "durabletask"];
const KEY: &str = "x-functions-key";
const CONTINUATION_TOKEN: &str = "x-ms-continuation-token";
/// What stands for the empty key of an entity, which a path cannot hold.
const EMPTY_KEY: &str = "$";

#[derive(Debug)]
pub(super) struct RemoteHub {
    /// Ends with the base.
    base: Url,
    hub: Option<String>,
    http: Client,
}

impl RemoteHub {
    pub(super) fn new(
        url: &str,
        code: Option<&str>,
        hub: Option<&str>,
        limit: Duration,
    ) -> Result<Self, CliError> {
        let mut base = parse(url)?;
        // As it stands in the URLs that hosts give out.
        let in_url = base.query_pairs().find(|(name, _)| name == "code");
        let in_url = in_url.map(|(_, code)| code.into_owned());
        let mut headers = HeaderMap::new();
        if let Some(code) = code.map(str::to_owned).or(in_url) {
            let mut key = HeaderValue::from_str(&code)
                .map_err(|_| CliError::usage("the key of --code has characters that no key has"))?;
            key.set_sensitive(true);
            headers.insert(KEY, key);
        }
        base.set_query(None);
        base.set_fragment(None);
        let has_base = base.path().to_ascii_lowercase().contains("/durabletask");
        if let (false, Ok(mut path)) = (has_base, base.path_segments_mut()) {
            path.pop_if_empty().extend(BASE);
        }
        let mut http = Client::builder()
            .timeout(limit)
            .connect_timeout(limit)
            .default_headers(headers)
            // The key is for this host only.
            .redirect(Policy::none());
        if is_loopback(&base) {
            http = http.no_proxy();
        }
        let http = http
            .build()
            .map_err(|error| CliError::new(Code::Failed, chain(&error)))?;
        Ok(Self {
            base,
            hub: hub.map(str::to_owned),
            http,
        })
    }

    pub(super) fn describe(&self) -> String {
        let origin = self.base.origin().ascii_serialization();
        match &self.hub {
            Some(hub) => format!("{hub:?} at {origin}"),
            None => format!("at {origin}"),
        }
    }

    pub(super) async fn start(&self, start: Start) -> Result<String, CliError> {
        #[derive(Deserialize)]
        struct Started {
            id: String,
        }
        for (given, option) in [
            (start.at.is_some(), "--start-at"),
            (!start.tags.is_empty(), "--tags"),
            (start.on_existing.is_some(), "--on-existing"),
        ] {
            if given {
                return Err(unknown_there(option));
            }
        }
        let mut path = vec!["orchestrators", &start.name];
        path.extend(start.id.as_deref());
        let mut request = self.request(Method::POST, &path)?;
        if let Some(version) = &start.version {
            request = request.query(&[("version", version)]);
        }
        let answer = self.send(with_json(request, &start.input)).await?;
        let answer = match answer.status {
            // An id that is not valid was refused before.
            StatusCode::BAD_REQUEST => return Err(answer.error(Code::NotFound)),
            _ => answer.accepted()?,
        };
        Ok(answer.read::<Started>()?.id)
    }

    pub(super) async fn status(
        &self,
        id: &str,
        with_input: bool,
    ) -> Result<Option<Instance>, CliError> {
        let request = self.request(Method::GET, &["instances", id])?;
        let request = request.query(&[("showInput", with_input)]);
        let answer = self.send(request).await?;
        answer.found()?.map(|answer| answer.read()).transpose()
    }

    pub(super) async fn history(&self, id: &str) -> Result<Option<(Instance, History)>, CliError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct WithHistory {
            #[serde(flatten)]
            instance: Instance,
            #[serde(default)]
            history_events: Vec<Value>,
        }
        let request = self.request(Method::GET, &["instances", id])?;
        let shown = ["showInput", "showHistory", "showHistoryOutput"];
        let request = request.query(&shown.map(|name| (name, true)));
        let Some(answer) = self.send(request).await?.found()? else {
            return Ok(None);
        };
        let read: WithHistory = answer.read()?;
        Ok(Some((
            read.instance,
            History::Reported(read.history_events),
        )))
    }

    pub(super) async fn instances(
        &self,
        filter: &Filter,
        page: PageOf,
    ) -> Result<Page<Instance>, CliError> {
        if !filter.tags.is_empty() {
            return Err(unknown_there("--tags"));
        }
        let mut query = vec![
            ("top", page.size.to_string()),
            ("showInput", page.with_content.to_string()),
        ];
        if !filter.statuses.is_empty() {
            let statuses: Vec<_> = filter.statuses.iter().map(ToString::to_string).collect();
            query.push(("runtimeStatus", statuses.join(",")));
        }
        let times = [
            ("createdTimeFrom", filter.created_from),
            ("createdTimeTo", filter.created_to),
        ];
        let times = times.into_iter();
        query.extend(times.filter_map(|(name, at)| at.map(|at| (name, time::exact(at)))));
        if let Some(prefix) = &filter.id_prefix {
            query.push(("instanceIdPrefix", prefix.clone()));
        }
        let request = self.request(Method::GET, &["instances"])?.query(&query);
        let (answer, token) = self.page(request, page.token).await?;
        let mut items: Vec<Instance> = answer.read()?;
        // There is no parameter for it.
        if let Some(name) = &filter.name {
            items.retain(|instance| instance.name == *name);
        }
        Ok(Page { items, token })
    }

    pub(super) async fn raise_event(
        &self,
        id: &str,
        name: &str,
        data: &RawValue,
    ) -> Result<(), CliError> {
        let path = ["instances", id, "raiseEvent", name];
        let request = with_json(self.request(Method::POST, &path)?, data);
        self.send(request).await?.accepted().map(drop)
    }

    pub(super) async fn steer(
        &self,
        id: &str,
        steering: Steering,
        reason: &str,
    ) -> Result<(), CliError> {
        let action = match steering {
            Steering::Terminate => "terminate",
            Steering::TerminateAll => return Err(unknown_there("--recursive")),
            Steering::Suspend => "suspend",
            Steering::Resume => "resume",
            Steering::Rewind => "rewind",
        };
        let request = self.request(Method::POST, &["instances", id, action])?;
        let request = request.query(&[("reason", reason)]);
        self.send(request).await?.accepted().map(drop)
    }

    pub(super) async fn restart(&self, id: &str, with_new_id: bool) -> Result<String, CliError> {
        #[derive(Deserialize)]
        struct Restarted {
            id: String,
        }
        let request = self.request(Method::POST, &["instances", id, "restart"])?;
        let request = request.query(&[("restartWithNewInstanceId", with_new_id)]);
        let answer = self.send(request).await?.accepted()?;
        Ok(answer.read::<Restarted>()?.id)
    }

    pub(super) async fn purge(&self, id: &str) -> Result<(), CliError> {
        let request = self.request(Method::DELETE, &["instances", id])?;
        self.send(request).await?.accepted().map(drop)
    }

    pub(super) async fn entities(
        &self,
        filter: &EntityFilter,
        page: PageOf,
    ) -> Result<Page<Entity>, CliError> {
        #[derive(Deserialize)]
        struct NameAndKey {
            name: String,
            key: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Listed {
            entity_id: NameAndKey,
            last_operation_time: DateTime<Utc>,
            state: Option<Value>,
        }
        let mut path = vec!["entities"];
        path.extend(filter.name.as_deref());
        let mut query = vec![
            ("top", page.size.to_string()),
            ("fetchState", page.with_content.to_string()),
        ];
        let times = [
            ("lastOperationTimeFrom", filter.last_operation_from),
            ("lastOperationTimeTo", filter.last_operation_to),
        ];
        let times = times.into_iter();
        query.extend(times.filter_map(|(name, at)| at.map(|at| (name, time::exact(at)))));
        let request = self.request(Method::GET, &path)?.query(&query);
        let (answer, token) = self.page(request, page.token).await?;
        let listed: Vec<Listed> = answer.read()?;
        let entity = |listed: Listed| Entity {
            id: EntityId::new(listed.entity_id.name, listed.entity_id.key),
            last_operation_time: listed.last_operation_time,
            locked_by: None,
            state: listed.state,
        };
        Ok(Page {
            items: listed.into_iter().map(entity).collect(),
            token,
        })
    }

    pub(super) async fn entity_state(&self, id: &EntityId) -> Result<Option<Value>, CliError> {
        let request = self.request(Method::GET, &["entities", id.name(), key(id)])?;
        let answer = self.send(request).await?;
        answer.found()?.map(|answer| answer.read()).transpose()
    }

    pub(super) async fn signal(
        &self,
        id: &EntityId,
        operation: &str,
        input: &RawValue,
        at: Option<DateTime<Utc>>,
    ) -> Result<(), CliError> {
        if at.is_some() {
            return Err(unknown_there("--at"));
        }
        let request = self.request(Method::POST, &["entities", id.name(), key(id)])?;
        let request = with_json(request.query(&[("op", operation)]), input);
        self.send(request).await?.accepted().map(drop)
    }

    /// A request to what has the address `path` below the base.
    fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, CliError> {
        if let Some(dots) = path.iter().find(|part| matches!(**part, "." | "..")) {
            return Err(CliError::usage(format!(
                "{dots:?} cannot stand in a URL: use --storage for that"
            )));
        }
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if let Some(hub) = &self.hub {
            url.query_pairs_mut().append_pair("taskHub", hub);
        }
        Ok(self.http.request(method, url))
    }

    /// A page of a list, and where the next one begins.
    async fn page(
        &self,
        request: RequestBuilder,
        token: Option<String>,
    ) -> Result<(Answer, Option<String>), CliError> {
        let request = match token {
            Some(token) => request.header(CONTINUATION_TOKEN, token),
            None => request,
        };
        let answer = self.send(request).await?.accepted()?;
        let token = answer.token.clone();
        Ok((answer, token))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, CliError> {
        let failed = |error| self.unreachable(error);
        let response = request.send().await.map_err(failed)?;
        let token = response.headers().get(CONTINUATION_TOKEN);
        let token = token.and_then(|token| token.to_str().ok());
        let token = token.filter(|token| !token.is_empty()).map(str::to_owned);
        Ok(Answer {
            status: response.status(),
            token,
            body: response.bytes().await.map_err(failed)?.into(),
            origin: self.base.origin().ascii_serialization(),
        })
    }

    fn unreachable(&self, error: reqwest::Error) -> CliError {
        let origin = self.base.origin().ascii_serialization();
        if error.is_timeout() && !error.is_connect() {
            return CliError::new(Code::Timeout, format!("{origin} gives no answer in time"))
                .hint("allow more time with --timeout");
        }
        // The URL may hold what is not for logs.
        let reason = chain(&error.without_url());
        CliError::new(Code::NoHost, format!("nothing answers at {origin}: {reason}")).hint(
            "start a host that serves HTTP there, name another one with --url, or work on its storage \
             file with --storage",
        )
    }
}

fn parse(url: &str) -> Result<Url, CliError> {
    let wrong = |what: &str| {
        CliError::usage(format!(
            "--url {url:?} {what}: give one such as http://127.0.0.1:7071"
        ))
    };
    let parsed = Url::parse(url).map_err(|error| wrong(&format!("is no URL ({error})")))?;
    match parsed.scheme() {
        "http" | "https" if parsed.has_host() => Ok(parsed),
        _ => Err(wrong("is not one of http or https")),
    }
}

/// Whether it means this machine, which a proxy would take for itself.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let address = address.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback())
}

fn with_json(request: RequestBuilder, json: &RawValue) -> RequestBuilder {
    request
        .header(CONTENT_TYPE, "application/json")
        .body(json.get().to_owned())
}

fn key(id: &EntityId) -> &str {
    if id.key().is_empty() {
        EMPTY_KEY
    } else {
        id.key()
    }
}

/// The management API has no place for it.
fn unknown_there(option: &str) -> CliError {
    CliError::usage(format!(
        "{option} cannot be used with --url: the management API has no such thing"
    ))
    .hint("work on the storage file of the host with --storage")
}

/// What an error says, with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}
