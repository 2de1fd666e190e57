//! The table: every state with every input, and the properties that hold whatever comes.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn settings() -> Settings {
    Settings::new("x", "/bin/x")
}

fn at(seconds: u64) -> Moment {
    Moment::default().after(Duration::from_secs(seconds))
}

/// Gives inputs to a machine and tells what came of each in short words.
struct Life {
    machine: ProcessMachine,
    settings: Settings,
    now: Moment,
    starts_allowed: bool,
}

impl Life {
    fn new(settings: Settings) -> Self {
        Self { machine: ProcessMachine::default(), settings, now: at(1000), starts_allowed: true }
    }

    fn wait(&mut self, by: Duration) -> &mut Self {
        self.now = self.now.after(by);
        self
    }

    fn effects(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        let context = Context { now: self.now, settings: &self.settings, starts_allowed: self.starts_allowed };
        self.machine.step(input, context, &mut effects);
        effects
    }

    fn step(&mut self, input: Input) -> String {
        let effects = self.effects(input);
        effects.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn spawned(&mut self) -> String {
        let at = self.now;
        self.step(Input::Spawned { pid: Some(7), at })
    }

    fn exited(&mut self, code: i32) -> String {
        let at = self.now;
        self.step(Input::Exited { status: ExitStatus::Exited(code), at })
    }

    fn deadline(&mut self) -> String {
        self.step(Input::Deadline)
    }

    /// Brings a fresh machine into a state.
    fn into(mut self, state: ProcessState) -> Self {
        match state {
            ProcessState::Stopped => {}
            ProcessState::Starting => {
                self.step(Input::Start);
                self.spawned();
            }
            ProcessState::Running => {
                self = self.into(ProcessState::Starting);
                self.wait(Duration::from_secs(2)).deadline();
            }
            ProcessState::Backoff => {
                self.step(Input::Start);
                self.step(Input::SpawnFailed { why: "no".into() });
            }
            ProcessState::Stopping => {
                self = self.into(ProcessState::Running);
                self.step(Input::Stop);
            }
            ProcessState::Exited => {
                self = self.into(ProcessState::Running);
                self.exited(0);
            }
            ProcessState::Fatal => {
                self.settings.startretries = 0;
                self.step(Input::Start);
                self.step(Input::SpawnFailed { why: "no".into() });
                self.settings.startretries = 3;
            }
            ProcessState::Unknown => {
                self = self.into(ProcessState::Running);
                self.step(Input::SignalFailed { why: "EPERM".into(), requested: true });
            }
        }
        assert_eq!(self.machine.state(), state);
        self
    }
}

fn word(effect: &Effect) -> String {
    match effect {
        Effect::Enter(transition) => format!("{}>{}", transition.from, transition.to),
        Effect::Spawn => "spawn".into(),
        Effect::Signal { signal, whole_group } => format!("{signal}{}", if *whole_group { "!" } else { "" }),
        Effect::Narrate(narration) => {
            let text = format!("{narration:?}");
            let end = text.find([' ', '{']).unwrap_or(text.len());
            format!("'{}'", &text[..end])
        }
    }
}

/// What each input does in each state: (state, start, stop, give up, spawned, spawn failed, exited 0, signal failed).
const TABLE: &[(ProcessState, [&str; 7])] = {
    use ProcessState::*;
    &[
        (Stopped, ["STOPPED>STARTING spawn", "", "", "", "", "", ""]),
        (
            Starting,
            [
                "'AlreadyRunning'",
                "'Stopping' STARTING>STOPPING SIGTERM",
                "",
                "",
                "",
                "'ExitedTooQuickly' STARTING>BACKOFF",
                "'KillFailed' STARTING>UNKNOWN",
            ],
        ),
        (
            Running,
            [
                "'AlreadyRunning'",
                "'Stopping' RUNNING>STOPPING SIGTERM",
                "",
                "",
                "",
                "'Exited' RUNNING>EXITED",
                "'KillFailed' RUNNING>UNKNOWN",
            ],
        ),
        (Backoff, ["", "'StopInBackoff' BACKOFF>STOPPED", "BACKOFF>FATAL", "", "", "", ""]),
        (Stopping, ["'AlreadyRunning'", "", "", "", "", "'Stopped' STOPPING>STOPPED", "'KillFailed' STOPPING>UNKNOWN"]),
        (Exited, ["EXITED>STARTING spawn", "", "", "", "", "", ""]),
        (Fatal, ["FATAL>STARTING spawn", "", "", "", "", "", ""]),
        (Unknown, ["", "", "", "", "", "'Exited' UNKNOWN>EXITED", ""]),
    ]
};

#[test]
fn every_state_with_every_input() {
    for (state, row) in TABLE {
        let inputs = [
            Input::Start,
            Input::Stop,
            Input::GiveUp,
            Input::Spawned { pid: Some(9), at: at(5000) },
            Input::SpawnFailed { why: "no".into() },
            Input::Exited { status: ExitStatus::Exited(0), at: at(1000) },
            Input::SignalFailed { why: "EPERM".into(), requested: false },
        ];
        for (input, expected) in inputs.into_iter().zip(row) {
            let mut life = Life::new(settings()).into(*state);
            assert_eq!(life.step(input.clone()), *expected, "{state} with {input:?}");
        }
        assert_eq!(Life::new(settings()).into(*state).step(Input::CalledOff), "", "{state}: nothing is ordered");
        // A deadline that has not come does nothing anywhere.
        assert_eq!(Life::new(settings()).into(*state).deadline(), "", "{state} before its deadline");
    }
    assert_eq!(TABLE.len(), ProcessState::ALL.len());
}

#[test]
fn starting_becomes_running_after_startsecs_and_not_before() {
    let mut life = Life::new(settings());
    life.step(Input::Start);
    // The time that the spawn itself takes does not count.
    life.wait(Duration::from_secs(5));
    assert_eq!(life.spawned(), "'Spawned'");
    assert_eq!(life.wait(Duration::from_millis(999)).deadline(), "");
    assert_eq!(life.wait(Duration::from_millis(1)).deadline(), "STARTING>RUNNING 'Succeeded'");
    assert_eq!(life.machine.next_deadline(&life.settings), None);
}

#[test]
fn startsecs_0_is_running_at_once() {
    let mut life = Life::new(Settings { startsecs: 0, ..settings() });
    life.step(Input::Start);
    assert_eq!(life.spawned(), "'Spawned' STARTING>RUNNING 'Succeeded'");
}

#[test]
fn an_end_after_startsecs_passes_through_running() {
    let mut life = Life::new(settings()).into(ProcessState::Starting);
    life.wait(Duration::from_secs(1));
    assert_eq!(life.exited(0), "STARTING>RUNNING 'Exited' RUNNING>EXITED");
}

#[test]
fn retries_grow_by_a_second_and_end_in_fatal() {
    let mut life = Life::new(settings()).into(ProcessState::Starting);
    for tries in 1..=3 {
        assert_eq!(life.exited(1), "'ExitedTooQuickly' STARTING>BACKOFF");
        assert_eq!(life.wait(Duration::from_millis(tries * 1000 - 1)).deadline(), "");
        assert_eq!(life.wait(Duration::from_millis(1)).deadline(), "BACKOFF>STARTING spawn");
        life.spawned();
    }
    assert_eq!(life.exited(1), "'ExitedTooQuickly' STARTING>BACKOFF BACKOFF>FATAL 'GaveUp'");
    assert_eq!(life.machine.spawn_error(), "Exited too quickly (process log may have details)");
    assert_eq!(life.machine.exit_code(), 0);
    // FATAL has forgotten the retries.
    life.step(Input::Start);
    life.spawned();
    assert_eq!(life.exited(1), "'ExitedTooQuickly' STARTING>BACKOFF");
}

#[test]
fn a_stop_in_backoff_leaves_the_count_standing() {
    let mut life = Life::new(Settings { startretries: 1, ..settings() }).into(ProcessState::Backoff);
    life.step(Input::Stop);
    life.step(Input::Start);
    assert_eq!(
        life.step(Input::SpawnFailed { why: "no".into() }),
        "'SpawnError' STARTING>BACKOFF BACKOFF>FATAL 'GaveUp'"
    );
}

#[test]
fn tries_and_pids_of_the_events() {
    let mut life = Life::new(settings()).into(ProcessState::Starting);
    let transition = |effects: Vec<Effect>, at: usize| match effects.get(at) {
        Some(Effect::Enter(transition)) => *transition,
        other => panic!("{other:?}"),
    };
    let failed = life.effects(Input::Exited { status: ExitStatus::Exited(0), at: at(1000) });
    assert_eq!((transition(failed.clone(), 1).tries, transition(failed, 1).pid), (1, None));
    life.wait(Duration::from_secs(1));
    let again = life.effects(Input::Deadline);
    assert_eq!(transition(again, 0).tries, 1);
    life.spawned();
    life.wait(Duration::from_secs(1));
    let running = transition(life.effects(Input::Deadline), 0);
    assert_eq!((running.tries, running.pid), (0, Some(7)));
    let end = at(2000);
    let exited = transition(life.effects(Input::Exited { status: ExitStatus::Exited(0), at: end }), 1);
    assert_eq!((exited.expected, exited.pid), (true, Some(7)));
}

#[test]
fn autorestart_follows_the_exit_status() {
    let killed = ExitStatus::Signaled { signal: 9, core_dumped: false };
    let table = [
        (Autorestart::Never, ExitStatus::Exited(1), false),
        (Autorestart::Unexpected, ExitStatus::Exited(0), false),
        (Autorestart::Unexpected, ExitStatus::Exited(1), true),
        (Autorestart::Unexpected, killed, true),
        (Autorestart::Always, ExitStatus::Exited(0), true),
    ];
    for (autorestart, status, again) in table {
        let mut life = Life::new(Settings { autorestart, ..settings() }).into(ProcessState::Running);
        let now = life.now;
        let effects = life.effects(Input::Exited { status, at: now });
        assert_eq!(effects.contains(&Effect::Spawn), again, "{autorestart:?} {status}");
        let mut life = Life::new(Settings { autorestart, ..settings() }).into(ProcessState::Running);
        life.starts_allowed = false;
        assert!(!life.effects(Input::Exited { status, at: now }).contains(&Effect::Spawn), "in a shutdown");
    }
}

#[test]
fn quick_ends_without_backoff_are_paced() {
    let quick = Settings { startsecs: 0, autorestart: Autorestart::Always, ..settings() };
    let mut life = Life::new(quick).into(ProcessState::Stopped);
    life.step(Input::Start);
    life.spawned();
    life.wait(Duration::from_millis(10));
    assert_eq!(life.exited(0), "'Exited' RUNNING>EXITED 'RestartPaced'");
    assert_eq!(life.wait(Duration::from_millis(989)).deadline(), "");
    assert_eq!(life.wait(Duration::from_millis(1)).deadline(), "EXITED>STARTING spawn");
    life.spawned();
    // The log says so once.
    assert_eq!(life.exited(0), "'Exited' RUNNING>EXITED");
    // A start by request does not wait, a stop calls the restart off.
    assert_eq!(life.step(Input::Start), "EXITED>STARTING spawn");
    life.spawned();
    life.exited(0);
    life.step(Input::Stop);
    assert_eq!(life.machine.next_deadline(&life.settings), None);
}

#[test]
fn a_stop_before_the_spawn_came_back_is_not_lost() {
    let mut life = Life::new(settings());
    life.step(Input::Start);
    assert_eq!(life.step(Input::Stop), "");
    assert_eq!(life.spawned(), "'Spawned' 'Stopping' STARTING>STOPPING SIGTERM");
    let mut life = Life::new(settings());
    life.step(Input::Start);
    life.step(Input::Stop);
    assert_eq!(
        life.step(Input::SpawnFailed { why: "no".into() }),
        "'SpawnError' STARTING>BACKOFF 'StopInBackoff' BACKOFF>STOPPED"
    );
}

#[test]
fn escalation_to_kill_is_exact_and_repeated() {
    let stubborn = Settings { stopwaitsecs: 3, stopasgroup: true, killasgroup: true, ..settings() };
    let mut life = Life::new(stubborn).into(ProcessState::Running);
    assert_eq!(life.step(Input::Stop), "'Stopping' RUNNING>STOPPING SIGTERM!");
    assert_eq!(life.wait(Duration::from_millis(2999)).deadline(), "");
    assert_eq!(life.wait(Duration::from_millis(1)).deadline(), "'Killing' 'Stopping' SIGKILL!");
    assert_eq!(life.wait(Duration::from_secs(3)).deadline(), "'Killing' 'Stopping' SIGKILL!");
    let now = life.now;
    let killed = Input::Exited { status: ExitStatus::Signaled { signal: 9, core_dumped: false }, at: now };
    assert_eq!(life.step(killed), "'Stopped' STOPPING>STOPPED");
    assert_eq!(life.machine.exit_code(), -1);
}

/// What can come from outside, for the properties.
#[derive(Debug, Clone)]
enum Move {
    Start,
    Stop,
    GiveUp,
    Spawn(bool),
    CallOff,
    Exit(i32),
    SignalFailed,
    Wait(u64),
    Shutdown,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        Just(Move::Start),
        Just(Move::Stop),
        Just(Move::GiveUp),
        any::<bool>().prop_map(Move::Spawn),
        Just(Move::CallOff),
        (0..3).prop_map(Move::Exit),
        Just(Move::SignalFailed),
        (0u64..4000).prop_map(Move::Wait),
    ];
    (proptest::collection::vec(one, 0..80), proptest::option::of(0usize..80)).prop_map(|(mut moves, shutdown)| {
        if let Some(at) = shutdown {
            moves.insert(at.min(moves.len()), Move::Shutdown);
        }
        moves
    })
}

#[test]
fn a_retry_that_is_due_in_a_shutdown_waits_for_its_turn_and_is_given_up_without_a_word() {
    let mut life = Life::new(settings()).into(ProcessState::Backoff);
    life.starts_allowed = false;
    assert_eq!(life.wait(Duration::from_secs(1)).deadline(), "");
    assert_eq!((life.machine.state(), life.machine.next_deadline(&life.settings)), (ProcessState::Backoff, None));
    assert_eq!(life.step(Input::Start), "");
    assert_eq!(life.step(Input::GiveUp), "BACKOFF>FATAL");
    let mut last = Life::new(Settings { startretries: 0, ..settings() });
    last.step(Input::Start);
    let failed = last.step(Input::SpawnFailed { why: "no".into() });
    assert_eq!(failed, "'SpawnError' STARTING>BACKOFF BACKOFF>FATAL 'GaveUp'");
}

#[test]
fn a_start_that_is_called_off_is_stopped_whatever_the_retries() {
    for startretries in [0, 3] {
        let mut life = Life::new(Settings { startretries, ..settings() });
        life.step(Input::Start);
        assert_eq!(life.step(Input::Stop), "");
        assert_eq!(life.step(Input::CalledOff), "'CalledOff' STARTING>STOPPING STOPPING>STOPPED");
        assert_eq!((life.machine.spawn_error(), life.machine.next_deadline(&life.settings)), ("", None));
        assert_eq!(life.step(Input::Start), "STOPPED>STARTING spawn");
    }
}

proptest! {
    /// Never two live processes; no spawn after a shutdown began; every event leaves the state that was; a STOPPING is
    /// killed at `stopwaitsecs`; at most `startretries` + 1 spawns from one start to FATAL.
    #[test]
    fn invariants_hold_whatever_comes(
        moves in moves(),
        startsecs in 0i64..3,
        startretries in 0i64..4,
        stopwaitsecs in 0i64..3,
        always in any::<bool>(),
    ) {
        let autorestart = if always { Autorestart::Always } else { Autorestart::Unexpected };
        let mut life = Life::new(Settings { startsecs, startretries, stopwaitsecs, autorestart, ..settings() });
        let (mut ordered, mut alive, mut state) = (false, false, ProcessState::Stopped);
        let mut attempts = 0;
        for one in moves {
            let now = life.now;
            let input = match one {
                Move::Start => Input::Start,
                Move::Stop => Input::Stop,
                Move::GiveUp => Input::GiveUp,
                Move::Spawn(good) if ordered => {
                    ordered = false;
                    alive = good;
                    if good { Input::Spawned { pid: Some(7), at: now } } else { Input::SpawnFailed { why: "no".into() } }
                }
                Move::Exit(code) if alive => {
                    alive = false;
                    Input::Exited { status: ExitStatus::Exited(code), at: now }
                }
                Move::CallOff if ordered => {
                    ordered = false;
                    Input::CalledOff
                }
                Move::Spawn(_) | Move::CallOff | Move::Exit(_) => continue,
                Move::SignalFailed => Input::SignalFailed { why: "EPERM".into(), requested: false },
                Move::Wait(by) => {
                    life.wait(Duration::from_millis(by));
                    Input::Deadline
                }
                Move::Shutdown => {
                    life.starts_allowed = false;
                    continue;
                }
            };
            let by_request = input == Input::Start;
            for effect in life.effects(input) {
                match effect {
                    Effect::Spawn => {
                        prop_assert!(!ordered && !alive, "a second process");
                        prop_assert!(life.starts_allowed, "a spawn in a shutdown");
                        attempts = if by_request { 1 } else { attempts + 1 };
                        ordered = true;
                    }
                    Effect::Enter(transition) => {
                        prop_assert_eq!(transition.from, state);
                        state = transition.to;
                        if state == ProcessState::Running || state == ProcessState::Stopped {
                            attempts = 0;
                        }
                        if state == ProcessState::Fatal {
                            prop_assert!(i64::from(attempts) <= startretries + 1);
                        }
                    }
                    Effect::Signal { .. } => prop_assert!(alive, "a signal to nobody"),
                    Effect::Narrate(_) => {}
                }
            }
            prop_assert_eq!(life.machine.state(), state);
            prop_assert_eq!(life.machine.pid().is_some(), alive);
            if state == ProcessState::Stopping {
                let due = life.machine.next_deadline(&life.settings).unwrap();
                let most = Duration::from_secs(stopwaitsecs.max(1).unsigned_abs());
                prop_assert!(due <= life.now.monotonic + most);
            }
        }
    }
}
