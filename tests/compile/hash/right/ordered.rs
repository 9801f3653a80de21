//! Collections with an order of their own, and hash maps with a hasher of their own.
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use durable_runtime::prelude::*;

#[derive(Default)]
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type FnvMap<K, V> = HashMap<K, V, BuildHasherDefault<Fnv>>;

/// Keeps the order in which entries come.
#[derive(Debug, Default)]
struct IndexMap<K, V> {
    entries: Vec<(K, V)>,
}

impl<K, V> IndexMap<K, V> {
    fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    fn insert(&mut self, key: K, value: V) {
        self.entries.push((key, value));
    }
}

#[orchestrator]
async fn ordered(_ctx: OrchestrationContext, words: Vec<String>) -> Result<BTreeMap<String, u32>> {
    let mut counts = BTreeMap::new();
    let mut order = IndexMap::new();
    for word in &words {
        *counts.entry(word.clone()).or_insert(0) += 1;
        order.insert(word.len(), word);
    }
    let distinct: BTreeSet<_> = words.iter().collect();
    let queue = VecDeque::from_iter(distinct);
    let heap: BinaryHeap<_> = queue.into_iter().collect();
    tracing::debug!(?heap, ?order);
    Ok(counts)
}

#[orchestrator]
async fn hashed(_ctx: OrchestrationContext, words: Vec<String>) -> Result<u64> {
    let mut counts: HashMap<String, u64, BuildHasherDefault<Fnv>> = HashMap::default();
    let mut other = FnvMap::default();
    let third = HashMap::<u8, u8, BuildHasherDefault<Fnv>>::default();
    assert!(third.is_empty());
    for word in words {
        match counts.entry(word) {
            Entry::Occupied(mut entry) => *entry.get_mut() += 1,
            Entry::Vacant(entry) => {
                entry.insert(1);
            }
        }
        other.insert(counts.len(), ());
    }
    let mut hasher = Fnv::default();
    other.len().hash(&mut hasher);
    Ok(hasher.finish())
}

fn main() {}
