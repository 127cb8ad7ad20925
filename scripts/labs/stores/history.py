# SPDX-License-Identifier: GPL-2.0-or-later
"""
history.py - what clients asked and what came of it, as CSV.

One row for each request. Times are CLOCK_MONOTONIC in ns, one clock for all clients of a machine. `node` is who was asked
(for a Redis, the primary as the client had it; empty when it knew none); `value` what was written, or what a read said
(empty: there is none). `local` reads are answered by the node itself, without asking others.
"""
import csv
import dataclasses
from typing import Optional

SCHEMA = 1
OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"
WRITE, READ, READ_LOCAL = "write", "read", "read_local"


@dataclasses.dataclass(slots=True)
class Row:
    client: str
    kind: str
    key: str
    value: Optional[str]
    node: str
    invoked_ns: int
    returned_ns: int
    outcome: str
    error: str = ""

    @property
    def latency_ns(self):
        return self.returned_ns - self.invoked_ns


FIELDS = ["schema_version", *(field.name for field in dataclasses.fields(Row))]


class Writer:
    def __init__(self, file):
        self.csv = csv.writer(file, lineterminator="\n")
        self.csv.writerow(FIELDS)

    def add(self, row):
        self.csv.writerow([SCHEMA, *("" if value is None else value for value in dataclasses.astuple(row))])


def read_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            yield Row(
                line["client"], line["kind"], line["key"], line["value"] or None, line["node"],
                int(line["invoked_ns"]), int(line["returned_ns"]), line["outcome"], line["error"],
            )
