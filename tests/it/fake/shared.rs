//! A model that tasks share, and a way to wait for its changes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

pub struct Shared<M> {
    model: Mutex<M>,
    changes: watch::Sender<u64>,
}

impl<M> Shared<M> {
    pub fn new(model: M) -> Shared<M> {
        Shared { model: Mutex::new(model), changes: watch::Sender::new(0) }
    }

    pub fn model(&self) -> MutexGuard<'_, M> {
        // A test that panicked while it held the model must not hide its own message behind this one.
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn change<T>(&self, by: impl FnOnce(&mut M) -> T) -> T {
        let out = by(&mut self.model());
        self.changes.send_modify(|count| *count += 1);
        out
    }

    /// Changes whenever anything does.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Waits until there is an answer, at most so long.
    pub async fn wait<T>(&self, within: Duration, ask: impl Fn(&M) -> Option<T>) -> Option<T> {
        let mut changes = self.changes.subscribe();
        let found = async {
            loop {
                changes.mark_unchanged();
                if let Some(answer) = ask(&self.model()) {
                    return Some(answer);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(within, found).await.ok().flatten()
    }
}
