//! The methods that an orchestrator must not call, of names that hardly anything else has.

use super::Family;
use super::message::{
    ADDRESS, BLOCKED, COMBINED, FILES, OTHER_THREAD, SENT, USE_ACTIVITY, USE_ASYNC, USE_CALLS,
    USE_CONTEXT, USE_EVENTS, USE_JOIN, USE_LOCAL, USE_VALUES,
};
use crate::determinism::rule::Rule;

pub(super) const FAMILIES: &[Family] = &[
    Family {
        rule: Rule::File,
        why: FILES,
        instead: USE_ACTIVITY,
        items: &[
            "read_dir()",
            "read_link()",
            "symlink_metadata()",
            "try_exists()",
        ],
    },
    Family {
        rule: Rule::Network,
        why: SENT,
        instead: USE_ACTIVITY,
        items: &["to_socket_addrs()"],
    },
    Family {
        rule: Rule::Spawn,
        why: OTHER_THREAD,
        instead: USE_CALLS,
        items: &[
            "spawn_blocking(..)",
            "spawn_blocking_on(..)",
            "spawn_local(..)",
            "spawn_local_on(..)",
            "spawn_scoped(..)",
            "par_bridge()",
            "par_iter()",
            "par_iter_mut()",
            "into_par_iter()",
        ],
    },
    Family {
        rule: Rule::Block,
        why: BLOCKED,
        instead: USE_ASYNC,
        items: &[
            "block_on(..)",
            "blocking_lock()",
            "blocking_read()",
            "blocking_recv()",
            "blocking_send(_)",
            "blocking_write()",
        ],
    },
    Family {
        rule: Rule::Channel,
        why: "takes what has arrived by now, which a replay does not find again",
        instead: USE_EVENTS,
        items: &["recv_timeout(_)", "try_recv()"],
    },
    Family {
        rule: Rule::Static,
        why: "changes a value that other runs share, and a replay finds another one",
        instead: USE_LOCAL,
        items: &[
            "compare_exchange(_, _, _, _)",
            "compare_exchange_weak(_, _, _, _)",
            "fetch_add(_, _)",
            "fetch_and(_, _)",
            "fetch_max(_, _)",
            "fetch_min(_, _)",
            "fetch_nand(_, _)",
            "fetch_or(_, _)",
            "fetch_sub(_, _)",
            "fetch_update(_, _, _)",
            "fetch_xor(_, _)",
        ],
    },
    Family {
        rule: Rule::Combinator,
        why: COMBINED,
        instead: USE_JOIN,
        items: &[
            "buffer_unordered(_)",
            "for_each_concurrent(_, _)",
            "try_buffer_unordered(_)",
            "try_for_each_concurrent(_, _)",
        ],
    },
    Family {
        rule: Rule::Address,
        why: ADDRESS,
        instead: USE_VALUES,
        items: &["as_mut_ptr()", "as_ptr()", "expose_provenance()"],
    },
    Family {
        rule: Rule::Client,
        why: "is of the client, which would do it again in every replay",
        instead: USE_CONTEXT,
        items: &[
            "purge_instances(_)",
            "raise_event(_, _, _)",
            "start_new(_)",
            "start_new_by_name(_, _)",
            "wait_for_completion(_, _)",
        ],
    },
];
