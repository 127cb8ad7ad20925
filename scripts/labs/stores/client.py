#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
client.py - one client of a store, which writes and reads all the time and writes down what came of each request.

    client.py --store etcd|redis --name NAME --nodes n1=ADDRESS,... --ask n1,... --csv FILE [--rate N] [--seconds S]

Requests begin by the clock, whether or not those before them have been answered (an open loop, so that a store that hangs is
asked as often as one that does not), and each has a timeout. For each four of them:

    write       a key of its own, n/NAME/NUMBER, that nobody writes again: is it there in the end?
    write       the register, which all clients write and read: NAME/NUMBER
    read        the register, as the store does it when nothing more is said
    read_local  the register, as the node that is asked has it

It ends at SIGTERM or after --seconds, when what is under way has been answered or given up; then one line of JSON says how
late requests began, which is this program's own fault.
"""
import argparse
import asyncio
import json
import signal
import sys
import time

sys.path.insert(0, __file__.rsplit("/", 2)[0])
from stores import etcd, history, redis, wire  # noqa: E402

STORES = {"etcd": etcd.Client, "redis": redis.Client}
REGISTER = "register"
KINDS = (("own", history.WRITE), ("register", history.READ), ("register", history.WRITE), ("register", history.READ_LOCAL))


class Load:
    def __init__(self, options, store, writer):
        self.options, self.store, self.writer = options, store, writer
        self.count = 0
        self.late_ns = []
        self.over = asyncio.Event()

    async def request(self, what, kind, number):
        name = self.options.name
        key = f"n/{name}/{number}" if what == "own" else REGISTER
        value = f"{name}/{number}" if kind == history.WRITE else None
        node = self.store.choose(kind)
        begun, outcome, error = time.monotonic_ns(), history.OK, ""
        try:
            if kind == history.WRITE:
                node = await self.store.write(node, key, value, self.options.timeout)
            else:
                node, value = await self.store.read(node, key, self.options.timeout, kind == history.READ_LOCAL)
        except wire.Refused as why:
            outcome, error, node = history.REFUSED, str(why), getattr(why, "node", node)
        except wire.Unknown as why:
            outcome, error, node = history.UNKNOWN, str(why), getattr(why, "node", node)
        self.writer.add(history.Row(self.options.name, kind, key, value, node, begun, time.monotonic_ns(), outcome, error))

    async def run(self):
        step_ns = int(1e9 / self.options.rate)
        first = time.monotonic_ns()
        async with asyncio.TaskGroup() as under_way:
            while not self.over.is_set() and time.monotonic_ns() - first < self.options.seconds * 1e9:
                due = first + self.count * step_ns
                await asyncio.sleep(max(0, (due - time.monotonic_ns()) / 1e9))
                self.late_ns.append(max(0, time.monotonic_ns() - due))
                under_way.create_task(self.request(*KINDS[self.count % len(KINDS)], self.count))
                self.count += 1

    def said(self):
        late = sorted(self.late_ns) or [0]
        return {"client": self.options.name, "requests": self.count, "late_p99_ns": late[int(len(late) * 0.99)], "late_max_ns": late[-1]}


def pairs(text):
    return dict(pair.split("=", 1) for pair in text.split(","))


def parse():
    parser = argparse.ArgumentParser(description="one client of a store, which writes down what came of each request")
    parser.add_argument("--store", choices=STORES, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--nodes", type=pairs, required=True, help="n1=ADDRESS,n2=ADDRESS,...")
    parser.add_argument("--ask", type=lambda text: text.split(","), required=True, help="those that it asks, nearest first")
    parser.add_argument("--csv", required=True)
    parser.add_argument("--rate", type=float, default=40, help="requests a second")
    parser.add_argument("--seconds", type=float, default=120, help="the longest that it runs")
    parser.add_argument("--timeout", type=float, default=1, help="seconds for each request")
    return parser.parse_args()


async def main():
    options = parse()
    store = STORES[options.store](options.nodes, options.ask)
    with open(options.csv, "w", newline="", encoding="utf-8") as file:
        load = Load(options, store, history.Writer(file))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, load.over.set)
        await load.run()
    store.close()
    print(json.dumps(load.said()))


if __name__ == "__main__":
    asyncio.run(main())
