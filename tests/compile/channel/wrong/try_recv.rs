//! What has arrived in a channel by now.
use std::cell::RefCell;
use std::sync::mpsc::Receiver;

use durable_runtime::prelude::*;

#[deterministic]
fn newest(receiver: &RefCell<Receiver<u32>>) -> Option<u32> {
    receiver.borrow().try_recv().ok()
}

fn main() {}
