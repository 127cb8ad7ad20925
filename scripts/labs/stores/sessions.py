#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
sessions.py - sessions that write and then read what they wrote, and what others read then, by one way of routing reads.

    sessions.py --strategy S --primary ADDRESS --replica ADDRESS --csv FILE [--sessions N] [--seconds S] [--think MAX_MS]

A round of one session: a number is written to the session's own key at the primary; after a time of thought, uniform in
0..MAX, the session itself reads the key, and somebody else does. A read is stale when it says less than what was acknowledged
before it began. Where reads go:

    replica    to the replica, always
    affinity   a session that has written stays with the node that took its write; others ask the replica
    primary    to the primary, always
    cache      what a session wrote or read it keeps for a time (--ttl) and answers itself with; then it asks the replica
    wait       to the replica; but the write was acknowledged by WAIT: the replica has it (or did not within a second)
"""
import argparse
import asyncio
import csv
import random
import sys
import time

sys.path.insert(0, __file__.rsplit("/", 2)[0])
from stores import wire  # noqa: E402

STRATEGIES = ("replica", "affinity", "primary", "cache", "wait")
WAIT_MS = 1000
FIELDS = ["schema_version", "strategy", "delay_ns", "session", "round", "reader", "think_ns", "write_ns", "read_ns", "from", "outcome", "stale"]


class Session:
    """One that writes a key, and one that only reads it"""

    def __init__(self, number, options, writer):
        self.number, self.options, self.writer = number, options, writer
        self.primary = wire.Pool(options.primary, 6379, wire.Resp)
        self.replica = wire.Pool(options.replica, 6379, wire.Resp)
        self.kept = {}  # reader -> (value, until)
        self.chance = random.Random(f"{options.strategy} {number}")

    async def ask(self, pool, *words):
        answer = await pool.ask(*words, timeout=2)
        if isinstance(answer, wire.RespError):
            raise wire.Unknown(str(answer))
        return answer

    async def write(self, value):
        begun = time.monotonic_ns()
        await self.ask(self.primary, "SET", self.key(), value)
        if self.options.strategy == "wait":  # on the connection that wrote: the pool has one alone
            if await self.ask(self.primary, "WAIT", 1, WAIT_MS) < 1:
                raise wire.Unknown("the replica did not confirm")
        self.keep("own", value)
        return time.monotonic_ns() - begun

    def key(self):
        return f"session:{self.number}"

    def keep(self, reader, value):
        self.kept[reader] = (value, time.monotonic_ns() + self.options.ttl * 1_000_000)

    def node_for(self, reader):
        strategy = self.options.strategy
        if strategy == "cache" and reader in self.kept and time.monotonic_ns() < self.kept[reader][1]:
            return "cache"
        if strategy == "primary" or (strategy == "affinity" and reader == "own"):
            return "primary"
        return "replica"

    async def read(self, reader):
        """(from where, value)"""
        node = self.node_for(reader)
        if node == "cache":
            return node, self.kept[reader][0]
        value = int(await self.ask(self.primary if node == "primary" else self.replica, "GET", self.key()) or 0)
        self.keep(reader, value)
        return node, value

    async def round(self, number):
        think_ns = int(self.chance.random() * self.options.think * 1e6)
        try:
            write_ns = await self.write(number)
        except (wire.Refused, wire.Unknown):
            self.row(number, "", think_ns, "", "", "", "failed", "")
            return
        await asyncio.sleep(think_ns / 1e9)
        await asyncio.gather(*(self.read_and_note(reader, number, think_ns, write_ns) for reader in ("own", "other")))

    async def read_and_note(self, reader, number, think_ns, write_ns):
        begun = time.monotonic_ns()
        try:
            node, value = await self.read(reader)
        except (wire.Refused, wire.Unknown):
            self.row(number, reader, think_ns, write_ns, "", "", "failed", "")
            return
        self.row(number, reader, think_ns, write_ns, time.monotonic_ns() - begun, node, "ok", int(value < number))

    def row(self, number, *rest):
        reader, *rest = rest
        self.writer.writerow([1, self.options.strategy, self.options.delay_ns, self.number, number, reader, *rest])

    async def run(self, until):
        number = 0
        await asyncio.sleep(self.chance.random() * self.options.think / 1e3)
        while time.monotonic() < until:
            number += 1
            await self.round(number)
        self.primary.close()
        self.replica.close()


def parse():
    parser = argparse.ArgumentParser(description="sessions that write and read what they wrote")
    parser.add_argument("--strategy", choices=STRATEGIES, required=True)
    parser.add_argument("--primary", required=True)
    parser.add_argument("--replica", required=True)
    parser.add_argument("--csv", required=True)
    parser.add_argument("--delay-ns", type=int, default=0, help="of replication, to be written into the rows")
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--think", type=float, default=200, help="ms at most between write and read")
    parser.add_argument("--ttl", type=float, default=50, help="ms that a cache keeps what it has")
    return parser.parse_args()


async def main():
    options = parse()
    with open(options.csv, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        until = time.monotonic() + options.seconds
        async with asyncio.TaskGroup() as group:
            for number in range(options.sessions):
                group.create_task(Session(number, options, writer).run(until))


if __name__ == "__main__":
    asyncio.run(main())
