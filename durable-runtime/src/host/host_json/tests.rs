use super::*;

fn parse(text: &str) -> Result<HostJson, String> {
    HostJson::parse(text, &|name| (name == "STAGE").then(|| "Test".to_owned()))
}

fn section(properties: &str) -> Result<HostJson, String> {
    parse(&format!(
        r#"{{"version": "2.0", "extensions": {{"durableTask": {{{properties}}}}}}}"#
    ))
}

#[test]
fn documented_properties_become_options() {
    let settings = section(
        r#""hubName": "Orders",
           "storageProvider": {"connectionStringName": "Storage", "partitionCount": 4},
           "httpSettings": {"defaultAsyncRequestSleepTimeMilliseconds": 1500},
           "maxConcurrentActivityFunctions": 10,
           "MaxConcurrentOrchestratorFunctions": 5,
           "maxEntityOperationBatchSize": 50,
           "extendedSessionsEnabled": true,
           "extendedSessionIdleTimeoutInSeconds": 30,
           "defaultVersion": "2.0",
           "versionMatchStrategy": "strict",
           "versionFailureStrategy": "Fail""#,
    )
    .unwrap();
    let mut options = HostOptions {
        max_payload_bytes: 7,
        ..HostOptions::default()
    };
    settings.apply(&mut options);
    let expected = HostOptions {
        max_concurrent_activities: 10,
        max_concurrent_orchestrations: 5,
        max_entity_operation_batch_size: 50,
        partition_count: 4,
        idle_timeout: Duration::from_secs(30),
        max_payload_bytes: 7,
        default_version: Some("2.0".to_owned()),
        version_match: VersionMatch::Strict,
        on_mismatch: VersionMismatch::Fail,
        ..HostOptions::default()
    };
    assert_eq!(options, expected);
    assert_eq!(settings.hub_name.as_deref(), Some("Orders"));
    assert_eq!(settings.poll_interval, Some(Duration::from_millis(1500)));
    assert_eq!(
        settings.without_meaning,
        ["storageProvider.connectionStringName"]
    );
    assert_eq!(settings.unknown, []);
}

// Rule 22: a file with a version and no strategy is for code that goes by the version.
#[test]
fn the_default_version_runs_older_instances() {
    let mut options = HostOptions::default();
    section(r#""defaultVersion": "2.0""#)
        .unwrap()
        .apply(&mut options);
    assert_eq!(options.default_version.as_deref(), Some("2.0"));
    assert_eq!(options.version_match, VersionMatch::CurrentOrOlder);
    assert_eq!(options.on_mismatch, VersionMismatch::Reject);
}

#[test]
fn what_is_not_set_stays_as_it_is() {
    for text in [
        "{}",
        "\u{feff}{}",
        r#"{"extensions": {}}"#,
        r#"{"extensions": {"durableTask": {}, "queues": {"batchSize": 1}}}"#,
        r#"{"extensions": {"durableTask": {"hubName": null, "storageProvider": null}}}"#,
        r#"{"extensions": {"durableTask": {"defaultVersion": ""}}}"#,
    ] {
        assert_eq!(parse(text).unwrap(), HostJson::default(), "{text}");
    }
}

#[test]
fn a_mistyped_section_is_named() {
    let unknown = |text: &str| parse(text).unwrap().unknown;
    let text = r#"{"extension": {"durableTask": {"hubName": "X"}}}"#;
    assert_eq!(
        unknown(text),
        [("extension".to_owned(), Some("extensions"))]
    );
    let text = r#"{"version": "2.0", "extensions": {"durableTsk": {"hubName": "X"}, "http": {}}}"#;
    let path = "extensions.durableTsk".to_owned();
    assert_eq!(unknown(text), [(path, Some("durableTask"))]);
}

#[test]
fn the_hub_name_takes_variables_of_the_environment() {
    let name = |text: &str| {
        let settings = section(&format!(r#""hubName": "{text}""#));
        settings.map(|settings| settings.hub_name.unwrap())
    };
    assert_eq!(name("%STAGE%").unwrap(), "Test");
    assert_eq!(name("My%STAGE%Hub%STAGE%").unwrap(), "MyTestHubTest");
    let message = name("%ABSENT%").unwrap_err();
    assert!(
        message.contains("\"ABSENT\", which is not set"),
        "{message}"
    );
    for text in ["", "50%", "no hub"] {
        let message = name(text).unwrap_err();
        assert!(
            message.contains("durableTask.hubName`: task hub name"),
            "{message}"
        );
    }
}

#[test]
fn an_ill_typed_property_is_named_with_its_path() {
    for (properties, expected) in [
        (
            r#""maxConcurrentActivityFunctions": "ten""#,
            r#"`extensions.durableTask.maxConcurrentActivityFunctions` must be a whole number from 1 to 2147483647, not "ten""#,
        ),
        (
            r#""MAXCONCURRENTACTIVITYFUNCTIONS": 0"#,
            "`extensions.durableTask.maxConcurrentActivityFunctions` must be",
        ),
        (
            r#""maxEntityOperationBatchSize": 1.5"#,
            "durableTask.maxEntityOperationBatchSize` must be",
        ),
        (
            r#""storageProvider": {"partitionCount": 5000}"#,
            "durableTask.storageProvider.partitionCount` must be a whole number from 1 to 1024, not 5000",
        ),
        (
            r#""storageProvider": "mssql""#,
            "storageProvider` must be a JSON object",
        ),
        (
            r#""versionMatchStrategy": "Newer""#,
            r#"versionMatchStrategy` must be "None" or "Strict" or "CurrentOrOlder", not "Newer""#,
        ),
        (
            r#""versionFailureStrategy": true"#,
            r#"versionFailureStrategy` must be "Reject" or "Fail", not true"#,
        ),
        (
            r#""defaultVersion": 2.0"#,
            "defaultVersion` must be a string, not 2.0",
        ),
        (r#""hubName": 7"#, "hubName` must be a string, not 7"),
        (
            r#""extendedSessionsEnabled": "true""#,
            r#"extendedSessionsEnabled` must be `true` or `false`, not "true""#,
        ),
        (
            r#""extendedSessionIdleTimeoutInSeconds": -1"#,
            "must be a whole number from 0",
        ),
    ] {
        let message = section(properties).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
    for (text, expected) in [
        ("[]", "the file must be a JSON object"),
        (r#"{"extensions": 1}"#, "`extensions` must be"),
        (
            r#"{"extensions": {"durableTask": []}}"#,
            "`extensions.durableTask` must be",
        ),
        ("{\n\"extensions\": {,}}", "line 2 column 16"),
        ("", "not JSON"),
    ] {
        let message = parse(text).unwrap_err();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn an_unknown_property_gets_the_nearest_known_one() {
    for (properties, property, near) in [
        (
            r#""maxConcurrentActivities": 1"#,
            "maxConcurrentActivities",
            Some("maxConcurrentActivityFunctions"),
        ),
        // Where version 1.x had it.
        (
            r#""partitionCount": 1"#,
            "partitionCount",
            Some("storageProvider.partitionCount"),
        ),
        (
            r#""storageProvider": {"partitonCount": 1}"#,
            "storageProvider.partitonCount",
            Some("storageProvider.partitionCount"),
        ),
        (r#""zzz": {"x": 1}"#, "zzz", None),
    ] {
        let settings = section(properties).unwrap();
        let property = format!("extensions.durableTask.{property}");
        assert_eq!(settings.unknown, [(property, near)]);
    }
    let settings = parse(r#"{"durableTask": {"hubName": "Old"}}"#).unwrap();
    assert_eq!(
        settings.unknown,
        [("durableTask".to_owned(), Some("extensions.durableTask"))]
    );
    assert_eq!(settings.hub_name, None);
}

#[test]
fn what_has_no_meaning_here_is_listed() {
    let settings = section(
        r#""useGracefulShutdown": false,
           "notifications": {"eventGrid": {"topicEndpoint": "https://example.com"}},
           "tracing": {"traceInputsAndOutputs": true},
           "extendedSessionsEnabled": false,
           "extendedSessionIdleTimeoutInSeconds": 30,
           "storageProvider": {"type": "mssql", "schemaName": "dt"}"#,
    )
    .unwrap();
    assert_eq!(
        settings.without_meaning,
        [
            "extendedSessionIdleTimeoutInSeconds",
            "extendedSessionsEnabled",
            "notifications",
            "storageProvider.schemaName",
            "storageProvider.type",
            "tracing.traceInputsAndOutputs",
            "useGracefulShutdown",
        ]
    );
    assert_eq!(settings.unknown, []);
    let mut options = HostOptions::default();
    settings.apply(&mut options);
    assert_eq!(options, HostOptions::default());
}
