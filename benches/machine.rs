//! The machine of a process: the life of one that is started, runs, ends and is started again.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use supervisor_core::benching::Lives;

fn machine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("machine");
    group.throughput(Throughput::Elements(Lives::INPUTS));
    group.bench_function("a life", |bencher| {
        let mut lives = Lives::new();
        bencher.iter(|| lives.live());
    });
    group.finish();
}

criterion_group!(benches, machine);
criterion_main!(benches);
