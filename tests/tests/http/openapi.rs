//! The document of the management API agrees with what is there.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{Answer, BASE, Site};

/// The paths of the document below the base, each with its methods.
pub(crate) fn routes(document: &Value) -> Vec<(String, BTreeSet<String>)> {
    let paths = document["paths"].as_object().unwrap();
    let route = |(path, methods): (&String, &Value)| {
        let path = path
            .strip_prefix(BASE)
            .expect("a path below the base")
            .to_owned();
        let methods = methods.as_object().unwrap().keys();
        (path, methods.map(|method| method.to_uppercase()).collect())
    };
    paths.iter().map(route).collect()
}

/// The names of the places in a path.
fn places(path: &str) -> BTreeSet<&str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .collect()
}

#[tokio::test]
async fn every_documented_route_is_there_and_no_other() {
    let site = Site::new().await;
    let document = site
        .get("/openapi.json")
        .await
        .expect(StatusCode::OK)
        .json();
    assert_eq!(document["openapi"], "3.0.3");
    let routes = routes(&document);
    for (path, documented) in &routes {
        let filled = path.replace(['{', '}'], "");
        for method in [
            Method::GET,
            Method::POST,
            Method::DELETE,
            Method::PUT,
            Method::PATCH,
        ] {
            let answer = Answer::of(site.request(method.clone(), &filled)).await;
            let is_there = !answer.text.contains("nothing at this path")
                && answer.status != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(
                documented.contains(method.as_str()),
                is_there,
                "{method} {path}"
            );
        }
    }
    let known: BTreeSet<_> = routes
        .iter()
        .map(|(path, _)| path.replace(['{', '}'], ""))
        .collect();
    let words = [
        "orchestrators",
        "instances",
        "entities",
        "health",
        "raiseEvent",
        "terminate",
        "x",
    ];
    for one in words {
        for two in words {
            for path in [
                format!("/{one}"),
                format!("/{one}/{two}"),
                format!("/{one}/x/{two}/x"),
            ] {
                let answer = site.get(&path).await;
                let is_nothing = answer.text.contains("nothing at this path");
                let pattern = known.iter().any(|known| same_shape(known, &path));
                assert_ne!(is_nothing, pattern, "{path}: {}", answer.text);
            }
        }
    }
}

/// Whether a path is one of a documented kind, in which the places have the names of parameters.
fn same_shape(known: &str, path: &str) -> bool {
    let parameters = [
        "functionName",
        "instanceId",
        "eventName",
        "entityName",
        "entityKey",
    ];
    let (known, path): (Vec<_>, Vec<_>) = (known.split('/').collect(), path.split('/').collect());
    known.len() == path.len()
        && known
            .iter()
            .zip(&path)
            .all(|(known, part)| parameters.contains(known) || known == part)
}

#[tokio::test]
async fn every_parameter_and_answer_is_described() {
    let site = Site::new().await;
    let document = site.get("/openapi.json").await.json();
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{id} twice");
            let parameters = operation["parameters"].as_array().unwrap();
            let within = |place: &str| -> BTreeSet<&str> {
                let found = parameters
                    .iter()
                    .filter(|parameter| parameter["in"] == place);
                found
                    .map(|parameter| parameter["name"].as_str().unwrap())
                    .collect()
            };
            assert_eq!(within("path"), places(path), "{method} {path}");
            assert!(within("query").is_superset(&BTreeSet::from([
                "taskHub",
                "connection",
                "code"
            ])));
            for parameter in parameters {
                assert!(parameter["schema"].is_object(), "{parameter}");
            }
            assert!(!operation["responses"].as_object().unwrap().is_empty());
        }
    }
}
