//! A way to the supervisor's executor for other threads, which does not keep it.
//!
//! The executor belongs to the engine and is the last of it to be dropped: its tasks are dropped with it then. Had a thread
//! the last share, it could drop the executor while the engine still wakes tasks, and a task that is woken in the middle of
//! that is never dropped.

use std::sync::{Arc, Weak};

use async_executor::Executor;

/// See the module.
#[derive(Clone)]
pub(crate) struct WeakExecutor(Weak<Executor<'static>>);

impl WeakExecutor {
    /// A way to `executor`.
    pub(crate) fn new(executor: &Arc<Executor<'static>>) -> Self {
        Self(Arc::downgrade(executor))
    }

    /// Lets a task run to its end. Without an executor, since the supervisor is gone, it is dropped.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(executor) = self.0.upgrade() {
            executor.spawn(task).detach();
        }
    }
}
