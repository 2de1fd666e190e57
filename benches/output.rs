//! The output path: what is done to the bytes of a program before the kernel has them, and the rotated log that takes
//! them.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use supervisor_core::benching::{Captured, Stripped};
use supervisor_core::logfile::rotating::RotatingFile;

/// One full read of a pipe.
const READ: usize = 64 << 10;

/// Where the log is rotated: once in every thousand writes.
const MAXBYTES: u64 = 1000 * READ as u64;

fn lines() -> Vec<u8> {
    b"2026-01-01 12:00:00,000 INFO a line of a program of about a hundred bytes, as many of them are, or longer\n"
        .iter()
        .copied()
        .cycle()
        .take(READ)
        .collect()
}

fn coloured() -> Vec<u8> {
    b"\x1b[32mINFO\x1b[0m a line of a program with colours in it, of about a hundred bytes, as many are, too\n"
        .iter()
        .copied()
        .cycle()
        .take(READ)
        .collect()
}

fn output(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("output");
    group.throughput(Throughput::Bytes(READ as u64));
    let (plain, coloured) = (lines(), coloured());
    for (name, text) in [("strip plain text", &plain), ("strip colours", &coloured)] {
        group.bench_function(name, |bencher| {
            let mut stripped = Stripped::with_capacity(READ);
            bencher.iter(|| stripped.feed(black_box(text)));
        });
    }
    group.bench_function("look for captured text", |bencher| {
        let mut captured = Captured::new(1 << 20);
        bencher.iter(|| captured.feed(black_box(&plain)));
    });
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let path = directory.path().join("log");
    let mut log = RotatingFile::open(&path, MAXBYTES, 1).expect("a log can be made there");
    group
        .bench_function("write to a rotated log", |bencher| bencher.iter(|| log.write(black_box(&plain), &mut |_| {})));
    group.finish();
}

criterion_group!(benches, output);
criterion_main!(benches);
