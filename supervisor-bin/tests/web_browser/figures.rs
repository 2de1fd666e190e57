//! What the page costs with a thousand processes: the figures of the guide. Taken only where `SUPERVISOR_FIGURES` is set,
//! of a release build; nothing here passes or fails by a time.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::driver::{Browser, Scripts};
use crate::lab::{Lab, eventually, memory, processor_time};

const PAGES: usize = 50;

/// System calls of the daemon within five seconds; `None` without strace.
fn system_calls(site: &Lab) -> Option<String> {
    let file = site.path("strace.txt");
    let strace = Command::new("strace")
        .args(["-f", "-p", &site.daemon().to_string(), "-o"])
        .arg(&file)
        .stderr(Stdio::null())
        .spawn();
    let mut strace = strace.ok()?;
    // The time that is measured.
    std::thread::sleep(Duration::from_secs(5));
    let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&strace), rustix::process::Signal::INT);
    let _ = strace.wait();
    let text = fs::read_to_string(file).unwrap();
    // What was being waited for when the look began is no call of this time.
    let calls: Vec<&str> =
        text.lines().filter(|line| !line.contains("<unfinished ...>") && !line.contains("detached")).collect();
    Some(format!("{} {}", calls.len(), calls.first().unwrap_or(&"")))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[test]
fn figures_of_the_guide() {
    if std::env::var_os("SUPERVISOR_FIGURES").is_none() {
        println!("skipped: SUPERVISOR_FIGURES is not set");
        return;
    }
    let site = Lab::running_on_port(
        "[program:p]\ncommand=/bin/cat\nprocess_name=%(program_name)s_%(process_num)04d\nnumprocs=1000\nstartsecs=0\n\
         stdout_logfile=NONE\nstderr_logfile=NONE\n",
    );
    eventually("all run", || (site.get("/").body.matches("data-state=\"RUNNING\"").count() == 1001).then_some(()));
    let pid = site.daemon();
    let times = (0..30).map(|_| {
        let begin = Instant::now();
        assert_eq!(site.get("/").status, 200);
        begin.elapsed()
    });
    println!("the page: {:?}, {} bytes", median(times.collect()), site.get("/").body.len());
    // What a connection leaves behind for a while is no work of the page.
    let quiet = || {
        std::thread::sleep(Duration::from_secs(15));
        system_calls(&site)
    };
    println!("system calls in 5 s before a page was open: {:?}", quiet());

    println!("memory before: {} KiB", memory(pid) >> 10);
    let received = Arc::new(AtomicUsize::new(0));
    let mut pages = Vec::new();
    for _ in 0..PAGES {
        let (mut stream, received) = (UnixStream::connect(site.socket()).unwrap(), Arc::clone(&received));
        stream.write_all(b"GET /live HTTP/1.1\r\nHost: box\r\n\r\n").unwrap();
        pages.push(stream.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                received.fetch_add(count, Ordering::Relaxed);
            }
        });
    }
    // Nobody tells when all of it has come; what is counted is what does within a time.
    std::thread::sleep(Duration::from_secs(10));
    println!("first data of {PAGES} pages: {} bytes each", received.swap(0, Ordering::Relaxed) / PAGES);
    for minute in 0..3 {
        for number in 0..60 {
            site.post(&format!("/?action=restart&processname=p:p_{number:04}"), "");
        }
        std::thread::sleep(Duration::from_secs(5));
        let bytes = received.swap(0, Ordering::Relaxed) / PAGES;
        println!(
            "memory with {PAGES} pages, turn {minute}: {} KiB; 60 restarts: {bytes} bytes each",
            memory(pid) >> 10
        );
    }
    let before = processor_time(pid);
    // The time that is measured.
    std::thread::sleep(Duration::from_secs(20));
    println!("CPU while {PAGES} pages watch: {:.2} %", (processor_time(pid) - before).as_secs_f64() / 0.2);

    for page in pages {
        page.shutdown(Shutdown::Both).unwrap();
    }
    println!("system calls in 5 s after the pages were closed: {:?}", quiet());

    let Some(browser) = Browser::start(Scripts::On) else { return };
    browser.open(&site.url());
    browser.until("document.getElementById('link').dataset.link === 'live'");
    let timing = "const [n] = performance.getEntriesByType('navigation'); \
                  const [p] = performance.getEntriesByName('first-contentful-paint'); \
                  return `answer complete ${n.responseEnd.toFixed()} ms, first paint ${p?.startTime.toFixed()} ms, \
                  script has run ${n.domContentLoadedEventEnd.toFixed()} ms`";
    println!("browser: {}", browser.script(timing));
    browser.script(
        "window.changes = 0; new MutationObserver((list) => { window.changes += list.length; }) \
           .observe(document.getElementById('table'), { subtree: true, childList: true, attributes: true, characterData: true })",
    );
    site.post("/?action=stop&processname=p:p_0999", "");
    browser.until("document.querySelector(\"tr[data-name='p:p_0999']\").dataset.state === 'STOPPED'");
    println!("parts of the page changed by one stop, clocks included: {}", browser.script("return window.changes"));
    println!("work of the script for one change: {}", browser.script(
        "const begin = performance.now(); for (let i = 0; i < 20; i += 1) { const table = document.getElementById('table'); \
         table.dispatchEvent(new Event('pointerleave')); document.getElementById('find').dispatchEvent(new Event('input')); } \
         return `${((performance.now() - begin) / 20).toFixed(1)} ms`"));
}
