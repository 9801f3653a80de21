//! The mistakes.

/// A mistake.
#[derive(Debug)]
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    pub(crate) edits: &'static [Edit],
}

/// What is to be replaced for it.
#[derive(Debug)]
pub(crate) struct Edit {
    /// Below `durable-runtime/src`.
    pub(crate) file: &'static str,
    /// Is there exactly once.
    pub(crate) before: &'static str,
    pub(crate) after: &'static str,
}

pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "storage skips the check of the fence",
        edits: &[Edit {
            file: "storage/memory/state.rs",
            before: "if stale.is_empty() {",
            after: "if stale.is_empty() || !stale.is_empty() {",
        }],
    },
    Mutant {
        name: "effects are released before their commit",
        edits: &[Edit {
            file: "host/worker.rs",
            before: "&& *number <= owned.committed",
            after: "&& *number <= owned.handed_over",
        }],
    },
    Mutant {
        name: "an event is dropped when continuing as new",
        edits: &[Edit {
            file: "partition/episode.rs",
            before: "for (name, data) in events {",
            after: "for (name, data) in events.into_iter().skip(1) {",
        }],
    },
    Mutant {
        name: "a task id is used again after a rewind",
        edits: &[
            Edit {
                file: "engine/live.rs",
                before: "            _ => return,\n        };\n        self.core.complete(id, outcome);",
                after: "            EventKind::ExecutionRewound { .. } => return self.core.reuse_task_id(),\n\
                        _ => return,\n        };\n        self.core.complete(id, outcome);",
            },
            Edit {
                file: "context/core.rs",
                before: "    pub(crate) fn next_task_id(&self) -> TaskId {",
                after: "    pub(crate) fn reuse_task_id(&self) {\n\
                        self.next_task.set(self.next_task.get().saturating_sub(1));\n    }\n\n\
                        pub(crate) fn next_task_id(&self) -> TaskId {",
            },
        ],
    },
    Mutant {
        name: "the locks of an execution that ends are not released",
        edits: &[Edit {
            file: "partition/locks.rs",
            before: "self.unlock(&section(instance, task), &entities);",
            after: "let _ = (task, &entities);",
        }],
    },
    Mutant {
        name: "a message is taken as often as it comes",
        edits: &[Edit {
            file: "partition/inbox.rs",
            before: "self.seen.insert(id)",
            after: "self.seen.insert(id) || true",
        }],
    },
    Mutant {
        name: "a message goes to whoever owns its receiver after the commit",
        edits: &[Edit {
            file: "host/committer.rs",
            before: "(Some(epoch), Some(before)) if epoch == *before => {",
            after: "(Some(epoch), _) if owned.len() < usize::MAX => {",
        }],
    },
    Mutant {
        name: "a new owner does not take up what is due",
        edits: &[Edit {
            file: "host/keeper.rs",
            before: "            due,\n            inbox,\n        });",
            after: "            due: due.into_iter().skip(1).collect(),\n            inbox,\n        });",
        }],
    },
    Mutant {
        name: "a new owner counts its messages from the beginning",
        edits: &[Edit {
            file: "partition/mod.rs",
            before: "let next_message = config.epoch.0 << MESSAGE_BITS;",
            after: "let next_message = 0;",
        }],
    },
    Mutant {
        name: "what is refused stays in the inbox",
        edits: &[Edit {
            file: "partition/mod.rs",
            before: "self.delta.consume(id);",
            after: "if result.is_ok() || request.is_some() {\n\
                    self.delta.consume(id);\n                }",
        }],
    },
    Mutant {
        name: "what a partition thread could not commit is forgotten",
        edits: &[Edit {
            file: "host/committer.rs",
            before: "self.given_back.take().or_else(|| {",
            after: "self.given_back.take().filter(|_| false).or_else(|| {",
        }],
    },
    Mutant {
        name: "what a partition thread could not commit comes after what is newer",
        edits: &[Edit {
            file: "host/committer.rs",
            before: "            (!taken.is_empty()).then(|| Content::new(taken))\n        });",
            after: "            (!taken.is_empty()).then(|| Content::new(taken))\n        });\n\
                    let content = match content {\n\
                    Some(older) if !self.deltas.is_empty() => {\n\
                    self.given_back = Some(older);\n\
                    Some(Content::new(self.deltas.drain().map(|(_, taken)| taken).collect()))\n\
                    }\n            other => other,\n        };",
        }],
    },
    Mutant {
        name: "a partition thread takes a commit that has failed for one that has not",
        edits: &[Edit {
            file: "host/committer.rs",
            before: "        if stored.is_ok() {\n            self.settle(group, Ok(()));",
            after: "        if stored.is_ok() || stored.is_err() {\n            self.settle(group, Ok(()));",
        }],
    },
    Mutant {
        name: "nobody is told of what a partition thread could not commit",
        edits: &[Edit {
            file: "host/committer.rs",
            before: "let is_there_more = open.given_back.is_some() || !open.deltas.is_empty();",
            after: "let is_there_more = !open.deltas.is_empty();",
        }],
    },
    Mutant {
        name: "a row whose due time has changed is not written",
        edits: &[Edit {
            file: "partition/instance.rs",
            before: "self.edit().due = due;",
            after: "self.record.due = due;",
        }],
    },
    Mutant {
        name: "of two steps in one delta the later one is lost",
        edits: &[Edit {
            file: "model/delta.rs",
            before: "*earlier = updated;\n                    append.extend(later);",
            after: "*earlier = updated;\n                    drop((append, later));",
        }],
    },
    Mutant {
        name: "steps that come before a change of the row are lost",
        edits: &[Edit {
            file: "model/delta.rs",
            before: "Self::Append { append, .. } => (false, std::mem::take(append)),",
            after: "Self::Append { .. } => (false, Vec::new()),",
        }],
    },
    Mutant {
        name: "a delayed signal comes at once",
        edits: &[Edit {
            file: "partition/entity.rs",
            before: "operation.at.is_none_or(|at| at <= now)",
            after: "operation.at.is_none_or(|at| at <= now || at > now)",
        }],
    },
    Mutant {
        name: "what is terminated leaves its children running",
        edits: &[Edit {
            file: "partition/commands.rs",
            before: "self.send(child, command);",
            after: "let _ = (child, command);",
        }],
    },
    Mutant {
        name: "what is purged leaves its children",
        edits: &[Edit {
            file: "partition/commands.rs",
            before: "self.send(child.clone(), Command::PurgeChild { parent });",
            after: "let _ = (child, parent);",
        }],
    },
    Mutant {
        name: "who waits for a new instance is told of the one that it replaces",
        edits: &[Edit {
            file: "client/completion.rs",
            before: "if queued::is_to_run(storage, &wanted, found.is_some())? {",
            after: "if found.is_none() && queued::is_to_run(storage, &wanted, false)? {",
        }],
    },
    Mutant {
        name: "who waits for a new instance is told of the end of the one that it is to replace",
        edits: &[Edit {
            file: "client/completion.rs",
            before: "let subscription = if may_replace {",
            after: "let subscription = if may_replace && !may_replace {",
        }],
    },
    Mutant {
        name: "a partition runs ahead of storage as far as it comes",
        edits: &[Edit {
            file: "host/worker.rs",
            before: "self.handed_over - self.committed > RUN_AHEAD",
            after: "self.handed_over - self.committed > RUN_AHEAD * 1_000",
        }],
    },
    Mutant {
        name: "another thread goes on before all is durable",
        edits: &[
            Edit {
                file: "host/worker.rs",
                before: "owned.waiting.is_empty() && owned.partition.is_at_rest()",
                after: "owned.partition.is_at_rest()",
            },
            Edit {
                file: "partition/mod.rs",
                before: "            && self.waiting_for_children.is_empty()\n            && self.committed == self.sequence",
                after: "            && self.waiting_for_children.is_empty()",
            },
        ],
    },
    Mutant {
        name: "another thread goes on without the code of what was live",
        edits: &[Edit {
            file: "partition/cache.rs",
            before: "evicted.push(live);\n            false",
            after: "evicted.push(live);\n            true",
        }],
    },
];
