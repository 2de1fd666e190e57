//! Strangers that end: as PID 1 or a subreaper we inherit processes whose parents are gone, and reap them.

use std::sync::Arc;

use async_channel::Sender;
use async_executor::Executor;

use crate::Error;
use crate::runtime::message::Notice;
use crate::sys::orphan::{KnownChildren, Strangers};

/// Reaps from now on everything that is not among `children`, and tells the loop of each.
///
/// # Errors
/// [`Error::Resource`] when SIGCHLD cannot be listened to.
pub(crate) fn reap(
    executor: &Executor<'static>,
    children: Arc<KnownChildren>,
    notices: Sender<Notice>,
) -> Result<(), Error> {
    let mut strangers =
        Strangers::new(children).map_err(|source| Error::Resource { what: "listen to SIGCHLD", source })?;
    executor
        .spawn(async move {
            loop {
                let stranger = strangers.next().await;
                let notice = Notice::Reaped { pid: stranger.pid, status: stranger.status };
                if notices.send(notice).await.is_err() {
                    return;
                }
            }
        })
        .detach();
    Ok(())
}
