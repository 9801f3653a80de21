//! The macros that an orchestrator must not call.
//!
//! The names that ours share with others (`select!`, `join!`) are wrong only by their full paths.

use super::Family;
use super::message::{
    ADDRESS, COMBINED, NEW_ID, PRINTED, QUERIED, SELECTED, USE_ACTIVITY, USE_JOIN, USE_LOCAL,
    USE_NEW_GUID, USE_SELECT, USE_TRACING, USE_VALUES,
};
use crate::determinism::rule::Rule;

pub(super) const FAMILIES: &[Family] = &[
    Family {
        rule: Rule::Print,
        why: PRINTED,
        instead: USE_TRACING,
        items: &[
            "std/{print, println, eprint, eprintln, dbg}",
            "async_std::{print, println, eprint, eprintln}",
            "log::{error, warn, info, debug, trace, log}",
        ],
    },
    Family {
        rule: Rule::ThreadLocal,
        why: "keeps values of this thread or task, which a replay does not find again",
        instead: USE_LOCAL,
        items: &["std/thread_local", "tokio/task_local"],
    },
    Family {
        rule: Rule::Static,
        why: "keeps a value of this process, which a replay does not find again",
        instead: USE_LOCAL,
        items: &["lazy_static/lazy_static"],
    },
    Family {
        rule: Rule::Uuid,
        why: NEW_ID,
        instead: USE_NEW_GUID,
        items: &["nanoid/nanoid"],
    },
    Family {
        rule: Rule::Select,
        why: SELECTED,
        instead: USE_SELECT,
        items: &[
            "{tokio, futures, crossbeam, crossbeam_channel}::select",
            "{crossbeam, crossbeam_channel}/select_biased",
            "futures/{select_biased, stream_select}",
        ],
    },
    Family {
        rule: Rule::Combinator,
        why: COMBINED,
        instead: USE_JOIN,
        items: &[
            "{tokio, futures, async_std}::join",
            "std::future::join",
            "{tokio, futures, async_std}/try_join",
        ],
    },
    Family {
        rule: Rule::Database,
        why: QUERIED,
        instead: USE_ACTIVITY,
        items: &["sqlx::{query*, migrate}"],
    },
    Family {
        rule: Rule::Process,
        why: "runs a command, which would run again in every replay",
        instead: USE_ACTIVITY,
        items: &["duct::cmd", "xshell::cmd"],
    },
    Family {
        rule: Rule::Address,
        why: ADDRESS,
        instead: USE_VALUES,
        items: &["std/ptr::{addr_of, addr_of_mut}"],
    },
];
