//! The real loop with a simulated clock and simulated processes: days in milliseconds.
//!
//! Nothing of the loop is replaced but what it was given: [`Clock`], [`Spawner`] and the door. A program's command says how
//! it lives: `live SECONDS STATUS`, and whether it heeds TERM: `stubborn SECONDS STATUS`.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_channel::{Receiver, Sender};
use futures_lite::future;

use crate::domain::exit::ExitStatus;
use crate::domain::moment::Moment;
use crate::domain::spec;
use crate::runtime::clock::Clock;
use crate::runtime::command::ResolvedCommand;
use crate::runtime::door::LaunchDoor;
use crate::runtime::spawn::{Signaller, SpawnError, Spawner, StartOrder, Started};
use crate::{Builder, Handle, RunOutcome, Supervisor};

mod tests;

/// A clock that moves only when nothing else can.
#[derive(Default)]
struct SimulatedClock {
    now: Mutex<Moment>,
    sleepers: Mutex<BTreeMap<(Duration, u64), Waker>>,
    ids: Mutex<u64>,
    set: Mutex<(bool, Option<Waker>)>,
}

struct Sleep {
    clock: Arc<SimulatedClock>,
    key: (Duration, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.now.lock().unwrap().monotonic >= self.key.0 {
            return Poll::Ready(());
        }
        self.clock.sleepers.lock().unwrap().insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.sleepers.lock().unwrap().remove(&self.key);
    }
}

#[derive(Clone, Default)]
struct SharedClock(Arc<SimulatedClock>);

impl SharedClock {
    fn sleep(&self, deadline: Duration) -> Sleep {
        let mut ids = self.0.ids.lock().unwrap();
        *ids += 1;
        Sleep { clock: Arc::clone(&self.0), key: (deadline, *ids) }
    }

    /// Moves to the next deadline; false if there is none up to `limit`.
    fn advance(&self, limit: Duration) -> bool {
        let mut sleepers = self.0.sleepers.lock().unwrap();
        let Some((&(at, id), _)) = sleepers.first_key_value().filter(|((at, _), _)| *at <= limit) else { return false };
        let waker = sleepers.remove(&(at, id)).unwrap();
        drop(sleepers);
        self.go_to(at);
        waker.wake();
        true
    }

    fn go_to(&self, at: Duration) {
        let mut now = self.0.now.lock().unwrap();
        *now = now.after(at.saturating_sub(now.monotonic));
    }

    /// The machine was asleep: the wall time is another one, and no other time has passed.
    fn sleep_over(&self, time: Duration) {
        self.0.now.lock().unwrap().wall += time;
        let mut set = self.0.set.lock().unwrap();
        set.0 = true;
        set.1.take().into_iter().for_each(Waker::wake);
    }
}

impl Clock for SharedClock {
    fn now(&self) -> Moment {
        *self.0.now.lock().unwrap()
    }

    fn sleep_until(&self, deadline: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.sleep(deadline))
    }

    fn poll_set(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut set = self.0.set.lock().unwrap();
        if std::mem::take(&mut set.0) {
            return Poll::Ready(());
        }
        set.1 = Some(context.waker().clone());
        Poll::Pending
    }
}

/// Starts processes that are only imagined.
struct SimulatedSpawner {
    clock: SharedClock,
    pids: AtomicU32,
}

struct SimulatedSignaller {
    signals: Sender<i32>,
    stubborn: bool,
}

impl Signaller for SimulatedSignaller {
    fn signal(&self, signal: i32, _whole_group: bool) -> io::Result<()> {
        if !self.stubborn || signal == libc::SIGKILL {
            // A process that has ended hears nothing.
            let _ = self.signals.try_send(signal);
        }
        Ok(())
    }
}

async fn live(sleep: Sleep, status: i32, signals: Receiver<i32>) -> ExitStatus {
    let natural = async {
        sleep.await;
        ExitStatus::Exited(status)
    };
    let killed = async {
        match signals.recv().await {
            Ok(signal) => ExitStatus::Signaled { signal, core_dumped: false },
            Err(_) => future::pending().await,
        }
    };
    future::or(natural, killed).await
}

impl Spawner for SimulatedSpawner {
    fn resolve(&self, settings: &spec::Process) -> Result<ResolvedCommand, SpawnError> {
        if settings.command == "missing" {
            return Err(SpawnError::NoFile("can't find command 'missing'".into()));
        }
        let words = settings.command.split(' ').map(str::to_owned).collect();
        Ok(ResolvedCommand { program: PathBuf::new(), words })
    }

    fn spawn(&self, _order: &StartOrder, command: &ResolvedCommand) -> Result<Started, SpawnError> {
        let words = &command.words;
        let (seconds, status) = (words[1].parse().unwrap(), words[2].parse().unwrap());
        let sleep = self.clock.sleep(self.clock.now().monotonic + Duration::from_secs_f64(seconds));
        let (sender, signals) = async_channel::bounded(1);
        Ok(Started {
            pid: Some(self.pids.fetch_add(1, Ordering::Relaxed)),
            signaller: Arc::new(SimulatedSignaller { signals: sender, stubborn: words[0] == "stubborn" }),
            exit: Box::pin(live(sleep, status, signals)),
            stdin: None,
            stdout: None,
            stderr: None,
        })
    }
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A supervisor in simulated time.
struct Simulation {
    clock: SharedClock,
    handle: Handle,
    run: Pin<Box<dyn Future<Output = RunOutcome>>>,
    ended: Option<RunOutcome>,
}

impl Simulation {
    fn new(builder: Builder) -> Self {
        let clock = SharedClock::default();
        let spawner = SimulatedSpawner { clock: clock.clone(), pids: AtomicU32::new(2) };
        let supervisor: Supervisor = builder
            .build_with(Arc::new(clock.clone()), Arc::new(spawner), |launcher| LaunchDoor::Inline { launcher })
            .unwrap();
        let handle = supervisor.handle();
        Self { clock, handle, run: Box::pin(async { supervisor.run().await.unwrap() }), ended: None }
    }

    /// Lets everything happen that can happen without time passing; then the same for `future`, if it is done.
    fn settle<F: Future>(&mut self, mut future: Pin<&mut F>) -> Option<F::Output> {
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        loop {
            flag.0.store(false, Ordering::SeqCst);
            if self.ended.is_none()
                && let Poll::Ready(outcome) = self.run.as_mut().poll(&mut context)
            {
                self.ended = Some(outcome);
            }
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Some(output);
            }
            if !flag.0.load(Ordering::SeqCst) {
                return None;
            }
        }
    }

    /// Lets this much time pass.
    fn pass(&mut self, time: Duration) {
        let until = self.clock.now().monotonic + time;
        let mut nothing = pin!(future::pending::<()>());
        loop {
            self.settle(nothing.as_mut());
            if self.ended.is_some() {
                return;
            }
            if !self.clock.advance(until) {
                return self.clock.go_to(until);
            }
        }
    }

    /// Lets time pass until a request is answered.
    fn ask<T>(&mut self, request: impl Future<Output = T>) -> T {
        let mut request = pin!(request);
        loop {
            if let Some(answer) = self.settle(request.as_mut()) {
                return answer;
            }
            assert!(self.clock.advance(Duration::MAX), "the request is never answered");
        }
    }
}
