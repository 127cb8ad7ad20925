#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
state.py - of a store as a whole: is it ready, who leads, and what does every node have in the end.

    state.py ready --store S --nodes n1=ADDRESS,... --lead n1 [--seconds S]    until all follow n1; an etcd is told to
    state.py leader --store S --nodes ...                                      who leads, as one of these nodes says
    state.py final --store S --nodes ... [--seconds S]      JSON: who leads, which keys each node has. It waits until all
                                                            have the same, and says so where they never do
"""
import argparse
import asyncio
import json
import sys
import time

sys.path.insert(0, __file__.rsplit("/", 2)[0])
from stores import etcd, redis, wire  # noqa: E402

STEP_SECONDS = 0.1
ASK_SECONDS = 1


class Nodes:
    """What is asked of every store"""

    def __init__(self, client, names):
        self.client, self.names = client, names

    async def views(self):
        """name -> (leads, follows or leads), as each node sees itself; None: no answer"""
        return dict(zip(self.names, await asyncio.gather(*(self.view(name) for name in self.names))))

    async def view(self, name):
        try:
            return await self.client.who_leads(name, ASK_SECONDS)
        except (wire.Refused, wire.Unknown):
            return None

    async def leader(self):
        leaders = [name for name, view in (await self.views()).items() if view and view[0]]
        return leaders[0] if len(leaders) == 1 else None

    async def all_follow(self, wanted=None):
        views = await self.views()
        leaders = [name for name, view in views.items() if view and view[0]]
        return len(leaders) == 1 and wanted in (None, leaders[0]) and all(view and view[1] for view in views.values())

    async def keys(self):
        async def of(name):
            try:
                return await self.client.all_keys(name, "n/", 3 * ASK_SECONDS)
            except (wire.Refused, wire.Unknown):
                return None

        return dict(zip(self.names, await asyncio.gather(*(of(name) for name in self.names))))


class EtcdNodes(Nodes):
    def __init__(self, nodes):
        super().__init__(etcd.Client(nodes, list(nodes)), list(nodes))

    async def make_lead(self, wanted):
        """A leader hands over to whom it is told to"""
        leader = await self.leader()
        if not leader or leader == wanted:
            return
        try:
            status = await self.client._ask(wanted, "/v3/maintenance/status", {}, ASK_SECONDS, ())
            target = {"targetID": status["header"]["member_id"]}
            await self.client._ask(leader, "/v3/maintenance/transfer-leadership", target, ASK_SECONDS, ())
        except (wire.Refused, wire.Unknown):
            pass  # it is asked again

    async def is_ready(self, wanted):
        return await self.all_follow(wanted)


class RedisNodes(Nodes):
    def __init__(self, nodes, sentinels=True):
        super().__init__(redis.Client(nodes, list(nodes)), list(nodes))
        self.has_sentinels = sentinels

    async def make_lead(self, wanted):
        pass

    async def is_ready(self, wanted):
        """Replicas follow, writes reach them, and each sentinel knows all others and all replicas"""
        if not await self.all_follow(wanted) or not await self.write_reaches_all(wanted):
            return False
        return not self.has_sentinels or all(await asyncio.gather(*map(self.sentinel_knows_all, self.client.sentinels)))

    async def write_reaches_all(self, leader):
        """A replica is `connected` up to a second before the primary begins to send it what is written"""
        nodes = self.client.nodes_as_they_are
        try:
            await nodes[leader].ask("SET", "ready", "yes", timeout=ASK_SECONDS)
            read = await asyncio.gather(*(nodes[name].ask("GET", "ready", timeout=ASK_SECONDS) for name in self.names))
        except (wire.Refused, wire.Unknown):
            return False
        return all(answer == "yes" for answer in read)

    async def sentinel_knows_all(self, sentinel):
        try:
            answer = await sentinel.ask("SENTINEL", "master", "lab", timeout=ASK_SECONDS)
        except (wire.Refused, wire.Unknown):
            return False
        if not isinstance(answer, list):
            return False
        said = dict(zip(answer[::2], answer[1::2]))
        others = len(self.names) - 1
        return int(said.get("num-other-sentinels", 0)) == others and int(said.get("num-slaves", 0)) == others


async def until(seconds, condition):
    end = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(STEP_SECONDS)
    return True


async def ready(nodes, options):
    async def condition():
        await nodes.make_lead(options.lead)
        return await nodes.is_ready(options.lead)

    if not await until(options.seconds, condition):
        sys.exit(f"{options.store}: not ready after {options.seconds} s: {await nodes.views()}")


async def leader(nodes, options):
    print(await nodes.leader() or "")


async def final(nodes, options):
    begun = time.monotonic()

    async def condition():
        found = list((await nodes.keys()).values())
        return await nodes.all_follow() and found[0] is not None and all(keys == found[0] for keys in found)

    agree = await until(options.seconds, condition)
    found = await nodes.keys()
    print(json.dumps({
        "store": options.store, "agree": agree, "waited_s": round(time.monotonic() - begun, 1), "leader": await nodes.leader(),
        "keys": {name: None if keys is None else sorted(keys) for name, keys in found.items()},
    }))


def pairs(text):
    return dict(pair.split("=", 1) for pair in text.split(","))


def parse():
    parser = argparse.ArgumentParser(description="the state of a store as a whole")
    parser.add_argument("what", choices=("ready", "leader", "final"))
    parser.add_argument("--store", choices=("etcd", "redis"), required=True)
    parser.add_argument("--nodes", type=pairs, required=True)
    parser.add_argument("--lead", help="who shall lead")
    parser.add_argument("--no-sentinels", action="store_true", help="a Redis that has none")
    parser.add_argument("--seconds", type=float, default=20)
    return parser.parse_args()


async def main():
    options = parse()
    nodes = EtcdNodes(options.nodes) if options.store == "etcd" else RedisNodes(options.nodes, not options.no_sentinels)
    await {"ready": ready, "leader": leader, "final": final}[options.what](nodes, options)


if __name__ == "__main__":
    asyncio.run(main())
