//! A real browser, driven over the WebDriver protocol (W3C WebDriver; `chromedriver` speaks it).
//!
//! Just enough of the protocol for these tests: a request a connection, JSON in and out.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::lab::within;

/// How long anything may take: browsers are slow on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long the browser may take for one script, in milliseconds.
const SCRIPT_PATIENCE: u32 = 100_000;

/// Quiet, alone, without a graphics card, also as root.
const ARGUMENTS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--hide-scrollbars",
];

/// chromedriver takes any free port of IPv6, and gives up if the same one of IPv4 is taken.
const ATTEMPTS: u32 = 10;

const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// A driver that listens, and where; `None` if it could not.
fn listening(chromedriver: &Path) -> Option<(Child, u16)> {
    let mut driver = Command::new(chromedriver)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    let Some(port) = port else {
        driver.wait().unwrap();
        return None;
    };
    // What it says later must not block it.
    std::thread::spawn(move || lines.for_each(drop));
    Some((driver, port))
}

/// What the browser is started with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    On,
    Off,
}

pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// A fresh browser; `None`, with the reason on stdout, where there is none.
    pub(crate) fn start(scripts: Scripts) -> Option<Self> {
        let (Some(chromium), Some(chromedriver)) = (program("chromium"), program("chromedriver")) else {
            println!("skipped: chromium and chromedriver are not installed");
            return None;
        };
        let (driver, port) = (0..ATTEMPTS).find_map(|_| listening(&chromedriver)).expect("a port for chromedriver");
        let profile = tempfile::tempdir().unwrap();
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let mut options = json!({ "binary": chromium, "args": arguments });
        if scripts == Scripts::Off {
            options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
        let wanted = json!({ "browserName": "chrome", "timeouts": { "script": SCRIPT_PATIENCE }, "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
        let mut browser = Self { driver, port, session: String::new(), _profile: profile };
        let answer = browser.call("POST", "/session", &json!({ "capabilities": { "alwaysMatch": wanted } })).unwrap();
        browser.session = answer["sessionId"].as_str().unwrap().to_owned();
        browser.resize(1280, 860);
        Some(browser)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).map_err(|error| error.to_string())?;
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).map_err(|error| error.to_string())?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) =
                line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            {
                length = value.trim().parse().map_err(|_| name.to_owned())?;
            }
        }
        let mut text = vec![0; length];
        reader.read_exact(&mut text).map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{method} {path}: {error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].clone()),
        }
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.call("POST", &format!("/session/{}{path}", self.session), body)
    }

    fn get(&self, path: &str) -> Result<Value, String> {
        self.call("GET", &format!("/session/{}{path}", self.session), &Value::Null)
    }

    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url })).unwrap();
    }

    pub(crate) fn title(&self) -> String {
        self.get("/title").unwrap().as_str().unwrap().to_owned()
    }

    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.post("/window/rect", &json!({ "width": width, "height": height })).unwrap();
    }

    /// A command of the browser's own protocol.
    pub(crate) fn command(&self, name: &str, parameters: &Value) {
        self.post("/goog/cdp/execute", &json!({ "cmd": name, "params": parameters })).unwrap();
    }

    /// As on a phone that is so wide and high.
    pub(crate) fn phone(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": true });
        self.command("Emulation.setDeviceMetricsOverride", &metrics);
    }

    pub(crate) fn scheme(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.command("Emulation.setEmulatedMedia", &features);
    }

    /// Runs a script with `return`.
    pub(crate) fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] })).unwrap()
    }

    /// Runs a script that calls its last argument.
    pub(crate) fn script_later(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({ "script": script, "args": [] })).unwrap()
    }

    /// Waits until an expression of the page holds.
    pub(crate) fn until(&self, expression: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let last = self.post("/execute/sync", &json!({ "script": format!("return {expression}"), "args": [] }));
            if last.as_ref().is_ok_and(|value| value == &Value::Bool(true)) {
                return;
            }
            assert!(Instant::now() < end, "not in time: {expression}: {last:?}\n{}", self.text("body"));
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn find(&self, selector: &str) -> Result<String, String> {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }))?;
        Ok(found[ELEMENT].as_str().unwrap_or_default().to_owned())
    }

    /// Tries until it works: elements come and go while a page is live.
    fn with<T>(&self, selector: &str, act: impl Fn(&str) -> Result<T, String>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.find(selector).and_then(|element| act(&element)) {
                Ok(done) => return done,
                Err(error) => assert!(Instant::now() < end, "{selector}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    pub(crate) fn click(&self, selector: &str) {
        // What an action says moves all that is below it. When no button is busy, it has been said.
        let is_idle = || self.find("[data-busy]").is_err().then_some(());
        within(PATIENCE, &format!("no button is busy before {selector}"), is_idle);
        self.with(selector, |element| self.post(&format!("/element/{element}/click"), &json!({})).map(drop));
    }

    pub(crate) fn text(&self, selector: &str) -> String {
        self.with(selector, |element| self.get(&format!("/element/{element}/text")))
            .as_str()
            .unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Waits until an element begins with this text.
    pub(crate) fn reads(&self, selector: &str, text: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let shown = self.text(selector);
            if shown.starts_with(text) {
                return;
            }
            assert!(Instant::now() < end, "{selector} does not begin with {text:?}: {shown}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        self.with(selector, |element| {
            self.post(&format!("/element/{element}/value"), &json!({ "text": text })).map(drop)
        });
    }

    /// Presses keys, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })])
            .collect();
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] })).unwrap();
    }

    pub(crate) fn shoot(&self, file: &Path) {
        use std::fs;
        let image = self.get("/screenshot").unwrap();
        fs::write(file, decoded(image.as_str().unwrap())).unwrap();
    }

    /// What the browser complained of since the last look: errors of scripts, breaches of the content policy.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({ "type": "browser" })).unwrap();
        let message = |entry: &Value| entry["message"].as_str().unwrap_or_default().to_owned();
        entries.as_array().unwrap().iter().filter(|entry| entry["level"] == "SEVERE").map(message).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.call("DELETE", &format!("/session/{}", self.session), &Value::Null);
        }
        // The driver and what is left of its browser are a group of their own.
        let _ = rustix::process::kill_process_group(
            rustix::process::Pid::from_child(&self.driver),
            rustix::process::Signal::KILL,
        );
        let _ = self.driver.wait();
    }
}

/// Base64 (RFC 4648), as pictures come.
fn decoded(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let Some(value) = LETTERS.iter().position(|known| *known == letter) else { break };
        bits = bits << 6 | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}
