//! Valid inputs, and words that mean something in them: what tests damage, and what fuzzing begins with.

/// Of JSON, and of what is read from it.
pub const OF_JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "true",
    "\"\\ud800\"",
    "\"\u{0}\"",
    "1e999",
    "-0",
    "\"TaskCompleted\"",
    "\"TaskScheduled\"",
    "\"TimerCreated\"",
    "\"EventRaised\"",
    "\"OrchestratorStarted\"",
    "\"ExecutionTerminated\"",
    "\"LockRequested\"",
    "\"id\":0",
    "\"id\":-1",
    "\"execution\":\"c7bcac6bebd74a3585d592692ea12c5e\"",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "Running",
    "Completed",
    "Failed",
    "Suspended",
    "%",
    "%PATH%",
    "/* */",
    "// \n",
    "\u{feff}",
];

/// Of the steps of histories: two bytes each.
pub const OF_STEPS: &[&str] = &[
    "\0\0",
    "\u{1}\0",
    "\u{2}\0",
    "\u{3}\u{1}",
    "\u{4}\u{1}",
    "\u{5}\0",
    "\u{10}\0",
    "\u{1a}\0",
];

/// Of requests.
pub const OF_HTTP: &[&str] = &[
    "GET ",
    "POST ",
    "DELETE ",
    "HEAD ",
    "\0",
    "/",
    "//",
    "?",
    "&",
    "=",
    "%",
    "%2F",
    "%00",
    "%ff",
    "\n",
    "\r\n",
    "\n\n",
    ":",
    "content-length: 5\n",
    "content-type: application/json\n",
    "transfer-encoding: chunked\r\n",
    "x-ms-continuation-token: AAAA\n",
    "/instances/waits",
    "/instances/",
    "/orchestrators/",
    "/entities/Tally/all",
    "/raiseEvent/go",
    "/terminate",
    "/suspend",
    "/resume",
    "/rewind",
    "/restart",
    "timeout=30",
    "pollingInterval=0.5",
    "top=1",
    "showHistory=true",
    "createdTimeFrom=-262143-01-01T00:00:00Z",
    "createdTimeTo=9999-12-31T23:59:60Z",
    "runtimeStatus=Running,Failed",
    "taskHub=",
    "connection=Storage",
    "op=add",
    "code=",
    "[",
    "{}",
    "1e999",
];

/// Of schedules.
pub const OF_CRON: &[&str] = &[
    " ",
    "*",
    "/",
    "-",
    ",",
    "?",
    "L",
    "W",
    "#",
    "0",
    "1",
    "5",
    "7",
    "12",
    "23",
    "29",
    "31",
    "59",
    "60",
    "MON",
    "sun",
    "SUN",
    "FEB",
    "jan",
    "*/5",
    "1-5",
    "@daily",
    "\t",
    "\u{a0}",
    "+",
    "00",
    "99999999999",
];

/// Of tokens.
pub const OF_TOKENS: &[&str] = &[
    "A",
    "AAAA",
    "=",
    "-",
    "_",
    "+",
    "/",
    " ",
    "%",
    "\u{e9}",
    ":",
    "@",
    "@tally@",
    "0:",
    "-8334601228800000001:",
    "9223372036854775807:",
];

fn all<const N: usize>(texts: [&str; N]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

const DECIDED: &str = r#"{"approved":true,"by":"Ann","amount":7,"share":0.5,"lines":["Nothing",
    {"Text":"tea"},{"Item":{"id":-1,"note":{"Text":"hot"}}},{"Item":{"id":2,"note":null}}]}"#;

/// Of an instance of `order` of this package: one that waits and one that has ended, and events alone.
pub fn histories() -> Vec<Vec<u8>> {
    let begun = r#"[1795286492000000,{"ExecutionStarted":{"execution":"c7bcac6bebd74a3585d592692ea12c5e","name":"order","input":"tea"}}],
    [1795286492000001,"OrchestratorStarted"],
    [1795286492000001,{"TaskScheduled":{"id":0,"name":"put_aside","input":"tea"}}],
    [1795286492000002,{"TaskCompleted":{"id":0,"result":3}}],
    [1795286492000003,"OrchestratorStarted"]"#;
    let event = format!(
        r#"[1795286492000004,{{"EventRaised":{{"name":"decision","data":{DECIDED}}}}}],
    [1795286492000005,"OrchestratorStarted"],
    [1795286492000005,{{"TaskScheduled":{{"id":2,"name":"put_aside","input":"Ann"}}}}]"#
    );
    let others = r#"[1,{"TimerCreated":{"id":1,"fire_at":1795286492000001}}],[2,{"TimerFired":{"id":1}}],
    [3,{"ExecutionTerminated":{"reason":"enough"}}],[4,{"LockGranted":{"id":3}}],
    [5,{"TaskFailed":{"id":4,"failure":{"errorType":"Error","message":"no"}}}]"#;
    let export = |events: &str| {
        format!(
            r#"{{"instanceId":"order-1","name":"order","version":null,"runtimeStatus":"Running","history":[{events}]}}"#
        )
    };
    let both = format!("{begun},{event}");
    let everything = format!("{both},{others}");
    [
        export(begun),
        export(&both),
        export(&everything),
        format!("[{everything}]"),
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// For `history_steps`: what `branches` and `everything` of this package do, and are to live with.
pub fn steps() -> Vec<Vec<u8>> {
    let raced = [
        ("OrchestratorStarted", 0, 0),
        ("TaskScheduled", 0, 0),
        ("TimerCreated", 1, 15),
        ("EventRaised", 0, 2),
        ("TaskFailed", 0, 0),
        ("OrchestratorStarted", 0, 0),
        ("TimerCreated", 3, 1),
        ("TimerFired", 3, 0),
        ("OrchestratorStarted", 0, 0),
        ("TaskScheduled", 4, 0),
        ("TaskRestarted", 4, 0),
        ("TaskCompleted", 4, 0),
        ("OrchestratorStarted", 0, 0),
        ("PatchMarked", 0, 0),
        ("EntitySignaled", 5, 3),
        ("LockRequested", 6, 0),
        ("LockGranted", 6, 0),
        ("OrchestratorStarted", 0, 0),
        ("EntityCalled", 7, 1),
        ("EntityCompleted", 7, 0),
        ("OrchestratorStarted", 0, 0),
        ("LockReleased", 6, 0),
        ("SubOrchestrationCreated", 8, 0),
        ("SubOrchestrationCreated", 9, 1),
        ("SubOrchestrationCompleted", 9, 0),
        ("SubOrchestrationCompleted", 8, 0),
        ("OrchestratorStarted", 0, 0),
        ("EventSent", 10, 0),
        ("TimerCreated", 11, 15),
        ("EventRaised", 0, 1),
        ("OrchestratorStarted", 0, 0),
    ];
    let rewound = [
        ("OrchestratorStarted", 0, 0),
        ("TimerCreated", 0, 0),
        ("ExecutionSuspended", 0, 0),
        ("TimerFired", 0, 0),
        ("ExecutionResumed", 0, 0),
        ("OrchestratorStarted", 0, 0),
        ("SubOrchestrationCreated", 1, 0),
        ("SubOrchestrationFailed", 1, 0),
        ("OrchestratorStarted", 0, 0),
        ("ExecutionFailed", 0, 0),
        ("ExecutionRewound", 0, 0),
        ("SubOrchestrationCompleted", 1, 0),
        ("OrchestratorStarted", 0, 0),
        ("TaskScheduled", 2, 0),
        ("ExecutionTerminated", 0, 0),
    ];
    vec![
        crate::steps::bytes("branches", &raced),
        crate::steps::bytes("branches", &raced[..18]),
        crate::steps::bytes("everything", &rewound),
    ]
}

/// What events of `order` of this package carry.
pub fn payloads() -> Vec<Vec<u8>> {
    all([
        DECIDED,
        "null",
        "7",
        "\"text\"",
        "[1, 2]",
        r#"{"approved":false}"#,
    ])
}

/// In the form that `http_request` reads.
pub fn requests() -> Vec<Vec<u8>> {
    const BASE: &str = "/runtime/webhooks/durabletask";
    let requests = [
        ("GET", "/instances", "x-ms-continuation-token: AAAA\n\n"),
        (
            "GET",
            "/instances?top=2&showInput=false&runtimeStatus=Running",
            "",
        ),
        (
            "GET",
            "/instances?createdTimeFrom=2024-01-01T00:00:00Z&createdTimeTo=2030-01-01",
            "",
        ),
        (
            "GET",
            "/instances/waits?showHistory=true&showHistoryOutput=true",
            "",
        ),
        (
            "GET",
            "/instances/ended?returnInternalServerErrorOnFailure=true",
            "",
        ),
        ("DELETE", "/instances/ended", ""),
        (
            "DELETE",
            "/instances?createdTimeFrom=2024-01-01T00:00:00Z",
            "",
        ),
        (
            "POST",
            "/orchestrators/echo",
            "content-type: application/json\n\n{\"a\":[1]}",
        ),
        (
            "POST",
            "/orchestrators/wait/new?timeout=3&pollingInterval=1",
            "\n\nnull",
        ),
        (
            "POST",
            "/instances/waits/raiseEvent/go",
            "content-type: application/json\n\n7",
        ),
        ("POST", "/instances/orders/raiseEvent/decision", "\n\n{}"),
        ("POST", "/instances/waits/terminate?reason=enough", ""),
        ("POST", "/instances/waits/suspend?reason=enough", ""),
        ("POST", "/instances/ended/rewind?reason=again", ""),
        (
            "POST",
            "/instances/ended/restart?restartWithNewInstanceId=true",
            "",
        ),
        ("GET", "/entities?fetchState=true&top=3", ""),
        ("GET", "/entities/Tally/all", ""),
        ("POST", "/entities/Tally/all?op=add", "\n\n1"),
        ("GET", "/openapi.json", ""),
        ("GET", "/health", ""),
    ];
    let lines = requests.map(|(method, path, rest)| format!("{method} {BASE}{path}\n{rest}"));
    let in_order = [
        [
            "waits/suspend",
            "waits/raiseEvent/go",
            "waits/resume",
            "waits/restart",
        ],
        [
            "orders/raiseEvent/decision",
            "orders/rewind",
            "orders/terminate",
            "orders/restart",
        ],
    ];
    let in_order = in_order.map(|paths| {
        paths
            .map(|path| format!("POST {BASE}/instances/{path}\n\n7"))
            .join("\0")
    });
    let all = lines.into_iter().chain(in_order);
    all.map(String::into_bytes).collect()
}

/// As they go over a connection.
pub fn bytes() -> Vec<Vec<u8>> {
    all([
        "GET /runtime/webhooks/durabletask/instances HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        "POST /runtime/webhooks/durabletask/orchestrators/echo HTTP/1.1\r\nhost: a\r\n\
         content-length: 7\r\n\r\n\"first\"GET /runtime/webhooks/durabletask/health HTTP/1.1\r\n\r\n",
        "POST /runtime/webhooks/durabletask/orchestrators/echo HTTP/1.1\r\nhost: a\r\n\
         transfer-encoding: chunked\r\n\r\n4\r\nnull\r\n0\r\n\r\n",
        "OPTIONS * HTTP/1.0\r\n\r\n",
    ])
}

/// Files that are a `host.json`.
pub fn host_json() -> Vec<Vec<u8>> {
    all([
        r#"{"version":"2.0","extensions":{"durableTask":{"hubName":"MyHub"}}}"#,
        r#"{"extensions":{"durableTask":{"hubName":"Hub1","maxConcurrentActivityFunctions":10,
            "maxConcurrentOrchestratorFunctions":5,"maxEntityOperationBatchSize":50,
            "extendedSessionsEnabled":true,"extendedSessionIdleTimeoutInSeconds":30,
            "storageProvider":{"partitionCount":4,"type":"AzureStorage"},"defaultVersion":"1.2",
            "versionMatchStrategy":"Strict","versionFailureStrategy":"Fail","tracing":{"version":"V2"},
            "httpSettings":{"defaultAsyncRequestSleepTimeMilliseconds":3000},"unknown":[1]}}}"#,
        "{}",
    ])
}

/// Schedules of timers.
pub fn schedules() -> Vec<Vec<u8>> {
    all([
        "* * * * * *",
        "0 */5 * * * *",
        "0 0 2 * * *",
        "0 30 9-17 * * MON-FRI",
        "0 0 0 1 JAN,JUL *",
        "0 0 0 29 2 *",
        "15/20 * * * * 5-7",
        "0 0 0 31 * SUN",
        "59 59 23 31 12 6",
    ])
}

/// Damaged tokens, and what tokens of instances and entities are made of.
pub fn tokens() -> Vec<Vec<u8>> {
    all([
        "",
        "AAAA",
        "q0XQGjE3MDQwNjcyMDAwMDAwMDA6YQ",
        "1704067200000000:a",
        "-1:@tally@tally-0",
        "@tally@tally-0",
    ])
}

/// For each column of this package, what may stand in it, and what does in others.
pub fn rows() -> Vec<Vec<u8>> {
    let values = [
        r#"[[1795286492000000,"OrchestratorStarted"]]"#,
        r#"[[1795286492000002,{"TaskCompleted":{"id":0,"result":3}}]]"#,
        r#"{"to":"damaged","command":{"RaiseEvent":{"name":"go","data":1}}}"#,
        "Completed",
    ];
    let columns = 0..19_u8;
    let mut rows: Vec<Vec<u8>> = columns
        .flat_map(|column| values.map(|value| [&[column], value.as_bytes()].concat()))
        .collect();
    for steps in steps() {
        rows.push([&[130, 0], &steps[..]].concat());
        rows.push([&[131, 0], &steps[..]].concat());
    }
    rows.extend(
        (0..13).flat_map(|kind| [[192, kind, 1, 8], [192, kind + 128, 5, 8]].map(Vec::from)),
    );
    rows
}
