//! The machine of a process: the life of one that is started, runs, ends and is started again.
//!
//! The machine is private to the supervisor, so its source is compiled into this bench.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use supervisor_core::domain;
use supervisor_core::domain::exit::ExitStatus;
use supervisor_core::domain::moment::Moment;
use supervisor_core::domain::spec::{Autorestart, Process};

#[rustfmt::skip]
#[path = "../supervisor-core/src/machine/process.rs"]
#[expect(dead_code, reason = "the bench uses a part")]
mod process;

use process::{Context, Input, ProcessMachine};

/// Inputs of one life: started, running, ended, due again.
const INPUTS: u64 = 4;

fn life(machine: &mut ProcessMachine, settings: &Process, at: &mut Duration) -> usize {
    let mut effects = Vec::with_capacity(8);
    let mut count = 0;
    let mut step = |input: Input, at: Duration| {
        let now = Moment { monotonic: at, wall: at };
        machine.step(input, Context { now, settings, starts_allowed: true }, &mut effects);
        count += effects.drain(..).count();
    };
    let moment = |at: Duration| Moment { monotonic: at, wall: at };
    step(Input::Start, *at);
    step(Input::Spawned { pid: 7, at: moment(*at) }, *at);
    *at += Duration::from_secs(2);
    step(Input::Deadline, *at);
    step(Input::Exited { status: ExitStatus::Exited(0), at: moment(*at) }, *at);
    count
}

fn machine(criterion: &mut Criterion) {
    let mut settings = Process::new("p", "/bin/true");
    settings.autorestart = Autorestart::Never;
    let mut group = criterion.benchmark_group("machine");
    group.throughput(Throughput::Elements(INPUTS));
    group.bench_function("a life", |bencher| {
        let (mut machine, mut at) = (ProcessMachine::default(), Duration::ZERO);
        bencher.iter(|| life(black_box(&mut machine), &settings, &mut at));
    });
    group.finish();
}

criterion_group!(benches, machine);
criterion_main!(benches);
