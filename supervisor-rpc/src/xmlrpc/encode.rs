//! Writes answers, faults and calls as XML that every XML-RPC client reads.
//!
//! Answers are written piece by piece straight into the bytes to be sent, nothing in between. Integers are clamped to
//! 32 bits, nothing becomes the empty text, characters that XML cannot carry become U+FFFD.

use std::io::Write;

use supervisor_core::rpc::{Answer, AnswerSink, Fault, Value};

const DECLARATION: &str = "<?xml version='1.0'?>\n";

/// The answer to a call that succeeded.
pub fn encode_response(answer: &dyn Answer) -> Vec<u8> {
    let mut xml = XmlSink::new(512);
    xml.raw("<methodResponse>\n<params>\n<param>\n");
    answer.write_to(&mut xml);
    xml.raw("\n</param>\n</params>\n</methodResponse>\n");
    xml.out
}

/// The answer to a call that was refused.
pub fn encode_fault(fault: &Fault) -> Vec<u8> {
    let mut xml = XmlSink::new(512);
    xml.raw("<methodResponse>\n<fault>\n");
    write_fault(fault, &mut xml);
    xml.raw("\n</fault>\n</methodResponse>\n");
    xml.out
}

/// A fault as a value: exactly `faultCode` and `faultString`.
pub(crate) fn write_fault(fault: &Fault, sink: &mut dyn AnswerSink) {
    sink.begin_struct();
    sink.member("faultCode");
    sink.int(fault.code.into());
    sink.member("faultString");
    sink.string(&fault.text);
    sink.end_struct();
}

/// A call.
pub fn encode_call(method: &str, params: &[Value]) -> Vec<u8> {
    let mut xml = XmlSink::new(512);
    xml.raw("<methodCall>\n<methodName>");
    xml.text(method);
    xml.raw("</methodName>\n<params>\n");
    for param in params {
        xml.raw("<param>\n");
        param.write_to(&mut xml);
        xml.raw("\n</param>\n");
    }
    xml.raw("</params>\n</methodCall>\n");
    xml.out
}

/// Writes values as XML.
struct XmlSink {
    out: Vec<u8>,
    /// For each open container, whether it is a struct.
    open: Vec<bool>,
}

impl XmlSink {
    fn new(capacity: usize) -> Self {
        let mut sink = Self { out: Vec::with_capacity(capacity), open: Vec::new() };
        sink.raw(DECLARATION);
        sink
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Text content, escaped.
    fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut done = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let (width, replacement) = match byte {
                b'<' => (1, "&lt;"),
                b'>' => (1, "&gt;"),
                b'&' => (1, "&amp;"),
                b'\r' => (1, "&#13;"),
                b'\t' | b'\n' => continue,
                0..=0x1f => (1, "\u{fffd}"),
                // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
                0xef if bytes[at..].starts_with(b"\xef\xbf\xbe") || bytes[at..].starts_with(b"\xef\xbf\xbf") => {
                    (3, "\u{fffd}")
                }
                _ => continue,
            };
            self.out.extend_from_slice(&bytes[done..at]);
            self.raw(replacement);
            done = at + width;
        }
        self.out.extend_from_slice(&bytes[done..]);
    }

    fn number(&mut self, value: impl std::fmt::Display) {
        // Writing to a vector cannot fail.
        let _ = write!(self.out, "{value}");
    }

    /// Ends a value, and with it the member that it is the value of.
    fn end_value(&mut self, closing: &str) {
        self.raw(closing);
        if self.open.last() == Some(&true) {
            self.raw("</member>\n");
        }
    }
}

impl AnswerSink for XmlSink {
    fn int(&mut self, value: i64) {
        self.raw("<value><int>");
        self.number(value.clamp(i32::MIN.into(), i32::MAX.into()));
        self.end_value("</int></value>");
    }

    fn boolean(&mut self, value: bool) {
        self.end_value(if value {
            "<value><boolean>1</boolean></value>"
        } else {
            "<value><boolean>0</boolean></value>"
        });
    }

    fn double(&mut self, value: f64) {
        self.raw("<value><double>");
        self.number(value);
        self.end_value("</double></value>");
    }

    fn string(&mut self, value: &str) {
        self.raw("<value><string>");
        self.text(value);
        self.end_value("</string></value>");
    }

    fn nil(&mut self) {
        self.string("");
    }

    fn begin_array(&mut self) {
        self.raw("<value><array><data>\n");
        self.open.push(false);
    }

    fn end_array(&mut self) {
        self.open.pop();
        self.end_value("</data></array></value>");
    }

    fn begin_struct(&mut self) {
        self.raw("<value><struct>\n");
        self.open.push(true);
    }

    fn member(&mut self, name: &str) {
        self.raw("<member>\n<name>");
        self.text(name);
        self.raw("</name>\n");
    }

    fn end_struct(&mut self) {
        self.open.pop();
        self.end_value("</struct></value>");
    }
}

#[cfg(test)]
mod tests;
