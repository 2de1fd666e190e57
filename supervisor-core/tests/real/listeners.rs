//! Child listeners, result handlers and counters.

use std::collections::BTreeSet;

use supervisor_core::domain::event_type::EventType;
use supervisor_core::domain::spec::{self, Group, GroupKind};
use supervisor_core::domain::state::ListenerState;
use supervisor_core::listener::{Event, SubscriberInfo, Verdict};
use supervisor_core::sys::host::SystemHost;

use super::*;

/// Answers every event with `yes`, which is not what the default handler takes for done.
const SAYS_YES: &str = r"printf 'READY\n'
while read -r line; do
  dd bs=1 count=${line##*len:} >/dev/null 2>&1
  printf 'RESULT 3\nyesREADY\n'
done";

/// The pool `l` of one process with this script, that hears of REMOTE_COMMUNICATION.
pub(super) fn pool(lab: &Lab, script: &str, set: impl FnOnce(&mut spec::Pool)) -> Group {
    let mut group = lab.program("l", script).build(&SystemHost).unwrap();
    let mut pool = spec::Pool::new(BTreeSet::from([EventType::RemoteCommunication]));
    set(&mut pool);
    group.kind = GroupKind::EventListener(pool);
    group.priority = -1;
    group
}

fn with_handler(lab: &Lab, handler: &str) -> Group {
    pool(lab, SAYS_YES, |pool| pool.result_handler = handler.to_owned())
}

pub(super) async fn pool_info(handle: &Handle, wanted: impl Fn(&SubscriberInfo) -> bool) -> SubscriberInfo {
    eventually("the pool's counters are as wanted", async || {
        let all = handle.subscribers().await.unwrap();
        all.into_iter().find(|info| info.name == "l" && wanted(info))
    })
    .await
}

#[test]
fn the_last_events_are_heard_before_a_pool_is_stopped() {
    // Each takes its time; what was heard is written when that is over.
    let slow = "printf 'READY\\n'
while read -r line; do
  dd bs=1 count=${line##*len:} >/dev/null 2>&1
  event=${line#*eventname:}
  echo \"${event%% *}\" >>$0.heard
  printf 'RESULT 2\\nOKREADY\\n'
done";
    for (programs, expected) in
        [(0, "SUPERVISOR_STATE_CHANGE_STOPPING\n"), (1, "SUPERVISOR_STATE_CHANGE_STOPPING\nPROCESS_STATE_STOPPED\n")]
    {
        let lab = Lab::new();
        let group = pool(&lab, slow, |pool| {
            pool.events = [EventType::SupervisorStateChangeStopping, EventType::ProcessStateStopped].into();
        });
        let programs = (0..programs).map(|_| lab.program("x", "exec sleep 1000"));
        lab.run(supervisor(programs).group(group), async |handle| {
            pool_info(&handle, |info| info.children[0].1 == ListenerState::Ready).await;
        });
        assert_eq!(std::fs::read_to_string(lab.path("l.sh.heard")).unwrap_or_default(), expected);
    }
}

#[test]
fn a_result_handler_decides_what_an_answer_means() {
    let lab = Lab::new();
    let accept = |event: &Event, result: &[u8]| {
        assert_eq!(event.payload.as_ref(), "type:t\ndata");
        Ok(if result == b"yes" { Verdict::Processed } else { Verdict::Rejected })
    };
    let builder = Supervisor::builder().group(with_handler(&lab, "test:yes")).result_handler("test:yes", accept);
    lab.run(builder, async |handle| {
        handle.send_remote_event("t", "data").await.unwrap();
        let info = pool_info(&handle, |info| info.delivered == 1).await;
        assert_eq!((info.rejected, info.dropped, info.waiting), (0, 0, 0));
        assert_eq!(info.children[0].0, name("l"));
        let listener = handle.process(&name("l")).await.unwrap().listener.unwrap();
        assert_eq!((listener.delivered, listener.rejected, listener.waiting, listener.dropped), (1, 0, 0, 0));
    });
}

#[test]
fn the_default_handler_rejects_and_the_event_comes_again() {
    let lab = Lab::new();
    let builder = Supervisor::builder().group(with_handler(&lab, spec::Pool::DEFAULT_RESULT_HANDLER));
    lab.run(builder, async |handle| {
        handle.send_remote_event("t", "data").await.unwrap();
        let info = pool_info(&handle, |info| info.rejected >= 3).await;
        assert_eq!(info.delivered, 0);
        assert!(handle.process(&name("l")).await.unwrap().listener.unwrap().rejected >= 3);
    });
}

#[test]
fn a_handler_that_fails_ends_the_conversation() {
    let lab = Lab::new();
    let fail = |_: &Event, _: &[u8]| Err("no idea".into());
    let builder = Supervisor::builder().group(with_handler(&lab, "test:fail")).result_handler("test:fail", fail);
    lab.run(builder, async |handle| {
        handle.send_remote_event("t", "data").await.unwrap();
        let info = pool_info(&handle, |info| info.rejected == 1).await;
        assert_eq!((info.waiting, info.children[0].1), (1, ListenerState::Unknown));
    });
}
