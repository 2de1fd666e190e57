//! stub
use super::output::*;
use super::sink::LogSink;
use crate::activity::ActivityLog;
use crate::logfile::rotating::RotatingFile;
use crate::machine::ansi::*;
use crate::machine::capture::*;
use async_executor::Executor;
use async_io::Async;
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
pub(crate) struct Lanes {
    ex: Arc<Executor<'static>>,
    sinks: Mutex<HashMap<PathBuf, std::sync::Weak<LogSink>>>,
    act: Arc<dyn ActivityLog>,
}
impl Lanes {
    pub(crate) fn new(a: Arc<dyn ActivityLog>) -> Self {
        let ex = Arc::new(Executor::new());
        let e = Arc::clone(&ex);
        std::thread::spawn(move || async_io::block_on(e.run(futures_lite::future::pending::<()>())));
        Self { ex, sinks: Mutex::default(), act: a }
    }
    pub(crate) fn sink(&self, p: &Path, m: i64, b: i64) -> std::io::Result<Arc<LogSink>> {
        let mut s = self.sinks.lock().unwrap();
        if let Some(x) = s.get(p).and_then(|w| w.upgrade()) {
            return Ok(x);
        }
        let f = RotatingFile::open(p, m.max(0) as u64, b.max(0) as u64)?;
        let x = Arc::new(LogSink { path: p.to_owned(), file: Mutex::new(f) });
        s.insert(p.to_owned(), Arc::downgrade(&x));
        Ok(x)
    }
    pub(crate) fn read(&self, fd: OwnedFd, p: ChannelPlan) -> Reader {
        let (stop, stopped) = async_channel::bounded::<()>(1);
        let act = Arc::clone(&self.act);
        let task = self.ex.spawn(async move {
            let a = Async::new_nonblocking(fd).unwrap();
            let mut buf = vec![0u8; 65536];
            let mut closing = false;
            let mut cap = (p.settings.capture_maxbytes > 0).then(|| Capture::new(p.settings.capture_maxbytes as usize));
            let mut ansi = StripAnsi::new();
            'o: loop {
                match rustix::io::read(a.get_ref(), &mut buf) {
                    Ok(0) => break,
                    Ok(n) => {
                        handle(&p, &act, &mut cap, &mut ansi, &buf[..n]).await;
                    }
                    Err(rustix::io::Errno::AGAIN) => {
                        if closing {
                            break 'o;
                        }
                        let r = futures_lite::future::or(
                            async {
                                a.readable().await.ok();
                                false
                            },
                            async {
                                stopped.recv().await.ok();
                                true
                            },
                        )
                        .await;
                        if r {
                            closing = true
                        }
                    }
                    Err(_) => break,
                }
            }
            if let Some(c) = &mut cap {
                let mut v = vec![];
                c.finish(&mut |x| {
                    if let Piece::Plain(x) = x {
                        v.extend_from_slice(x)
                    }
                });
                if let Some(s) = &p.sink {
                    s.file.lock().unwrap().write(&v, &mut |_| {});
                }
            }
        });
        Reader { stop, task }
    }
}
async fn handle(
    p: &ChannelPlan,
    act: &Arc<dyn ActivityLog>,
    cap: &mut Option<Capture>,
    ansi: &mut StripAnsi,
    b: &[u8],
) {
    let mut plain = vec![];
    let mut comm = vec![];
    if p.listener {
        p.report.report(OutputNotice::Listener(b.to_vec())).await;
        plain = b.to_vec()
    } else if let Some(c) = cap {
        c.feed(b, &mut |x| match x {
            Piece::Plain(x) => plain.extend_from_slice(x),
            Piece::Captured(x) => comm.push(x),
        })
    } else {
        plain = b.to_vec()
    }
    if p.strip_ansi {
        let mut o = vec![];
        ansi.feed(&plain, &mut o);
        plain = o
    }
    if let Some(s) = &p.sink {
        s.file.lock().unwrap().write(&plain, &mut |_| {});
    }
    if act.enabled(crate::domain::level::Level::Debug) {
        act.write(
            crate::domain::level::Level::Debug,
            &format!("'{}' {} output:\n{}", p.name.process, p.stream.name(), String::from_utf8_lossy(b)),
        )
    }
    if p.settings.events_enabled && !p.listener {
        p.report.report(OutputNotice::Log(plain)).await
    }
    for c in comm {
        p.report.report(OutputNotice::Communication(c)).await
    }
}
