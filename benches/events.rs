//! Events: from the moment they happen to those who hear of them, in the embedding program and in a child.

use std::collections::BTreeSet;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group};
use futures_lite::future;
use supervisor_core::domain::event_type::EventType;
use supervisor_core::domain::spec::{Group, GroupKind, Pool};
use supervisor_core::listener::{Events, Verdict};
use supervisor_core::sys::host::SystemHost;
use supervisor_core::{Handle, Program, Supervisor};
use supervisor_rpc::program::Listener;

/// Set for the child: this program is its own listener.
const LISTENER: &str = "BENCH_LISTENER";

/// How many events each round has.
const EVENTS: u64 = 1000;

/// How many streams hear of them.
const STREAMS: usize = 16;

async fn send(handle: &Handle) {
    for _ in 0..EVENTS {
        handle.send_remote_event("bench", "data").await.unwrap();
    }
}

async fn hear(stream: &mut Events) {
    for _ in 0..EVENTS {
        stream.next().await.unwrap();
    }
}

/// The section `[eventlistener:listener]` with this program as the listener.
fn listener() -> Group {
    let own = std::env::current_exe().unwrap();
    let program = Program::new("listener", own.display().to_string());
    let program = program.env(LISTENER, "1").startsecs(0).stdout_logfile("NONE").stderr_logfile("NONE");
    let mut group = program.build(&SystemHost).unwrap();
    let mut pool = Pool::new(BTreeSet::from([EventType::RemoteCommunication]));
    pool.buffer_size = 10_000;
    group.kind = GroupKind::EventListener(pool);
    group
}

/// Waits until the only pool has processed this many events.
async fn processed(handle: &Handle, count: u64) {
    while handle.subscribers().await.unwrap()[0].delivered < count {
        async_io::Timer::after(Duration::from_micros(200)).await;
    }
}

fn run(supervisor: Supervisor, measure: impl FnOnce(&Handle)) {
    let handle = supervisor.handle();
    let running = std::thread::spawn(|| async_io::block_on(supervisor.run()));
    measure(&handle);
    future::block_on(handle.shutdown()).unwrap();
    running.join().unwrap().unwrap();
}

fn events(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("events");
    group.throughput(Throughput::Elements(EVENTS * STREAMS as u64));
    run(Supervisor::builder().build().unwrap(), |handle| {
        let mut streams: Vec<Events> = (0..STREAMS)
            .map(|_| future::block_on(handle.events(&[EventType::Event], 2 * EVENTS as usize)).unwrap())
            .collect();
        group.bench_function("1000 to 16 streams", |bencher| {
            bencher.iter(|| {
                future::block_on(async {
                    send(handle).await;
                    for stream in &mut streams {
                        hear(stream).await;
                    }
                });
            });
        });
    });
    group.throughput(Throughput::Elements(EVENTS));
    run(Supervisor::builder().group(listener()).build().unwrap(), |handle| {
        let mut sum = 0;
        group.bench_function("1000 to a child", |bencher| {
            bencher.iter(|| {
                sum += EVENTS;
                future::block_on(async {
                    send(handle).await;
                    processed(handle, sum).await;
                });
            });
        });
    });
}

criterion_group!(benches, events);

fn main() {
    if std::env::var_os(LISTENER).is_some() {
        // The end of the supervisor ends it.
        let _ = Listener::from_stdio().run(|_| Verdict::Processed);
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
