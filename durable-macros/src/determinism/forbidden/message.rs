//! What several families say: why something is wrong, and what to write in its place.

pub(super) const BLOCKED: &str =
    "blocks the thread, which other orchestrations run on, and nothing of it is in the history";
pub(super) const COMBINED: &str =
    "polls in the order in which things happen, which is another in a replay";
pub(super) const ENVIRONMENT: &str =
    "depends on where it runs, and a replay may be on another host or after a change";
pub(super) const FILES: &str = "uses the file system, which may have changed in a replay";
pub(super) const KEPT: &str =
    "keeps a value outside of the history, which a replay does not find again";
pub(super) const NEW_ID: &str = "makes another id in every replay";
pub(super) const OTHER_THREAD: &str =
    "runs something outside of the history, which a replay neither waits for nor leaves out";
pub(super) const PRINTED: &str = "writes again in every replay";
pub(super) const QUERIED: &str = "talks to a database, which answers otherwise in a replay";
pub(super) const RANDOM: &str = "gives other values in every replay";
pub(super) const READS_CLOCK: &str = "reads a clock, which gives another time in every replay";
pub(super) const SELECTED: &str =
    "chooses by chance or by what happens first, which is another branch in a replay";
pub(super) const SENT: &str = "uses the network, which answers otherwise in a replay";
pub(super) const UNORDERED: &str =
    "has a hasher with a random seed, so its order is another in every replay";
pub(super) const ADDRESS: &str = "gives an address, which is another in every replay";

pub(super) const USE_ACTIVITY: &str = "do it in an activity, whose result is in the history";
pub(super) const USE_ASYNC: &str = "use `.await` on a durable task, or do it in an activity";
pub(super) const USE_BTREE: &str = "use `BTreeMap`, `BTreeSet` or `IndexMap`";
pub(super) const USE_CALLS: &str =
    "start it with `ctx.call_activity`, and several with `when_all` or `join!`";
pub(super) const USE_CONTEXT: &str =
    "use `ctx`, such as `ctx.call_sub_orchestrator` and `ctx.send_event`, or an activity";
pub(super) const USE_CURRENT_TIME: &str = "use `ctx.current_utc_datetime()`";
pub(super) const USE_EVENTS: &str =
    "use `ctx.wait_for_external_event`, or a plain variable within the orchestrator";
pub(super) const USE_INPUT: &str = "pass it as an input, or read it in an activity";
pub(super) const USE_JOIN: &str =
    "use `join!`, `when_all` or `when_all_settled` of `durable_runtime`";
pub(super) const USE_NEW_GUID: &str = "use `ctx.new_guid()`";
pub(super) const USE_REQUEST: &str =
    "send the request with `ctx.call_http`, or in an activity, whose result is in the history";
pub(super) const USE_SEED: &str =
    "draw it in an activity, or seed a generator with `ctx.new_guid()`";
pub(super) const USE_SELECT: &str = "use `select!` or `when_any` of `durable_runtime`";
pub(super) const USE_TIMEOUT: &str =
    "use `.timeout(..)` of the call, or `select!` with `ctx.sleep(..)`";
pub(super) const USE_TIMER: &str = "use `ctx.sleep(..)` or `ctx.create_timer(..)`";
pub(super) const USE_TRACING: &str = "use `tracing`, whose events are dropped during a replay";
pub(super) const USE_VALUES: &str = "compare and store values, not their places in memory";
pub(super) const USE_VARIABLE: &str =
    "an orchestrator runs alone, so use a plain variable or a `RefCell`";
pub(super) const USE_LOCAL: &str =
    "use a variable of the orchestrator, and pass on what is to last with `continue_as_new`";
