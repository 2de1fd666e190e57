#!/usr/bin/env python3
"""A namespace of RPC methods as a program of its own; see docs/guides/plugins.md.

    [rpcinterface:greeter]
    supervisor.rpcinterface_factory = exec:/path/to/greeter.py
    greeting = Hello
"""

import json
import sys
import threading
import time

METHODS = [
    {
        "name": "greet",
        "params": [{"name": "who", "type": "string", "help": "whom to greet"}],
        "returns": "string",
        "result": "text  the greeting",
        "help": "Greet somebody.",
    },
    {
        "name": "sleep",
        "params": [{"name": "seconds", "type": "double"}],
        "returns": "double",
        "result": "seconds  how long it took",
        "help": "Sleep, while other calls are answered.",
    },
]

options = {}
writing = threading.Lock()


class Fault(Exception):
    """What the client gets as a fault."""

    def __init__(self, code, message):
        self.code, self.message = code, message


def call(method, params, caller):
    if method == "greet":
        if not params[0]:
            raise Fault(1001, "NOBODY: whom to greet?")
        return "%s, %s!" % (options.get("greeting", "Hello"), params[0])
    if method == "sleep":
        time.sleep(params[0])
        return params[0]
    raise Fault(-32601, "no such method")


def answer(message):
    try:
        if message["method"] == "describe":
            options.update(message["params"]["options"])
            reply = {"result": {"methods": METHODS}}
        else:
            reply = {"result": call(**message["params"])}
    except Fault as fault:
        reply = {"error": {"code": fault.code, "message": fault.message}}
    except Exception as error:  # a mistake here costs this call only
        reply = {"error": {"code": -32603, "message": repr(error)}}
    line = json.dumps(dict(reply, jsonrpc="2.0", id=message["id"]))
    with writing:
        print(line, flush=True)


for line in sys.stdin:
    threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()
