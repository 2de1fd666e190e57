//! Listeners and streams of the embedding program: nothing that they do harms anybody else.

use std::sync::{Arc, Mutex, mpsc};

use supervisor_core::domain::event_type::EventType;
use supervisor_core::listener::{Event, EventListener, SubscriberInfo, Verdict};

use super::*;

/// Panics at the first event.
struct Fragile;

#[async_trait::async_trait]
impl EventListener for Fragile {
    fn events(&self) -> &[EventType] {
        &[EventType::RemoteCommunication]
    }

    async fn notify(&self, _: &Event) -> Verdict {
        panic!("on purpose")
    }
}

#[test]
fn a_listener_that_panics_harms_nobody() {
    let lab = Lab::new();
    let builder = supervisor([lab.program("x", "exec sleep 1000")]).listener(Fragile);
    lab.run(builder, async |handle| {
        let mut events = handle.events(&[EventType::RemoteCommunication], 10).await.unwrap();
        handle.send_remote_event("t", "first").await.unwrap();
        handle.send_remote_event("t", "second").await.unwrap();
        assert_eq!(events.next().await.unwrap().payload.as_ref(), "type:t\nfirst");
        assert_eq!(events.next().await.unwrap().payload.as_ref(), "type:t\nsecond");
        eventually("its subscription has ended", async || {
            let all = handle.subscribers().await.unwrap();
            (!all.iter().any(|info| info.name == "listener")).then_some(())
        })
        .await;
        reaches(&handle, "x", ProcessState::Running).await;
    });
}

/// Blocks its thread at each event until it is let go.
struct Blocking(Mutex<mpsc::Receiver<()>>);

#[async_trait::async_trait]
impl EventListener for Blocking {
    fn events(&self) -> &[EventType] {
        &[EventType::RemoteCommunication]
    }

    fn buffer_size(&self) -> usize {
        2
    }

    async fn notify(&self, _: &Event) -> Verdict {
        // An error lets it go for good.
        let _ = self.0.lock().unwrap().recv();
        Verdict::Processed
    }
}

#[test]
fn a_listener_that_blocks_holds_up_nobody_and_what_it_misses_is_counted() {
    let lab = Lab::new();
    let (release, blocked) = mpsc::channel();
    let builder = supervisor([lab.program("x", "exec sleep 1000")]).listener(Blocking(Mutex::new(blocked)));
    lab.run(builder, async |handle| {
        let counted = async |what: &str, wanted: fn(&SubscriberInfo) -> bool| {
            eventually(what, async || {
                let all = handle.subscribers().await.unwrap();
                all.into_iter().find(|info| info.name == "listener" && wanted(info))
            })
            .await
        };
        handle.send_remote_event("t", "blocks").await.unwrap();
        counted("it is called", |info| info.waiting == 0).await;
        for number in 0..9 {
            handle.send_remote_event("t", &number.to_string()).await.unwrap();
        }
        handle.restart(&name("x")).await.unwrap();
        // It has one, two wait.
        let info = counted("the rest is lost", |info| info.waiting == 2 && info.dropped == 7).await;
        assert_eq!(info.delivered, 0);
        drop(release);
        counted("three are heard", |info| info.delivered == 3 && info.waiting == 0).await;
    });
}

/// Writes down what it hears; takes its time.
struct Slow(Arc<Mutex<Vec<EventType>>>);

#[async_trait::async_trait]
impl EventListener for Slow {
    fn events(&self) -> &[EventType] {
        &[EventType::ProcessState]
    }

    async fn notify(&self, event: &Event) -> Verdict {
        // Slower than what it hears of.
        async_io::Timer::after(Duration::from_millis(20)).await;
        self.0.lock().unwrap().push(event.event_type);
        Verdict::Processed
    }
}

#[test]
fn a_slow_listener_hears_of_the_last_stop() {
    let lab = Lab::new();
    let heard: Arc<Mutex<Vec<EventType>>> = Arc::default();
    let builder = supervisor([lab.program("x", "exec sleep 1000")]).listener(Slow(Arc::clone(&heard)));
    lab.run(builder, async |handle| {
        reaches(&handle, "x", ProcessState::Running).await;
        eventually("it heard of the start", async || (heard.lock().unwrap().len() == 2).then_some(())).await;
    });
    let names: Vec<_> = heard.lock().unwrap().iter().map(|event_type| event_type.name()).collect();
    assert_eq!(names, ["STARTING", "RUNNING", "STOPPING", "STOPPED"].map(|state| format!("PROCESS_STATE_{state}")));
}

/// Never answers.
struct Hanging;

#[async_trait::async_trait]
impl EventListener for Hanging {
    fn events(&self) -> &[EventType] {
        &[EventType::Event]
    }

    async fn notify(&self, _: &Event) -> Verdict {
        future::pending().await
    }
}

#[test]
fn a_listener_that_never_answers_does_not_keep_the_supervisor_from_ending() {
    let lab = Lab::new();
    let builder = supervisor([lab.program("x", "exec sleep 1000")]).listener(Hanging);
    lab.run(builder, async |handle| drop(reaches(&handle, "x", ProcessState::Running).await));
}

#[test]
fn streams_that_were_dropped_do_not_add_up_where_nothing_happens() {
    let lab = Lab::new();
    lab.run(Supervisor::builder(), async |handle| {
        for _ in 0..10 {
            handle.events(&[EventType::Tick3600], 1).await.unwrap();
        }
        let _held = [
            handle.events(&[EventType::Tick3600], 1).await.unwrap(),
            handle.events(&[EventType::Tick3600], 1).await.unwrap(),
        ];
        assert_eq!(handle.subscribers().await.unwrap().len(), 2);
    });
}

#[test]
fn a_stream_changes_none_of_the_numbers_that_listeners_see() {
    let lab = Lab::new();
    lab.run(Supervisor::builder(), async |handle| {
        let mut events = handle.events(&[EventType::RemoteCommunication], 10).await.unwrap();
        for number in 0..2 {
            handle.send_remote_event("t", "data").await.unwrap();
            let event = events.next().await.unwrap();
            assert_eq!((event.serial, event.pool_serial), (0, number));
        }
    });
}

#[test]
fn a_stream_that_nobody_reads_drops_its_oldest_and_says_how_many() {
    let lab = Lab::new();
    lab.run(supervisor([lab.program("x", "exec sleep 1000")]), async |handle| {
        let mut events = handle.events(&[EventType::RemoteCommunication], 3).await.unwrap();
        for number in 0..1000 {
            handle.send_remote_event("t", &number.to_string()).await.unwrap();
        }
        let info = handle.subscribers().await.unwrap().pop().unwrap();
        assert_eq!((info.name.as_str(), info.waiting, info.dropped, info.delivered), ("stream", 3, 997, 0));
        assert_eq!(events.dropped(), 997);
        for number in 997..1000 {
            let event = events.next().await.unwrap();
            assert_eq!(event.payload.as_ref(), format!("type:t\n{number}"));
            assert_eq!(event.pool_serial, number, "a gap can be seen");
        }
        let info = handle.subscribers().await.unwrap().pop().unwrap();
        assert_eq!((info.waiting, info.dropped, info.delivered), (0, 997, 3));
        drop(events);
        handle.send_remote_event("t", "nobody listens").await.unwrap();
        assert!(handle.subscribers().await.unwrap().is_empty());
    });
}
