# SPDX-License-Identifier: GPL-2.0-or-later
"""
etcd.py - a client of an etcd cluster, by the JSON gateway that every member has (POST /v3/kv/put, /v3/kv/range).

Members are asked in turn. Any of them serves: a follower hands a write on to its leader, and a read waits until its
member has all that the leader had committed when the read came (ReadIndex, Ongaro's thesis 6.4). A `local` read is
answered from the member's own store (`serializable` in etcd's words).

Requests want a member that knows a leader (`hasleader`, clientv3's WithRequireLeader): one that knows none says so at once,
and such a no is final. Not every no is: "request timed out" and "leader changed" are said of what may yet be done.
"""
import base64
import collections
import itertools

from .wire import HttpJson, Pool, Refused, Unknown

FINAL = ("no leader", "too many requests", "permission denied", "not capable", "server stopped", "mvcc: database space exceeded")


def coded(text):
    return base64.b64encode(text.encode()).decode()


def decoded(text):
    return base64.b64decode(text).decode()


def judged(status, answer):
    """The answer; or Refused or Unknown, by what the member said"""
    if status == 200:
        return answer
    why = str(answer.get("error") or answer.get("message") or status)
    raise (Refused if any(word in why for word in FINAL) else Unknown)(why.removeprefix("etcdserver: "))


class Client:
    port = 2379

    def __init__(self, nodes, ask):
        self.pools = {name: Pool(nodes[name], self.port, HttpJson) for name in ask}
        self.turns = collections.defaultdict(lambda: itertools.cycle(ask))  # for each kind of request

    def choose(self, kind):
        return next(self.turns[kind])

    async def _ask(self, node, path, what, timeout, header=("Grpc-Metadata-Hasleader: true",)):
        return judged(*await self.pools[node].ask(path, what, header, timeout=timeout))

    async def write(self, node, key, value, timeout):
        """Returns who took it"""
        await self._ask(node, "/v3/kv/put", {"key": coded(key), "value": coded(value)}, timeout)
        return node

    async def read(self, node, key, timeout, local=False):
        """Returns (who answered, value or None)"""
        what = {"key": coded(key), "serializable": local}
        answer = await self._ask(node, "/v3/kv/range", what, timeout, () if local else ("Grpc-Metadata-Hasleader: true",))
        found = answer.get("kvs")
        return node, decoded(found[0].get("value", "")) if found else None

    async def all_keys(self, node, prefix, timeout, local=True):
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        what = {"key": coded(prefix), "range_end": coded(end), "serializable": local, "keys_only": True}
        answer = await self._ask(node, "/v3/kv/range", what, timeout, ())
        return {decoded(found["key"]) for found in answer.get("kvs", ())}

    async def who_leads(self, node, timeout):
        """(is it this node, does it know a leader at all), in its own view"""
        answer = await self._ask(node, "/v3/maintenance/status", {}, timeout, ())
        leader = answer.get("leader", "0")
        return leader == answer["header"]["member_id"], leader != "0"

    def close(self):
        for pool in self.pools.values():
            pool.close()
