//! A page that answers 200, or 500 when it is told to.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

pub(super) struct Page {
    pub(super) port: u16,
    pub(super) fails: Arc<AtomicBool>,
    /// How many times it was asked for.
    pub(super) asked: Arc<AtomicUsize>,
}

impl Page {
    /// Answers as long as the test runs.
    pub(super) fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let page = Self { port, fails: Arc::default(), asked: Arc::default() };
        let (fails, asked) = (Arc::clone(&page.fails), Arc::clone(&page.asked));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                // One that goes away needs no answer.
                let _ = client.and_then(|client| answer(client, fails.load(Ordering::SeqCst)));
                asked.fetch_add(1, Ordering::SeqCst);
            }
        });
        page
    }
}

fn answer(mut client: TcpStream, fails: bool) -> io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let status = if fails { "500 Broken" } else { "200 OK" };
    write!(client, "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
}
