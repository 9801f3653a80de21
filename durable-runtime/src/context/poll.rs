//! Who is being polled. Durable tasks do not rely on wakers: the engine knows what has arrived, and
//! a combinator over many tasks is told by [`Waiter::notify`] which of its tasks to look at, so that
//! N completions cost O(N) however they are spread over episodes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;

use super::core::Core;

thread_local! {
    static CORE: RefCell<Option<Rc<Core>>> = const { RefCell::new(None) };
    static WAITER: RefCell<Option<Waiter>> = const { RefCell::new(None) };
    static BLOCKED: Cell<bool> = const { Cell::new(false) };
}

/// Polls an orchestrator of `core`. Returns the result, and whether any durable task is pending.
pub(crate) fn enter<R>(core: &Rc<Core>, poll: impl FnOnce() -> R) -> (R, bool) {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            CORE.set(None);
            WAITER.set(None);
        }
    }
    CORE.set(Some(Rc::clone(core)));
    let _reset = Reset;
    let result = poll();
    (result, BLOCKED.get())
}

/// The orchestration that is being polled on this thread.
pub(crate) fn current_core() -> Option<Rc<Core>> {
    CORE.with_borrow(Clone::clone)
}

/// Fails the orchestration that is being polled on this thread, if one is: its code has called the
/// function of `activity` as such.
#[inline]
pub(crate) fn refuse_direct_call(activity: &'static str) {
    if let Some(core) = current_core() {
        core.refuse_direct_call(activity);
    }
}

/// A poll begins: nothing durable is known to be pending.
pub(crate) fn unset_blocked() {
    BLOCKED.set(false);
}

/// Notes that something durable is pending.
pub(crate) fn set_blocked() {
    BLOCKED.set(true);
}

/// The place in a combinator for which a task is being polled; `None` outside of all combinators.
pub(crate) fn current_waiter() -> Option<Waiter> {
    WAITER.with_borrow(Clone::clone)
}

/// A place in a combinator.
#[derive(Debug, Clone)]
pub(crate) struct Waiter {
    group: Rc<GroupState>,
    child: usize,
}

impl Waiter {
    /// Something that this place waits for has arrived.
    pub(crate) fn notify(&self) {
        let mut next = Some(self.clone());
        while let Some(Waiter { group, child }) = next.take() {
            if group.queued[child].replace(true) {
                return;
            }
            group.ready.borrow_mut().push_back(child);
            next.clone_from(&group.parent.borrow());
        }
    }
}

/// The children of a combinator that are to be polled.
#[derive(Debug)]
pub(crate) struct Group(Rc<GroupState>);

#[derive(Debug)]
struct GroupState {
    ready: RefCell<VecDeque<usize>>,
    queued: Vec<Cell<bool>>,
    /// Which children were pending on something durable when they were last polled.
    blocked: Vec<Cell<bool>>,
    blocked_count: Cell<usize>,
    parent: RefCell<Option<Waiter>>,
}

impl Group {
    /// A group of `count` children, all of them to be polled once.
    pub(crate) fn new(count: usize) -> Self {
        Self(Rc::new(GroupState {
            ready: RefCell::new((0..count).collect()),
            queued: vec![Cell::new(true); count],
            blocked: vec![Cell::new(false); count],
            blocked_count: Cell::new(0),
            parent: RefCell::new(None),
        }))
    }

    /// Begins a poll of the combinator itself.
    pub(crate) fn begin(&self) {
        *self.0.parent.borrow_mut() = current_waiter();
    }

    /// The next child to poll, in the order in which they were notified.
    pub(crate) fn next(&self) -> Option<usize> {
        let child = self.0.ready.borrow_mut().pop_front()?;
        self.0.queued[child].set(false);
        Some(child)
    }

    /// Polls a child, so that what it waits for notifies its place here.
    pub(crate) fn poll<T>(&self, child: usize, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        struct Restore(Option<Waiter>);
        impl Drop for Restore {
            fn drop(&mut self) {
                WAITER.set(self.0.take());
            }
        }
        let waiter = Waiter {
            group: Rc::clone(&self.0),
            child,
        };
        let restore = Restore(WAITER.replace(Some(waiter)));
        let others = BLOCKED.replace(false);
        let polled = poll();
        let blocked = BLOCKED.replace(others) && polled.is_pending();
        drop(restore);
        let count = &self.0.blocked_count;
        match (self.0.blocked[child].replace(blocked), blocked) {
            (false, true) => count.set(count.get() + 1),
            (true, false) => count.set(count.get() - 1),
            _ => {}
        }
        polled
    }

    /// The combinator is pending: on something durable, if one of its children is.
    pub(crate) fn pend(&self) {
        if self.0.blocked_count.get() > 0 {
            set_blocked();
        }
    }
}
