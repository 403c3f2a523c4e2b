//! Replies already given must not wait for a slow callback later in the same batch.
//!
//! The owner gathers a batch's replies in the outbox and writes them at the batch's end. Connections with such a batch
//! are watched here, and what has been gathered is written every [`PERIOD`] until the batch is done.

use crate::Conn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Longest time for which a reply may be held back.
const PERIOD: Duration = Duration::from_millis(1);

/// The watched connections of one I/O thread.
#[derive(Debug, Default)]
pub(crate) struct CorkWatch {
    watched: Mutex<Vec<Arc<Conn>>>,
    more: Notify,
}

impl CorkWatch {
    pub(crate) fn watch(&self, conn: Arc<Conn>) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.push(conn);
        if watched.len() == 1 {
            self.more.notify_one();
        }
    }

    pub(crate) async fn run(&self) {
        loop {
            self.more.notified().await;
            while !self.is_empty() {
                tokio::time::sleep(PERIOD).await;
                self.flush();
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    fn flush(&self) {
        let due = std::mem::take(&mut *self.watched.lock().unwrap_or_else(PoisonError::into_inner));
        let still: Vec<_> = due.into_iter().filter(Conn::flush_corked).collect();
        self.watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(still);
    }
}
