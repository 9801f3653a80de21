use super::*;

fn split(path: &str) -> Vec<String> {
    path.split("::").map(str::to_owned).collect()
}

/// The rule that a path breaks when it is written so, without a `use` in the body.
fn written(source: &str) -> Option<Rule> {
    path(&split(source), false).map(|finding| finding.rule)
}

/// The rule that a path breaks when this is known to be the full one.
fn resolved(source: &str) -> Option<Rule> {
    path(&split(source), true).map(|finding| finding.rule)
}

#[track_caller]
fn breaks(rule: Rule, paths: &[&str]) {
    for path in paths {
        assert_eq!(written(path), Some(rule), "{path}");
    }
}

#[track_caller]
fn breaks_when_resolved(rule: Rule, paths: &[&str]) {
    for path in paths {
        assert_eq!(resolved(path), Some(rule), "{path}");
        assert_eq!(written(path), Some(rule), "{path}");
    }
}

#[track_caller]
fn are_fine(paths: &[&str]) {
    for path in paths {
        assert_eq!(written(path), None, "{path}");
        assert_eq!(resolved(path), None, "{path}");
    }
}

fn macro_rule(source: &str, is_resolved: bool) -> Option<Rule> {
    macro_path(&split(source), is_resolved).map(|finding| finding.rule)
}

fn type_rule(source: &str, generic_arguments: usize, is_resolved: bool) -> Option<Rule> {
    type_path(&split(source), generic_arguments, is_resolved).map(|finding| finding.rule)
}

fn method_rule(name: &str, arguments: usize) -> Option<Rule> {
    method(name, arguments).map(|finding| finding.rule)
}

#[test]
fn clocks() {
    breaks_when_resolved(
        Rule::Clock,
        &[
            "std::time::Instant::now",
            "core::time::Instant::now",
            "std::time::SystemTime::now",
            "chrono::Utc::now",
            "chrono::Local::now",
            "time::OffsetDateTime::now_utc",
            "tokio::time::Instant::now",
            "quanta::Clock::new",
        ],
    );
    breaks(
        Rule::Clock,
        &["Instant::now", "t::Instant::now", "Utc::now", "Zoned::now"],
    );
    are_fine(&[
        "now",
        "ledger::now",
        "std::time::Duration::from_secs",
        "std::time::UNIX_EPOCH",
        "chrono::DateTime::from_timestamp",
        "chrono::Utc",
        "Instant::from",
    ]);
}

#[test]
fn random_values() {
    breaks_when_resolved(
        Rule::Random,
        &[
            "rand::random",
            "rand::thread_rng",
            "rand::rngs::OsRng",
            "rand::rngs::StdRng::from_os_rng",
            "rand_chacha::ChaCha20Rng::from_entropy",
            "fastrand::Rng::new",
            "fastrand::u64",
            "getrandom::fill",
            "std::hash::RandomState::new",
        ],
    );
    breaks(
        Rule::Random,
        &["rngs::OsRng", "StdRng::from_entropy", "RandomState::new"],
    );
    are_fine(&[
        "random",
        "crate::random::random",
        "dice::random",
        "rand::rngs::StdRng::seed_from_u64",
        "fastrand::Rng::with_seed",
        "ahash::RandomState::with_seeds",
    ]);
}

#[test]
fn uuids() {
    breaks_when_resolved(
        Rule::Uuid,
        &[
            "uuid::Uuid::new_v4",
            "uuid::Uuid::now_v7",
            "uuid::Timestamp::now",
            "ulid::Ulid::new",
            "nanoid::nanoid",
        ],
    );
    breaks(Rule::Uuid, &["Uuid::new_v4", "Ulid::new", "ObjectId::new"]);
    are_fine(&[
        "uuid::Uuid::new_v5",
        "Uuid::new_v3",
        "Uuid::nil",
        "Uuid::parse_str",
        "new_v4",
    ]);
    assert_eq!(macro_rule("nanoid", false), Some(Rule::Uuid));
    assert_eq!(macro_rule("uuid::uuid", true), None);
}

#[test]
fn environment() {
    breaks_when_resolved(
        Rule::Environment,
        &[
            "std::env::var",
            "std::env::args",
            "dotenvy::dotenv",
            "num_cpus::get",
            "std::thread::available_parallelism",
            "chrono::Local",
            "chrono::Local::from_utc_datetime",
        ],
    );
    breaks(Rule::Environment, &["env::var", "env::args"]);
    are_fine(&[
        "var",
        "super::env::var",
        "settings::env::var",
        "std::env::consts::OS",
        "std::env::VarError::NotPresent",
    ]);
    assert_eq!(resolved("env::var"), None);
    assert_eq!(macro_rule("env", false), None);
}

#[test]
fn files() {
    breaks_when_resolved(
        Rule::File,
        &[
            "std::fs::read_to_string",
            "std::fs::File::open",
            "std::fs::OpenOptions::new",
            "tokio::fs::write",
            "std::io::stdin",
            "tempfile::tempdir",
        ],
    );
    breaks(Rule::File, &["fs::read", "File::open", "io::stdin"]);
    are_fine(&[
        "self::fs::read",
        "fs::parse",
        "read",
        "std::path::Path::new",
        "std::io::Error::other",
        "File::parse",
    ]);
    assert_eq!(method_rule("try_exists", 0), Some(Rule::File));
    assert_eq!(method_rule("exists", 0), None);
}

#[test]
fn network() {
    breaks_when_resolved(
        Rule::Network,
        &[
            "std::net::TcpStream::connect",
            "tokio::net::lookup_host",
            "reqwest::get",
            "reqwest::Client::new",
            "hyper_util::rt::TokioExecutor::new",
            "aws_sdk_s3::Client::new",
            "redis::Client::open",
        ],
    );
    breaks(Rule::Network, &["TcpStream::connect", "UdpSocket::bind"]);
    are_fine(&[
        "std::net::Ipv4Addr::new",
        "std::net::SocketAddr::from",
        "reqwest::StatusCode::OK",
        "reqwest::StatusCode::from_u16",
        "reqwest::Url::parse",
        "hyper::header::HeaderName::from_static",
        "aws_sdk_s3::types::Tag::builder",
        "Client::new",
        "redis::key_of",
    ]);
    assert_eq!(method_rule("to_socket_addrs", 0), Some(Rule::Network));
    assert_eq!(method_rule("send", 0), None);
}

#[test]
fn databases() {
    breaks_when_resolved(
        Rule::Database,
        &[
            "sqlx::query",
            "sqlx::PgPool::connect",
            "diesel::insert_into",
            "rusqlite::Connection::open",
            "deadpool_postgres::Pool::builder",
            "sled::open",
        ],
    );
    breaks(Rule::Database, &["PgPool::connect", "PgPoolOptions::new"]);
    are_fine(&[
        "sqlx::Error::RowNotFound",
        "sqlx::types::Uuid::from_u128",
        "rusqlite::Error::QueryReturnedNoRows",
        "mongodb::bson::to_document",
        "sea_orm::Set",
        "Connection::open",
        "postgres::name_of",
        "query",
    ]);
    assert_eq!(macro_rule("sqlx::query_as", false), Some(Rule::Database));
    assert_eq!(macro_rule("query", false), None);
}

#[test]
fn processes() {
    breaks_when_resolved(
        Rule::Process,
        &[
            "std::process::exit",
            "tokio::signal::ctrl_c",
            "std::process::Command::new",
            "tokio::process::Command::new",
        ],
    );
    breaks(Rule::Process, &["process::exit", "process::Command::new"]);
    are_fine(&[
        "Command::new",
        "bank::Command::new",
        "exit",
        "tokio::signal::unix::SignalKind",
        "std::process::ExitCode::from",
        "std::process::ExitCode::SUCCESS",
        "process::order",
    ]);
}

#[test]
fn threads() {
    breaks_when_resolved(
        Rule::Thread,
        &["std::thread::current", "std::thread::yield_now"],
    );
    breaks(Rule::Thread, &["thread::current"]);
    are_fine(&["current", "forum::thread::current", "thread::reply"]);
}

#[test]
fn spawns() {
    breaks_when_resolved(
        Rule::Spawn,
        &[
            "std::thread::spawn",
            "std::thread::Builder::new",
            "tokio::spawn",
            "tokio::task::JoinSet::new",
            "tokio::runtime::Handle::current",
            "async_std::task::spawn",
            "rayon::join",
            "crossbeam::thread::scope",
        ],
    );
    breaks(
        Rule::Spawn,
        &["thread::spawn", "task::spawn_blocking", "JoinSet::new"],
    );
    are_fine(&["spawn", "game::spawn", "Builder::new", "Handle::current"]);
    assert_eq!(method_rule("spawn_blocking", 1), Some(Rule::Spawn));
    assert_eq!(method_rule("spawn", 1), None);
}

#[test]
fn sleeps() {
    breaks_when_resolved(
        Rule::Sleep,
        &[
            "std::thread::sleep",
            "tokio::time::sleep",
            "tokio::time::timeout",
            "tokio::task::yield_now",
            "async_std::task::sleep",
            "futures_timer::Delay::new",
            "smol::Timer::after",
        ],
    );
    breaks(
        Rule::Sleep,
        &["thread::sleep", "time::sleep", "time::timeout"],
    );
    are_fine(&["sleep", "tokio::time::Duration::from_secs", "Delay::new"]);
    assert_eq!(method_rule("sleep", 1), None);
    assert_eq!(method_rule("timeout", 1), None);
}

#[test]
fn blocking() {
    breaks_when_resolved(
        Rule::Block,
        &[
            "futures::executor::block_on",
            "futures_executor::block_on",
            "pollster::block_on",
            "tokio::task::block_in_place",
            "std::thread::park",
        ],
    );
    breaks(Rule::Block, &["executor::block_on", "thread::park"]);
    are_fine(&["block_on", "garden::park"]);
    assert_eq!(method_rule("block_on", 1), Some(Rule::Block));
    assert_eq!(method_rule("block", 1), None);
}

#[test]
fn locks() {
    breaks_when_resolved(
        Rule::Lock,
        &[
            "std::sync::Mutex::new",
            "tokio::sync::Semaphore::new",
            "tokio::sync::Notify::new",
            "parking_lot::RwLock::new",
            "futures_util::lock::Mutex::new",
            "spin::Once::new",
        ],
    );
    breaks(Rule::Lock, &["Mutex::new", "sync::RwLock::new"]);
    are_fine(&[
        "std::sync::Arc::new",
        "std::sync::OnceLock::new",
        "std::sync::LazyLock::new",
        "Barrier::new",
        "spin::wheel",
        "crate::Mutex::new",
    ]);
    assert_eq!(method_rule("lock", 0), None);
}

#[test]
fn channels() {
    breaks_when_resolved(
        Rule::Channel,
        &[
            "std::sync::mpsc::channel",
            "tokio::sync::mpsc::channel",
            "tokio::sync::oneshot::channel",
            "futures::channel::mpsc::unbounded",
            "flume::bounded",
        ],
    );
    breaks(
        Rule::Channel,
        &["mpsc::channel", "sync::mpsc::channel", "oneshot::channel"],
    );
    are_fine(&["channel", "slack::channel", "tv::mpsc::channel"]);
    assert_eq!(method_rule("try_recv", 0), Some(Rule::Channel));
    assert_eq!(method_rule("recv", 0), None);
}

#[test]
fn printing() {
    for source in ["println", "std::println", "dbg", "log::info"] {
        assert_eq!(macro_rule(source, false), Some(Rule::Print), "{source}");
    }
    for source in [
        "tracing::info",
        "info",
        "report::println",
        "write",
        "format",
    ] {
        assert_eq!(macro_rule(source, false), None, "{source}");
    }
    assert_eq!(macro_rule("std::eprintln", true), Some(Rule::Print));
    assert_eq!(macro_rule("crate::println", true), None);
    breaks_when_resolved(Rule::Print, &["std::io::stdout", "tokio::io::stderr"]);
    breaks(Rule::Print, &["io::stdout"]);
    are_fine(&["stdout", "std::io::sink"]);
}

#[test]
fn statics() {
    let rule = |name| static_type(name).map(|finding| finding.rule);
    for name in ["Mutex", "RefCell", "AtomicU64", "OnceLock", "LazyLock"] {
        assert_eq!(rule(name), Some(Rule::Static), "{name}");
    }
    for name in ["str", "Regex", "AtomicSwap", "MutexError"] {
        assert_eq!(rule(name), None, "{name}");
    }
    assert_eq!(method_rule("fetch_add", 2), Some(Rule::Static));
    assert_eq!(method_rule("fetch_add", 1), None);
    assert_eq!(macro_rule("lazy_static", false), Some(Rule::Static));
}

#[test]
fn thread_locals() {
    assert_eq!(macro_rule("thread_local", false), Some(Rule::ThreadLocal));
    assert_eq!(
        macro_rule("tokio::task_local", true),
        Some(Rule::ThreadLocal)
    );
    assert_eq!(macro_rule("forum::thread_local", false), None);
}

#[test]
fn hashes() {
    breaks_when_resolved(
        Rule::Hash,
        &[
            "std::collections::HashMap::new",
            "std::collections::HashSet::from_iter",
            "hashbrown::HashMap::with_capacity",
            "ahash::AHashMap::new",
            "std::hash::DefaultHasher::new",
        ],
    );
    breaks(Rule::Hash, &["HashMap::new", "collections::HashSet::from"]);
    are_fine(&[
        "HashMap::with_hasher",
        "rustc_hash::FxHashMap::default",
        "BTreeMap::new",
        "IndexMap::new",
        "HashMap",
    ]);
    assert_eq!(type_rule("HashMap", 2, false), Some(Rule::Hash));
    assert_eq!(
        type_rule("collections::HashSet", 1, false),
        Some(Rule::Hash)
    );
    assert_eq!(
        type_rule("std::collections::HashMap", 2, true),
        Some(Rule::Hash)
    );
    assert_eq!(type_rule("HashMap", 3, false), None);
    assert_eq!(type_rule("HashMap", 0, false), None);
    assert_eq!(type_rule("crate::HashMap", 2, true), None);
    assert_eq!(type_rule("im::HashMap", 2, true), None);
    assert_eq!(type_rule("BTreeMap", 2, false), None);
}

#[test]
fn selects() {
    for source in ["tokio::select", "futures_util::select", "select_biased"] {
        assert_eq!(macro_rule(source, false), Some(Rule::Select), "{source}");
    }
    for source in ["select", "durable_runtime::select"] {
        assert_eq!(macro_rule(source, false), None, "{source}");
    }
    breaks_when_resolved(Rule::Select, &["futures::future::select_all"]);
    breaks(Rule::Select, &["future::select"]);
    are_fine(&["select", "sql::select"]);
}

#[test]
fn combinators() {
    for source in ["tokio::join", "futures::try_join", "try_join"] {
        assert_eq!(
            macro_rule(source, false),
            Some(Rule::Combinator),
            "{source}"
        );
    }
    for source in ["join", "durable_runtime::join"] {
        assert_eq!(macro_rule(source, false), None, "{source}");
    }
    breaks_when_resolved(
        Rule::Combinator,
        &[
            "futures_util::future::join_all",
            "futures::stream::FuturesUnordered::new",
        ],
    );
    breaks(
        Rule::Combinator,
        &["future::join_all", "FuturesUnordered::new"],
    );
    are_fine(&["join_all", "std::future::ready", "path::join"]);
    assert_eq!(method_rule("buffer_unordered", 1), Some(Rule::Combinator));
    assert_eq!(method_rule("join", 1), None);
}

#[test]
fn addresses() {
    breaks_when_resolved(
        Rule::Address,
        &["std::ptr::from_ref", "std::rc::Rc::as_ptr"],
    );
    breaks(Rule::Address, &["ptr::from_ref", "Arc::as_ptr"]);
    are_fine(&["std::ptr::eq", "Rc::ptr_eq", "std::any::TypeId::of"]);
    assert_eq!(method_rule("as_ptr", 0), Some(Rule::Address));
    assert_eq!(method_rule("as_ref", 0), None);
}

#[test]
fn clients() {
    breaks_when_resolved(
        Rule::Client,
        &["durable_runtime::client::DurableClient::connect"],
    );
    breaks(Rule::Client, &["DurableHost::builder"]);
    are_fine(&["Client::start", "durable_runtime::when_all"]);
    assert_eq!(method_rule("start_new", 1), Some(Rule::Client));
    assert_eq!(method_rule("terminate", 2), None);
    assert_eq!(method_rule("send_event", 3), None);
}

#[test]
fn what_belongs_to_the_user_is_fine() {
    for first in ["self", "super", "crate", "Self"] {
        are_fine(&[
            &format!("{first}::time::Instant::now"),
            &format!("{first}::fs::read"),
            &format!("{first}::random"),
        ]);
        assert_eq!(macro_rule(&format!("{first}::println"), false), None);
        assert_eq!(type_rule(&format!("{first}::HashMap"), 2, false), None);
    }
    assert_eq!(resolved("clock::Instant::now"), None);
}

#[test]
fn a_finding_says_what_is_wrong_and_what_to_write() {
    let finding = path(&split("std::time::Instant::now"), true).unwrap();
    assert_eq!(
        finding.message,
        "`Instant::now` reads a clock, which gives another time in every replay"
    );
    assert_eq!(finding.instead, "use `ctx.current_utc_datetime()`");
    let finding = macro_path(&split("println"), false).unwrap();
    assert_eq!(finding.message, "`println!` writes again in every replay");
    let finding = method("start_new", 1).unwrap();
    assert!(finding.message.starts_with("`.start_new(..)` "));
    let finding = type_path(&split("collections::HashMap"), 2, false).unwrap();
    assert!(finding.message.starts_with("`HashMap` has a hasher"));
}
