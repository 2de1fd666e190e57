//! Python's HTTP and XML-RPC clients as peers; skipped where there is no Python.

use std::process::Command;

use super::*;

const SCRIPT: &str = r#"
import http.client, socket, sys, xmlrpc.client
port, path = int(sys.argv[1]), sys.argv[2]

proxy = xmlrpc.client.ServerProxy("http://u:p@127.0.0.1:%d/RPC2" % port)
for n in range(3):
    assert "inet_http_server" in proxy.a.b("x" * n), n
try:
    proxy.a.fault()
    raise SystemExit("no fault")
except xmlrpc.client.Fault as fault:
    assert (fault.faultCode, fault.faultString) == (10, "BAD_NAME: x")
try:
    xmlrpc.client.ServerProxy("http://127.0.0.1:%d/RPC2" % port).a.b()
    raise SystemExit("no 401")
except xmlrpc.client.ProtocolError as error:
    assert error.errcode == 401

class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)

for connection in (Unix("localhost"), http.client.HTTPConnection("127.0.0.1", port)):
    for n in range(3):
        connection.request("GET", "/ok.html", headers={"Authorization": "Basic dTpw"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"OK")
    connection.request("GET", "/ok.html")
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("connection")) == (401, "close"), answer.getheaders()
    answer.read()
    connection.request("HEAD", "/ok.html", headers={"Authorization": "Basic dTpw"})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    connection.request("GET", "/logtail/cat", headers={"Authorization": "Basic dTpw"})
    answer = connection.getresponse()
    assert answer.readline().endswith(b"1024\n")
print("fine")
"#;

#[test]
fn python_clients() {
    let lab = Lab::with(Limits::default(), Some(("u", "p")), |_| {});
    let mut python = Command::new("python3");
    let Ok(output) = python.args(["-c", SCRIPT, &lab.port.to_string()]).arg(lab.socket()).output() else { return };
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), error.as_ref()), ("fine\n", ""));
}
