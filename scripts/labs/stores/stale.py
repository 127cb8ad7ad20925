#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
stale.py - the share of stale reads by strategy, delay and reader: reads.csv of sessions.py -> stale.csv.

    stale.py READS.csv STALE.csv THINK_MS TTL_MS

Beside what was measured stands what is predicted, and not fitted: a read after a thought that is uniform in 0..THINK is stale when
the thought was shorter than the delay; with a cache, when it was longer than the time to live as well.
"""
import collections
import csv
import os
import statistics
import sys

FIELDS = ["schema_version", "strategy", "delay_ns", "reader", "reads", "stale", "stale_share", "predicted_share", "write_p50_ns", "failed"]


def predicted_share(strategy, reader, delay, think, ttl):
    """None: no prediction"""
    if strategy in ("primary", "wait") or (strategy == "affinity" and reader == "own"):
        return 0.0
    late = min(1.0, delay / think)
    if strategy == "cache":
        return max(0.0, late - ttl / think) if reader == "own" else None
    return late


def summary(rows, think_ns, ttl_ns):
    done, failed = collections.defaultdict(list), collections.Counter()
    for row in rows:
        if row["outcome"] == "ok":
            done[row["strategy"], int(row["delay_ns"]), row["reader"]].append(row)
        else:
            failed[row["strategy"], int(row["delay_ns"])] += 1
    for (strategy, delay, reader), reads in sorted(done.items(), key=lambda each: (each[0][0], each[0][2], each[0][1])):
        stale = sum(row["stale"] == "1" for row in reads)
        predicted = predicted_share(strategy, reader, delay, think_ns, ttl_ns)
        yield [
            1, strategy, delay, reader, len(reads), stale, f"{stale / len(reads):.4f}", "" if predicted is None else f"{predicted:.4f}",
            int(statistics.median(int(row["write_ns"]) for row in reads)), failed[strategy, delay],
        ]


def main():
    reads, stale, think_ms, ttl_ms = sys.argv[1:]
    with open(reads, newline="", encoding="utf-8") as file, open(stale + ".new", "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows(summary(csv.DictReader(file), float(think_ms) * 1e6, float(ttl_ms) * 1e6))
    os.replace(stale + ".new", stale)


if __name__ == "__main__":
    main()
