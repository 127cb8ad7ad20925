#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A container engine for tests, on a unix socket: engine.py SOCKET MANNER [NAME PID]...

MANNER  answers   these containers, each a process that runs
        hangs     takes connections and says nothing
        garbage   bytes that are no HTTP
        gone      answers the list, and hangs up at what is asked then
"""
import hashlib
import json
import os
import socketserver
import sys
import time

PATH, MANNER, WORDS = sys.argv[1], sys.argv[2], sys.argv[3:]
CONTAINERS = {hashlib.sha256(name.encode()).hexdigest(): (name, int(pid)) for name, pid in zip(WORDS[::2], WORDS[1::2])}


def answer(path):
    if path.startswith("/containers/json"):
        return [{"Id": i, "Names": ["/" + name], "State": "running"} for i, (name, _) in CONTAINERS.items()]
    name, pid = CONTAINERS[path.split("/")[2]]
    return {"Name": "/" + name, "State": {"Status": "running", "Pid": pid}}


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            path = line.decode("latin-1").split()[1]
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            if MANNER == "hangs":
                time.sleep(60)
            if MANNER == "garbage":
                self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\x1b[31m\r\n")
                return
            if MANNER == "gone" and not path.startswith("/containers/json"):
                return
            body = json.dumps(answer(path)).encode()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


if os.path.exists(PATH):
    os.unlink(PATH)
Engine(PATH, Connection).serve_forever()
