//! The statuses of many instances: rules 11 and 42.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Site};

const TOKEN: &str = "x-ms-continuation-token";

/// Instances `echo-000` and so on that have ended.
async fn site_with(count: usize) -> Site {
    let site = Site::new().await;
    for number in 0..count {
        let started = site.client().start_new_by_name("echo", number);
        let run = started
            .instance_id(format!("echo-{number:03}"))
            .await
            .unwrap();
        run.output().await.unwrap();
    }
    site
}

fn ids(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let listed = body.as_array().expect("an array");
    let id = |status: &Value| status["instanceId"].as_str().unwrap().to_owned();
    listed.iter().map(id).collect()
}

/// All pages, one after the other.
async fn pages(site: &Site, path: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let mut request = site.request(Method::GET, path);
        if let Some(token) = token {
            request = request.header(TOKEN, token);
        }
        let answer = Answer::of(request).await.expect(StatusCode::OK);
        pages.push(ids(&answer));
        token = answer.header(TOKEN).map(str::to_owned);
        if token.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn pages_follow_on_each_other() {
    let site = site_with(230).await;
    for path in ["/instances", "/instances/"] {
        let pages = pages(&site, path).await;
        let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
        assert_eq!(sizes, [100, 100, 30], "{path}");
        let all: Vec<_> = pages.concat();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 230);
        assert!(all.is_sorted(), "in the order of their creation");
    }
    for (top, sizes) in [
        (77, vec![77, 77, 76]),
        (229, vec![229, 1]),
        (1_000, vec![230]),
    ] {
        let pages = pages(&site, &format!("/instances?top={top}")).await;
        assert_eq!(
            pages.iter().map(Vec::len).collect::<Vec<_>>(),
            sizes,
            "{top}"
        );
    }
}

#[tokio::test]
async fn a_list_without_any_is_empty() {
    let site = Site::new().await;
    let answer = site.get("/instances").await.expect(StatusCode::OK);
    assert_eq!(answer.header(TOKEN), None);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json(), json!([]));
}

#[tokio::test]
async fn every_filter_filters() {
    let site = site_with(3).await;
    site.waiting("waits").await;
    site.ended("hello", "failed", "\"nobody\"").await;
    let found = async |query: &str| -> BTreeSet<String> {
        let answer = site
            .get(&format!("/instances?{query}"))
            .await
            .expect(StatusCode::OK);
        ids(&answer).into_iter().collect()
    };
    let set = |ids: &[&str]| {
        ids.iter()
            .map(|id| (*id).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let all = set(&["echo-000", "echo-001", "echo-002", "failed", "waits"]);
    assert_eq!(found("").await, all);
    assert_eq!(
        found("instanceIdPrefix=echo-").await,
        set(&["echo-000", "echo-001", "echo-002"])
    );
    assert_eq!(
        found("runtimeStatus=Running,Failed").await,
        set(&["failed", "waits"])
    );
    assert_eq!(
        found("runtimeStatus=running&runtimeStatus=Pending").await,
        set(&["waits"])
    );
    assert_eq!(found("runtimeStatus=Canceled").await, set(&[]));
    assert_eq!(
        found("runtimeStatus=Canceled,Failed").await,
        set(&["failed"])
    );
    let created = |id: &str| {
        let status = site.client().get_status(id.to_owned());
        async move { status.await.unwrap().unwrap().created_time }
    };
    let second = created("echo-001")
        .await
        .format("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string();
    let until = found(&format!("createdTimeTo={second}")).await;
    assert_eq!(until, set(&["echo-000", "echo-001"]));
    let from = found(&format!("createdTimeFrom={second}&instanceIdPrefix=echo")).await;
    assert_eq!(from, set(&["echo-001", "echo-002"]));
    assert_eq!(found("createdTimeFrom=1-01-01T00:00:00Z").await, all);
    assert_eq!(found("createdTimeFrom=9999-12-31").await, set(&[]));
}

#[tokio::test]
async fn entries_are_statuses() {
    let site = site_with(1).await;
    let entry = |body: Value| body[0].clone();
    let shown = entry(site.get("/instances").await.json());
    assert_eq!(shown, site.get("/instances/echo-000").await.json());
    let hidden = entry(site.get("/instances?showInput=False").await.json());
    assert_eq!(hidden["input"], Value::Null);
    assert_eq!(hidden["output"], 0);
}

/// A page has an end in bytes too, lest one request takes all memory.
#[tokio::test]
async fn a_page_of_large_instances_ends_sooner() {
    let site = Site::new().await;
    let large = "x".repeat(1 << 20);
    for number in 0..60 {
        let run = site.client().start_new_by_name("echo", &large);
        run.instance_id(format!("large-{number:02}")).await.unwrap();
    }
    let pages = pages(&site, "/instances?top=1000").await;
    assert_eq!(pages.concat().len(), 60);
    assert!(pages.len() > 1, "{} pages", pages.len());
}

#[tokio::test]
async fn wrong_parameters_are_refused() {
    let site = site_with(1).await;
    for (query, part) in [
        ("top=0", "top"),
        ("top=-1", "top"),
        ("top=many", "top"),
        ("showInput=1", "showInput"),
        ("createdTimeFrom=yesterday", "createdTimeFrom"),
        ("createdTimeTo=2030-02-30", "createdTimeTo"),
        ("runtimeStatus=Finished", "Finished"),
    ] {
        let answer = site.get(&format!("/instances?{query}")).await;
        answer.expect_error(StatusCode::BAD_REQUEST, part);
    }
    for token in ["damaged", "AAAA"] {
        let request = site.request(Method::GET, "/instances").header(TOKEN, token);
        let answer = Answer::of(request).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "continuation token");
    }
    let request = site
        .request(Method::GET, "/instances")
        .header(TOKEN, &b"\xff\xfe"[..]);
    Answer::of(request)
        .await
        .expect_error(StatusCode::BAD_REQUEST, "continuation token");
    let request = site.request(Method::GET, "/instances").header(TOKEN, "");
    assert_eq!(
        ids(&Answer::of(request).await).len(),
        1,
        "an empty one is none"
    );
}
