# SPDX-License-Identifier: GPL-2.0-or-later
"""
register.py - is the history of one register linearizable: is there one order of all requests that explains what each client
saw, in which a request that was answered before another began comes before it? (Herlihy and Wing 1990)

Trying orders (Wing and Gong, Testing and verifying concurrent objects, 1993) takes time without bound when much is open at
once, as it is in a cut. Here every value is written once, so each read tells which write it saw, and then sorting is enough
(Gibbons and Korach, Testing shared memories, 1997). A write and its reads are a cluster, with a first end and a last beginning:

    first end before last beginning    the register had this value all the time between them: a forward zone
    else                               there is an instant at which all of the cluster may have been: a backward zone

The history is linearizable if and only if no read ended before its write began, no two forward zones overlap, and no backward
zone lies within a forward zone. A write of which nobody knows whether it happened ends never, and is left out when no read
saw it: it may as well not have happened. tests/labs/test_register.py tries all orders beside this.
"""
import bisect
import math

from .history import OK, WRITE


class Op:
    __slots__ = ("is_write", "value", "begin", "end")

    def __init__(self, is_write, value, begin, end):
        self.is_write, self.value, self.begin, self.end = is_write, value, begin, end


def ops_of(rows, read_kind):
    """What of a history can matter: Row's -> Op's"""
    reads = [row for row in rows if row.kind == read_kind and row.outcome == OK]
    seen = {row.value for row in reads}
    ops = [Op(False, row.value, row.invoked_ns, row.returned_ns) for row in reads]
    for row in rows:
        if row.kind == WRITE and row.outcome == OK:
            ops.append(Op(True, row.value, row.invoked_ns, row.returned_ns))
        elif row.kind == WRITE and row.value in seen:
            ops.append(Op(True, row.value, row.invoked_ns, math.inf))
    return ops


def violation(ops, initial=None):
    """None: linearizable. Else a sentence that says what contradicts what."""
    clusters = {initial: [Op(True, initial, -math.inf, -math.inf)]}
    for op in ops:
        if op.is_write:
            clusters.setdefault(op.value, []).append(op)
    for op in ops:
        if op.is_write:
            continue
        cluster = clusters.get(op.value)
        if not cluster:
            return f"{op.value!r} was read, and nobody wrote it"
        if op.end < cluster[0].begin:
            return f"{op.value!r} was read before it was written"
        cluster.append(op)
    forward, backward = [], []
    for value, cluster in clusters.items():
        first_end, last_begin = min(op.end for op in cluster), max(op.begin for op in cluster)
        if first_end < last_begin:
            forward.append((first_end, last_begin, value))
        else:
            backward.append((last_begin, first_end, value))
    return _conflict(sorted(forward, key=lambda zone: zone[:2]), backward)


def _conflict(forward, backward):
    for (_, high, value), (low, _, other) in zip(forward, forward[1:]):
        if low < high:
            return f"{value!r} and {other!r} were both there, each before and after the other"
    lows = [zone[0] for zone in forward]
    for low, high, value in backward:
        around = bisect.bisect_left(lows, low) - 1
        if around >= 0 and forward[around][1] > high:
            return f"{forward[around][2]!r} was there before, during and after {value!r} was"
    return None


def stale_reads(rows, read_kind):
    """
    Reads that gave what had been overwritten, by an acknowledged write, before they began: [(read, newest such write)].
    It says nothing of values whose writes overlap, so what it counts is stale beyond doubt.
    """
    acknowledged = sorted((row for row in rows if row.kind == WRITE and row.outcome == OK), key=lambda row: row.invoked_ns)
    written = {row.value: row for row in rows if row.kind == WRITE}
    found = []
    for read in rows:
        if read.kind != read_kind or read.outcome != OK:
            continue
        over = _overwriting(read, written.get(read.value), acknowledged)
        if over:
            found.append((read, over))
    return found


def _overwriting(read, own, acknowledged):
    """A write that began after the read's own value was in place, and was acknowledged before the read began"""
    in_place = 0 if read.value is None else own.returned_ns if own and own.outcome == OK else None
    if in_place is None:
        return None
    best = None
    for write in acknowledged:
        if write.invoked_ns >= read.invoked_ns:
            break
        if write.value != read.value and in_place < write.invoked_ns and write.returned_ns < read.invoked_ns:
            best = write
    return best
