//! The stdin of one process: a bounded queue in front of a pipe.
//!
//! What the pipe takes at once is written at once; the rest waits for the child to read, in a task that exists only as
//! long as something waits. Nobody ever blocks on a child that does not read.

use std::collections::VecDeque;
use std::future::Future;
use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use async_executor::Executor;
use async_io::Async;
use futures_lite::future;

use super::latch::Latch;

/// How many bytes may wait for one process (Supervisor 4.3 has no bound).
pub(crate) const QUEUE_LIMIT: usize = 8 << 20;

/// What is done when there is room again.
pub(crate) type OnRoom = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Why bytes were not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StdinError {
    /// The process has closed its end.
    Closed,
    /// The queue would exceed [`QUEUE_LIMIT`].
    Full,
}

#[derive(Default)]
struct Queue {
    bytes: VecDeque<u8>,
    /// A task is writing.
    draining: bool,
    closed: bool,
    /// Somebody was refused.
    on_room: Option<OnRoom>,
}

struct Pipe {
    fd: Arc<OwnedFd>,
    queue: Mutex<Queue>,
    /// Nobody sends any more.
    ended: Latch,
}

/// Our end of a process's stdin. Dropping it closes the pipe and forgets what still waits.
pub(crate) struct Stdin(Arc<Pipe>);

impl Stdin {
    /// Takes a non-blocking pipe end.
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self(Arc::new(Pipe { fd: Arc::new(fd), queue: Mutex::default(), ended: Latch::default() }))
    }

    /// Takes all of `bytes`, or none of them.
    ///
    /// # Errors
    /// [`StdinError`].
    pub(crate) fn send(&self, bytes: &[u8], executor: &Executor<'static>) -> Result<(), StdinError> {
        self.take([bytes, &[]], executor, |queue| queue.bytes.len().saturating_add(bytes.len()) <= QUEUE_LIMIT)
    }

    /// The same for an event: header and payload. It must not be refused for its size alone, so if nothing waits, bytes
    /// of any number are taken. If it is refused as too much, what `on_room` gives is done once nothing waits any more.
    ///
    /// # Errors
    /// [`StdinError`].
    pub(crate) fn send_event(
        &self,
        parts: [&[u8]; 2],
        executor: &Executor<'static>,
        on_room: impl FnOnce() -> OnRoom,
    ) -> Result<(), StdinError> {
        let length = parts[0].len() + parts[1].len();
        self.take(parts, executor, |queue| {
            let waiting = queue.bytes.len();
            let room = waiting == 0 || waiting.saturating_add(length) <= QUEUE_LIMIT;
            if !room {
                queue.on_room.get_or_insert_with(on_room);
            }
            room
        })
    }

    fn take(
        &self,
        parts: [&[u8]; 2],
        executor: &Executor<'static>,
        room: impl FnOnce(&mut Queue) -> bool,
    ) -> Result<(), StdinError> {
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.closed {
            return Err(StdinError::Closed);
        }
        if !room(&mut queue) {
            return Err(StdinError::Full);
        }
        if queue.draining {
            parts.into_iter().for_each(|part| queue.bytes.extend(part));
            return Ok(());
        }
        // Nothing waits: what the pipe takes is not even copied.
        let Some(rest) = self.0.write_some(parts) else {
            queue.close();
            return Err(StdinError::Closed);
        };
        rest.into_iter().for_each(|part| queue.bytes.extend(part));
        if !queue.bytes.is_empty() {
            queue.draining = true;
            executor.spawn(drain(Arc::clone(&self.0))).detach();
        }
        Ok(())
    }
}

impl Drop for Stdin {
    fn drop(&mut self) {
        self.0.ended.open();
    }
}

impl Queue {
    /// Nobody reads any more: what waits is forgotten.
    fn close(&mut self) {
        self.closed = true;
        self.bytes = VecDeque::new();
        self.on_room = None;
    }
}

impl Pipe {
    /// Writes what the pipe takes now, and gives the rest; `None` if nobody reads any more.
    fn write_some<'a>(&self, [mut first, mut second]: [&'a [u8]; 2]) -> Option<[&'a [u8]; 2]> {
        while !(first.is_empty() && second.is_empty()) {
            match rustix::io::writev(&self.fd, &[IoSlice::new(first), IoSlice::new(second)]) {
                Ok(count) => {
                    second = &second[count.saturating_sub(first.len())..];
                    first = &first[count.min(first.len())..];
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => break,
                Err(_) => return None,
            }
        }
        Some([first, second])
    }

    /// The same for what waits.
    fn write_waiting(&self, queue: &mut Queue) {
        let (first, second) = queue.bytes.as_slices();
        match self.write_some([first, second]) {
            Some([first, second]) => {
                let written = queue.bytes.len() - first.len() - second.len();
                queue.bytes.drain(..written);
                if queue.bytes.is_empty() {
                    // Each process would keep as much as ever waited for it.
                    queue.bytes = VecDeque::new();
                }
            }
            None => queue.close(),
        }
    }
}

async fn drain(pipe: Arc<Pipe>) {
    let Ok(ready) = Async::new_nonblocking(Arc::clone(&pipe.fd)) else {
        return pipe.queue.lock().unwrap_or_else(PoisonError::into_inner).close();
    };
    loop {
        let writable = future::or(async { ready.writable().await.is_ok() }, async {
            pipe.ended.opened().await;
            false
        })
        .await;
        let on_room = {
            let mut queue = pipe.queue.lock().unwrap_or_else(PoisonError::into_inner);
            if !writable {
                queue.close();
            }
            pipe.write_waiting(&mut queue);
            if !queue.bytes.is_empty() {
                continue;
            }
            queue.draining = false;
            queue.on_room.take()
        };
        if let Some(on_room) = on_room {
            on_room.await;
        }
        return;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Read;

    use super::*;

    fn pipe() -> (std::fs::File, Stdin) {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        rustix::io::ioctl_fionbio(&write, true).unwrap();
        (read.into(), Stdin::new(write))
    }

    #[test]
    fn more_than_the_pipe_holds_arrives_whole_and_in_order() {
        let (mut reader, stdin) = pipe();
        let executor = Executor::new();
        let sent: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).take(3 << 20).collect();
        for part in sent.chunks(70_000) {
            stdin.send(part, &executor).unwrap();
        }
        let length = sent.len();
        let reading = std::thread::spawn(move || {
            let mut got = vec![0; length];
            reader.read_exact(&mut got).unwrap();
            got
        });
        async_io::block_on(executor.run(async {
            while stdin.0.queue.lock().unwrap().draining {
                future::yield_now().await;
            }
        }));
        assert!(reading.join().unwrap() == sent);
    }

    /// Runs the task that writes until nothing waits, while somebody reads `length` bytes; gives the reader back.
    fn drained(reader: std::fs::File, length: usize, stdin: &Stdin, executor: &Executor<'static>) -> std::fs::File {
        let reading = std::thread::spawn(move || {
            (&reader).read_exact(&mut vec![0; length]).unwrap();
            reader
        });
        async_io::block_on(executor.run(async {
            while stdin.0.queue.lock().unwrap().draining {
                future::yield_now().await;
            }
        }));
        reading.join().unwrap()
    }

    #[test]
    fn a_queue_that_was_drained_keeps_no_memory() {
        let (reader, stdin) = pipe();
        let executor = Executor::new();
        let sent = vec![b'x'; 1 << 20];
        stdin.send(&sent, &executor).unwrap();
        stdin.send(&sent, &executor).unwrap();
        assert!(stdin.0.queue.lock().unwrap().bytes.capacity() > 1 << 20);
        let _reader = drained(reader, 2 << 20, &stdin, &executor);
        assert_eq!(stdin.0.queue.lock().unwrap().bytes.capacity(), 0);
    }

    #[test]
    fn a_queue_that_is_full_takes_nothing() {
        let (_reader, stdin) = pipe();
        let executor = Executor::new();
        assert_eq!(stdin.send(&vec![b'x'; QUEUE_LIMIT], &executor), Ok(()));
        assert_eq!(stdin.send(&vec![b'x'; 1 << 20], &executor), Err(StdinError::Full));
    }

    #[test]
    fn an_event_of_any_size_is_taken_when_nothing_waits_and_that_is_told() {
        let (reader, stdin) = pipe();
        let executor = Executor::new();
        let large = vec![b'x'; 2 * QUEUE_LIMIT];
        assert_eq!(stdin.send(&large, &executor), Err(StdinError::Full));
        let (told, room) = async_channel::bounded(2);
        let on_room = || -> OnRoom {
            let told = told.clone();
            Box::pin(async move { told.send(()).await.unwrap() })
        };
        assert_eq!(stdin.send_event([b"header", &large], &executor, on_room), Ok(()));
        assert_eq!(stdin.send_event([b"", b"y"], &executor, on_room), Err(StdinError::Full));
        assert_eq!(stdin.send_event([b"", b"z"], &executor, on_room), Err(StdinError::Full));
        assert!(room.is_empty());
        let _reader = drained(reader, 2 * QUEUE_LIMIT + 6, &stdin, &executor);
        async_io::block_on(executor.run(room.recv())).unwrap();
        assert_eq!(stdin.send_event([b"", b"y"], &executor, on_room), Ok(()));
        assert!(room.is_empty() && stdin.0.queue.lock().unwrap().on_room.is_none(), "told once");
    }

    #[test]
    fn a_closed_end_is_told() {
        let (reader, stdin) = pipe();
        drop(reader);
        // A child of another test may have it open until its exec.
        while stdin.send(b"x", &Executor::new()) != Err(StdinError::Closed) {
            std::thread::yield_now();
        }
    }
}
