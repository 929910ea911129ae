//! What a warm function knows of the table: the tuples that it read or wrote last.

use std::num::NonZeroUsize;

use lru::LruCache;

use detection::memory::State;

/// How many tuples are kept. Each takes a few hundred bytes.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not zero");

/// A tuple as this process knows it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// What the table would hold if every renewal were written at once.
    pub(super) state: State,
    /// The version of the item in the table.
    pub(super) version: u64,
}

/// The tuples that were used last.
#[derive(Debug)]
pub(super) struct Cache(LruCache<String, Known>);

impl Default for Cache {
    fn default() -> Self {
        Self(LruCache::sparse(CAPACITY))
    }
}

impl Cache {
    pub(super) fn get(&mut self, key: &str) -> Option<Known> {
        self.0.get(key).cloned()
    }

    pub(super) fn put(&mut self, key: &str, known: Known) {
        self.0.put(key.to_owned(), known);
    }

    /// Forgets a tuple that another process has changed.
    pub(super) fn forget(&mut self, key: &str) {
        self.0.pop(key);
    }
}
