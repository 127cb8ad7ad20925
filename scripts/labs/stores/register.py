# SPDX-License-Identifier: GPL-2.0-or-later
"""
register.py - is the history of one register linearizable: is there one order of all requests that explains what each client
saw, in which a request that was answered before another began comes before it? (Herlihy and Wing 1990)

The search is Wing and Gong's (Testing and verifying concurrent objects, 1993) in the form that Lowe gave it (Testing for
linearizability, 2017: "just in time"): go through calls and returns by time, and keep every state in which the register may
be, with the set of open requests that have been put in order so far.

    call of X      X is open
    return of X    put open requests in order, in every way, until X is among them; a state in which X can't be is dropped
                   none left: no order explains X

A write of which nobody knows whether it happened returns never. Every value is written once, so two things are known of it:
if no read saw it, it may as well not have happened, and is left out; else it was in order before the first read of it
returned, and returns then. That bounds what is open at once.

What no order explains is noted and left out, and the search goes on. So the first of them is a proof that the
history is not linearizable; how many follow depends on what is left out.
"""
from .history import OK, WRITE


class Op:
    __slots__ = ("is_write", "value", "begin", "end", "row")

    def __init__(self, is_write, value, begin, end, row=None):
        self.is_write, self.value, self.begin, self.end, self.row = is_write, value, begin, end, row


def ops_of(rows, read_kind):
    """What of a history can matter: Row's -> Op's"""
    reads = [row for row in rows if row.kind == read_kind and row.outcome == OK]
    first_seen = {}
    for row in reads:
        first_seen[row.value] = min(first_seen.get(row.value, row.returned_ns), row.returned_ns)
    ops = [Op(False, row.value, row.invoked_ns, row.returned_ns, row) for row in reads]
    for row in rows:
        if row.kind != WRITE:
            continue
        if row.outcome == OK:
            ops.append(Op(True, row.value, row.invoked_ns, row.returned_ns, row))
        elif row.value in first_seen:
            ops.append(Op(True, row.value, row.invoked_ns, max(first_seen[row.value], row.invoked_ns + 1), row))
    return ops


def _closed_over(states, op, open_ops):
    """All (value, ordered open ops) with op in order that can be reached from these"""
    seen, todo, reached = set(states), list(states), set()
    while todo:
        value, done = todo.pop()
        if op in done:
            reached.add((value, done - {op}))
            continue
        for other in open_ops:
            if other in done or not (other.is_write or other.value == value):
                continue
            state = (other.value, done | {other})
            if state not in seen:
                seen.add(state)
                todo.append(state)
    return reached


def unexplained(ops, initial=None):
    """The operations that no order explains, in the order of their returns; none: the history is linearizable."""
    # At one instant calls come first: those requests overlap, and no order between them is claimed.
    events = sorted(
        [(op.begin, 0, number, op) for number, op in enumerate(ops)] + [(op.end, 1, number, op) for number, op in enumerate(ops)],
        key=lambda event: event[:3],
    )
    states, open_ops, wrong = {(initial, frozenset())}, set(), []
    for _, is_return, _, op in events:
        if not is_return:
            open_ops.add(op)
            continue
        reached = _closed_over(states, op, open_ops)
        open_ops.discard(op)
        if reached:
            states = reached
        else:
            wrong.append(op)
            states = {(value, done - {op}) for value, done in states}
    return wrong


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
