//! The settings of Durable Functions in `host.json`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use durable_runtime::host::{DurableHostBuilder, HostError, HostOptions};
use durable_runtime::prelude::*;
use durable_runtime::storage::Memory;

use crate::fixture::Log;
use crate::process::Site;

/// How many activities run now, and how many did at most.
#[derive(Debug, Default)]
struct Crowd {
    now: AtomicU32,
    most: AtomicU32,
}

#[activity]
async fn mingle(State(crowd): State<Arc<Crowd>>) -> Result<()> {
    let now = crowd.now.fetch_add(1, Ordering::SeqCst) + 1;
    crowd.most.fetch_max(now, Ordering::SeqCst);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    crowd.now.fetch_sub(1, Ordering::SeqCst);
    Ok(())
}

#[orchestrator]
async fn party(ctx: OrchestrationContext) -> Result<()> {
    when_all((0..10).map(|_| ctx.call_activity::<mingle>(()))).await?;
    Ok(())
}

fn write(site: &Site, text: &str) -> PathBuf {
    let path = site.file("host.json");
    std::fs::write(&path, text).unwrap();
    path
}

fn section(site: &Site, properties: &str) -> PathBuf {
    let text =
        format!(r#"{{"version": "2.0", "extensions": {{"durableTask": {{{properties}}}}}}}"#);
    write(site, &text)
}

/// How many of ten activities ran at the same time, in the hub `hub`.
async fn most_at_once(
    configure: impl FnOnce(DurableHostBuilder) -> DurableHostBuilder,
    hub: &str,
) -> u32 {
    let (storage, crowd) = (Memory::new(), Arc::new(Crowd::default()));
    let builder = DurableHost::builder()
        .storage(storage.clone())
        .state(Arc::clone(&crowd))
        .without_discovery()
        .register::<mingle>()
        .register::<party>();
    let host = configure(builder).start().await.unwrap();
    let run = host.client().start_new::<party>(()).await.unwrap();
    run.output().await.unwrap();
    let query = DurableClient::connect(storage, hub).unwrap();
    assert!(
        query.get_status(run.id()).await.unwrap().is_some(),
        "not in {hub}"
    );
    host.shutdown().await.unwrap();
    crowd.most.load(Ordering::SeqCst)
}

const ONE_IN_A_HUB: &str = r#""hubName": "FromFile", "maxConcurrentActivityFunctions": 1"#;

#[tokio::test]
async fn its_settings_take_effect() {
    let site = Site::new();
    let path = section(&site, ONE_IN_A_HUB);
    let configure = |builder: DurableHostBuilder| {
        let before = builder.task_hub("Before").options(HostOptions::default());
        before.host_json(&path)
    };
    assert_eq!(most_at_once(configure, "FromFile").await, 1);
}

// The later call counts.
#[tokio::test]
async fn what_is_set_afterwards_counts() {
    let site = Site::new();
    let path = section(&site, ONE_IN_A_HUB);
    let configure = |builder: DurableHostBuilder| {
        let before = builder.host_json(&path).task_hub("After");
        before.options(HostOptions::default())
    };
    assert!(most_at_once(configure, "After").await > 1);
}

async fn refused(path: &Path) -> String {
    let started = DurableHost::builder()
        .storage(Memory::new())
        .without_discovery()
        .host_json(path)
        .start();
    let error = started.await.unwrap_err();
    assert!(matches!(error, HostError::HostJson { .. }), "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_file_that_cannot_be_used_keeps_the_host_from_starting() {
    let site = Site::new();
    let absent = site.file("absent.json");
    let message = refused(&absent).await;
    assert!(message.starts_with(&format!("{}: ", absent.display())));
    assert!(message.contains("cannot be read"), "{message}");
    for (text, expected) in [
        (
            "{\n  \"extensions\": ",
            "this is not JSON: EOF while parsing a value at line 2",
        ),
        ("null", "the file must be a JSON object"),
    ] {
        let message = refused(&write(&site, text)).await;
        assert!(message.contains("host.json: "), "{message}");
        assert!(message.contains(expected), "{message}");
    }
    for (properties, expected) in [
        (
            r#""maxConcurrentActivityFunctions": "ten""#,
            "`extensions.durableTask.maxConcurrentActivityFunctions` must be a whole number",
        ),
        (
            r#""hubName": "%A_VARIABLE_THAT_NOBODY_SETS%""#,
            "the environment variable \"A_VARIABLE_THAT_NOBODY_SETS\", which is not set",
        ),
        (r#""hubName": "not a name""#, "\"not a name\" is not valid"),
    ] {
        let message = refused(&section(&site, properties)).await;
        assert!(message.contains("host.json: "), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn what_has_no_effect_is_logged() {
    let site = Site::new();
    let path = section(
        &site,
        r#""maxConcurentActivityFunctions": 1,
           "useGracefulShutdown": true,
           "storageProvider": {"connectionStringName": "AzureWebJobsStorage"}"#,
    );
    let log = Log::default();
    let builder = tracing::subscriber::with_default(log.subscriber(), || {
        DurableHost::builder()
            .storage(Memory::new())
            .host_json(&path)
    });
    let host = builder.without_discovery().start().await.unwrap();
    host.shutdown().await.unwrap();
    let text = log.text();
    let lines: Vec<_> = text.lines().collect();
    let [warning, info] = lines[..] else {
        panic!("two lines: {text}");
    };
    assert!(warning.contains("WARN"), "{warning}");
    assert!(
        warning.contains(
            "`extensions.durableTask.maxConcurentActivityFunctions` is not known; did you mean \
             `maxConcurrentActivityFunctions`?"
        ),
        "{warning}"
    );
    assert!(info.contains("INFO"), "{info}");
    assert!(
        info.contains("no effect here: storageProvider.connectionStringName, useGracefulShutdown"),
        "{info}"
    );
    for line in [warning, info] {
        assert!(line.contains(path.to_str().unwrap()), "{line}");
    }
}
