//! The types that an orchestrator must not name.

use super::Family;
use super::message::{UNORDERED, USE_BTREE, USE_LOCAL};
use crate::determinism::rule::Rule;

/// Types that are wrong wherever they are named. With a hasher of the user's own they have one
/// generic argument more.
pub(super) const FAMILIES: &[Family] = &[Family {
    rule: Rule::Hash,
    why: UNORDERED,
    instead: USE_BTREE,
    items: &[
        "std::collections/HashMap<_, _>",
        "std::collections/HashSet<_>",
        "std::collections::hash_map::HashMap<_, _>",
        "std::collections::hash_set::HashSet<_>",
        "hashbrown::HashMap<_, _>",
        "hashbrown::HashSet<_>",
        "ahash/AHashMap<_, _>",
        "ahash/AHashSet<_>",
        "dashmap/DashMap<_, _>",
        "dashmap/DashSet<_>",
        "std::hash/RandomState",
        "std::collections::hash_map::RandomState",
        "ahash::RandomState",
    ],
}];

/// Types whose value changes behind a shared reference, by their last segments.
pub(super) const STATICS: &[Family] = &[Family {
    rule: Rule::Static,
    why: "in a `static` is shared by all runs in this process, and a replay finds another value",
    instead: USE_LOCAL,
    items: &[
        "{Cell, RefCell, UnsafeCell, SyncUnsafeCell, OnceCell, LazyCell}",
        "{Mutex, RwLock, ReentrantLock, ReentrantMutex, FairMutex, ShardedLock}",
        "{OnceLock, LazyLock, Once, OnceBox, OnceRef, OnceBool, OnceNonZeroUsize, Lazy}",
        "{Condvar, Barrier, Semaphore, Notify}",
        "{DashMap, DashSet, ArcSwap, ArcSwapOption, ArcSwapAny, ArrayQueue, SegQueue}",
        "{AtomicBool, AtomicCell, AtomicI*, AtomicPtr, AtomicRefCell, AtomicU*, AtomicWaker}",
    ],
}];
