//! Tasks of this program beside real processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use supervisor_core::RequestError;
use supervisor_core::domain::event_type::EventType;
use supervisor_core::domain::name::Namespec;
use supervisor_core::domain::signal::Signal;
use supervisor_core::domain::spec::Autorestart;
use supervisor_core::process::{ProcessKind, Stream};
use supervisor_core::task::TaskContext;

use super::*;

/// Says when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn idle(name: &str) -> Task {
    Task::new(name, |_| future::pending::<()>()).startsecs(0)
}

#[test]
fn a_task_has_states_and_events_as_a_program_and_no_pid() {
    let lab = Lab::new();
    lab.run(Supervisor::builder().task(idle("x").autostart(false)), async |handle| {
        let mut events = handle.events(&[EventType::ProcessState], 100).await.unwrap();
        handle.start(&name("x")).await.unwrap();
        let info = handle.process(&name("x")).await.unwrap();
        assert_eq!((info.state, info.pid, info.kind), (ProcessState::Running, None, ProcessKind::Task));
        handle.stop(&name("x")).await.unwrap();
        let info = handle.process(&name("x")).await.unwrap();
        assert_eq!((info.state, info.exit_code), (ProcessState::Stopped, -1));
        let mut payloads = Vec::new();
        while payloads.len() < 4 {
            payloads.push(events.next().await.unwrap().payload.to_string());
        }
        let from = |rest: &str| format!("processname:x groupname:x from_state:{rest}");
        let wanted = ["STOPPED tries:0", "STARTING pid:0", "RUNNING pid:0", "STOPPING pid:0"];
        assert_eq!(payloads, wanted.map(from));
    });
}

#[test]
fn a_task_that_fails_is_tried_again_and_given_up() {
    let lab = Lab::new();
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let task = Task::new("x", move |_| {
        let count = Arc::clone(&count);
        async move {
            count.fetch_add(1, Ordering::SeqCst);
            Err::<(), _>("out of luck")
        }
    });
    lab.run(Supervisor::builder().task(task.startretries(1)), async |handle| {
        handle.wait_for(&name("x"), &[ProcessState::Fatal]).await.unwrap();
        assert_eq!(begun.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn the_status_of_a_task_decides_whether_it_is_expected() {
    let lab = Lab::new();
    let end = |name: &str, code: u8| Task::new(name, move |_| async move { code }).startsecs(0).exitcodes([0, 3]);
    let panics = Task::new("panics", |context: TaskContext| async move {
        assert_ne!(context.name().process, "panics", "as it must");
    });
    let panics = panics.startsecs(0).autorestart(Autorestart::Never);
    let tasks =
        Supervisor::builder().task(end("three", 3)).task(end("four", 4).autorestart(Autorestart::Never)).task(panics);
    lab.run(tasks, async |handle| {
        for (task, code, error) in
            [("three", 3, ""), ("four", 4, "Bad exit code 4"), ("panics", 101, "Bad exit code 101")]
        {
            let info = reaches(&handle, task, ProcessState::Exited).await;
            assert_eq!((info.exit_code, info.spawn_error.as_str()), (code, error), "{task}");
        }
    });
}

#[test]
fn a_task_that_asked_is_told_to_stop_and_may_tidy_up() {
    let lab = Lab::new();
    let tidied = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&tidied);
    let task = Task::new("x", move |context: TaskContext| {
        let done = Arc::clone(&done);
        async move {
            let stopped = context.stopped();
            assert!(!context.is_stopped());
            context.write_stdout("ready\n").await?;
            stopped.await;
            assert!(context.is_stopped());
            done.store(true, Ordering::SeqCst);
            std::io::Result::Ok(7)
        }
    });
    let log = lab.path("x.log");
    let task = task.startsecs(0).stdout_logfile(log.display().to_string());
    lab.run(Supervisor::builder().task(task), async |handle| {
        file_has(&log, "ready\n").await;
        handle.stop(&name("x")).await.unwrap();
        assert!(tidied.load(Ordering::SeqCst));
        assert_eq!(handle.process(&name("x")).await.unwrap().exit_code, 7);
    });
}

#[test]
fn a_task_that_does_not_end_is_dropped_when_its_time_is_up() {
    let lab = Lab::new();
    let dropped = Arc::new(AtomicBool::new(false));
    let witness = Arc::clone(&dropped);
    let task = Task::new("x", move |context: TaskContext| {
        let witness = Dropped(Arc::clone(&witness));
        async move {
            let _witness = witness;
            let stopped = context.stopped();
            context.write_stdout("heeds\n").await?;
            stopped.await;
            future::pending::<std::io::Result<()>>().await
        }
    });
    let log = lab.path("x.log");
    let task = task.startsecs(0).stopwaitsecs(1).stdout_logfile(log.display().to_string());
    lab.run(Supervisor::builder().task(task), async |handle| {
        file_has(&log, "heeds\n").await;
        handle.stop(&name("x")).await.unwrap();
        assert!(dropped.load(Ordering::SeqCst));
        let history = handle.history(&name("x")).await.unwrap();
        assert_eq!(history.last().unwrap().reason, "terminated by SIGKILL");
    });
}

#[test]
fn dropping_the_supervisor_drops_its_tasks() {
    for elsewhere in [false, true] {
        let (begun, dropped) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (began, witness) = (Arc::clone(&begun), Arc::clone(&dropped));
        let task = Task::new("x", move |_| {
            let witness = Dropped(Arc::clone(&witness));
            // It is RUNNING before it does anything, and one that never did has nothing to drop.
            began.store(true, Ordering::SeqCst);
            async move {
                let _witness = witness;
                future::pending::<()>().await;
            }
        });
        let mut builder = Supervisor::builder().task(task.startsecs(0));
        if elsewhere {
            builder = builder.spawn_tasks_with(|task| drop(std::thread::spawn(|| async_io::block_on(task))));
        }
        let supervisor = builder.build().unwrap();
        let handle = supervisor.handle();
        async_io::block_on(async {
            let running = async {
                handle.wait_for(&name("x"), &[ProcessState::Running]).await.unwrap();
                eventually("the task does something", async || begun.load(Ordering::SeqCst).then_some(())).await;
            };
            future::or(async { drop(supervisor.run().await) }, running).await;
            eventually("the task is dropped", async || dropped.load(Ordering::SeqCst).then_some(())).await;
        });
    }
}

#[test]
fn output_input_and_signals_reach_and_leave_a_task_as_a_program() {
    let lab = Lab::new();
    let log = lab.path("x.log");
    let task = Task::new("x", |context: TaskContext| async move {
        let signal = context.signal();
        let mut buffer = [0; 100];
        context.write_stderr("ready\n").await?;
        let count = context.read_stdin(&mut buffer).await?;
        context.write_stdout(&buffer[..count]).await?;
        context.write_stdout(format!("{}\n", signal.await)).await?;
        context.write_stdout("<!--XSUPERVISOR:BEGIN-->psst<!--XSUPERVISOR:END-->").await?;
        future::pending::<std::io::Result<()>>().await
    });
    let task = task
        .startsecs(0)
        // It hears of the stop signal and goes on.
        .stopwaitsecs(1)
        .redirect_stderr(true)
        .stdout_capture_maxbytes(1000)
        .stdout_events_enabled(true)
        .stdout_logfile(log.display().to_string());
    lab.run(Supervisor::builder().task(task), async |handle| {
        let mut said = handle.events(&[EventType::ProcessCommunicationStdout], 10).await.unwrap();
        file_has(&log, "ready\n").await;
        handle.send_stdin(&name("x"), "hello\n").await.unwrap();
        file_has(&log, "hello\n").await;
        handle.signal(&name("x"), Signal::HUP).await.unwrap();
        file_has(&log, "hello\nSIGHUP\n").await;
        assert_eq!(&*said.next().await.unwrap().payload, "processname:x groupname:x pid:0\npsst");
        let tail = handle.tail_log(&Namespec::parse("x"), Stream::Stdout, 0, 100).await.unwrap();
        assert_eq!(tail.bytes, b"ready\nhello\nSIGHUP\n");
        handle.clear_logs(&name("x")).await.unwrap();
        assert_eq!(std::fs::read(&log).unwrap(), b"");
    });
}

#[test]
fn several_instances_know_who_they_are() {
    let lab = Lab::new();
    let log = |number: u32| lab.path(&format!("x_{number}.log"));
    let task = Task::new("x", |context: TaskContext| async move {
        context.write_stdout(format!("I am {}\n", context.name())).await?;
        future::pending::<std::io::Result<()>>().await
    });
    let pattern =
        lab.path("%(process_name)s.log").display().to_string().replace("%(process_name)s", "x_%(process_num)d");
    let task = task.numprocs(2).process_name("x_%(process_num)d").stdout_logfile(pattern);
    lab.run(Supervisor::builder().task(task), async |handle| {
        file_has(&log(0), "I am x:x_0\n").await;
        file_has(&log(1), "I am x:x_1\n").await;
        let outcomes = handle.group("x").stop().await.unwrap();
        assert!(outcomes.len() == 2 && outcomes.iter().all(|outcome| outcome.result.is_ok()));
    });
}

#[test]
fn an_executor_that_takes_no_tasks_is_a_failed_start() {
    let lab = Lab::new();
    let builder = Supervisor::builder().task(idle("x").startretries(0)).spawn_tasks_with(|_| panic!("closed"));
    lab.run(builder, async |handle| {
        let info = reaches(&handle, "x", ProcessState::Fatal).await;
        assert_eq!(info.spawn_error, "no executor takes the task 'x'");
    });
    let builder = Supervisor::builder().task(idle("x").startsecs(1).startretries(0)).spawn_tasks_with(drop);
    lab.run(builder, async |handle| {
        reaches(&handle, "x", ProcessState::Fatal).await;
        assert!(matches!(handle.stop(&name("x")).await, Err(RequestError::NotRunning(_))));
    });
}
