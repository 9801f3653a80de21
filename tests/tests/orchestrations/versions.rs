//! Versions of orchestrators: which one an instance gets, and who runs it.

use durable_runtime::Failure;
use durable_runtime::client::{ClientError, InstanceQuery, OrchestrationStatus, RuntimeStatus};
use durable_runtime::host::{DurableHostBuilder, HostOptions, VersionMatch, VersionMismatch};
use durable_runtime::prelude::*;
use durable_runtime::storage::Memory;

use crate::support::{LONG, within};

fn said(code: &str, ctx: &OrchestrationContext) -> String {
    format!("{code} runs {}", ctx.version().unwrap_or("none"))
}

/// The versions of an order, in the order of what was deployed.
mod orders {
    use super::*;

    #[orchestrator(name = "order", version = "1.9")]
    pub(super) async fn first(ctx: OrchestrationContext) -> Result<String> {
        ctx.wait_for_external_event::<()>("go").await?;
        Ok(said("1.9", &ctx))
    }

    #[orchestrator(name = "order", version = "1.10")]
    pub(super) async fn second(ctx: OrchestrationContext) -> Result<String> {
        ctx.wait_for_external_event::<()>("go").await?;
        Ok(said("1.10", &ctx))
    }

    #[orchestrator(name = "order")]
    pub(super) async fn of_any_version(ctx: OrchestrationContext) -> Result<String> {
        ctx.wait_for_external_event::<()>("go").await?;
        Ok(said("any", &ctx))
    }
}

type Registered = fn(DurableHostBuilder) -> DurableHostBuilder;

const FIRST: Registered = DurableHostBuilder::register::<orders::first>;
const SECOND: Registered = DurableHostBuilder::register::<orders::second>;
const ANY: Registered = DurableHostBuilder::register::<orders::of_any_version>;
const BOTH: Registered = |host| SECOND(FIRST(host));

async fn host(storage: &Memory, options: HostOptions, registered: Registered) -> DurableHost {
    let host = DurableHost::builder()
        .without_discovery()
        .storage(storage.clone())
        .options(HostOptions {
            replay_check: true,
            ..options
        });
    within(registered(host).start()).await.expect("it starts")
}

fn default_version(version: &str) -> HostOptions {
    HostOptions {
        default_version: Some(version.to_owned()),
        ..HostOptions::default()
    }
}

fn matching(version_match: VersionMatch) -> HostOptions {
    HostOptions {
        version_match,
        ..HostOptions::default()
    }
}

async fn stop(host: DurableHost) {
    within(host.shutdown()).await.expect("a clean end");
}

/// Starts an order on a host that has the code, until it waits.
async fn start(host: &DurableHost, id: &str, version: Option<&str>) {
    let start = host.client().start_new_by_name("order", ()).instance_id(id);
    let start = match version {
        Some(version) => start.version(version),
        None => start,
    };
    within(start).await.expect("it is started");
    let waits = async {
        while status(host, id).await.runtime_status != RuntimeStatus::Running {
            tokio::task::yield_now().await;
        }
    };
    within(waits).await;
}

async fn status(host: &DurableHost, id: &str) -> OrchestrationStatus {
    let status = within(host.client().get_status(id)).await.unwrap();
    status.expect("it is there")
}

async fn go(host: &DurableHost, id: &str) {
    within(host.client().raise_event(id, "go", ()))
        .await
        .expect("it is taken");
}

/// Lets an order go on, and waits for its output.
async fn output(host: &DurableHost, id: &str) -> String {
    go(host, id).await;
    let ended = within(host.client().wait_for_completion(id, LONG))
        .await
        .unwrap();
    assert_eq!(ended.runtime_status, RuntimeStatus::Completed, "{ended:?}");
    ended.output_as().expect("an output")
}

// Rule 22: a start takes the version given, else the highest registered, as numbers; status and lists
// show it.
#[tokio::test]
async fn a_start_takes_the_version_given_else_the_highest() {
    let host = host(&Memory::new(), HostOptions::default(), BOTH).await;
    start(&host, "given", Some("1.9")).await;
    start(&host, "highest", None).await;
    assert_eq!(status(&host, "given").await.version.as_deref(), Some("1.9"));
    assert_eq!(output(&host, "given").await, "1.9 runs 1.9");
    assert_eq!(output(&host, "highest").await, "1.10 runs 1.10");
    let client = host.client();
    let page = within(client.list_instances(InstanceQuery::new()))
        .await
        .unwrap();
    let versions = page.instances.iter().map(|found| found.version.as_deref());
    assert_eq!(versions.collect::<Vec<_>>(), [Some("1.9"), Some("1.10")]);
    stop(host).await;
}

// Rule 22: before the highest goes the default of the host, and before that the version given.
#[tokio::test]
async fn a_start_takes_the_default_of_the_host() {
    let host = host(&Memory::new(), default_version("1.9"), BOTH).await;
    start(&host, "default", None).await;
    start(&host, "given", Some("1.10")).await;
    assert_eq!(output(&host, "default").await, "1.9 runs 1.9");
    assert_eq!(output(&host, "given").await, "1.10 runs 1.10");
    stop(host).await;
}

// Rule 22: a default that cannot be run is an error of the start, not another version.
#[tokio::test]
async fn a_default_without_code_is_an_error() {
    let host = host(&Memory::new(), default_version("3.0"), BOTH).await;
    let start = host.client().start_new_by_name("order", ());
    let Err(ClientError::UnknownOrchestrator { message }) = within(start).await else {
        panic!("it was started");
    };
    assert_eq!(
        message,
        "orchestrator \"order\" is not registered in version \"3.0\", the default of the host; \
         registered: 1.9, 1.10"
    );
    stop(host).await;
}

// Rule 22: code that declares no version is there, but not in the version that is wanted.
#[tokio::test]
async fn a_version_of_code_without_one_is_an_error() {
    let host = host(&Memory::new(), HostOptions::default(), ANY).await;
    let start = host.client().start_new_by_name("order", ()).version("9");
    let Err(ClientError::UnknownOrchestrator { message }) = within(start).await else {
        panic!("it was started");
    };
    assert_eq!(
        message,
        "orchestrator \"order\" is not registered in version \"9\"; registered: without a version"
    );
    stop(host).await;
}

// Rule 22: code that declares no version runs the default of the host, and instances from before there was one.
#[tokio::test]
async fn code_without_a_version_has_the_default_of_the_host() {
    let storage = Memory::new();
    let before = host(&storage, HostOptions::default(), ANY).await;
    start(&before, "before", None).await;
    stop(before).await;
    let after = host(&storage, default_version("2.0"), ANY).await;
    start(&after, "after", None).await;
    assert_eq!(output(&after, "before").await, "any runs none");
    assert_eq!(output(&after, "after").await, "any runs 2.0");
    stop(after).await;
}

// Rule 22: an instance stays on its version for life, whatever becomes the highest or the default.
#[tokio::test]
async fn an_instance_stays_on_its_version() {
    let storage = Memory::new();
    let old = host(&storage, HostOptions::default(), FIRST).await;
    start(&old, "order", None).await;
    stop(old).await;
    let both = host(&storage, default_version("1.10"), BOTH).await;
    assert_eq!(output(&both, "order").await, "1.9 runs 1.9");
    stop(both).await;
}

// Rule 22: a worker that lacks the version leaves the instance alone, and takes what is for it; one that has
// the version goes on.
#[tokio::test]
async fn a_worker_without_the_version_leaves_the_instance_alone() {
    let storage = Memory::new();
    let old = host(&storage, HostOptions::default(), FIRST).await;
    start(&old, "order", None).await;
    start(&old, "stopped", None).await;
    stop(old).await;
    let new = host(&storage, HostOptions::default(), SECOND).await;
    go(&new, "order").await;
    // Another instance goes its way meanwhile.
    start(&new, "new", None).await;
    assert_eq!(output(&new, "new").await, "1.10 runs 1.10");
    let left = status(&new, "order").await;
    assert!(!left.runtime_status.has_ended(), "{left:?}");
    // An operator can still end it.
    within(new.client().terminate("stopped", "not needed"))
        .await
        .unwrap();
    let stopped = status(&new, "stopped").await;
    assert_eq!(stopped.runtime_status, RuntimeStatus::Terminated);
    stop(new).await;
    let both = host(&storage, HostOptions::default(), BOTH).await;
    let ended = within(both.client().wait_for_completion("order", LONG))
        .await
        .unwrap();
    assert_eq!(ended.output, Some("1.9 runs 1.9".into()));
    stop(both).await;
}

// Rule 22: the host can be told to fail it instead, once there is something for it to do; a rewind where the version is takes it up again.
#[tokio::test]
async fn a_mismatch_can_fail_the_instance() {
    let storage = Memory::new();
    let old = host(&storage, HostOptions::default(), FIRST).await;
    start(&old, "order", None).await;
    start(&old, "held", None).await;
    within(old.client().suspend("held", "for a while"))
        .await
        .unwrap();
    stop(old).await;
    let options = HostOptions {
        on_mismatch: VersionMismatch::Fail,
        ..HostOptions::default()
    };
    let new = host(&storage, options, SECOND).await;
    go(&new, "order").await;
    let ended = within(new.client().wait_for_completion("order", LONG))
        .await
        .unwrap();
    let failure = ended.failure.expect("it has failed");
    assert_eq!(failure.error_type(), Failure::VERSION_MISMATCH);
    let message = failure.message();
    let wanted = "orchestrator \"order\" is not registered in version \"1.9\"; registered: 1.10";
    assert!(message.starts_with(wanted), "{message}");
    // What an operator holds is not touched, until it would run.
    assert_eq!(
        status(&new, "held").await.runtime_status,
        RuntimeStatus::Suspended
    );
    within(new.client().resume("held", "enough")).await.unwrap();
    let held = within(new.client().wait_for_completion("held", LONG))
        .await
        .unwrap();
    assert_eq!(held.runtime_status, RuntimeStatus::Failed);
    stop(new).await;
    let both = host(&storage, HostOptions::default(), BOTH).await;
    within(both.client().rewind("order", "the version is back"))
        .await
        .unwrap();
    let ended = within(both.client().wait_for_completion("order", LONG))
        .await
        .unwrap();
    assert_eq!(ended.output, Some("1.9 runs 1.9".into()));
    stop(both).await;
}

// Rule 22: that holds for what another worker has left alone, too.
#[tokio::test]
async fn a_mismatch_fails_what_was_left_alone() {
    let storage = Memory::new();
    let old = host(&storage, HostOptions::default(), FIRST).await;
    start(&old, "order", None).await;
    stop(old).await;
    let patient = host(&storage, HostOptions::default(), SECOND).await;
    go(&patient, "order").await;
    stop(patient).await;
    let options = HostOptions {
        on_mismatch: VersionMismatch::Fail,
        ..HostOptions::default()
    };
    let strict = host(&storage, options, SECOND).await;
    let ended = within(strict.client().wait_for_completion("order", LONG))
        .await
        .unwrap();
    assert_eq!(
        ended.failure.unwrap().error_type(),
        Failure::VERSION_MISMATCH
    );
    stop(strict).await;
}

// Rule 22: with `CurrentOrOlder` newer code runs older instances, which keep their version, and not newer ones.
#[tokio::test]
async fn newer_code_can_run_older_instances() {
    let storage = Memory::new();
    let options = || matching(VersionMatch::CurrentOrOlder);
    let old = host(&storage, options(), FIRST).await;
    start(&old, "order", None).await;
    stop(old).await;
    let new = host(&storage, options(), SECOND).await;
    assert_eq!(output(&new, "order").await, "1.10 runs 1.9");
    start(&new, "new", None).await;
    stop(new).await;
    let old = host(&storage, options(), FIRST).await;
    go(&old, "new").await;
    start(&old, "old", None).await;
    assert_eq!(output(&old, "old").await, "1.9 runs 1.9");
    assert!(!status(&old, "new").await.runtime_status.has_ended());
    stop(old).await;
}

// Rule 22: with `None` any code runs any instance.
#[tokio::test]
async fn versions_can_be_ignored() {
    let storage = Memory::new();
    let new = host(&storage, HostOptions::default(), SECOND).await;
    start(&new, "order", None).await;
    stop(new).await;
    let old = host(&storage, matching(VersionMatch::None), FIRST).await;
    assert_eq!(output(&old, "order").await, "1.9 runs 1.10");
    stop(old).await;
}

mod generations {
    use super::*;

    #[orchestrator(name = "generations", version = "1.0")]
    pub(super) async fn old(ctx: OrchestrationContext, input: u32) -> Result<String> {
        match input {
            0 => ctx.continue_as_new(1u32),
            1 => ctx.continue_as_new(2u32).with_version("2.0"),
            _ => Ok(said("1.0", &ctx)),
        }
    }

    #[orchestrator(name = "generations", version = "2.0")]
    pub(super) async fn new(ctx: OrchestrationContext, input: u32) -> Result<String> {
        Ok(format!("{} with {input}", said("2.0", &ctx)))
    }
}

// Rule 22: an instance stays on its version over continue-as-new, unless it names another; that may come
// with a worker that is still to be deployed.
#[tokio::test]
async fn continue_as_new_stays_on_the_version_or_names_another() {
    let storage = Memory::new();
    let old: Registered = DurableHostBuilder::register::<generations::old>;
    let first = host(&storage, HostOptions::default(), old).await;
    let start = first
        .client()
        .start_new_by_name("generations", 0)
        .instance_id("g");
    within(start).await.unwrap();
    let on_second = async {
        while status(&first, "g").await.version.as_deref() != Some("2.0") {
            tokio::task::yield_now().await;
        }
    };
    within(on_second).await;
    assert!(!status(&first, "g").await.runtime_status.has_ended());
    stop(first).await;
    let both = host(&storage, default_version("1.0"), |host| {
        host.register::<generations::old>()
            .register::<generations::new>()
    })
    .await;
    let ended = within(both.client().wait_for_completion("g", LONG))
        .await
        .unwrap();
    assert_eq!(ended.output, Some("2.0 runs 2.0 with 2".into()));
    assert_eq!(ended.version.as_deref(), Some("2.0"));
    stop(both).await;
}

mod children {
    use super::*;

    #[orchestrator(name = "child", version = "1.0")]
    pub(super) async fn old(ctx: OrchestrationContext) -> Result<String> {
        Ok(said("1.0", &ctx))
    }

    #[orchestrator(name = "child", version = "2.0")]
    pub(super) async fn new(ctx: OrchestrationContext) -> Result<String> {
        Ok(said("2.0", &ctx))
    }

    #[orchestrator(version = "1.0")]
    pub(super) async fn calls_children(
        ctx: OrchestrationContext,
        version: Option<String>,
    ) -> Result<String> {
        let child = ctx.call_sub_orchestrator_by_name::<String>("child", ());
        let child = match version {
            Some(version) => child.version(version),
            None => child,
        };
        Ok(child.await?)
    }
}

async fn child(options: HostOptions, version: Option<&str>) -> Result<String, ClientError> {
    let host = host(&Memory::new(), options, |host| {
        host.register::<children::old>()
            .register::<children::new>()
            .register::<children::calls_children>()
    })
    .await;
    let version = version.map(str::to_owned);
    let run = host.client().start_new::<children::calls_children>(version);
    let output = within(within(run).await?.output()).await;
    stop(host).await;
    output
}

// Rule 22: a sub-orchestration takes the version of the call, else what any start takes, and not that of
// its parent; a version that is not there fails the call.
#[tokio::test]
async fn sub_orchestrations_take_versions() {
    let highest = child(HostOptions::default(), None).await.unwrap();
    assert_eq!(highest, "2.0 runs 2.0");
    let given = child(HostOptions::default(), Some("1.0")).await.unwrap();
    assert_eq!(given, "1.0 runs 1.0");
    let default = child(default_version("1.0"), None).await.unwrap();
    assert_eq!(default, "1.0 runs 1.0");
    match child(HostOptions::default(), Some("9.0")).await {
        Err(ClientError::Failed(failure)) => {
            let message = failure.to_string();
            assert!(
                message.contains("version \"9.0\"; registered: 1.0, 2.0"),
                "{message}"
            );
        }
        other => panic!("{other:?}"),
    }
}
