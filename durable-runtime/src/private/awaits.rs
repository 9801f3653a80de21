//! What is awaited although its name tells that it cannot be a durable task. The traits let the
//! compiler say so with the rule, and with what to write instead. If it is one all the same, because
//! the name is the user's own, nothing is said.
//!
//! A macro would write them shorter, and the compiler would show it in each of its messages.

use crate::context::DurableTask;

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable task [channel]",
    label = "this cannot be replayed",
    note = "what comes from outside is an event: `ctx.wait_for_external_event(name)`"
)]
#[doc(hidden)]
pub trait ChannelTask: Future {}

#[diagnostic::do_not_recommend]
impl<T: DurableTask> ChannelTask for T {}

#[doc(hidden)]
pub fn channel<T: ChannelTask>(task: T) -> T {
    task
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable task [combinator]",
    label = "this cannot be replayed",
    note = "wait for several tasks with `join!`, `when_all` or `when_any` of `durable_runtime`"
)]
#[doc(hidden)]
pub trait CombinatorTask: Future {}

#[diagnostic::do_not_recommend]
impl<T: DurableTask> CombinatorTask for T {}

#[doc(hidden)]
pub fn combinator<T: CombinatorTask>(task: T) -> T {
    task
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable task [database]",
    label = "this cannot be replayed",
    note = "a database is used in an activity: `ctx.call_activity::<name>(input)`"
)]
#[doc(hidden)]
pub trait DatabaseTask: Future {}

#[diagnostic::do_not_recommend]
impl<T: DurableTask> DatabaseTask for T {}

#[doc(hidden)]
pub fn database<T: DatabaseTask>(task: T) -> T {
    task
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable task [file]",
    label = "this cannot be replayed",
    note = "files are used in an activity: `ctx.call_activity::<name>(input)`"
)]
#[doc(hidden)]
pub trait FileTask: Future {}

#[diagnostic::do_not_recommend]
impl<T: DurableTask> FileTask for T {}

#[doc(hidden)]
pub fn file<T: FileTask>(task: T) -> T {
    task
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable task [lock]",
    label = "this cannot be replayed",
    note = "an orchestrator runs on one thread, so that a local variable needs no lock"
)]
#[doc(hidden)]
pub trait LockTask: Future {}

#[diagnostic::do_not_recommend]
impl<T: DurableTask> LockTask for T {}

#[doc(hidden)]
pub fn lock<T: LockTask>(task: T) -> T {
    task
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable task [network]",
    label = "this cannot be replayed",
    note = "an HTTP request is sent with `ctx.call_http(request)`; what else uses the network is an \
            activity: `ctx.call_activity::<name>(input)`"
)]
#[doc(hidden)]
pub trait NetworkTask: Future {}

#[diagnostic::do_not_recommend]
impl<T: DurableTask> NetworkTask for T {}

#[doc(hidden)]
pub fn network<T: NetworkTask>(task: T) -> T {
    task
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable task [process]",
    label = "this cannot be replayed",
    note = "processes are used in an activity: `ctx.call_activity::<name>(input)`"
)]
#[doc(hidden)]
pub trait ProcessTask: Future {}

#[diagnostic::do_not_recommend]
impl<T: DurableTask> ProcessTask for T {}

#[doc(hidden)]
pub fn process<T: ProcessTask>(task: T) -> T {
    task
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable task [select]",
    label = "this cannot be replayed",
    note = "wait for the first of several tasks with `select!` or `when_any` of `durable_runtime`"
)]
#[doc(hidden)]
pub trait SelectTask: Future {}

#[diagnostic::do_not_recommend]
impl<T: DurableTask> SelectTask for T {}

#[doc(hidden)]
pub fn select<T: SelectTask>(task: T) -> T {
    task
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable task [sleep]",
    label = "this cannot be replayed",
    note = "`ctx.sleep(duration)` survives restarts; a call has `.timeout(duration)`"
)]
#[doc(hidden)]
pub trait SleepTask: Future {}

#[diagnostic::do_not_recommend]
impl<T: DurableTask> SleepTask for T {}

#[doc(hidden)]
pub fn sleep<T: SleepTask>(task: T) -> T {
    task
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable task [spawn]",
    label = "this cannot be replayed",
    note = "work runs in an activity, and several are awaited with `when_all`"
)]
#[doc(hidden)]
pub trait SpawnTask: Future {}

#[diagnostic::do_not_recommend]
impl<T: DurableTask> SpawnTask for T {}

#[doc(hidden)]
pub fn spawn<T: SpawnTask>(task: T) -> T {
    task
}
