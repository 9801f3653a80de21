//! Recorded histories to begin with.

use durable_runtime::testing::{Divergence, Replay, ReplayError};

/// An instance `order-1` of the orchestrator `name`, which got an activity's result and made another call.
pub(crate) fn order(name: &str) -> String {
    format!(
        r#"{{
  "instanceId": "order-1",
  "name": "{name}",
  "version": null,
  "runtimeStatus": "Running",
  "history": [
    [1795286492000000,{{"ExecutionStarted":{{"execution":"c7bcac6bebd74a3585d592692ea12c5e","name":"{name}","input":"tea"}}}}],
    [1795286492000001,"OrchestratorStarted"],
    [1795286492000001,{{"TaskScheduled":{{"id":0,"name":"put_aside","input":"tea"}}}}],
    [1795286492000002,{{"TaskCompleted":{{"id":0,"result":7}}}}],
    [1795286492000003,"OrchestratorStarted"],
    [1795286492000003,{{"TaskScheduled":{{"id":1,"name":"charge","input":7}}}}]
  ]
}}
"#
    )
}

/// The same, carried on until it has ended with `end`.
pub(crate) fn ended(name: &str, end: &str) -> String {
    let more = format!(
        "}}]\n    ,[1795286492000004,{{\"TaskCompleted\":{{\"id\":1,\"result\":null}}}}],\n    \
         [1795286492000005,\"OrchestratorStarted\"],\n    [1795286492000005,{end}]\n  ]\n}}\n"
    );
    order(name).replace("}]\n  ]\n}\n", &more)
}

pub(crate) fn divergence(result: Result<Replay, ReplayError>) -> Divergence {
    match result {
        Err(ReplayError::Diverges(divergence)) => *divergence,
        other => panic!("it does not diverge: {other:?}"),
    }
}
