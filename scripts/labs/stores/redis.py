# SPDX-License-Identifier: GPL-2.0-or-later
"""
redis.py - a client of a Redis primary with replicas and sentinels, as Redis's own guidelines for Sentinel clients say:

    a sentinel is asked for the primary --> connect --> ROLE: is it one? --> requests
                 ^                                                              |
                 +------------- no connection, no answer, READONLY -------------+

A `local` read is answered by the nearest node, whatever it is. Sentinels are asked nearest first.
"""
import asyncio
import collections
import itertools

from .wire import Pool, Refused, Resp, RespError, Unknown

SENTINEL_SECONDS = 0.3  # for each that is asked
AGAIN_SECONDS = 0.1  # between two questions who the primary is
# Said before anything was done
FINAL = ("READONLY", "MASTERDOWN", "NOREPLICAS", "LOADING", "MISCONF", "NOAUTH", "OOM")


class Primary(Resp):
    """A connection to what is a primary when it is opened."""

    async def open(self, host, port):
        await super().open(host, port)
        role = await self.ask("ROLE")
        if role[0] != "master":
            raise ConnectionError("it is no primary")


def judged(answer):
    if not isinstance(answer, RespError):
        return answer
    raise (Refused if answer.split()[0] in FINAL else Unknown)(str(answer))


class Client:
    port = 6379
    sentinel_port = 26379

    def __init__(self, nodes, ask):
        self.nodes = nodes
        self.name_of = {address: name for name, address in nodes.items()}
        order = [*ask, *(name for name in nodes if name not in ask)]
        self.sentinels = [Pool(nodes[name], self.sentinel_port, Resp) for name in order]
        self.primaries = {name: Pool(address, self.port, Primary) for name, address in nodes.items()}
        self.nodes_as_they_are = {name: Pool(address, self.port, Resp) for name, address in nodes.items()}
        self.turns = collections.defaultdict(lambda: itertools.cycle(ask))  # for each kind of request
        self.primary = None
        self.finding = None
        self.asked_at = 0

    def choose(self, kind):
        """Who is asked, as far as it is known now"""
        return next(self.turns[kind]) if kind == "read_local" else self.primary or ""

    async def find_primary(self):
        """By one question at a time, however many wait for it"""
        if self.primary:
            return self.primary
        if not self.finding or self.finding.done():
            self.finding = asyncio.ensure_future(self._find_primary())
        return await asyncio.shield(self.finding)

    async def _find_primary(self):
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0, self.asked_at + AGAIN_SECONDS - loop.time()))
        self.asked_at = loop.time()
        for sentinel in self.sentinels:
            try:
                answer = await sentinel.ask("SENTINEL", "get-master-addr-by-name", "lab", timeout=SENTINEL_SECONDS)
            except (Refused, Unknown):
                continue
            if isinstance(answer, list) and answer[0] in self.name_of:
                self.primary = self.name_of[answer[0]]
                return self.primary
        return None

    def _doubt(self, name):
        if self.primary == name:
            self.primary = None
            self.primaries[name].close()

    async def _ask_primary(self, *words, timeout):
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout
        try:
            async with asyncio.timeout(timeout):
                name = await self.find_primary()
        except TimeoutError:
            raise Refused("never sent: no sentinel answers") from None
        if not name:
            raise Refused("never sent: no sentinel knows a primary")
        try:
            answer = judged(await self.primaries[name].ask(*words, timeout=max(0.001, until - loop.time())))
        except (Refused, Unknown) as error:
            self._doubt(name)
            error.node = name
            raise
        return name, answer

    async def write(self, node, key, value, timeout):
        name, _ = await self._ask_primary("SET", key, value, timeout=timeout)
        return name

    async def read(self, node, key, timeout, local=False):
        if local:
            return node, judged(await self.nodes_as_they_are[node].ask("GET", key, timeout=timeout))
        return await self._ask_primary("GET", key, timeout=timeout)

    async def all_keys(self, node, prefix, timeout, local=True):
        found, cursor = set(), "0"
        pool = self.nodes_as_they_are[node]
        while True:
            cursor, some = judged(await pool.ask("SCAN", cursor, "MATCH", prefix + "*", "COUNT", 1000, timeout=timeout))
            found.update(some)
            if cursor == "0":
                return found

    async def who_leads(self, node, timeout):
        role = judged(await self.nodes_as_they_are[node].ask("ROLE", timeout=timeout))
        return role[0] == "master", role[0] == "master" or role[3] == "connected"

    def close(self):
        for pool in (*self.sentinels, *self.primaries.values(), *self.nodes_as_they_are.values()):
            pool.close()
