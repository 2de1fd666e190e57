//! Child listeners that misbehave, and pools that live through it: every event comes at least once, in order, as it was
//! at the moment it happened, and nobody else is held up.

use std::sync::{Arc, Mutex};

use supervisor_core::activity::ActivityLog;
use supervisor_core::domain::event_type::EventType;
use supervisor_core::domain::level::Level;
use supervisor_core::domain::spec::Group;
use supervisor_core::domain::state::ListenerState;

use super::listeners::{pool, pool_info};
use super::*;

/// What the scripts begin with: `hear` waits for an event and notes its serials and payload in `told`.
fn script(lab: &Lab, rest: &str) -> String {
    let folder = lab.directory.path().display();
    format!(
        "cd {folder}
hear() {{
  read -r line || exit 0
  serials=${{line#*serial:}}
  payload=$(dd bs=1 count=${{line##*len:}} 2>/dev/null)
  printf '%s|%s\\n' \"${{serials%% eventname*}}\" \"$payload\" | tr '\\n' ' ' | sed 's/ $/\\n/' >>told
}}
ready() {{ printf 'READY\\n'; }}
ok() {{ printf 'RESULT 2\\nOK'; }}
serve() {{ while :; do ready; hear; ok; done; }}
{rest}
"
    )
}

fn faulty(lab: &Lab, rest: &str) -> Group {
    let mut group = pool(lab, &script(lab, rest), |_| ());
    std::sync::Arc::make_mut(&mut group.processes[0]).autorestart = supervisor_core::domain::spec::Autorestart::Always;
    group
}

/// The data of the events that were heard, in order, with their serials.
fn told(lab: &Lab) -> Vec<String> {
    std::fs::read_to_string(lab.path("told")).unwrap_or_default().lines().map(str::to_owned).collect()
}

async fn told_is(lab: &Lab, expected: &[&str]) {
    let found = eventually(&format!("{expected:?} is told"), async || {
        let found = told(lab);
        (found.len() >= expected.len()).then_some(found)
    })
    .await;
    assert_eq!(found, expected);
}

async fn send(handle: &Handle, data: &str) {
    handle.send_remote_event("t", data).await.unwrap();
}

async fn listener_is(handle: &Handle, state: ListenerState) {
    pool_info(handle, |info| info.children.iter().all(|(_, found)| *found == state)).await;
}

/// Keeps the lines at ERRO and WARN.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl ActivityLog for Lines {
    fn enabled(&self, level: Level) -> bool {
        level >= Level::Warn
    }

    fn write(&self, level: Level, text: &str) {
        self.0.lock().unwrap().push(format!("{} {text}", level.word()));
    }
}

#[test]
fn one_that_is_killed_with_an_event_is_followed_by_one_that_gets_it_first() {
    let lab = Lab::new();
    let rest = "if test -e mark; then serve; fi; touch mark; ready; hear; exec sleep 1000";
    lab.run(Supervisor::builder().group(faulty(&lab, rest)), async |handle| {
        send(&handle, "a").await;
        send(&handle, "b").await;
        told_is(&lab, &["0 pool:l poolserial:0|type:t a"]).await;
        kill(handle.process(&name("l")).await.unwrap().pid.unwrap(), rustix::process::Signal::KILL);
        told_is(
            &lab,
            &["0 pool:l poolserial:0|type:t a", "0 pool:l poolserial:0|type:t a", "1 pool:l poolserial:1|type:t b"],
        )
        .await;
        let info = pool_info(&handle, |info| info.delivered == 2).await;
        assert_eq!((info.rejected, info.dropped), (1, 0));
    });
}

#[test]
fn what_one_dies_with_is_not_lost_to_the_event_of_its_end() {
    let lab = Lab::new();
    let rest = "if test -e mark; then serve; fi; touch mark; ready; hear; exec sleep 1000";
    let mut group = pool(&lab, &script(&lab, rest), |pool| {
        pool.events = [EventType::RemoteCommunication, EventType::ProcessStateExited].into();
        pool.buffer_size = 3;
    });
    std::sync::Arc::make_mut(&mut group.processes[0]).autorestart = supervisor_core::domain::spec::Autorestart::Always;
    lab.run(Supervisor::builder().group(group), async |handle| {
        send(&handle, "a").await;
        let a = "0 pool:l poolserial:0|type:t a";
        told_is(&lab, &[a]).await;
        for data in ["b", "c", "d"] {
            send(&handle, data).await;
        }
        let pid = handle.process(&name("l")).await.unwrap().pid.unwrap();
        kill(pid, rustix::process::Signal::KILL);
        // Two make room: for its end, and for what it had.
        let d = "3 pool:l poolserial:3|type:t d";
        let end = format!("4 pool:l poolserial:4|processname:l groupname:l from_state:RUNNING expected:0 pid:{pid}");
        told_is(&lab, &[a, a, d, &end]).await;
        assert_eq!(pool_info(&handle, |info| info.delivered == 3).await.dropped, 2);
    });
}

#[test]
fn what_one_dies_with_comes_to_another_before_the_event_of_its_end() {
    let lab = Lab::new();
    let rest = "if test $SUPERVISOR_PROCESS_NAME = l; then ready; hear; exec sleep 1000; fi; serve";
    let mut group = pool(&lab, &script(&lab, rest), |pool| {
        pool.events = [EventType::RemoteCommunication, EventType::ProcessStateExited].into();
    });
    std::sync::Arc::make_mut(&mut group.processes[0]).autorestart = supervisor_core::domain::spec::Autorestart::Never;
    let mut second = (*group.processes[0]).clone();
    second.name = "m".to_owned();
    group.processes.push(std::sync::Arc::new(second));
    lab.run(Supervisor::builder().group(group), async |handle| {
        listener_is(&handle, ListenerState::Ready).await;
        send(&handle, "a").await;
        let a = "0 pool:l poolserial:0|type:t a";
        told_is(&lab, &[a]).await;
        let pid = handle.process(&name("l")).await.unwrap().pid.unwrap();
        kill(pid, rustix::process::Signal::KILL);
        let end = format!("1 pool:l poolserial:1|processname:l groupname:l from_state:RUNNING expected:0 pid:{pid}");
        told_is(&lab, &[a, a, &end]).await;
    });
}

#[test]
fn one_that_ends_with_an_event_is_followed_by_one_that_gets_it_first() {
    let lab = Lab::new();
    let rest = "if test -e mark; then serve; fi; touch mark; ready; hear; exit 3";
    lab.run(Supervisor::builder().group(faulty(&lab, rest)), async |handle| {
        send(&handle, "a").await;
        let again = "0 pool:l poolserial:0|type:t a";
        told_is(&lab, &[again, again]).await;
    });
}

#[test]
fn what_is_rejected_comes_again_before_all_else() {
    let lab = Lab::new();
    let rest = "for i in 1 2; do ready; hear; printf 'RESULT 4\\nFAIL'; done; serve";
    lab.run(Supervisor::builder().group(faulty(&lab, rest)), async |handle| {
        for data in ["a", "b", "c"] {
            send(&handle, data).await;
        }
        let a = "0 pool:l poolserial:0|type:t a";
        told_is(&lab, &[a, a, a, "1 pool:l poolserial:1|type:t b", "2 pool:l poolserial:2|type:t c"]).await;
        let info = pool_info(&handle, |info| info.delivered == 3).await;
        assert_eq!((info.rejected, info.dropped), (2, 0));
    });
}

#[test]
fn an_empty_answer_is_a_rejection_at_once() {
    let lab = Lab::new();
    let rest = "ready; hear; printf 'RESULT 0\\n'; while test ! -e mark; do sleep 0.05; done; serve";
    lab.run(Supervisor::builder().group(faulty(&lab, rest)), async |handle| {
        send(&handle, "a").await;
        pool_info(&handle, |info| info.rejected == 1).await;
        std::fs::write(lab.path("mark"), "").unwrap();
        let a = "0 pool:l poolserial:0|type:t a";
        told_is(&lab, &[a, a]).await;
    });
}

#[test]
fn one_that_answers_late_gets_the_rest_in_order() {
    let lab = Lab::new();
    let rest = "ready; hear; while test ! -e mark; do sleep 0.05; done; ok; serve";
    lab.run(Supervisor::builder().group(faulty(&lab, rest)), async |handle| {
        for data in ["a", "b", "c"] {
            send(&handle, data).await;
        }
        told_is(&lab, &["0 pool:l poolserial:0|type:t a"]).await;
        pool_info(&handle, |info| info.waiting == 2).await;
        std::fs::write(lab.path("mark"), "").unwrap();
        let expected =
            ["a", "b", "c"].iter().enumerate().map(|(n, data)| format!("{n} pool:l poolserial:{n}|type:t {data}"));
        told_is(&lab, &expected.collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>()).await;
    });
}

#[test]
fn garbage_for_an_answer_ends_the_conversation_and_another_process_gets_the_event() {
    let garbage = ["RESULT\\n", "RESULT x\\n", "RESULT -1\\n", "RESULT 99999999999999999999\\n", "OK\\n", "\\n"];
    for answer in garbage {
        let lab = Lab::new();
        let rest =
            format!("if test -e mark; then serve; fi; touch mark; ready; hear; printf '{answer}'; exec sleep 1000");
        lab.run(Supervisor::builder().group(faulty(&lab, &rest)), async |handle| {
            send(&handle, "a").await;
            listener_is(&handle, ListenerState::Unknown).await;
            let info = handle.process(&name("l")).await.unwrap();
            assert_eq!(info.state, ProcessState::Running, "the process is left alone");
            assert_eq!((info.listener.unwrap().rejected, info.listener.unwrap().waiting), (1, 1), "{answer}");
            handle.restart(&name("l")).await.unwrap();
            let a = "0 pool:l poolserial:0|type:t a";
            told_is(&lab, &[a, a]).await;
        });
    }
}

#[test]
fn one_that_writes_junk_hears_nothing_and_others_are_served() {
    let lab = Lab::new();
    let lines = Arc::new(Lines::default());
    let builder = Supervisor::builder()
        .activity_log(Arc::clone(&lines) as Arc<dyn ActivityLog>)
        .group(faulty(&lab, "printf 'hello world'; exec sleep 1000"));
    lab.run(builder, async |handle| {
        let mut events = handle.events(&[EventType::RemoteCommunication], 10).await.unwrap();
        listener_is(&handle, ListenerState::Unknown).await;
        send(&handle, "a").await;
        assert_eq!(events.next().await.unwrap().payload.as_ref(), "type:t\na");
        assert_eq!(told(&lab), Vec::<String>::new());
    });
    let unknown = "WARN l: has entered the UNKNOWN state and will no longer receive events, this usually indicates the \
                   process violated the eventlistener protocol";
    assert!(lines.0.lock().unwrap().iter().any(|line| line == unknown));
}

#[test]
fn one_that_is_never_ready_costs_its_own_pool_what_does_not_fit() {
    let lab = Lab::new();
    let lines = Arc::new(Lines::default());
    let builder = Supervisor::builder()
        .activity_log(Arc::clone(&lines) as Arc<dyn ActivityLog>)
        .group(faulty(&lab, "exec sleep 1000"))
        .program(lab.program("x", "exec sleep 1000"));
    lab.run(builder, async |handle| {
        let data = "x".repeat(500_000);
        for _ in 0..300 {
            send(&handle, &data).await;
        }
        let info = pool_info(&handle, |info| info.dropped == 290).await;
        assert_eq!((info.waiting, info.delivered), (10, 0));
        handle.restart(&name("x")).await.unwrap();
    });
    let lines = lines.0.lock().unwrap();
    assert!(lines.contains(&"ERRO pool l event buffer overflowed, discarding event 0".to_owned()), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.contains("overflowed")).count(), 290);
}

#[test]
fn one_that_hangs_with_an_event_can_be_stopped_and_holds_up_nobody() {
    let lab = Lab::new();
    let builder = Supervisor::builder()
        .group(faulty(&lab, "ready; hear; exec sleep 1000"))
        .program(lab.program("x", "exec sleep 1000"));
    lab.run(builder, async |handle| {
        for number in 0..100 {
            send(&handle, &number.to_string()).await;
        }
        let busy = pool_info(&handle, |info| info.children[0].1 == ListenerState::Busy).await;
        assert!(busy.dropped >= 89, "{busy:?}");
        handle.restart(&name("x")).await.unwrap();
        handle.stop(&name("l")).await.unwrap();
        // What it had came back, at the front.
        assert_eq!(pool_info(&handle, |info| info.rejected == 1).await.waiting, 10);
    });
}

#[test]
fn one_that_is_ready_loses_nothing_to_a_small_buffer() {
    let lab = Lab::new();
    let group = pool(&lab, &script(&lab, "serve"), |pool| {
        pool.events = [EventType::ProcessStateBackoff, EventType::ProcessStateFatal].into();
        pool.buffer_size = 1;
    });
    // BACKOFF and FATAL come in one step.
    let broken = lab.program("x", "exit 1").startsecs(60).startretries(0).autostart(false);
    lab.run(Supervisor::builder().group(group).program(broken), async |handle| {
        listener_is(&handle, ListenerState::Ready).await;
        handle.start(&name("x")).await.unwrap_err();
        let state = |from, rest| format!("processname:x groupname:x from_state:{from}{rest}");
        let backoff = format!("0 pool:l poolserial:0|{}", state("STARTING", " tries:1"));
        let fatal = format!("1 pool:l poolserial:1|{}", state("BACKOFF", ""));
        told_is(&lab, &[&backoff, &fatal]).await;
        assert_eq!(pool_info(&handle, |info| info.delivered == 2).await.dropped, 0);
    });
}

#[test]
fn one_that_rejects_and_is_ready_at_once_loses_nothing_to_a_full_buffer() {
    let lab = Lab::new();
    let rest =
        "ready; hear; while test ! -e mark; do sleep 0.05; done; printf 'RESULT 4\\nFAILREADY\\n'; hear; ok; serve";
    let mut group = faulty(&lab, rest);
    let supervisor_core::domain::spec::GroupKind::EventListener(pool) = &mut group.kind else { panic!() };
    pool.buffer_size = 2;
    lab.run(Supervisor::builder().group(group), async |handle| {
        send(&handle, "a").await;
        listener_is(&handle, ListenerState::Busy).await;
        send(&handle, "b").await;
        send(&handle, "c").await;
        std::fs::write(lab.path("mark"), "").unwrap();
        let a = "0 pool:l poolserial:0|type:t a";
        told_is(&lab, &[a, a, "1 pool:l poolserial:1|type:t b", "2 pool:l poolserial:2|type:t c"]).await;
        let info = pool_info(&handle, |info| info.delivered == 3).await;
        assert_eq!((info.rejected, info.dropped), (1, 0));
    });
}

#[test]
fn one_that_does_not_read_what_it_asks_for_blocks_nobody() {
    let lab = Lab::new();
    let rest =
        "ready; for i in 1 2 3; do while test ! -e mark$i; do sleep 0.05; done; ok; ready; done; exec sleep 1000";
    let builder = Supervisor::builder().group(faulty(&lab, rest)).program(lab.program("x", "exec sleep 1000"));
    lab.run(builder, async |handle| {
        // More than a pipe holds.
        let data = "x".repeat(100_000);
        for _ in 0..10 {
            send(&handle, &data).await;
        }
        for answers in 0..=3 {
            pool_info(&handle, |info| info.delivered == answers && info.children[0].1 == ListenerState::Busy).await;
            std::fs::write(lab.path(&format!("mark{}", answers + 1)), "").unwrap();
        }
        handle.restart(&name("x")).await.unwrap();
        handle.stop(&name("l")).await.unwrap();
    });
}

#[test]
fn one_that_reads_at_last_gets_what_waited_for_that() {
    let lab = Lab::new();
    let rest = "ready; while test ! -e mark; do sleep 0.05; done; ok; ready; while test ! -e go; do sleep 0.05; done
read -r line; head -c ${line##*len:} >/dev/null
hear; ok; serve";
    lab.run(Supervisor::builder().group(faulty(&lab, rest)), async |handle| {
        // More than any queue takes beside another.
        send(&handle, &"x".repeat(20 << 20)).await;
        listener_is(&handle, ListenerState::Busy).await;
        std::fs::write(lab.path("mark"), "").unwrap();
        pool_info(&handle, |info| info.delivered == 1 && info.children[0].1 == ListenerState::Ready).await;
        send(&handle, "a").await;
        assert_eq!(pool_info(&handle, |_| true).await.waiting, 1);
        // Nothing else happens.
        std::fs::write(lab.path("go"), "").unwrap();
        told_is(&lab, &["1 pool:l poolserial:1|type:t a"]).await;
    });
}

#[test]
fn one_that_has_closed_its_stdin_gets_nothing_and_the_next_process_gets_all() {
    let lab = Lab::new();
    let rest = "if mkdir mark 2>/dev/null; then exec </dev/null; ready; exec sleep 1000; fi; serve";
    let mut group = faulty(&lab, rest);
    let mut second = (*group.processes[0]).clone();
    second.name = "m".to_owned();
    group.processes.push(std::sync::Arc::new(second));
    lab.run(Supervisor::builder().group(group), async |handle| {
        listener_is(&handle, ListenerState::Ready).await;
        for data in ["a", "b", "c"] {
            send(&handle, data).await;
        }
        let info = pool_info(&handle, |info| info.delivered == 3).await;
        assert_eq!((info.rejected, info.dropped), (0, 0));
        assert_eq!(told(&lab).len(), 3);
    });
}

#[test]
fn an_event_larger_than_any_queue_is_delivered() {
    let lab = Lab::new();
    let rest = "ready; read -r line; head -c ${line##*len:} | wc -c >size; ok; serve";
    lab.run(Supervisor::builder().group(faulty(&lab, rest)), async |handle| {
        send(&handle, &"x".repeat(20 << 20)).await;
        pool_info(&handle, |info| info.delivered == 1).await;
        let size = std::fs::read_to_string(lab.path("size")).unwrap();
        assert_eq!(size.trim().parse::<usize>().unwrap(), "type:t\n".len() + (20 << 20));
    });
}

#[test]
fn payloads_tell_of_the_moment_of_the_event() {
    let lab = Lab::new();
    let mut group = pool(&lab, &script(&lab, "serve"), |pool| {
        pool.events = [EventType::ProcessState].into();
        pool.buffer_size = 100;
    });
    std::sync::Arc::make_mut(&mut group.processes[0]).autostart = false;
    let builder = Supervisor::builder().group(group).program(lab.program("x", "exec sleep 1000"));
    lab.run(builder, async |handle| {
        let pid = async || reaches(&handle, "x", ProcessState::Running).await.pid.unwrap();
        let first = pid().await;
        handle.restart(&name("x")).await.unwrap();
        let second = pid().await;
        handle.stop(&name("x")).await.unwrap();
        // Only now there is somebody to hear of it.
        handle.start(&name("l")).await.unwrap();
        pool_info(&handle, |info| info.waiting == 0 && info.delivered >= 8).await;
        let of_x = |line: &String| Some(line.split_once("processname:x groupname:x ")?.1.to_owned());
        let expected = [
            "from_state:STOPPED tries:0".to_owned(),
            format!("from_state:STARTING pid:{first}"),
            format!("from_state:RUNNING pid:{first}"),
            format!("from_state:STOPPING pid:{first}"),
            "from_state:STOPPED tries:0".to_owned(),
            format!("from_state:STARTING pid:{second}"),
            format!("from_state:RUNNING pid:{second}"),
            format!("from_state:STOPPING pid:{second}"),
        ];
        assert_eq!(told(&lab).iter().filter_map(of_x).collect::<Vec<_>>(), expected);
    });
}
