//! PLACEHOLDER until `supervisor_rpc::client` and `supervisor_core::config::client` are there: a small HTTP/1.0 client, a
//! small XML reader and a small INI reader, good enough to try the commands against a running daemon.

use std::fs;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;

use async_io::Async;
use futures_lite::{AsyncReadExt, AsyncWriteExt, stream};
use supervisor_core::domain::server::Credentials;
use supervisor_core::rpc::{Fault, Value};

use super::connection::{ClientError, Connect, LogStream, Reply, Rpc};
use super::settings::{ClientSettings, PluginSection};

pub(super) struct Network;

struct Server {
    url: String,
    authorization: String,
}

trait Duplex: futures_lite::AsyncRead + futures_lite::AsyncWrite + Unpin {}
impl<T: futures_lite::AsyncRead + futures_lite::AsyncWrite + Unpin> Duplex for T {}

impl Connect for Network {
    fn connect(&self, url: &str, credentials: Option<&Credentials>) -> Result<Box<dyn Rpc>, ClientError> {
        if !url.starts_with("http://") && !url.starts_with("unix://") {
            return Err(ClientError::UnsupportedScheme);
        }
        let authorization = credentials.map_or(String::new(), |known| {
            format!("Authorization: Basic {}\r\n", base64(format!("{}:{}", known.username, known.password).as_bytes()))
        });
        Ok(Box::new(Server { url: url.to_owned(), authorization }))
    }
}

impl Rpc for Server {
    fn call<'a>(&'a self, method: &'a str, params: Vec<Value>) -> Reply<'a, Value> {
        Box::pin(async move {
            let mut body = format!("<?xml version='1.0'?><methodCall><methodName>{method}</methodName><params>");
            for param in &params {
                body += &match param {
                    Value::Int(number) => format!("<param><value><int>{number}</int></value></param>"),
                    Value::String(text) => format!("<param><value><string>{}</string></value></param>", escape(text)),
                    other => return Err(ClientError::NotASupervisor(format!("cannot send {other:?}"))),
                };
            }
            body += "</params></methodCall>";
            let (_, mut rest) = self.request("POST", "/RPC2", &body).await?;
            let mut text = rest.0;
            rest.1.read_to_end(&mut text).await.map_err(ClientError::Io)?;
            answer(&String::from_utf8_lossy(&text))
        })
    }

    fn follow<'a>(&'a self, path: &'a str) -> Reply<'a, LogStream> {
        Box::pin(async move {
            let (_, (first, connection)) = self.request("GET", path, "").await?;
            let chunks = stream::unfold((first, connection), |(mut pending, mut connection)| async move {
                if pending.is_empty() {
                    pending = vec![0; 8192];
                    match connection.read(&mut pending).await {
                        Ok(0) => return None,
                        Ok(count) => pending.truncate(count),
                        Err(error) => return Some((Err(error), (Vec::new(), connection))),
                    }
                }
                Some((Ok(pending), (Vec::new(), connection)))
            });
            let stream: LogStream = Box::pin(chunks);
            Ok(stream)
        })
    }
}

type Open = (Vec<u8>, Box<dyn Duplex>);

impl Server {
    async fn request(&self, method: &str, path: &str, body: &str) -> Result<(u16, Open), ClientError> {
        let mut connection = self.open().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ClientError::NoSuchSocket,
            io::ErrorKind::ConnectionRefused => ClientError::Refused,
            io::ErrorKind::PermissionDenied => ClientError::PermissionDenied,
            _ => ClientError::Io(error),
        })?;
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n{}\r\n{body}",
            body.len(),
            self.authorization
        );
        connection.write_all(head.as_bytes()).await.map_err(ClientError::Io)?;
        let mut text = Vec::new();
        let end = loop {
            if let Some(at) = text.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            let mut chunk = [0; 4096];
            let count = connection.read(&mut chunk).await.map_err(ClientError::Io)?;
            if count == 0 {
                return Err(ClientError::NotASupervisor("the answer ends too soon".to_owned()));
            }
            text.extend_from_slice(&chunk[..count]);
        };
        let rest = text.split_off(end + 4);
        let head = String::from_utf8_lossy(&text).into_owned();
        let status = head.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        match status {
            200 => Ok((200, (rest, connection))),
            401 => Err(ClientError::Unauthorised),
            _ => Err(ClientError::Http { status, reason: String::new() }),
        }
    }

    fn open(&self) -> io::Result<Box<dyn Duplex>> {
        if let Some(path) = self.url.strip_prefix("unix://") {
            return Ok(Box::new(Async::new(UnixStream::connect(path)?)?));
        }
        let host = self.url.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let host = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
        let address = host.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Async::new(TcpStream::connect(address)?)?))
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().chain(&[0, 0]).take(3).fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
        for place in 0..4 {
            let letter = LETTERS[number >> (18 - 6 * place) & 63];
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn answer(xml: &str) -> Result<Value, ClientError> {
    let at = xml.find("<value>").ok_or_else(|| ClientError::NotASupervisor("no value".to_owned()))?;
    let (value, _) = value(&xml[at..]).ok_or_else(|| ClientError::NotASupervisor("bad value".to_owned()))?;
    if !xml.contains("<fault>") {
        return Ok(value);
    }
    let code = match value.get("faultCode") {
        Some(Value::Int(code)) => i32::try_from(*code).unwrap_or(0),
        _ => 0,
    };
    let text = value.get("faultString").and_then(Value::as_str).unwrap_or_default().to_owned();
    Err(ClientError::Fault(Fault { code, text }))
}

/// The value at the start, and what follows it.
fn value(xml: &str) -> Option<(Value, &str)> {
    let inner = xml.trim_start().strip_prefix("<value>")?.trim_start();
    if let Some(mut rest) = inner.strip_prefix("<array><data>").or_else(|| inner.strip_prefix("<array>\n<data>")) {
        let mut values = Vec::new();
        while rest.trim_start().starts_with("<value>") {
            let (one, after) = value(rest)?;
            values.push(one);
            rest = after;
        }
        return Some((Value::Array(values), rest.split_once("</value>")?.1));
    }
    if let Some(mut rest) = inner.strip_prefix("<struct>") {
        let mut members = Vec::new();
        while rest.trim_start().starts_with("<member>") {
            let (name, after) = rest.split_once("<name>")?.1.split_once("</name>")?;
            let (one, after) = value(after)?;
            members.push((name.to_owned(), one));
            rest = after.split_once("</member>")?.1;
        }
        return Some((Value::Struct(members), rest.split_once("</value>")?.1));
    }
    let (body, after) = inner.split_once("</value>")?;
    let scalar = body.split_once('>').map_or("", |(_, rest)| rest.rsplit_once('<').map_or("", |(text, _)| text));
    let scalar = scalar.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let read = match body.get(..4)? {
        "<int" => Value::Int(scalar.parse().ok()?),
        "<boo" => Value::Bool(scalar == "1"),
        _ => Value::String(scalar),
    };
    Some((read, after))
}

/// The settings of a file.
pub(super) fn load_settings(path: &Path) -> Result<ClientSettings, String> {
    let text = fs::read_to_string(path).map_err(|_| format!("could not read config file {}", path.display()))?;
    let here = std::path::absolute(path).ok().and_then(|path| path.parent().map(Path::to_owned)).unwrap_or_default();
    let expand = |value: &str| {
        let mut value = value.replace("%(here)s", &here.to_string_lossy());
        for (name, variable) in std::env::vars() {
            value = value.replace(&format!("%(ENV_{name})s"), &variable);
        }
        value
    };
    let mut settings = ClientSettings::default();
    let mut section = String::new();
    let mut found = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.to_owned();
            found |= section == "supervisorctl";
            if let Some(name) = section.strip_prefix("ctlplugin:") {
                let plugin = PluginSection {
                    name: name.to_owned(),
                    factory: String::new(),
                    options: std::collections::BTreeMap::new(),
                };
                settings.plugins.push(plugin);
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with([';', '#'])) else { continue };
        let (key, value) = (key.trim(), expand(value.trim()));
        match (section.as_str(), key) {
            ("supervisorctl", "serverurl") => settings.serverurl = value,
            ("supervisorctl", "username") => settings.username = Some(value),
            ("supervisorctl", "password") => settings.password = Some(value),
            ("supervisorctl", "prompt") => settings.prompt = value,
            ("supervisorctl", "history_file") => settings.history_file = Some(value.into()),
            (name, key) if name.starts_with("ctlplugin:") => {
                if let Some(plugin) = settings.plugins.last_mut() {
                    if key == "supervisor.ctl_factory" {
                        plugin.factory = value;
                    } else {
                        plugin.options.insert(key.to_owned(), value);
                    }
                }
            }
            _ => {}
        }
    }
    if !found {
        return Err(".ini file does not include supervisorctl section".to_owned());
    }
    if let Some(plugin) = settings.plugins.iter().find(|plugin| plugin.factory.is_empty()) {
        return Err(format!("section [ctlplugin:{}] does not specify a supervisor.ctl_factory", plugin.name));
    }
    Ok(settings)
}
