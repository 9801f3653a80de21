//! The macros of `durable-runtime`, which re-exports them: a program depends on that crate only.
//!
//! `#[activity]`, `#[orchestrator]` and `#[deterministic]` work in three steps: *parse* reads the options and what
//! stands before the body of the function, *validate* reports everything that is wrong with it, and
//! *expand* writes the function as it was, with its handle beside it. The handle is there even when
//! there are errors, so that one mistake makes one error.

use proc_macro::TokenStream;

mod activity;
mod client_function;
mod determinism;
mod deterministic;
mod entity;
mod errors;
mod function;
mod handle;
mod join;
mod options;
mod orchestrator;
mod parameters;
mod rules;
mod select;
mod task;
mod test;

/// Makes a function one that orchestrations call, and that is run at least once for each call.
///
/// ```
/// use durable_runtime::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)] struct AccountId;
/// # #[derive(Serialize, Deserialize)] struct Receipt;
/// # struct PaymentService;
/// # impl PaymentService {
/// #     async fn charge(&self, _: AccountId, _: u64, _: &str) -> Result<Receipt, std::fmt::Error> {
/// #         Ok(Receipt)
/// #     }
/// # }
/// # use std::fmt::Error as PaymentError;
///
/// #[activity]
/// async fn say_hello(city: String) -> Result<String> {
///     Ok(format!("Hello {city}!"))
/// }
///
/// #[activity(name = "Charge")]
/// async fn charge(
///     ctx: ActivityContext,
///     State(payments): State<PaymentService>,
///     account: AccountId,
///     cents: u64,
/// ) -> Result<Receipt, PaymentError> {
///     let key = ctx.idempotency_key();
///     payments.charge(account, cents, &key).await
/// }
///
/// #[orchestrator]
/// async fn buy(ctx: OrchestrationContext, account: AccountId) -> Result<Receipt> {
///     ctx.call_activity::<say_hello>("Tokyo").await?;
///     Ok(ctx.call_activity::<charge>((account, 500)).await?)
/// }
/// ```
///
/// The function stays an ordinary function, to be called in a unit test. The attribute adds a type
/// of the same name and visibility, its *handle*, which implements `Activity`; one `use` brings
/// both. A host finds the function by itself.
///
/// An orchestrator never calls the function itself, for the call would not be recorded: a plain `fn`
/// that is called so fails the orchestration at once, with what to write instead.
///
/// # The function
///
/// An `async fn`, whose future must be `Send`; or a plain `fn`, which runs on the pool of blocking
/// threads. What blocks its thread for long is better a plain `fn`: an `async fn` that does so keeps the
/// thread from all that is async in the process, and is reported with `tracing`. It has all that the tokio
/// runtime offers, but need not be a task of its own: `tokio::task::try_id()` may be `None`.
///
/// It takes, in this order:
///
/// 1. an `ActivityContext`, if it wants one;
/// 2. any number of `State<T>`, which the host was given;
/// 3. its inputs. Several are passed as one tuple, none as `()`. They are read from storage, so
///    they are owned and implement `Serialize` and `Deserialize`.
///
/// `ActivityContext` and `State` are known by these names. Any pattern will do:
/// `State(payments): State<PaymentService>`, `mut order: Order`.
///
/// It returns `Result<T>`, or `Result<T, E>` with any `std::error::Error`; an alias will do. `T`
/// implements `Serialize` and `Deserialize`. Where `E` implements `Serialize` the orchestration
/// gets the error itself back, with `TaskFailed::details`.
///
/// # Options
///
/// * `name = "SayHello"`: the name that the activity is called by, where it is not the function's:
///   at most 256 characters, none of them a control character.
/// * `crate = path::to::durable_runtime`: where the runtime is found, where it is not
///   `::durable_runtime`.
///
/// # Errors
///
/// The compiler reports, all at once, whatever keeps the function from being an activity: generic
/// parameters, `self`, `const`, `unsafe` and `extern`; inputs that are references or `impl Trait`;
/// parameters out of order; the context of another kind of function; options that are not known.
#[proc_macro_attribute]
pub fn activity(options: TokenStream, item: TokenStream) -> TokenStream {
    activity::activity(options.into(), item.into()).into()
}

/// Makes a type an entity: a stateful object with an address, whose methods are carried out one after
/// the other, wherever they are called from.
///
/// ```
/// use durable_runtime::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Counter {
///     value: i64,
/// }
///
/// #[entity]
/// impl Counter {
///     fn add(&mut self, amount: i64) {
///         self.value += amount;
///     }
///
///     fn get(&self) -> i64 {
///         self.value
///     }
/// }
///
/// #[orchestrator]
/// async fn count(ctx: OrchestrationContext) -> Result<i64> {
///     ctx.signal::<Counter>("clicks").add(1); // one way
///     Ok(ctx.entity::<Counter>("clicks").get().await?) // waits for the answer
/// }
/// ```
///
/// # On an `impl` block
///
/// The type is the state. It implements `Serialize`, `Deserialize` and `Send`, and either `Default` or
/// the block has an `init`. The operations are the methods that take `&self` or `&mut self`, all of them
/// in this block; what else is in it stays what it is. An operation is a plain `fn` or an `async fn`, whose future must be
/// `Send`. It takes, in any order:
///
/// * an `EntityContext`, if it wants one;
/// * any number of `State<T>`, which the host was given;
/// * at most one input, which is owned and implements `Serialize` and `Deserialize`.
///
/// It returns nothing, a `T`, or a `Result<T, E>` with any `std::error::Error`; what is named `Result` is
/// taken for one. `T` implements `Serialize` and `Deserialize`.
///
/// The attribute adds `Counter::id(key)`, which gives an `EntityId`.
///
/// # On a trait
///
/// ```
/// # use durable_runtime::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// #[entity]
/// trait Ledger {
///     fn add(&mut self, amount: i64);
/// }
///
/// # #[derive(Default, Serialize, Deserialize)] struct Counter { value: i64 }
/// # #[entity] impl Counter {}
/// #[entity]
/// impl Ledger for Counter {
///     fn add(&mut self, amount: i64) {
///         self.value += amount;
///     }
/// }
///
/// #[orchestrator]
/// async fn count(ctx: OrchestrationContext, id: EntityId) -> Result<()> {
///     ctx.signal_as::<dyn Ledger>(id).add(1);
///     Ok(())
/// }
/// ```
///
/// The trait is an *interface*: several entities can have it, and an entity several of them. The methods
/// are declared as they are in a block, without bodies. An entity that has the interface has one
/// `#[entity] impl Counter { .. }` too, be it empty.
///
/// # On a function
///
/// ```
/// use durable_runtime::prelude::*;
///
/// #[entity]
/// async fn counter(ctx: EntityContext) -> Result<()> {
///     let value: i64 = ctx.state()?.unwrap_or(0);
///     match ctx.operation_name() {
///         "add" => ctx.set_state(value + ctx.input::<i64>()?),
///         "get" => ctx.return_value(value),
///         other => return Err(Error::msg(format!("no operation {other:?}"))),
///     }
///     Ok(())
/// }
/// ```
///
/// The function carries out all operations, on a state of which nothing is known. It takes an
/// `EntityContext` and any number of `State<T>`, and returns a `Result`, whose value is the answer where
/// `return_value` gave no other. As with [`macro@activity`], a type of the same name and visibility is
/// its handle: `counter::id(key)`.
///
/// # Options
///
/// * `name = "Counter"`: the name of the entity, where it is not that of the type or the function. Case
///   does not matter.
/// * `init = path`: on a block, the function that makes the state an entity begins with, a
///   `fn(&EntityId) -> Self`.
/// * `crate = path::to::durable_runtime`: where the runtime is found, where it is not
///   `::durable_runtime`.
///
/// # Errors
///
/// The compiler reports, all at once, whatever keeps an operation from being called: generic parameters,
/// `self` by value, `const`, `unsafe` and `extern`; inputs and outputs that borrow; several inputs; names
/// that differ by case only, and the names `at` and `id`; the context of another kind of function; options
/// that are not known.
#[proc_macro_attribute]
pub fn entity(options: TokenStream, item: TokenStream) -> TokenStream {
    entity::entity(options.into(), item.into()).into()
}

/// Makes a function one that starts and steers orchestrations: in answer to an HTTP request, by the
/// clock, or for each message of a queue.
///
/// ```
/// use durable_runtime::TimerInfo;
/// use durable_runtime::prelude::*;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)] struct Order { id: String }
/// # #[orchestrator]
/// # async fn ship(_: OrchestrationContext, _order: Order) -> Result<()> { Ok(()) }
/// # #[orchestrator]
/// # async fn clean_up(_: OrchestrationContext) -> Result<()> { Ok(()) }
///
/// #[durable_client(timer("0 0 2 * * *"))]
/// async fn nightly(client: DurableClient, timer: TimerInfo) -> Result<()> {
///     let night = timer.scheduled.format("cleanup-%Y-%m-%d").to_string();
///     client.start_new::<clean_up>(()).instance_id(night).await?;
///     Ok(())
/// }
///
/// #[durable_client(queue("orders"))]
/// async fn on_order(client: DurableClient, order: Order) -> Result<()> {
///     let id = order.id.clone();
///     client.start_new::<ship>(order).instance_id(id).await?;
///     Ok(())
/// }
/// ```
///
/// As with [`macro@activity`], the function stays an ordinary function, and a type of the same name
/// and visibility is its handle. A host finds the function by itself and runs it.
///
/// # Triggers
///
/// At most one:
///
/// * `http(post, "/orders/{id}")`: a request with this method (`get`, `post`, `put`, `patch`, `delete`,
///   `head`, `options`, or `any`) to this path, in the syntax of axum 0.8. The parameters are extractors
///   of axum, the one that reads the body last; the function returns any `IntoResponse`.
/// * `timer("0 0 2 * * *")`: a schedule of six fields in UTC: second, minute, hour, day of the month,
///   month, day of the week (0 or `SUN` is Sunday). Each is `*`, a number or a name, a range `1-5`, a
///   step `*/5`, or a list of those; a day has to match both of its fields. Each due time fires once,
///   whatever the number of hosts, and no two runs of a function overlap: times that come up meanwhile,
///   or while no host runs, are made up for by one run. A run that its process did not survive is
///   repeated; one that fails is logged and not repeated. The function takes a `TimerInfo` if it wants
///   one.
/// * `queue("orders")`: a message of this queue of the host's task hub, see `DurableClient::enqueue`. The
///   function takes it as the one parameter that is neither the client nor a `State`. It gets a message
///   at least once, and again, after a growing delay, until it returns `Ok`; after 5 failures
///   (`HostOptions::max_queue_attempts`) the message is moved to the queue `orders-poison`. A message
///   that is no JSON of the parameter's type is moved there at once. With
///   `queue("orders", concurrency = 1)` the messages are taken one after the other, in order, over all
///   hosts; without it a host works on up to 16 at once (`HostOptions::queue_concurrency`).
///
/// Without a trigger it is an ordinary function that takes a client, which the program calls itself;
/// `DurableHost::client_for` gives it the client.
///
/// # The function
///
/// An `async fn`, whose future must be `Send`. It takes one `DurableClient`, any number of `State<T>`,
/// which the host was given, and what its trigger gives, in any order that this allows. A function with a
/// timer or a queue returns `()` or a `Result`.
///
/// # Options
///
/// * `name = "PlaceOrder"`: the name of the function, where it is not its own. A schedule is remembered
///   under it.
/// * `task_hub = "Orders"`: the task hub that the client is of, where it is not that of the host.
/// * `connection = "archive"`: the storage that this task hub is in, as the host's builder names it, where
///   it is not that of the host.
/// * `crate = path::to::durable_runtime`: where the runtime is found, where it is not
///   `::durable_runtime`.
///
/// # Errors
///
/// The compiler reports, all at once: a schedule, a path, a method or a name that is not valid; several
/// triggers; a client that is missing or given twice; parameters that the trigger does not give; a function
/// that is not `async`, that is generic, or that takes `self`; options that are not known.
#[proc_macro_attribute]
pub fn durable_client(options: TokenStream, item: TokenStream) -> TokenStream {
    client_function::client_function(options.into(), item.into()).into()
}

/// Makes a function one that is run as an orchestration: it survives every crash, because it is
/// replayed from its history.
///
/// ```
/// use durable_runtime::prelude::*;
/// # #[activity]
/// # async fn say_hello(city: String) -> Result<String> { Ok(format!("Hello {city}!")) }
///
/// #[orchestrator(version = "2.0")]
/// async fn hello_cities(ctx: OrchestrationContext, cities: Vec<String>) -> Result<Vec<String>> {
///     let mut greetings = Vec::new();
///     for city in cities {
///         greetings.push(ctx.call_activity::<say_hello>(city).await?);
///     }
///     Ok(greetings)
/// }
/// ```
///
/// As with [`macro@activity`], the function stays an ordinary function, and a type of the same name
/// and visibility is its handle, which implements `Orchestrator`:
/// `client.start_new::<hello_cities>(cities)`, `ctx.call_sub_orchestrator::<hello_cities>(cities)`.
///
/// # The function
///
/// An `async fn`; its future need not be `Send`. It takes an `OrchestrationContext`, known by this
/// name, and at most one input, which is owned and implements `Serialize` and `Deserialize`. Its
/// return type is as that of an activity.
///
/// # Options
///
/// * `name = "HelloCities"`: the name that the orchestrator is started by, where it is not the
///   function's: at most 256 characters, none of them a control character.
/// * `version = "2.0"`: the version of the code. Several functions may have one name, with
///   different versions; which one an instance runs is on the page `docs/versioning.md` of the
///   repository.
/// * `crate = path::to::durable_runtime`: where the runtime is found, where it is not
///   `::durable_runtime`.
///
/// # Determinism
///
/// A replay must do what the first run did, so the body may not depend on anything else than its
/// input, the outputs of durable tasks, and the context. What would is an error, whose message ends
/// with the name of its rule in brackets:
///
/// * `await`: only durable tasks are awaited;
/// * `clock`, `random`, `uuid`, `environment`, `thread`, `address`, `hash`: values that are others in
///   a replay;
/// * `file`, `network`, `database`, `process`, `client`, `print`: work, which belongs in activities;
/// * `spawn`, `sleep`, `block`, `select`, `combinator`: other ways to wait, and to do several things at
///   once, than those of this crate;
/// * `lock`, `channel`, `static`, `thread_local`: values outside of the orchestration;
/// * `macro`: an `.await` in a macro that is not known;
/// * `unbounded_loop`: a loop that awaits and never ends, which is a warning.
///
/// ```compile_fail
/// use durable_runtime::prelude::*;
///
/// #[orchestrator]
/// async fn remind(_: OrchestrationContext) -> Result<()> {
///     let now = std::time::SystemTime::now(); // use `ctx.current_utc_datetime()` [clock]
///     Ok(())
/// }
/// ```
///
/// A function that is called is looked into where it has [`macro@deterministic`] on it.
/// [`macro@allow_nondeterminism`] lets a statement through. The page `docs/determinism.md` of the
/// repository has each rule with its reason, a wrong and a right example, and what the checks cannot
/// see.
///
/// # Errors
///
/// As those of [`macro@activity`]; what breaks a rule of determinism; and a function that is not
/// `async`, that has no `OrchestrationContext` first, that takes a `State<T>`, or that has several
/// inputs.
#[proc_macro_attribute]
pub fn orchestrator(options: TokenStream, item: TokenStream) -> TokenStream {
    orchestrator::orchestrator(options.into(), item.into()).into()
}

/// Marks a function as part of orchestrator code: it is checked in the same way, and an orchestrator
/// may await it.
///
/// ```
/// use std::time::Duration;
///
/// use durable_runtime::prelude::*;
/// # #[activity]
/// # async fn is_paid(order: u64) -> Result<bool> { Ok(order > 0) }
///
/// /// Asks every hour, ten times at most.
/// #[deterministic]
/// async fn wait_for_payment(ctx: &OrchestrationContext, order: u64) -> Result<bool> {
///     for _ in 0..10 {
///         if ctx.call_activity::<is_paid>(order).await? {
///             return Ok(true);
///         }
///         ctx.sleep(Duration::from_secs(3600)).await;
///     }
///     Ok(false)
/// }
///
/// #[deterministic]
/// fn discount(cents: u64) -> u64 {
///     cents / 10
/// }
///
/// #[orchestrator]
/// async fn sell(ctx: OrchestrationContext, order: u64) -> Result<u64> {
///     let paid = wait_for_payment(&ctx, order).await?;
///     Ok(if paid { discount(1_000) } else { 0 })
/// }
/// ```
///
/// It goes on an `async fn`, which then returns a [`DurableTask`], and on a plain `fn`; both may be
/// generic, and methods. Nothing is registered: it is called as any function.
///
/// [`DurableTask`]: https://docs.rs/durable-runtime/latest/durable_runtime/trait.DurableTask.html
///
/// # Options
///
/// * `crate = path::to::durable_runtime`: where the runtime is found, where it is not
///   `::durable_runtime`.
///
/// # Errors
///
/// The compiler reports what it reports in the body of an [`macro@orchestrator`], and parameters that
/// an orchestrator has not.
#[proc_macro_attribute]
pub fn deterministic(options: TokenStream, item: TokenStream) -> TokenStream {
    deterministic::deterministic(options.into(), item.into()).into()
}

/// Lets one statement of an orchestrator break a rule of determinism.
///
/// ```
/// use std::collections::HashMap;
///
/// use durable_runtime::prelude::*;
///
/// #[orchestrator]
/// async fn count(_: OrchestrationContext, words: Vec<String>) -> Result<usize> {
///     #[allow_nondeterminism(hash, reason = "its order is never looked at")]
///     let mut seen = HashMap::new();
///     for word in words {
///         seen.insert(word, ());
///     }
///     Ok(seen.len())
/// }
/// ```
///
/// It stands on a statement, or on an arm of a `match`, in the body of an [`macro@orchestrator`] or
/// a [`macro@deterministic`] function, names one rule or several, as the messages of the compiler
/// have them in brackets, and gives the reason why a replay does the same all the same.
///
/// # Errors
///
/// An unknown rule, and a missing reason, do not compile; nor does the attribute in any other place.
#[proc_macro_attribute]
pub fn allow_nondeterminism(_: TokenStream, item: TokenStream) -> TokenStream {
    let error = quote::quote! {
        ::core::compile_error! {
            "`#[allow_nondeterminism]` stands on a statement in the body of an `#[orchestrator]` or \
             `#[deterministic]` function: move it there [allow]"
        }
    };
    item.into_iter().chain(TokenStream::from(error)).collect()
}

/// Waits for the first of several tasks, and runs the body of its branch.
///
/// ```
/// # use std::future::{Future, ready, pending};
/// # use std::task::{Context, Poll, Waker};
/// use durable_macros::select;
///
/// # async fn example() -> Result<u32, String> {
/// let mut approval = ready(7);
/// let approved_by = select! {
///     () = pending() => return Err("too late".to_owned()),
///     user = &mut approval => user,
/// };
/// # Ok(approved_by)
/// # }
/// # let mut future = std::pin::pin!(example());
/// # let mut context = Context::from_waker(Waker::noop());
/// # assert_eq!(future.as_mut().poll(&mut context), Poll::Ready(Ok(7)));
/// ```
///
/// A branch is `pattern = task => body`. A task is anything that implements `IntoFuture`. The tasks
/// are polled from top to bottom, each time, so the first branch wins where several are ready: that
/// is the same in every replay.
///
/// When one is ready all of them are dropped, and then the body runs. To keep a task that was not
/// chosen, pass it by `&mut`. The bodies belong to the function around them: `return`, `break`, `?`
/// and `.await` do there what they do anywhere in it. The value of the `select!` is that of the
/// body.
///
/// The pattern must match every output of its task. A comma is needed after a body that is not a
/// block. There is no `else` and no `if`, for a durable task always ends some day, and conditions
/// are written around the `select!`.
///
/// # Errors
///
/// Without a branch, and with a branch of another shape, it does not compile.
#[proc_macro]
pub fn select(input: TokenStream) -> TokenStream {
    syn::parse::<select::Select>(input)
        .map_or_else(|error| error.to_compile_error(), |select| select.expand())
        .into()
}

/// Waits for all of several tasks, and gives the tuple of their outputs.
///
/// ```
/// # use std::future::{Future, ready};
/// # use std::task::{Context, Poll, Waker};
/// use durable_macros::join;
///
/// # async fn example() -> (u32, String) {
/// let (number, text) = join!(ready(7), async { "seven".to_owned() });
/// # (number, text)
/// # }
/// # let mut future = std::pin::pin!(example());
/// # let mut context = Context::from_waker(Waker::noop());
/// # assert_eq!(future.as_mut().poll(&mut context), Poll::Ready((7, "seven".to_owned())));
/// ```
///
/// A task is anything that implements `IntoFuture`. All run concurrently; the ones that have not
/// ended are polled in order. It waits for all of them, also when the output of one is an error:
/// `let (a, b) = join!(first, second); let (a, b) = (a?, b?);`.
///
/// `join!(task)` gives a tuple of one, and `join!()` gives `()`.
#[proc_macro]
pub fn join(input: TokenStream) -> TokenStream {
    syn::parse::<join::Join>(input)
        .map_or_else(|error| error.to_compile_error(), |join| join.expand())
        .into()
}

/// Makes an async function a test that runs in virtual time, with a `TestHost` of its own.
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestHost;
///
/// #[orchestrator]
/// async fn trial(ctx: OrchestrationContext) -> Result<()> {
///     ctx.sleep(std::time::Duration::from_secs(90 * 86_400)).await;
///     Ok(())
/// }
///
/// # durable_runtime::testing::run_with(TestHost::builder(), a_trial_takes_90_days);
/// # /*
/// #[durable_runtime::test]
/// # */
/// async fn a_trial_takes_90_days(host: TestHost) {
///     host.run::<trial>(()).await.unwrap();
///     assert_eq!(host.elapsed().as_secs(), 90 * 86_400);
/// }
/// ```
///
/// The function takes a `TestHost`, or nothing and builds one itself. It runs in an async runtime of its own, of
/// one thread and with virtual time. Its future need not be `Send`. It may return what a `#[test]` may; other
/// attributes, such as `#[should_panic]` and `#[ignore]`, do what they do there.
///
/// # Options
///
/// * `seeds = 100`: runs the test once for each seed from 0 to 99. The seed of the first run that fails, with a panic
///   or an error, is printed.
///   See `durable_runtime::testing::run_many_seeds`.
///
/// # Errors
///
/// On anything but an `async fn` without generics and with one parameter at most, it does not compile.
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    test::test(options.into(), &item.into()).into()
}
