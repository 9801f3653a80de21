//! The settings of Durable Functions in `host.json`.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{HostError, HostOptions, VersionMatch, VersionMismatch};
use crate::model::TaskHubName;
use crate::registry::nearest;

/// What the section `extensions.durableTask` of a `host.json` says, as far as it has a meaning here.
#[derive(Debug, Default, PartialEq)]
pub(super) struct HostJson {
    pub(super) hub_name: Option<String>,
    /// Between two requests of a poll.
    pub(super) poll_interval: Option<Duration>,
    max_concurrent_activities: Option<usize>,
    max_concurrent_orchestrations: Option<usize>,
    max_entity_operation_batch_size: Option<usize>,
    partition_count: Option<u32>,
    keeps_instances: bool,
    idle_timeout: Option<Duration>,
    default_version: Option<String>,
    version_match: Option<VersionMatch>,
    on_mismatch: Option<VersionMismatch>,
    /// Known properties that have no meaning here.
    without_meaning: Vec<String>,
    /// Properties that nobody knows, each with the known one that is most like it.
    unknown: Vec<(String, Option<&'static str>)>,
}

/// A property below `extensions.durableTask`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Property {
    HubName,
    MaxActivities,
    MaxOrchestrations,
    MaxEntityBatch,
    PartitionCount,
    ExtendedSessions,
    SessionIdleTimeout,
    PollInterval,
    DefaultVersion,
    VersionMatch,
    VersionFailure,
    /// Has properties of its own.
    Group,
    /// What it sets there is not, or is always so, here.
    WithoutMeaning,
}

use Property::{Group, WithoutMeaning};

/// All documented properties, with those of the storage provider for Azure Storage.
const PROPERTIES: [(&str, Property); 54] = [
    ("hubName", Property::HubName),
    ("maxConcurrentActivityFunctions", Property::MaxActivities),
    (
        "maxConcurrentOrchestratorFunctions",
        Property::MaxOrchestrations,
    ),
    ("maxEntityOperationBatchSize", Property::MaxEntityBatch),
    ("extendedSessionsEnabled", Property::ExtendedSessions),
    (
        "extendedSessionIdleTimeoutInSeconds",
        Property::SessionIdleTimeout,
    ),
    ("storageProvider", Group),
    ("storageProvider.partitionCount", Property::PartitionCount),
    ("httpSettings", Group),
    (
        "httpSettings.defaultAsyncRequestSleepTimeMilliseconds",
        Property::PollInterval,
    ),
    ("httpSettings.useForwardedHost", WithoutMeaning),
    ("tracing", Group),
    ("tracing.allowVerboseLinuxTelemetry", WithoutMeaning),
    ("tracing.distributedTracingEnabled", WithoutMeaning),
    ("tracing.distributedTracingProtocol", WithoutMeaning),
    ("tracing.traceInputsAndOutputs", WithoutMeaning),
    ("tracing.traceReplayEvents", WithoutMeaning),
    ("tracing.version", WithoutMeaning),
    ("appLeaseOptions", WithoutMeaning),
    ("defaultVersion", Property::DefaultVersion),
    ("entityMessageReorderWindowInMinutes", WithoutMeaning),
    ("grpcHttpClientTimeout", WithoutMeaning),
    ("localRpcEndpointEnabled", WithoutMeaning),
    ("maxConcurrentEntityFunctions", WithoutMeaning),
    ("maxGrpcMessageSizeInBytes", WithoutMeaning),
    ("maxOrchestrationActions", WithoutMeaning),
    ("notificationUrl", WithoutMeaning),
    ("notifications", WithoutMeaning),
    ("overridableExistingInstanceStates", WithoutMeaning),
    ("rollbackEntityOperationsOnExceptions", WithoutMeaning),
    ("storeInputsInOrchestrationHistory", WithoutMeaning),
    ("useAppLease", WithoutMeaning),
    ("useGracefulShutdown", WithoutMeaning),
    ("versionFailureStrategy", Property::VersionFailure),
    ("versionMatchStrategy", Property::VersionMatch),
    ("storageProvider.type", WithoutMeaning),
    ("storageProvider.connectionName", WithoutMeaning),
    ("storageProvider.connectionStringName", WithoutMeaning),
    ("storageProvider.controlQueueBatchSize", WithoutMeaning),
    (
        "storageProvider.controlQueueBufferThreshold",
        WithoutMeaning,
    ),
    (
        "storageProvider.controlQueueVisibilityTimeout",
        WithoutMeaning,
    ),
    (
        "storageProvider.fetchLargeMessagesAutomatically",
        WithoutMeaning,
    ),
    ("storageProvider.largeMessageThreshold", WithoutMeaning),
    ("storageProvider.leaseAcquireInterval", WithoutMeaning),
    ("storageProvider.leaseInterval", WithoutMeaning),
    ("storageProvider.leaseRenewInterval", WithoutMeaning),
    ("storageProvider.maxQueuePollingInterval", WithoutMeaning),
    ("storageProvider.queueClientMessageEncoding", WithoutMeaning),
    (
        "storageProvider.trackingStoreConnectionName",
        WithoutMeaning,
    ),
    (
        "storageProvider.trackingStoreConnectionStringName",
        WithoutMeaning,
    ),
    ("storageProvider.trackingStoreNamePrefix", WithoutMeaning),
    (
        "storageProvider.useLegacyPartitionManagement",
        WithoutMeaning,
    ),
    (
        "storageProvider.useTablePartitionManagement",
        WithoutMeaning,
    ),
    (
        "storageProvider.workItemQueueVisibilityTimeout",
        WithoutMeaning,
    ),
];

const SECTION: [&str; 2] = ["extensions", "durableTask"];

type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl HostJson {
    /// Reads the file, and logs what of it has no effect.
    pub(super) fn read(path: &Path) -> Result<Self, HostError> {
        let refuse = |problem| HostError::HostJson {
            path: path.display().to_string(),
            problem,
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| refuse(format!("the file cannot be read: {error}")))?;
        let settings = Self::parse(&text, &|name| std::env::var(name).ok()).map_err(refuse)?;
        settings.log(path);
        Ok(settings)
    }

    /// Puts what is set in the place of what `options` have.
    pub(super) fn apply(&self, options: &mut HostOptions) {
        fn set<T: Copy>(option: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *option = value;
            }
        }
        set(
            &mut options.max_concurrent_activities,
            self.max_concurrent_activities,
        );
        set(
            &mut options.max_concurrent_orchestrations,
            self.max_concurrent_orchestrations,
        );
        set(
            &mut options.max_entity_operation_batch_size,
            self.max_entity_operation_batch_size,
        );
        set(&mut options.partition_count, self.partition_count);
        if self.default_version.is_some() {
            options.default_version.clone_from(&self.default_version);
            // What is documented for a file that names a version and no strategy.
            options.version_match = VersionMatch::CurrentOrOlder;
        }
        set(&mut options.version_match, self.version_match);
        set(&mut options.on_mismatch, self.on_mismatch);
        if self.keeps_instances {
            set(&mut options.idle_timeout, self.idle_timeout);
        }
    }

    fn log(&self, path: &Path) {
        let path = path.display();
        for (property, near) in &self.unknown {
            let hint = near.map_or_else(
                || ", and has no effect".to_owned(),
                |near| format!("; did you mean `{near}`?"),
            );
            tracing::warn!("{path}: `{property}` is not known{hint}");
        }
        if !self.without_meaning.is_empty() {
            let properties = self.without_meaning.join(", ");
            tracing::info!("{path}: these properties have no effect here: {properties}");
        }
    }

    fn parse(text: &str, environment: Environment<'_>) -> Result<Self, String> {
        // Editors on Windows begin files with a mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let file: Value =
            serde_json::from_str(text).map_err(|error| format!("this is not JSON: {error}"))?;
        let mut settings = Self::default();
        let mut section = as_object(&file, "the file")?;
        if lookup(section, SECTION[1]).is_some() {
            // Where version 1.x had it.
            settings
                .unknown
                .push((SECTION[1].to_owned(), Some("extensions.durableTask")));
        }
        let mut path = String::new();
        for name in SECTION {
            let outer = path;
            path = join(&outer, name);
            let Some(inner) = lookup(section, name) else {
                settings.unknown.extend(mistyped(section, &outer, name));
                return Ok(settings);
            };
            section = as_object(inner, &format!("`{path}`"))?;
        }
        settings.take_all(section, "", environment)?;
        if !settings.keeps_instances && settings.idle_timeout.is_some() {
            settings
                .without_meaning
                .push("extendedSessionIdleTimeoutInSeconds".to_owned());
        }
        settings.without_meaning.sort_unstable();
        Ok(settings)
    }

    fn take_all(
        &mut self,
        properties: &Map<String, Value>,
        group: &str,
        environment: Environment<'_>,
    ) -> Result<(), String> {
        let of_other_storage = group == "storageProvider" && is_other_storage(properties);
        for (name, value) in properties {
            let path = join(group, name);
            let known = PROPERTIES
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(&path));
            match known {
                _ if value.is_null() => {}
                Some((known, Group)) => {
                    let inner = as_object(value, &shown(known))?;
                    self.take_all(inner, known, environment)?;
                }
                Some((known, property)) => self.take(known, *property, value, environment)?,
                None if of_other_storage => self.without_meaning.push(path),
                None => self
                    .unknown
                    .push((join(&SECTION.join("."), &path), near(&path))),
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        path: &str,
        property: Property,
        value: &Value,
        environment: Environment<'_>,
    ) -> Result<(), String> {
        let count = |most| whole_number(path, value, 1, most);
        let size = || count(MAX_INT).map(|count| usize::try_from(count).ok());
        match property {
            Property::HubName => self.hub_name = Some(hub_name(path, value, environment)?),
            Property::MaxActivities => self.max_concurrent_activities = size()?,
            Property::MaxOrchestrations => self.max_concurrent_orchestrations = size()?,
            Property::MaxEntityBatch => self.max_entity_operation_batch_size = size()?,
            Property::PartitionCount => self.partition_count = u32::try_from(count(1024)?).ok(),
            Property::ExtendedSessions => {
                self.keeps_instances = value
                    .as_bool()
                    .ok_or_else(|| expected(path, "`true` or `false`", value))?;
                if !self.keeps_instances {
                    self.without_meaning.push(path.to_owned());
                }
            }
            Property::SessionIdleTimeout => {
                let seconds = whole_number(path, value, 0, MAX_INT)?;
                self.idle_timeout = Some(Duration::from_secs(seconds));
            }
            Property::PollInterval => {
                let millis = whole_number(path, value, 0, MAX_INT)?;
                self.poll_interval = Some(Duration::from_millis(millis));
            }
            Property::DefaultVersion => {
                let version = value.as_str();
                let version = version.ok_or_else(|| expected(path, "a string", value))?;
                // An empty one is none, there as here.
                self.default_version = (!version.is_empty()).then(|| version.to_owned());
            }
            Property::VersionMatch => {
                self.version_match = Some(one_of(
                    path,
                    value,
                    [
                        ("None", VersionMatch::None),
                        ("Strict", VersionMatch::Strict),
                        ("CurrentOrOlder", VersionMatch::CurrentOrOlder),
                    ],
                )?);
            }
            Property::VersionFailure => {
                self.on_mismatch = Some(one_of(
                    path,
                    value,
                    [
                        ("Reject", VersionMismatch::Reject),
                        ("Fail", VersionMismatch::Fail),
                    ],
                )?);
            }
            Group | WithoutMeaning => self.without_meaning.push(path.to_owned()),
        }
        Ok(())
    }
}

/// The largest number that such a file can hold elsewhere.
const MAX_INT: u64 = 2_147_483_647;

/// Names have no case, as in other readers of this file.
fn lookup<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let mut properties = object.iter();
    let found = properties.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

/// The members of `section` that can only have been meant to be `name`. Others belong to other readers of
/// the file.
fn mistyped<'a>(
    section: &'a Map<String, Value>,
    outer: &'a str,
    name: &'static str,
) -> impl Iterator<Item = (String, Option<&'static str>)> + 'a {
    const NEAR: f64 = 0.85;
    let is_near =
        move |key: &String| strsim::jaro_winkler(&key.to_lowercase(), &name.to_lowercase()) >= NEAR;
    let keys = section.keys().filter(move |key| is_near(key));
    keys.map(move |key| (join(outer, key), Some(name)))
}

fn is_other_storage(properties: &Map<String, Value>) -> bool {
    let kind = lookup(properties, "type").and_then(Value::as_str);
    kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("AzureStorage"))
}

fn join(group: &str, name: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{group}.{name}")
    }
}

/// The known property that is most like `path`, in any group.
fn near(path: &str) -> Option<&'static str> {
    let known = || PROPERTIES.iter().map(|(known, _)| *known);
    let name = last(path);
    let moved = known().find(|known| last(known).eq_ignore_ascii_case(name));
    moved.or_else(|| nearest(path, known())).or_else(|| {
        let near = nearest(name, known().map(last))?;
        known().find(|known| last(known) == near)
    })
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn shown(path: &str) -> String {
    format!("`{}.{path}`", SECTION.join("."))
}

fn expected(path: &str, what: &str, found: &Value) -> String {
    format!("{} must be {what}, not {found}", shown(path))
}

fn as_object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, String> {
    let object = value.as_object();
    object.ok_or_else(|| format!("{what} must be a JSON object"))
}

fn whole_number(path: &str, value: &Value, least: u64, most: u64) -> Result<u64, String> {
    let number = value
        .as_u64()
        .filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| {
        let what = format!("a whole number from {least} to {most}");
        expected(path, &what, value)
    })
}

/// What a name, whose case does not matter, stands for.
fn one_of<T: Copy, const N: usize>(
    path: &str,
    value: &Value,
    known: [(&str, T); N],
) -> Result<T, String> {
    let text = value.as_str().unwrap_or_default();
    let found = known
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text));
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let names = known.map(|(name, _)| format!("{name:?}"));
        expected(path, &names.join(" or "), value)
    })
}

/// A name, in which `%NAME%` stands for a variable of the environment.
fn hub_name(path: &str, value: &Value, environment: Environment<'_>) -> Result<String, String> {
    let text = value
        .as_str()
        .ok_or_else(|| expected(path, "a string", value))?;
    let mut name = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        let Some((variable, after)) = after.split_once('%') else {
            break;
        };
        let value = environment(variable).ok_or_else(|| {
            let property = shown(path);
            format!("{property} names the environment variable {variable:?}, which is not set")
        })?;
        name.push_str(before);
        name.push_str(&value);
        rest = after;
    }
    name.push_str(rest);
    let checked = TaskHubName::new(&name).map_err(|rule| format!("{}: {rule}", shown(path)))?;
    Ok(checked.as_str().to_owned())
}

/// What the text of a `host.json` makes of the default options, which have been checked, and the name of the
/// hub. No variable of the environment is set.
///
/// # Errors
///
/// What is wrong with the text.
#[cfg(feature = "fuzzing")]
pub(crate) fn options_of(text: &str) -> Result<(HostOptions, Option<String>), String> {
    let settings = HostJson::parse(text, &|_| None)?;
    let mut options = HostOptions::default();
    settings.apply(&mut options);
    options.check().map_err(|error| error.to_string())?;
    Ok((options, settings.hub_name))
}

#[cfg(test)]
mod tests;
