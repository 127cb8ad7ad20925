#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
judge.py - what histories say about a store. Every word in its tables is counted from rows; nothing is known beforehand.

    judge.py cut --store S --fault F --cut NS --heal NS --final FILE --into DIR NAME=ASKS=FILE.csv...
             adds to DIR: sides.csv, cuts.csv; makes writes-S-F.csv (keys of their own, with their fate), history-S-F.csv
    judge.py latency --into DIR STORE,CLIENT,DELAY_NS=FILE.csv...      makes latency.csv
    judge.py verdict --into DIR                                        makes verdict.csv out of these

The words:
    lost          acknowledged, and not on the leader after the heal, when all nodes agree
    stale         a read of what an acknowledged write had replaced before the read began
    linearizable  one order of all requests on the register explains all answers (register.py)
    unavailable   the time in gaps of at least half a second between writes that were accepted
    consistent    nothing lost, no stale read, linearizable
    available     in the second half of the cut each side had 95 % of its writes accepted: time to fail over is given
    EC, EL        whether a write beside the leader waits for others: its median grows by at least one way's delay, or not
"""
import argparse
import collections
import csv
import dataclasses
import json
import math
import os
import sys

sys.path.insert(0, __file__.rsplit("/", 2)[0])
from stores import history, register  # noqa: E402
from stores.history import OK, READ, READ_LOCAL, REFUSED, UNKNOWN, WRITE  # noqa: E402

GAP_NS = 500_000_000
AVAILABLE_SHARE = 0.95


def percentile(values, share):
    """By nearest rank; None of nothing"""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def unavailable_ns(accepted_at, begin, end):
    """The time within [begin, end] in gaps of GAP_NS or more between these instants"""
    points = [begin, *sorted(at for at in accepted_at if begin < at < end), end]
    return sum(later - earlier for earlier, later in zip(points, points[1:]) if later - earlier >= GAP_NS)


def fate(row, there):
    """Of a write of a key of its own"""
    if row.outcome == OK:
        return "accepted" if row.key in there else "accepted and lost"
    if row.outcome == UNKNOWN:
        return "unknown"
    return "refused"


def is_own(row):
    return row.kind == WRITE and row.key.startswith("n/")


@dataclasses.dataclass
class Cut:
    """One store, one cut: rows of all clients, and what was there in the end"""

    rows: list
    there: set
    cut_ns: int
    heal_ns: int

    def of(self, client):
        return [row for row in self.rows if row.client == client]

    def is_during(self, row):
        return self.cut_ns <= row.invoked_ns < self.heal_ns

    def side(self, client):
        writes = [row for row in self.of(client) if row.kind == WRITE]
        during = [row for row in writes if self.is_during(row)]
        count = collections.Counter(row.outcome for row in during)
        accepted_at = [row.returned_ns for row in writes if row.outcome == OK]
        own = [row for row in writes if is_own(row) and row.outcome == OK]
        lost = [row for row in own if row.key not in self.there]
        end = max(row.returned_ns for row in writes)
        return {
            "writes_in_cut": len(during), "accepted_in_cut": count[OK], "refused_in_cut": count[REFUSED],
            "unknown_in_cut": count[UNKNOWN],
            "taken_by": " ".join(sorted({row.node for row in during if row.outcome == OK})),
            "late_share": self.accepted_late(client),
            "unavailable_in_cut_ns": unavailable_ns(accepted_at, self.cut_ns, self.heal_ns),
            "unavailable_after_heal_ns": unavailable_ns(accepted_at, self.heal_ns, end),
            "acknowledged": len(own), "lost": len(lost), "lost_since_heal": sum(row.invoked_ns >= self.heal_ns for row in lost),
        }

    def accepted_late(self, client):
        """The share of writes that were accepted in the second half of the cut; None: there were none"""
        half = (self.cut_ns + self.heal_ns) // 2
        late = [row for row in self.of(client) if row.kind == WRITE and half <= row.invoked_ns < self.heal_ns]
        return round(sum(row.outcome == OK for row in late) / len(late), 3) if late else None

    def clients(self):
        return sorted({row.client for row in self.rows})

    def verdict(self):
        own = [row for row in self.rows if is_own(row)]
        on_register = [row for row in self.rows if not is_own(row)]
        lost = sum(row.outcome == OK and row.key not in self.there for row in own)
        stale = len(register.stale_reads(on_register, READ))
        violation = register.violation(register.ops_of(on_register, READ))
        consistent = not lost and not stale and not violation
        shares = [self.accepted_late(client) for client in self.clients()]
        available = all(share is not None and share >= AVAILABLE_SHARE for share in shares)
        return {
            "acknowledged": sum(row.outcome == OK for row in own), "lost": lost,
            "unknown": sum(row.outcome == UNKNOWN for row in own),
            "unknown_but_there": sum(row.outcome == UNKNOWN and row.key in self.there for row in own),
            "refused": sum(row.outcome == REFUSED for row in own),
            "refused_but_there": sum(row.outcome == REFUSED and row.key in self.there for row in own),
            "reads": sum(row.kind == READ and row.outcome == OK for row in on_register), "stale_reads": stale,
            "local_reads": sum(row.kind == READ_LOCAL and row.outcome == OK for row in on_register),
            "stale_local_reads": len(register.stale_reads(on_register, READ_LOCAL)),
            "linearizable": yes(not violation), "because": (violation or "").replace(",", ";"),
            "consistent": yes(consistent), "available": yes(available), "verdict": word_for(consistent, available),
        }


def yes(is_so):
    return "yes" if is_so else "no"


def word_for(consistent, available):
    if consistent:
        return "C and A: this cut forced no choice" if available else "CP"
    return "AP" if available else "neither"


# ---- files ----


def append(path, row):
    is_new = not os.path.exists(path)
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def read_table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def judge_cut(options):
    final = json.load(open(options.final, encoding="utf-8"))
    if not final["leader"] or final["keys"][final["leader"]] is None:
        sys.exit(f"{options.store}, {options.fault}: nobody leads in the end, so what survived is not known")
    asks, rows = {}, []
    for word in options.words:
        client, asked, path = word.split("=", 2)
        asks[client] = asked
        rows += history.read_rows(path)
    rows.sort(key=lambda row: row.invoked_ns)
    cut = Cut(rows, set(final["keys"][final["leader"]]), options.cut, options.heal)
    head = {"schema_version": history.SCHEMA, "store": options.store, "fault": options.fault}
    for client in cut.clients():
        append(f"{options.into}/sides.csv", {**head, "side": client, "asks": asks[client].replace(",", " "), **cut.side(client)})
    append(f"{options.into}/cuts.csv", {**head, **cut.verdict(), "nodes_agree": yes(final["agree"]), "agree_after_s": final["waited_s"]})
    write_rows(f"{options.into}/history-{options.store}-{options.fault}.csv", rows)
    write_fates(f"{options.into}/writes-{options.store}-{options.fault}.csv", cut)


def write_rows(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = history.Writer(file)
        for row in rows:
            writer.add(row)


def write_fates(path, cut):
    """since_cut_ns may be negative; the order of fates is that in which a picture puts them on top of each other"""
    order = ["accepted", "accepted and lost", "unknown", "refused"]
    own = [(row, fate(row, cut.there)) for row in cut.rows if is_own(row)]
    first = min((row.invoked_ns for row, _ in own), default=0)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["schema_version", "client", "node", "since_begin_ns", "fate"])
        for row, word in sorted(own, key=lambda each: (order.index(each[1]), each[0].invoked_ns)):
            writer.writerow([history.SCHEMA, row.client, row.node, row.invoked_ns - first, word])


def judge_latency(options):
    """Only what was accepted has a latency; what was not is counted."""
    path = f"{options.into}/latency.csv"
    for word in options.words:
        store, client, delay_ns = word.split("=", 1)[0].split(",")
        rows = list(history.read_rows(word.split("=", 1)[1]))
        for kind in (WRITE, READ, READ_LOCAL):
            asked = [row for row in rows if row.kind == kind]
            took = [row.latency_ns for row in asked if row.outcome == OK]
            append(path, {
                "schema_version": history.SCHEMA, "store": store, "client": client, "kind": kind, "delay_ns": delay_ns,
                "count": len(took), "failed": len(asked) - len(took),
                "p50_ns": percentile(took, 0.5), "p95_ns": percentile(took, 0.95), "p99_ns": percentile(took, 0.99),
            })


def ways_waited(table, store, client, kind=WRITE):
    """By how many one-way delays the median grew from no delay to the largest; None: not measured"""
    points = {int(row["delay_ns"]): int(row["p50_ns"]) for row in table
              if (row["store"], row["client"], row["kind"]) == (store, client, kind) and row["p50_ns"]}
    least, most = min(points, default=0), max(points, default=0)
    return (points[most] - points[least]) / (most - least) if most > least else None


def judge_verdict(options):
    cuts, latency = read_table(f"{options.into}/cuts.csv"), read_table(f"{options.into}/latency.csv")
    for store in sorted({row["store"] for row in cuts}):
        of_store = [row for row in cuts if row["store"] == store]
        consistent = sum(row["consistent"] == "yes" for row in of_store)
        available = sum(row["available"] == "yes" for row in of_store)
        ways = ways_waited(latency, store, options.beside)
        when_cut = "PC" if consistent == len(of_store) else "PA" if available else "P-"
        otherwise = "E?" if ways is None else "EC" if ways >= 1 else "EL"
        append(f"{options.into}/verdict.csv", {
            "schema_version": history.SCHEMA, "store": store, "cuts": len(of_store), "consistent_in": consistent,
            "available_in": available, "lost": sum(int(row["lost"]) for row in of_store),
            "stale_reads": sum(int(row["stale_reads"]) for row in of_store),
            "one_way_delays_waited": "" if ways is None else f"{ways:.2f}", "verdict": f"{when_cut}/{otherwise}",
        })


def parse():
    parser = argparse.ArgumentParser(description="what histories say about a store")
    parser.add_argument("what", choices=("cut", "latency", "verdict"))
    parser.add_argument("--store")
    parser.add_argument("--fault")
    parser.add_argument("--cut", type=int, help="ns of CLOCK_MONOTONIC")
    parser.add_argument("--heal", type=int)
    parser.add_argument("--final")
    parser.add_argument("--beside", default="a", help="the client beside the leader")
    parser.add_argument("--into", required=True)
    parser.add_argument("words", nargs="*")
    return parser.parse_intermixed_args()


if __name__ == "__main__":
    parsed = parse()
    {"cut": judge_cut, "latency": judge_latency, "verdict": judge_verdict}[parsed.what](parsed)
