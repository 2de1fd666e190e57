//! Reading a configuration of a thousand programs: text to validated settings.

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use supervisor_core::config;
use supervisor_core::sys::host::SystemHost;

fn configuration(criterion: &mut Criterion) {
    let mut text = String::from("[supervisord]\n");
    for number in 0..1000 {
        let _ = write!(text, "[program:p{number}]\ncommand=/bin/sleep {number}\nenvironment=A=\"1\",B=\"%(here)s\"\n");
    }
    criterion.bench_function("parse 1000 programs", |bencher| {
        bencher.iter(|| config::parse(black_box(&text), Path::new("/etc/supervisord.conf"), &SystemHost));
    });
}

criterion_group!(benches, configuration);
criterion_main!(benches);
