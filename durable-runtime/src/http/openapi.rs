//! The `OpenAPI` document of the management API, made of the table of routes.

use serde_json::{Map, Value, json};

use super::BASE;
use super::routes::Route;
use super::table::ROUTES;

/// A parameter in the query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) about: &'static str,
}

/// What the text of a parameter is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    Flag,
    Count,
    Seconds,
    Time,
    Statuses,
}

/// What the body of a request is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    None,
    Json,
    JsonOrText,
}

/// An answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) about: &'static str,
    pub(super) body: Body,
}

/// What the body of an answer is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body {
    None,
    Any,
    Error,
    ManagementUrls,
    Status,
    Statuses,
    Purged,
    Entities,
    Health,
}

/// What may stand in the query of every request.
const EVERYWHERE: [Parameter; 3] = [
    Parameter {
        name: "taskHub",
        kind: Kind::Text,
        about: "The task hub, which must be the one that is served here.",
    },
    Parameter {
        name: "connection",
        kind: Kind::Text,
        about: "The connection, which must be `Storage` or `AzureWebJobsStorage`: there is one.",
    },
    Parameter {
        name: "code",
        kind: Kind::Text,
        about: "The system key, where one is needed; or in the header `x-functions-key`.",
    },
];

/// The document.
pub(super) fn document() -> Value {
    let mut paths = Map::new();
    for route in &ROUTES {
        let path = format!("{BASE}{}", route.path);
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Durable Functions management API",
            "version": "2.0",
            "description": "Starts, watches and steers orchestrations and entities.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "code": { "type": "apiKey", "in": "query", "name": "code" },
                "key": { "type": "apiKey", "in": "header", "name": "x-functions-key" },
            },
        },
        "security": [{ "code": [] }, { "key": [] }, {}],
    })
}

fn operation(route: &Route) -> Value {
    let in_path = route.segments().map(|name| {
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    });
    let in_query = EVERYWHERE.iter().chain(route.query).map(|parameter| {
        json!({
            "name": parameter.name,
            "in": "query",
            "description": parameter.about,
            "schema": parameter.kind.schema(),
        })
    });
    let answers = route.answers.iter().map(|answer| {
        let mut value = json!({ "description": answer.about });
        if let Some(schema) = answer.body.schema() {
            value["content"] = json!({ "application/json": { "schema": schema } });
        }
        (answer.status.to_string(), value)
    });
    let mut answers: Map<String, Value> = answers.collect();
    answers.insert("default".to_owned(), json!({
        "description": "Any other error: the request is malformed (400), has no right key (401), is \
                        too large (413) or too slow (408), or the host is busy (503).",
        "content": { "application/json": { "schema": Body::Error.schema() } },
    }));
    let mut operation = json!({
        "operationId": id(route),
        "summary": route.summary,
        "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
        "responses": answers,
    });
    let content = match route.content {
        Content::None => return operation,
        Content::Json => json!({ "application/json": { "schema": {} } }),
        Content::JsonOrText => json!({
            "application/json": { "schema": {} },
            "text/plain": { "schema": { "type": "string" } },
        }),
    };
    operation["requestBody"] = json!({ "required": false, "content": content });
    operation
}

/// The name of the operation; a second route to it has the names of its segments too.
fn id(route: &Route) -> String {
    let mut id = format!("{:?}", route.operation);
    let is_first = ROUTES
        .iter()
        .find(|other| other.operation == route.operation);
    if is_first.is_some_and(|first| first.path != route.path) {
        for name in route.segments() {
            id.push('_');
            id.push_str(name);
        }
    }
    id
}

impl Kind {
    fn schema(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Count => json!({ "type": "integer", "minimum": 1 }),
            Self::Seconds => json!({ "type": "number", "minimum": 0 }),
            Self::Time => json!({ "type": "string", "format": "date-time" }),
            Self::Statuses => json!({ "type": "string", "example": "Running,Failed" }),
        }
    }
}

impl Body {
    fn schema(self) -> Option<Value> {
        let named = |name| Some(json!({ "$ref": format!("#/components/schemas/{name}") }));
        let list = |name| {
            let item = json!({ "$ref": format!("#/components/schemas/{name}") });
            Some(json!({ "type": "array", "items": item }))
        };
        match self {
            Self::None => None,
            Self::Any => Some(json!({})),
            Self::Error => named("Error"),
            Self::ManagementUrls => named("ManagementUrls"),
            Self::Status => named("Status"),
            Self::Statuses => list("Status"),
            Self::Purged => named("Purged"),
            Self::Entities => list("Entity"),
            Self::Health => named("Health"),
        }
    }
}

fn schemas() -> Value {
    let text = || json!({ "type": "string" });
    let texts = |names: &[&str]| -> Map<String, Value> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), text()))
            .collect()
    };
    let urls = texts(&[
        "id",
        "statusQueryGetUri",
        "sendEventPostUri",
        "terminatePostUri",
        "rewindPostUri",
        "purgeHistoryDeleteUri",
        "restartPostUri",
        "suspendPostUri",
        "resumePostUri",
    ]);
    let statuses = crate::model::RuntimeStatus::ALL.map(crate::model::RuntimeStatus::as_str);
    json!({
        "Error": {
            "type": "object",
            "properties": texts(&["error", "Message", "ExceptionMessage"]),
            "required": ["error", "Message", "ExceptionMessage"],
        },
        "ManagementUrls": { "type": "object", "properties": urls },
        "Status": {
            "type": "object",
            "properties": {
                "name": text(),
                "instanceId": text(),
                "runtimeStatus": { "type": "string", "enum": statuses },
                "input": {},
                "customStatus": {},
                "output": {},
                "createdTime": { "type": "string", "format": "date-time" },
                "lastUpdatedTime": { "type": "string", "format": "date-time" },
                "version": text(),
                "historyEvents": { "type": "array", "items": { "type": "object" } },
            },
            "required": [
                "name", "instanceId", "runtimeStatus", "input", "customStatus", "output",
                "createdTime", "lastUpdatedTime",
            ],
        },
        "Purged": {
            "type": "object",
            "properties": { "instancesDeleted": { "type": "integer" } },
            "required": ["instancesDeleted"],
        },
        "Entity": {
            "type": "object",
            "properties": {
                "entityId": { "type": "object", "properties": texts(&["name", "key"]) },
                "lastOperationTime": { "type": "string", "format": "date-time" },
                "state": {},
            },
            "required": ["entityId", "lastOperationTime"],
        },
        "Health": { "type": "object", "properties": texts(&["status", "taskHub"]) },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own_and_answers() {
        let ids: BTreeSet<String> = ROUTES.iter().map(id).collect();
        assert_eq!(ids.len(), ROUTES.len());
        for route in &ROUTES {
            assert!(!route.answers.is_empty(), "{}", route.path);
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn check(value: &Value, document: &Value) {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            match value {
                Value::Object(fields) => fields.values().for_each(|field| check(field, document)),
                Value::Array(items) => items.iter().for_each(|item| check(item, document)),
                _ => {}
            }
        }
        let document = document();
        check(&document, &document);
    }
}
