//! Requests and answers as they stand on the wire, right ones and wrong ones: a client of our own would correct what the
//! daemon gets wrong.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// An answer that takes as long as this will not come.
const ANSWER: Duration = Duration::from_secs(600);

/// A parameter of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Int(i64),
    Bool(bool),
    /// What stands inside of `<value>`, as it is.
    Xml(&'a str),
}

impl Value<'_> {
    /// What stands inside of `<value>`.
    pub(crate) fn xml(self) -> String {
        match self {
            Value::Text(text) => format!("<string>{}</string>", text.replace('&', "&amp;").replace('<', "&lt;")),
            Value::Int(number) => format!("<int>{number}</int>"),
            Value::Bool(flag) => format!("<boolean>{}</boolean>", u8::from(flag)),
            Value::Xml(xml) => xml.to_owned(),
        }
    }
}

/// The document of a call.
pub(crate) fn body(method: &str, parameters: &[Value]) -> String {
    let parameter = |value: &Value| format!("<param><value>{}</value></param>", value.xml());
    let parameters: String = parameters.iter().map(parameter).collect();
    format!(
        "<?xml version='1.0'?><methodCall><methodName>{method}</methodName><params>{parameters}</params></methodCall>"
    )
}

/// A call after which the server closes.
pub(crate) fn request(method: &str, parameters: &[Value]) -> String {
    let body = body(method, parameters);
    format!(
        "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: {}\r\n\r\n\
         {body}",
        body.len()
    )
}

/// One call through a socket file; `None` if there is no answer.
pub(crate) fn call(socket: &Path, method: &str, parameters: &[Value]) -> Option<Answer> {
    let stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(ANSWER)).unwrap();
    let answer = Answer::of(stream, request(method, parameters).as_bytes());
    assert!(matches!(answer.status, 0 | 200), "{method}: {answer:?}");
    (answer.status == 200).then_some(answer)
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 0 if the connection was closed without one.
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Sends all, as far as it is taken, and reads all that comes back until the end.
    pub(crate) fn of(mut stream: impl Read + Write, request: &[u8]) -> Self {
        // Who is refused in the middle is cut off.
        let _ = stream.write_all(request);
        Self::from(stream)
    }

    pub(crate) fn from(mut stream: impl Read) -> Self {
        let mut bytes = Vec::new();
        if let Err(error) = stream.read_to_end(&mut bytes) {
            assert!(error.kind() == std::io::ErrorKind::ConnectionReset, "{error}");
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// All that came, which may be more than one answer.
    pub(crate) fn all(&self) -> String {
        format!("{}\r\n\r\n{}", self.head, self.body)
    }

    /// True if it says that the client is at fault, or nothing at all.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.status, 0 | 400..=499)
    }

    /// True if a call was answered by a value.
    pub(crate) fn is_ok(&self) -> bool {
        self.status == 200 && !self.body.contains("<fault>")
    }

    /// The code of a fault, 0 if it is none.
    pub(crate) fn fault(&self) -> i32 {
        if self.is_ok() { 0 } else { self.field("faultCode").parse().unwrap() }
    }

    /// The first member of this name.
    pub(crate) fn field(&self, name: &str) -> String {
        let member = format!("<name>{name}</name>");
        let from = self.body.find(&member).unwrap_or_else(|| panic!("no {name} in {}", self.body));
        let rest = &self.body[from..];
        texts(&rest[rest.find("<value>").unwrap()..rest.find("</value>").unwrap()]).concat()
    }

    /// All texts in a document, names and values.
    pub(crate) fn texts(&self) -> Vec<String> {
        texts(&self.body)
    }
}

/// What stands outside of tags.
fn texts(xml: &str) -> Vec<String> {
    let texts = xml.split('<').filter_map(|part| part.split_once('>').map(|(_, text)| text.trim_matches('\n')));
    let plain = |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    texts.filter(|text| !text.is_empty()).map(plain).collect()
}
