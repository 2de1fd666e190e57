//! What days with a thousand programs look like.

use super::*;
use crate::RequestError;
use crate::domain::event_type::EventType;
use crate::domain::name::ProcessName;
use crate::domain::spec::{Autorestart, Group, GroupKind, Pool, Process};
use crate::domain::state::ProcessState;
use crate::listener::{Event, EventListener, Verdict};

mod control;

fn program(name: &str, command: &str) -> Process {
    let mut process = Process::new(name, command);
    process.autorestart = Autorestart::Always;
    process
}

fn group(process: Process) -> Group {
    Group::new(process.name.clone(), vec![process])
}

fn name(name: &str) -> ProcessName {
    ProcessName::new(name, name)
}

/// Writes down every change of state.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<Event>>>);

#[async_trait::async_trait]
impl EventListener for Diary {
    fn events(&self) -> &[EventType] {
        &[EventType::ProcessState]
    }

    fn buffer_size(&self) -> usize {
        100_000
    }

    async fn notify(&self, event: &Event) -> Verdict {
        self.0.lock().unwrap().push(event.clone());
        Verdict::Processed
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);

#[test]
fn a_thousand_programs_for_two_days() {
    let groups = (0..1000).map(|number| match number % 4 {
        0 => group(program(&format!("steady{number}"), "live 1e9 0")),
        1 => group(program(&format!("hourly{number}"), "live 3600 1")),
        2 => group(program(&format!("broken{number}"), "live 0.2 1")),
        _ => group(program(&format!("missing{number}"), "missing")),
    });
    let diary = Diary::default();
    let mut simulation = Simulation::new(Supervisor::builder().groups(groups).listener(diary.clone()));
    let handle = simulation.handle.clone();
    simulation.pass(2 * DAY + Duration::from_secs(60));
    let infos = simulation.ask(handle.processes()).unwrap();
    for info in &infos {
        let expected = match &info.name.process[..6] {
            "steady" | "hourly" => ProcessState::Running,
            _ => ProcessState::Fatal,
        };
        assert_eq!(info.state, expected, "{}", info.name);
    }
    let mut counts = BTreeMap::<(String, EventType), u32>::new();
    let mut serials = Vec::new();
    for event in diary.0.lock().unwrap().iter() {
        let process = event.payload.split([':', ' ']).nth(1).unwrap().to_owned();
        *counts.entry((process, event.event_type)).or_default() += 1;
        serials.push(event.pool_serial);
    }
    assert!(serials.is_sorted() && serials.last().map(|last| last + 1) == Some(serials.len() as u64), "no gap");
    let count = |process: &str, event_type| counts.get(&(process.to_owned(), event_type)).copied().unwrap_or(0);
    // An hour each and no time in between: 48 starts, or 49 with the last at the very end.
    assert!((48..=49).contains(&count("hourly1", EventType::ProcessStateStarting)));
    assert_eq!(count("steady0", EventType::ProcessStateStarting), 1);
    for fatal in ["broken2", "missing3"] {
        assert_eq!(count(fatal, EventType::ProcessStateStarting), 4, "1 + startretries");
        assert_eq!(count(fatal, EventType::ProcessStateFatal), 1);
    }
}

#[test]
fn shutdown_goes_by_priority_and_never_waits_longer_than_it_must() {
    let with = |priority, process: Process| {
        let mut group = group(process);
        group.priority = priority;
        group
    };
    let mut stubborn = program("stubborn", "stubborn 1e9 0");
    stubborn.stopwaitsecs = 5;
    let groups = [
        with(1, program("first", "live 1e9 0")),
        with(999, stubborn),
        with(999, program("gentle", "live 1e9 0")),
        with(1000, program("last", "live 1e9 0")),
        with(500, program("broken", "live 0.1 1")),
    ];
    let mut simulation = Simulation::new(Supervisor::builder().groups(groups));
    let handle = simulation.handle.clone();
    simulation.pass(Duration::from_millis(5250));
    let mut events = simulation.ask(handle.events(&[EventType::Event], 100)).unwrap();
    let began = simulation.clock.now().monotonic;
    simulation.ask(handle.shutdown()).unwrap();
    assert_eq!(simulation.ask(handle.start(&name("first"))), Err(RequestError::ShutdownState));
    simulation.pass(DAY);
    assert!(matches!(simulation.ended, Some(RunOutcome::Shutdown)));
    assert_eq!(simulation.clock.now().monotonic - began, Duration::from_secs(5), "stopwaitsecs, no more");
    let mut trace = Vec::new();
    while let Some(event) = simulation.settle(pin!(events.next())).flatten() {
        let process = event.payload.split([':', ' ']).nth(1).unwrap_or_default();
        trace.push(format!("{process} {}", event.event_type.name().rsplit('_').next().unwrap()));
    }
    let expected = [
        " STOPPING",
        "last STOPPING",
        "last STOPPED",
        "stubborn STOPPING",
        "gentle STOPPING",
        "gentle STOPPED",
        "broken FATAL",
        "stubborn STOPPED",
        "first STOPPING",
        "first STOPPED",
    ];
    let position = |wanted: &str| trace.iter().position(|line| line == wanted);
    for line in expected {
        assert!(position(line).is_some(), "{line} in {trace:?}");
    }
    assert_eq!(trace.first().map(String::as_str), Some(" STOPPING"));
    assert!(position("last STOPPED") < position("stubborn STOPPING"));
    assert!(position("stubborn STOPPED") < position("first STOPPING"));
    assert!(position("gentle STOPPING") < position("stubborn STOPPED"), "equal priorities go together");
}

/// A pool that hears of these; its process never says that it is ready.
fn deaf(name: &str, priority: i64, events: impl IntoIterator<Item = EventType>) -> Group {
    let mut group = group(program(name, "live 1e9 0"));
    group.kind = GroupKind::EventListener(Pool::new(events.into_iter().collect()));
    group.priority = priority;
    group
}

#[test]
fn at_shutdown_listeners_get_two_seconds_if_there_is_anything_to_hear_and_nobody_else_waits() {
    // Who listens to what, and what an end takes.
    let table = [
        (vec![EventType::Tick60], 0),
        (vec![EventType::ProcessStateStopped], 2),
        (vec![EventType::SupervisorStateChangeStopping], 2),
    ];
    for (events, seconds) in table {
        let groups = [group(program("x", "live 1e9 0")), deaf("l", -1, events)];
        let mut simulation = Simulation::new(Supervisor::builder().groups(groups));
        let handle = simulation.handle.clone();
        simulation.pass(Duration::from_millis(5250));
        let began = simulation.clock.now().monotonic;
        simulation.ask(handle.shutdown()).unwrap();
        simulation.pass(DAY);
        assert!(matches!(simulation.ended, Some(RunOutcome::Shutdown)));
        assert_eq!(simulation.clock.now().monotonic - began, Duration::from_secs(seconds));
    }
}

#[test]
fn a_pool_that_is_let_listen_keeps_the_order_of_priorities() {
    let mut first = group(program("first", "live 1e9 0"));
    first.priority = 1;
    let same = group(program("same", "live 1e9 0"));
    let groups = [first, same, deaf("l", 999, [EventType::ProcessStateStopping])];
    let mut simulation = Simulation::new(Supervisor::builder().groups(groups));
    let handle = simulation.handle.clone();
    simulation.pass(Duration::from_millis(5250));
    let began = simulation.clock.now().monotonic;
    let mut events = simulation.ask(handle.events(&[EventType::ProcessState], 100)).unwrap();
    simulation.ask(handle.shutdown()).unwrap();
    let mut trace = Vec::new();
    while trace.len() < 6 {
        let event = simulation.ask(events.next()).unwrap();
        let process = event.payload.split([':', ' ']).nth(1).unwrap();
        let seconds = (simulation.clock.now().monotonic - began).as_secs();
        trace.push(format!("{seconds} {process} {}", event.event_type.name().rsplit('_').next().unwrap()));
    }
    let expected =
        ["0 same STOPPING", "0 same STOPPED", "2 l STOPPING", "2 l STOPPED", "2 first STOPPING", "2 first STOPPED"];
    assert_eq!(trace, expected);
}

#[test]
fn requests_wait_for_what_they_promise() {
    let mut slow = program("slow", "stubborn 1e9 0");
    (slow.autostart, slow.startsecs, slow.stopwaitsecs) = (false, 7, 3);
    let mut broken = program("broken", "live 0.1 1");
    broken.autostart = false;
    let mut missing = program("missing", "missing");
    missing.autostart = false;
    let mut simulation = Simulation::new(Supervisor::builder().groups([group(slow), group(broken), group(missing)]));
    let handle = simulation.handle.clone();
    let elapsed = |simulation: &Simulation| simulation.clock.now().monotonic;

    assert_eq!(simulation.ask(handle.start(&name("slow"))), Ok(()));
    assert_eq!(elapsed(&simulation), Duration::from_secs(7));
    assert_eq!(simulation.ask(handle.start(&name("slow"))), Err(RequestError::AlreadyStarted(name("slow"))));
    assert_eq!(simulation.ask(handle.stop(&name("slow"))), Ok(()));
    assert_eq!(elapsed(&simulation), Duration::from_secs(10));
    assert_eq!(simulation.ask(handle.stop(&name("slow"))), Err(RequestError::NotRunning(name("slow"))));
    assert_eq!(simulation.ask(handle.start(&name("broken"))), Err(RequestError::SpawnError(name("broken"))));
    let no_file = Err(RequestError::NoFile("can't find command 'missing'".into()));
    assert_eq!(simulation.ask(handle.start(&name("missing"))), no_file);
    let info = simulation.ask(handle.process(&name("missing"))).unwrap();
    assert_eq!(info.state, ProcessState::Stopped, "what cannot be found is not even tried");
    assert_eq!(simulation.ask(handle.start(&name("nobody"))), Err(RequestError::BadName("nobody".into())));
}

#[test]
fn a_stop_from_elsewhere_ends_a_waiting_start() {
    let mut slow = program("slow", "live 1e9 0");
    (slow.autostart, slow.startsecs) = (false, 60);
    let mut simulation = Simulation::new(Supervisor::builder().group(group(slow)));
    let handle = simulation.handle.clone();
    let slow = name("slow");
    let later = simulation.clock.sleep_until(Duration::from_secs(1));
    let both = future::zip(handle.start(&slow), async {
        later.await;
        handle.stop(&slow).await.ok();
    });
    assert_eq!(simulation.ask(both).0, Err(RequestError::AbnormalTermination(slow.clone())));
}

#[test]
fn a_crash_loop_without_backoff_is_paced_to_one_a_second() {
    let mut quick = program("quick", "live 0.01 0");
    quick.startsecs = 0;
    let mut simulation = Simulation::new(Supervisor::builder().group(group(quick)));
    let handle = simulation.handle.clone();
    let mut events = simulation.ask(handle.events(&[EventType::ProcessStateStarting], 10_000)).unwrap();
    simulation.pass(Duration::from_secs(100));
    let mut starts = 0;
    while simulation.settle(pin!(events.next())).flatten().is_some() {
        starts += 1;
    }
    assert!((99..=101).contains(&starts), "{starts}");
}

#[test]
fn groups_come_and_go_with_the_configuration() {
    let configured = Arc::new(Mutex::new(vec![group(program("a", "live 1e9 0")), group(program("b", "live 1e9 0"))]));
    let source = Arc::clone(&configured);
    let builder = Supervisor::builder()
        .configured(configured.lock().unwrap().clone())
        .config_source(Arc::new(move || Ok(source.lock().unwrap().clone())));
    let mut simulation = Simulation::new(builder);
    let handle = simulation.handle.clone();
    simulation.pass(Duration::from_secs(2));
    assert_eq!(simulation.ask(handle.add_group("a")), Err(RequestError::AlreadyAdded("a".into())));
    assert_eq!(simulation.ask(handle.remove_group("a")), Err(RequestError::StillRunning("a".into())));
    assert_eq!(simulation.ask(handle.remove_group("zz")), Err(RequestError::BadName("zz".into())));
    simulation.ask(handle.stop(&name("a"))).unwrap();
    simulation.ask(handle.remove_group("a")).unwrap();
    assert_eq!(simulation.ask(handle.processes()).unwrap().len(), 1);
}

#[test]
fn nobody_sees_a_process_that_starts_without_its_pid() {
    let mut simulation = Simulation::new(Supervisor::builder().group(group(program("quick", "live 1e9 0"))));
    let handle = simulation.handle.clone();
    let quick = name("quick");
    // Asked before the first spawn could be done.
    let mut both = pin!(future::zip(handle.process(&quick), handle.processes()));
    assert!(both.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let (one, all) = simulation.ask(both);
    for info in all.unwrap().into_iter().chain([one.unwrap()]) {
        assert_eq!((info.state, info.pid.is_some()), (ProcessState::Starting, true));
    }
    assert_eq!(simulation.clock.now().monotonic, Duration::ZERO, "nobody waited longer than for the spawn");
}

#[test]
fn after_a_sleep_of_the_machine_there_is_one_tick_of_each_kind_and_everything_is_as_it_was() {
    let mut starting = program("starting", "live 1e9 0");
    starting.startsecs = 60;
    let mut stopping = program("stopping", "stubborn 1e9 0");
    stopping.stopwaitsecs = 60;
    let mut waiting = program("waiting", "live 0.1 1");
    waiting.startretries = 100;
    let groups = [program("steady", "live 1e9 0"), starting, stopping, waiting].map(group);
    let mut simulation = Simulation::new(Supervisor::builder().groups(groups));
    let handle = simulation.handle.clone();
    let wanted = [EventType::Tick, EventType::ProcessState];
    let mut events = simulation.ask(handle.events(&wanted, 10_000)).unwrap();
    // The fifth delay of what cannot start is one of five seconds.
    simulation.pass(Duration::from_secs(11));
    let stopping = name("stopping");
    let mut stop = pin!(handle.stop(&stopping));
    assert!(simulation.settle(stop.as_mut()).is_none());
    let mut told = |simulation: &mut Simulation| {
        let mut told = Vec::new();
        while let Some(event) = simulation.settle(pin!(events.next())).flatten() {
            let process = event.payload.strip_prefix("processname:").and_then(|rest| rest.split(' ').next());
            told.push((event.event_type, process.unwrap_or(&event.payload).to_owned()));
        }
        told
    };
    told(&mut simulation);
    let states = |simulation: &mut Simulation| {
        let infos = simulation.ask(handle.processes()).unwrap();
        infos.into_iter().map(|info| (info.name.process, info.state)).collect::<Vec<_>>()
    };
    let before = states(&mut simulation);
    let all = [ProcessState::Running, ProcessState::Starting, ProcessState::Stopping, ProcessState::Backoff];
    assert!(all.iter().all(|state| before.iter().any(|(_, there)| there == state)), "{before:?}");

    // To ten hours and eleven seconds.
    simulation.clock.sleep_over(Duration::from_secs(10 * 3600));
    assert_eq!(states(&mut simulation), before, "no time has passed for anybody");
    let ticks = [(EventType::Tick5, 36_010), (EventType::Tick60, 36_000), (EventType::Tick3600, 36_000)];
    assert_eq!(told(&mut simulation), ticks.map(|(period, when)| (period, format!("when:{when}"))));
    simulation.pass(Duration::from_millis(4200));
    assert_eq!(told(&mut simulation), [(EventType::Tick5, "when:36015".to_owned())]);

    // Everything takes the time that it was to take, the sleep not counted.
    simulation.pass(Duration::from_millis(60_000 - 15_200 - 1));
    let state =
        |simulation: &mut Simulation, process: &str| simulation.ask(handle.process(&name(process))).unwrap().state;
    assert_eq!(state(&mut simulation, "starting"), ProcessState::Starting);
    simulation.pass(Duration::from_millis(2));
    assert_eq!(state(&mut simulation, "starting"), ProcessState::Running);
    simulation.ask(stop).unwrap();
    assert_eq!(simulation.clock.now().monotonic, Duration::from_secs(11 + 60));
}

#[test]
fn whoever_wants_ticks_more_often_does_not_wait_for_those_of_others() {
    let mut simulation = Simulation::new(Supervisor::builder());
    let handle = simulation.handle.clone();
    let mut hourly = simulation.ask(handle.events(&[EventType::Tick3600], 10)).unwrap();
    simulation.pass(Duration::from_secs(7));
    let mut often = simulation.ask(handle.events(&[EventType::Tick5], 10_000)).unwrap();
    for seconds in [10, 15, 20] {
        assert_eq!(simulation.ask(often.next()).unwrap().payload.as_ref(), format!("when:{seconds}"));
        assert_eq!(simulation.clock.now().monotonic, Duration::from_secs(seconds));
    }
    let hour = simulation.ask(hourly.next()).unwrap();
    assert_eq!((hour.event_type, &*hour.payload), (EventType::Tick3600, "when:3600"));
    assert_eq!(simulation.clock.now().monotonic, Duration::from_secs(3600));
    simulation.pass(Duration::from_secs(1));
    let rest = std::iter::from_fn(|| simulation.settle(pin!(often.next())).flatten()).count();
    assert_eq!(rest, 720 - 4, "one for each slice");
}
