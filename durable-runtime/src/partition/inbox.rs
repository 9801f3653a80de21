//! Which messages of the inbox have been taken. A message can reach the partition twice: directly
//! when it was sent in this process, and when the inbox is read.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;

use crate::model::MessageId;

#[derive(Debug, Default)]
pub(crate) struct SeenMessages {
    seen: FxHashSet<MessageId>,
    /// Messages dealt with, by the number of the commit that deletes them.
    consumed: VecDeque<(u64, MessageId)>,
}

impl SeenMessages {
    /// Takes a message; `false` if it was taken before.
    pub(crate) fn insert(&mut self, id: MessageId) -> bool {
        self.seen.insert(id)
    }

    /// The message is deleted from the inbox by the commit `sequence`.
    pub(crate) fn consumed(&mut self, id: MessageId, sequence: u64) {
        self.consumed.push_back((sequence, id));
    }

    /// The inbox has been read after the commit `as_of`: what that deleted cannot come again.
    pub(crate) fn forget(&mut self, as_of: u64) {
        while let Some((sequence, id)) = self.consumed.front()
            && *sequence <= as_of
        {
            self.seen.remove(id);
            self.consumed.pop_front();
        }
    }
}
