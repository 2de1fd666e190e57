//! What a fault costs everybody else: how promptly others are answered while it goes on, and how much memory it takes.
//!
//! The promises, [`USUAL`], [`BUSY`] and [`MODERATE`], are those of a release build that has the machine for itself. Memory is
//! asserted as promised, and so is what may take seconds. Promptness cannot be, for tests run side by side on whatever machine:
//! `bound` says by how much the asserts are wider, here and nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::calls::call;
use super::daemon::Lab;
use super::processes::memory;

/// 95 of 100 answers to others come within this time, whatever a fault does.
pub(crate) const USUAL: Duration = Duration::from_millis(100);

/// The same while a program keeps the machine itself busy: 500 MB of output flood in, or processes without number run.
pub(crate) const BUSY: Duration = Duration::from_millis(250);

/// What a fault may cost in memory, in bytes.
pub(crate) const MODERATE: u64 = 50 << 20;

/// What a machine that does other things as well may add to a duration that is set, such as `stopwaitsecs`.
pub(crate) const MARGIN: Duration = Duration::from_secs(5);

/// Something took as long as is set, no less, and hardly more.
pub(crate) fn took(began: Instant, set: Duration, what: &str) {
    let took = began.elapsed();
    assert!((set..set + MARGIN).contains(&took), "{took:?}, not {set:?}: {what}");
}

/// What is asserted of a promised time. Of a release build (`SUPERVISOR_PROGRAMS` names what is shipped) twice as much, for
/// other tests want the processors as well. The debug build is several times slower; half a second is far from the seconds
/// that others wait for a daemon that is kept busy.
fn bound(promised: Duration) -> Duration {
    if std::env::var_os("SUPERVISOR_PROGRAMS").is_some() { promised * 2 } else { Duration::from_millis(500) }
}

/// Asks a daemon for its state all the time, and remembers how long each answer took.
pub(crate) struct Probe {
    end: Arc<AtomicBool>,
    asking: JoinHandle<Vec<Duration>>,
}

impl Probe {
    pub(crate) fn start(lab: &Lab) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let (socket, over) = (lab.socket(), Arc::clone(&end));
        let asking = std::thread::spawn(move || {
            let mut times = Vec::new();
            while !over.load(Ordering::SeqCst) || times.len() < 60 {
                let began = Instant::now();
                let answer = call(&socket, "supervisor.getState", &[]).expect("an answer");
                assert!(answer.body.contains("RUNNING"), "{answer:?}");
                times.push(began.elapsed());
                // The pace of one more client, who is not to be a load himself.
                std::thread::sleep(Duration::from_millis(10));
            }
            times
        });
        Self { end, asking }
    }

    /// Ends it; 95 of 100 answers came within this time.
    pub(crate) fn percentile(self) -> Duration {
        self.end.store(true, Ordering::SeqCst);
        let mut times = self.asking.join().expect("it was answered all the time");
        times.sort_unstable();
        // Of sixty all but three: a few answers that the machine held up say nothing of the daemon.
        let time = times[(times.len() * 95).div_ceil(100) - 1];
        eprintln!("95 of 100 answers within {time:?}, all {} within {:?}", times.len(), times[times.len() - 1]);
        time
    }

    /// Ends it; the answers came as promptly as usual.
    pub(crate) fn was_prompt(self, what: &str) {
        self.kept(USUAL, what);
    }

    /// Ends it; the answers came as is promised.
    pub(crate) fn kept(self, promised: Duration, what: &str) {
        let (time, bound) = (self.percentile(), bound(promised));
        assert!(time < bound, "95 of 100 answers within {time:?}, not within {bound:?}: {what}");
    }
}

/// The highest that the memory of a daemon gets while something is done.
pub(crate) struct Watch {
    pid: i32,
    before: u64,
    end: Arc<AtomicBool>,
    looking: JoinHandle<u64>,
}

impl Watch {
    pub(crate) fn start(lab: &Lab) -> Self {
        let (pid, end) = (lab.daemon(), Arc::new(AtomicBool::new(false)));
        let (before, over) = (memory(pid), Arc::clone(&end));
        let looking = std::thread::spawn(move || {
            let mut highest = 0;
            while !over.load(Ordering::SeqCst) {
                highest = highest.max(memory(pid));
                // Between two looks.
                std::thread::sleep(Duration::from_millis(5));
            }
            highest
        });
        Self { pid, before, end, looking }
    }

    /// Ends it; how much the daemon grew at the most, in bytes.
    pub(crate) fn grown(self) -> u64 {
        self.end.store(true, Ordering::SeqCst);
        let highest = self.looking.join().unwrap().max(memory(self.pid));
        highest.saturating_sub(self.before)
    }

    /// Ends it; the daemon never grew much.
    pub(crate) fn was_moderate(self, what: &str) {
        let grown = self.grown();
        assert!(grown < MODERATE, "it grew by {} MiB: {what}", grown >> 20);
    }
}
