"""Makes the same calls of two daemons with Python's own client, and tells what differs.

Arguments: for each daemon the folder that it runs in, which holds its socket `s`. The first is the original. Both run the
same configuration from the start. Prints a line for each difference.
"""

import http.client
import re
import socket
import sys
import time
import xmlrpc.client
from xmlrpc.client import Binary, DateTime, Fault, ProtocolError


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Transport(xmlrpc.client.Transport):
    def __init__(self, path):
        super().__init__()
        self.path = path

    def make_connection(self, host):
        return Connection(self.path)


class Better:
    """What ours answers where the original answers worse; it is checked that it does."""

    def __init__(self, answer):
        self.answer = answer


class Daemon:
    def __init__(self, folder):
        self.folder = folder
        self.proxy = xmlrpc.client.ServerProxy("http://localhost", Transport(folder + "/s"))

    def ask(self, name, *params):
        """The answer with its types, without what differs between any two runs."""
        try:
            answer = self.plain(None, getattr(self.proxy, name)(*params))
            # Those that are started or stopped together, and waited for, are told of as they get there.
            together = name.startswith((S + "start", S + "stop")) and params[-1:] != (False,)
            return sorted(answer, key=repr) if together and isinstance(answer, list) else answer
        except Fault as fault:
            return ("Fault", fault.faultCode, self.plain(None, fault.faultString))
        except ProtocolError as error:
            return error.errcode
        except (xmlrpc.client.ResponseError, xmlrpc.client.expat.ExpatError, OSError, http.client.HTTPException) as error:
            return type(error).__name__

    def plain(self, key, value):
        if isinstance(value, dict):
            return {name: self.plain(name, value[name]) for name in value}
        if isinstance(value, list):
            return [self.plain(key, item) for item in value]
        if isinstance(value, int) and not isinstance(value, bool):
            return "some int" if key in MOVING and value > 0 else value
        if isinstance(value, str):
            value = value.replace(self.folder, "HERE")
            value = re.sub(r"pid \d+, uptime \S+", "pid N, uptime T", value)
            value = re.sub(r"^[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M$", "some time", value)
            return re.sub(r"---(\w+)-\w+\.log$", r"---\1-RANDOM.log", value)
        return value

    def settle(self):
        """Until nothing is on its way to another state."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            infos = self.proxy.supervisor.getAllProcessInfo()
            if not any(info["statename"] in ("STARTING", "STOPPING", "BACKOFF") for info in infos):
                return
            time.sleep(0.05)
        raise SystemExit("the programs of %s do not settle" % self.folder)


# Members whose numbers are pids or times. Zero stands for itself.
MOVING = ("pid", "start", "stop", "now")

BAD_PARAMETERS = ("Fault", 2, "INCORRECT_PARAMETERS")

S = "supervisor."


def table():
    simple = (
        "getAPIVersion getVersion getSupervisorVersion getIdentification getState getAllProcessInfo getAllConfigInfo "
        "reloadConfig"
    )
    for method in simple.split():
        yield S + method
        yield S + method, 1
    yield "system.listMethods"
    yield "system.listMethods", 1
    # Names that are no method.
    for name in ("", "supervisor", "getState", "supervisor.", ".getState", "supervisor.nope", "nope.getState"):
        yield (name,) if name else ("x",)
    for name in ("supervisor.getState.x", "supervisor._update", "supervisor.supervisord", "supervisor.__class__"):
        yield name,
    for name in (" supervisor.getState", "Supervisor.getState", "system.nope", "supervisor.getstate", "system._x"):
        yield name,
    yield from described()
    yield from names()
    yield from states()
    yield from signals()
    yield from logs()
    yield from stdin_and_events()
    yield from groups()
    yield from multicalls()
    yield from ends()


def described():
    for name in ("nope", "", "supervisor.nope", "system.nope", "supervisor"):
        yield "system.methodSignature", name
        yield "system.methodHelp", name
    yield "system.methodSignature",
    yield "system.methodHelp", "a", "b"
    yield "signatures",


def names():
    """Methods that take one name, with good and bad ones."""
    for method in ("getProcessInfo", "clearProcessLogs", "clearProcessLog", "startProcess", "stopProcess"):
        for name in ("zz", "", ":", "g", "a", "g:zz", "zz:a", "zz:*", "zz:", "g:a:b", "*", "cat:zz", "cat\nx", "é"):
            yield S + method, name
        yield S + method,
        yield S + method, "cat", True, True
        for odd in (5, True, 1.5, [], {}, ["cat"]):
            yield S + method, odd, Better(BAD_PARAMETERS)
    yield S + "getProcessInfo", "g:*"
    yield S + "getProcessInfo", "g:"
    yield S + "clearProcessLogs", "g:*"
    for name in ("cat", "cat:cat", "off", "g:a", "many:many_01", "nolog", "ten", "full", "listener"):
        yield S + "getProcessInfo", name


def states():
    for method in ("startProcessGroup", "stopProcessGroup"):
        for name in ("zz", "", "g:*", "g:a", "zz:*", "cat:cat"):
            yield S + method, name
        yield S + method,
        yield S + method, "g", True, True
    yield S + "startAllProcesses", True, True
    yield S + "startProcess", "cat"
    yield S + "startProcess", "noexec"
    yield S + "startProcess", "nofile"
    yield S + "startProcess", "folder"
    yield S + "startProcess", "quotes"
    yield S + "startProcess", "escape"
    yield S + "startProcess", "quick"
    yield "settle",
    yield S + "getProcessInfo", "quick"
    yield S + "startProcess", "quick", False
    yield "settle",
    yield S + "stopProcess", "quick"
    yield S + "stopProcess", "off"
    yield S + "startProcess", "off", ""
    yield S + "startProcess", "off:off"
    yield S + "stopProcess", "off", 0
    yield "settle",
    yield S + "startProcess", "off", "false"
    yield S + "stopProcess", "off:off", []
    yield "settle",
    yield S + "getProcessInfo", "off"
    yield S + "startProcessGroup", "g"
    yield S + "startProcessGroup", "g"
    yield S + "startProcess", "g:*"
    yield S + "stopProcess", "g:b"
    yield S + "startProcess", "g:", False
    yield S + "stopProcess", "g:*"
    yield S + "stopProcessGroup", "g"
    yield S + "startProcessGroup", "many", 1
    yield S + "stopProcessGroup", "many", True
    yield S + "startProcess", "deaf"
    yield S + "stopProcess", "deaf", False
    yield S + "getProcessInfo", "deaf"
    yield S + "stopProcess", "deaf"
    yield S + "startProcess", "deaf"
    yield S + "signalProcess", "deaf", "CONT"
    yield S + "removeProcessGroup", "deaf"
    yield S + "sendProcessStdin", "deaf", "x"
    yield "settle",
    yield S + "getProcessInfo", "deaf"


def signals():
    for signal in (
        "CONT", "SIGCONT", "cont", " cont ", "18", "018", 18, "0", 0, 0.0, "BOGUS", "", "SIG", -1, "-1", 35, "RTMIN+1", "99",
        99, "1.5", "SIGSIG", 18.7, "SIG18", True,
    ):
        yield S + "signalProcess", "cat", signal
        yield S + "signalProcess", "off", signal
    for odd in ([], {}):
        yield S + "signalProcess", "cat", odd, Better(BAD_PARAMETERS)
    for odd in ("+18", "1_8", "_DFL"):
        yield S + "signalProcess", "cat", odd, Better(("Fault", 11, "BAD_SIGNAL: " + odd))
    yield S + "signalProcess", "zz", "BOGUS"
    yield S + "signalProcess", "cat"
    for method in ("signalProcess", "signalProcessGroup"):
        for name in ("g:*", "g", "zz", "zz:*", "many", "many:*"):
            for signal in ("CONT", "BOGUS", 0):
                yield S + method, name, signal
    for signal in ("CONT", "BOGUS", 18, 99, "0"):
        yield S + "signalAllProcesses", signal


def logs():
    spots = ((0, 0), (0, 4), (3, 4), (8, 9), (10, 0), (99, 1), (-3, 0), (-99, 0), (0, -1), (-3, 2), (5, -5))
    tails = ((0, 0), (0, 3), (0, 10), (0, 100), (5, 3), (5, 5), (5, 100), (10, 5), (100, 5), (-3, 5), (0, -5), (-3, -5), (9, 1))
    reads = ("readProcessStdoutLog", "readProcessLog", "readProcessStderrLog")
    ends = ("tailProcessStdoutLog", "tailProcessLog", "tailProcessStderrLog")
    for methods, table in ((reads, spots), (ends, tails)):
        for method in methods:
            for offset, length in table:
                yield S + method, "ten", offset, length
                yield S + method, "nolog", offset, length
                yield S + method, "gone", offset, length
            for name in ("zz", "g:*", "", "g"):
                yield S + method, name, 0, 0
            yield S + method, "ten", 0
            yield S + method, "ten", "3", "4"
            yield S + method, "ten", " 3 ", 3.7
            yield S + method, "ten", True, 4
            for odd in ("x", "", "1.5", [], {}):
                yield S + method, "ten", odd, 0, Better(BAD_PARAMETERS)
            yield S + method, 5, 0, 0, Better(BAD_PARAMETERS)
            yield S + method, "ten", 2147483647, 2147483647
            yield S + method, "ten", -2147483648, 0
    yield S + "readProcessLog", "cut", 0, 2, Better("a\ufffd")
    yield S + "readProcessLog", "cut", 0, 3
    for method in ("readLog", "readMainLog"):
        yield S + method, -1, 1
        yield S + method, 0, -1
        yield S + method, 99999999, 0
        yield S + method, 0, 4, Better("2026")
        yield S + method,


def stdin_and_events():
    yield S + "sendProcessStdin", "cat", "hello\n"
    yield S + "sendProcessStdin", "cat", ""
    yield S + "sendProcessStdin", "cat", "é€\n"
    yield S + "sendProcessStdin", "off", "x"
    yield S + "sendProcessStdin", "zz", "x"
    yield S + "sendProcessStdin", "g:*", "x"
    yield S + "sendProcessStdin", "g", "x"
    for odd in (5, True, 1.5):
        yield S + "sendProcessStdin", "cat", odd
        yield S + "sendProcessStdin", "zz", odd
    yield S + "sendProcessStdin", "cat", Binary(b"bytes\n")
    yield S + "sendProcessStdin", "cat", Binary(b"\xff"), Better(400)
    yield S + "sendProcessStdin", "shut", "x"
    yield S + "sendProcessStdin", "cat"
    for kind, data in (("a", "b"), ("", ""), ("é", "€\n"), (1, 2), ("a b", True)):
        yield S + "sendRemoteCommEvent", kind, data
    yield S + "sendRemoteCommEvent", "a"
    yield S + "getProcessInfo", DateTime(0), Better(BAD_PARAMETERS)


def groups():
    for method in ("addProcessGroup", "removeProcessGroup"):
        for name in ("zz", "", "g:*", "cat:cat", "cat", "g:a"):
            yield S + method, name
        for odd in (5, True, 1.5, []):
            yield S + method, odd, Better(BAD_PARAMETERS)
        yield S + method,
    yield S + "removeProcessGroup", "off"
    yield S + "getProcessInfo", "off"
    yield S + "startProcess", "off"
    yield S + "removeProcessGroup", "off"
    yield S + "reloadConfig",
    yield S + "addProcessGroup", "off"
    yield S + "addProcessGroup", "off"
    yield S + "getProcessInfo", "off"
    yield "configure", "[program:off]", "[program:renamed]"
    yield S + "reloadConfig",
    yield S + "addProcessGroup", "renamed"
    yield S + "removeProcessGroup", "off"
    yield S + "reloadConfig",
    yield "configure", "startretries=3", "startretries=many"
    yield "cannot reread",
    yield "configure", "startretries=many", "startretries=4"
    yield S + "reloadConfig",
    yield S + "getAllProcessInfo",


def call(name, *params):
    return {"methodName": name, "params": list(params)}


def multicalls():
    many = "system.multicall"
    yield many, []
    yield many, [call(S + "getState"), call(S + "getVersion"), call(S + "getProcessInfo", "zz")]
    yield many, [{"methodName": S + "getVersion"}, {"params": []}, {}, {"methodName": ""}]
    yield many, [call("nope"), call("system.nope"), call("nope.x"), call(S + "getVersion", 1)]
    yield many, [call(many, []), call("system.listMethods"), call("system.methodSignature", S + "getPID")]
    yield many, [call(S + "stopProcess", "g:a"), call(S + "startProcess", "g:a"), call(S + "stopProcessGroup", "g")]
    yield many, [call(S + "startProcess", "g:a", False), call(S + "quick"), call(S + "startProcess", "quick")]
    yield "settle",
    yield many, [call(S + "stopProcess", "g:a"), call(S + "signalAllProcesses", "CONT")]
    yield many,
    yield many, [], []
    for odd in (5, "x", {}, [5], ["x"], [[]], [1.5]):
        yield many, odd, Better(BAD_PARAMETERS)
    yield many, [{"methodName": S + "getVersion", "params": "x"}], Better([{"faultCode": 2, "faultString": BAD_PARAMETERS[2]}])
    yield many, [{"methodName": 5, "params": []}], Better([{"faultCode": 2, "faultString": BAD_PARAMETERS[2]}])


def ends():
    yield S + "clearProcessLogs", "cat"
    yield S + "clearProcessLogs", "nolog"
    yield S + "clearAllProcessLogs",
    yield S + "clearAllProcessLogs", 1
    yield S + "clearLog",
    yield S + "clearLog", 1
    yield S + "getPID", 1
    yield S + "stopAllProcesses",
    yield "settle",
    yield S + "getAllProcessInfo",
    yield S + "startAllProcesses",
    yield "settle",
    yield S + "getAllProcessInfo",
    yield S + "shutdown", 1
    yield S + "restart", 1
    yield S + "shutdown",


def typed(value):
    """To compare by: True is not 1, and members have no order."""
    if isinstance(value, dict):
        return sorted((name, typed(item)) for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return [typed(item) for item in value]
    return (type(value).__name__, value)


def signatures(daemon):
    return {name: daemon.ask("system.methodSignature", name) for name in daemon.ask("system.listMethods")}


def configure(daemon, old, new):
    with open(daemon.folder + "/conf") as file:
        text = file.read()
    assert old in text
    with open(daemon.folder + "/conf", "w") as file:
        file.write(text.replace(old, new))


def cannot_reread(daemon):
    """4.3's words; we say more on the same line."""
    kind, code, text = daemon.ask(S + "reloadConfig")
    return kind, code, text.split(", line ")[0]


WORK = {"settle": Daemon.settle, "signatures": signatures, "configure": configure, "cannot reread": cannot_reread}


def main():
    original, ours = (Daemon(folder) for folder in sys.argv[1:])
    count = 0
    for row in table():
        row = (row,) if isinstance(row, str) else row
        name, *params = row
        wanted = params.pop() if params and isinstance(params[-1], Better) else None
        ask = WORK.get(name) or (lambda daemon, *params: daemon.ask(name, *params))
        theirs, answer = ask(original, *params), ask(ours, *params)
        count += 1
        if wanted is None and typed(theirs) != typed(answer):
            print("%s%r\n  original: %r\n  ours:     %r" % (name, tuple(params), theirs, answer))
        if wanted is not None and typed(answer) != typed(wanted.answer):
            print("%s%r\n  wanted:   %r\n  ours:     %r\n  (original: %r)" % (name, tuple(params), wanted.answer, answer, theirs))
    print("%d calls" % count, file=sys.stderr)


main()
