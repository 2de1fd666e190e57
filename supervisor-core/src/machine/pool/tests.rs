//! Buffers that fill, overflow and are given back to.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use proptest::prelude::*;

use super::*;

fn pool(size: usize, overflow: BufferOverflow) -> Pool {
    Pool::new("p", [EventType::Tick, EventType::ProcessLogStdout], size).overflow(overflow)
}

fn accept(pool: &mut Pool, serials: impl IntoIterator<Item = u64>) -> Vec<String> {
    let payload = Arc::from("when:5");
    serials.into_iter().filter_map(|serial| pool.accept(serial, EventType::Tick5, &payload)).map(told).collect()
}

fn told(note: Note) -> String {
    format!("{} {note}", note.level().word())
}

fn waiting(pool: &Pool) -> Vec<u64> {
    pool.iter().map(|event| event.serial).collect()
}

#[test]
fn an_ancestor_stands_for_all_below() {
    let pool = pool(1, BufferOverflow::DropOldest);
    let heard: Vec<_> = EventType::all().filter(|event_type| pool.hears(*event_type)).map(EventType::name).collect();
    assert_eq!(heard, ["PROCESS_LOG_STDOUT", "TICK", "TICK_5", "TICK_60", "TICK_3600"]);
}

#[test]
fn a_full_buffer_drops_by_its_policy() {
    let table = [
        (BufferOverflow::DropOldest, vec![3, 4], vec![0, 1, 2]),
        (BufferOverflow::DropNewest, vec![0, 1], vec![2, 3, 4]),
        (BufferOverflow::Grow(4), vec![1, 2, 3, 4], vec![0]),
        (BufferOverflow::Grow(1), vec![3, 4], vec![0, 1, 2]),
        (BufferOverflow::Grow(5), vec![0, 1, 2, 3, 4], vec![]),
    ];
    for (overflow, kept, lost) in table {
        let mut pool = pool(2, overflow);
        let lines: Vec<_> =
            lost.iter().map(|n| format!("ERRO pool p event buffer overflowed, discarding event {n}")).collect();
        assert_eq!(accept(&mut pool, 0..5), lines, "{overflow:?}");
        assert_eq!(waiting(&pool), kept, "{overflow:?}");
        assert_eq!((pool.counters().accepted, pool.counters().dropped), (5, lost.len() as u64));
    }
}

#[test]
fn what_is_given_back_comes_first_with_both_its_numbers() {
    let mut pool = pool(3, BufferOverflow::DropOldest);
    accept(&mut pool, [4, 6, 9]);
    let event = pool.next().unwrap();
    assert_eq!((event.serial, event.pool_serial), (4, 0));
    let notes: Vec<_> = pool.give_back(event.clone()).into_iter().map(told).collect();
    assert_eq!(notes, ["DEBG rebuffering event 4 for pool p (buf size=2, max=3)"]);
    assert_eq!(pool.next().as_ref(), Some(&event));
    let header = "ver:3.0 server:lab serial:4 pool:p poolserial:0 eventname:TICK_5 len:6\n";
    assert_eq!(pool.header("lab", &event), header);
    pool.delivered();
    assert_eq!(pool.counters(), Counters { accepted: 3, delivered: 1, rejected: 1, dropped: 0 });
}

#[test]
fn a_full_buffer_makes_room_for_what_is_given_back() {
    let table = [(BufferOverflow::DropOldest, 1, vec![0, 2]), (BufferOverflow::DropNewest, 2, vec![0, 1])];
    for (overflow, lost, kept) in table {
        let mut pool = pool(2, overflow);
        accept(&mut pool, [0]);
        let event = pool.next().unwrap();
        accept(&mut pool, [1, 2]);
        let notes: Vec<_> = pool.give_back(event).into_iter().map(told).collect();
        let overflowed = format!("ERRO pool p event buffer overflowed, discarding event {lost}");
        assert_eq!(notes, ["DEBG rebuffering event 0 for pool p (buf size=2, max=2)", overflowed.as_str()]);
        assert_eq!(waiting(&pool), kept);
    }
}

#[test]
fn several_takers_give_back_in_any_order() {
    let mut pool = pool(9, BufferOverflow::DropOldest);
    accept(&mut pool, 0..5);
    let out: Vec<_> = std::iter::from_fn(|| pool.next()).take(3).collect();
    for index in [1, 0, 2] {
        pool.give_back(out[index].clone());
    }
    assert_eq!(waiting(&pool), [0, 1, 2, 3, 4]);
}

#[test]
fn a_pool_is_at_work_while_somebody_may_answer_or_take_what_waits() {
    use ListenerState::{Acknowledged, Busy, Ready, Unknown};
    use ProcessState::{Running, Starting, Stopping};
    // Process, listener, whether it has an event; whether the pool is at work if nothing waits, and if something does.
    let table = [
        (Running, Ready, false, false, true),
        (Running, Busy, true, true, true),
        (Running, Acknowledged, false, false, true),
        (Running, Unknown, false, false, false),
        (Starting, Ready, false, false, false),
        (Stopping, Busy, true, false, false),
    ];
    let idle = pool(9, BufferOverflow::DropOldest);
    let mut filled = pool(9, BufferOverflow::DropOldest);
    accept(&mut filled, [0]);
    for (process, listener, holds, with_nothing, with_something) in table {
        let taker = Taker { process, listener, holds };
        assert_eq!((idle.is_at_work([taker]), filled.is_at_work([taker])), (with_nothing, with_something), "{taker:?}");
    }
    assert!(!filled.is_at_work([]));
    let taker = |listener, holds| Taker { process: Running, listener, holds };
    assert!(idle.is_at_work([taker(Unknown, false), taker(Busy, true)]), "one is enough");
}

#[test]
fn an_empty_pool_of_no_size_has_room_for_one() {
    let mut pool = pool(0, BufferOverflow::DropOldest);
    assert_eq!((pool.next(), pool.limit()), (None, 1));
}

#[test]
fn room_ends_where_half_the_buffer_or_enough_bytes_wait() {
    let mut pool = pool(4, BufferOverflow::DropOldest);
    assert_eq!(pool.room(), 2);
    accept(&mut pool, 0..9);
    assert_eq!(pool.room(), -2);
    let mut pool = Pool::new("p", [EventType::Tick], 1000);
    assert_eq!(pool.room(), 32);
    let large: Arc<str> = "x".repeat(1 << 20).into();
    for serial in 0..3 {
        pool.accept(serial, EventType::Tick5, &large);
    }
    assert_eq!(pool.room(), -16);
    let event = pool.next().unwrap();
    assert_eq!(pool.room(), 0);
    pool.give_back(event);
    assert_eq!(pool.room(), -16);
}

#[test]
fn lines_of_the_dispatch() {
    assert_eq!(told(Note::Sent { serial: 3, listener: "l".into() }), "DEBG event 3 sent to listener l");
    assert_eq!(
        told(Note::BrokenPipe { serial: 3, listener: "l".into() }),
        "DEBG epipe occurred while sending event 3 to listener l, listener state unchanged"
    );
}

#[derive(Debug, Clone)]
enum Act {
    Accept,
    Next,
    Delivered,
    GiveBack(usize),
}

proptest! {
    #[test]
    fn no_event_is_lost_unless_it_is_counted(
        size in 1..5usize,
        overflow in prop_oneof![Just(BufferOverflow::DropOldest), Just(BufferOverflow::DropNewest), (0..8usize).prop_map(BufferOverflow::Grow)],
        acts in proptest::collection::vec(
            prop_oneof![3 => Just(Act::Accept), 2 => Just(Act::Next), 1 => Just(Act::Delivered), 1 => (0..9usize).prop_map(Act::GiveBack)],
            0..60,
        ),
    ) {
        let mut pool = pool(size, overflow);
        let mut out = Vec::new();
        let mut serial = 0;
        for act in acts {
            match act {
                Act::Accept => {
                    accept(&mut pool, [serial]);
                    serial += 1;
                }
                Act::Next => out.extend(pool.next()),
                Act::Delivered => {
                    if out.pop().is_some() {
                        pool.delivered();
                    }
                }
                Act::GiveBack(index) if index < out.len() => {
                    let event = out.remove(index);
                    pool.give_back(event);
                }
                Act::GiveBack(_) => {}
            }
            let counters = pool.counters();
            prop_assert!(pool.waiting() <= pool.limit());
            prop_assert_eq!(pool.bytes, pool.iter().map(|event| event.payload.len()).sum::<usize>());
            prop_assert!(waiting(&pool).is_sorted_by(|a, b| a < b));
            let here = counters.delivered + counters.dropped + (pool.waiting() + out.len()) as u64;
            prop_assert_eq!(counters.accepted, here);
        }
    }
}
