# SPDX-License-Identifier: GPL-2.0-or-later
"""truth.py - does what the tracer says agree with clocks that are not its own?

    truth.py HOPS.csv TIMES.csv LOAD.csv CHAIN COUNT

Requests were sent one at a time, so that the k-th chain is the k-th request. What must hold exactly is asserted: every
chain is whole and in the right order, no stage is negative, the stages sum to the total. A time that the tracer and a
service both took must come in the order in which it happened, and not much apart (the machine may be busy). The
differences are printed as notes.
"""
import csv
import sys

STAGES = ["cli_send", "req_stream", "net_req", "hold_req", "srv_queue", "srv_app", "srv_send", "resp_stream", "net_resp",
          "hold_resp", "cli_queue", "unattributed"]
APART_NS = 200_000_000  # loose: a thread may wait that long for a CPU between the event and its own reading of the clock
SLACK_NS = 1_000  # two readings of one clock on two CPUs


def fail(why):
    sys.exit(f"truth: {why}")


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def number(row, name):
    if row[name] == "":
        fail(f"{name} is unknown in a complete row: {row['src']}->{row['dst']}")
    value = int(row[name])
    if value < 0:
        fail(f"{name} is {value}: {row['src']}->{row['dst']}")
    return value


def chains_of(hops):
    chains = {}
    for row in hops:
        chains.setdefault(row["trace_id"], []).append(row)
    for chain in chains.values():
        chain.sort(key=lambda row: int(row["depth"]))
    return sorted(chains.values(), key=lambda chain: int(chain[0]["start_mono_ns"]))


def check_structure(chain, names):
    links = [(row["src"], row["dst"]) for row in chain]
    if links != list(zip(names, names[1:])):
        fail(f"a chain is {links}")
    for depth, row in enumerate(chain):
        if int(row["depth"]) != depth or row["complete"] != "1":
            fail(f"{row['src']}->{row['dst']}: depth {row['depth']}, complete {row['complete']}")
        if depth and row["parent_span_id"] != chain[depth - 1]["span_id"]:
            fail(f"{row['src']}->{row['dst']} hangs on the wrong call")
        if sum(number(row, stage + "_ns") for stage in STAGES) != number(row, "total_ns"):
            fail(f"the stages of {row['src']}->{row['dst']} do not sum to its total")
        if number(row, "unattributed_ns"):
            fail(f"{row['src']}->{row['dst']}: unattributed {row['unattributed_ns']} ns")


def point(row, last):
    """When the stage `last` ended, by the tracer."""
    upto = STAGES[: STAGES.index(last) + 1]
    return int(row["start_mono_ns"]) + sum(int(row[stage + "_ns"]) for stage in upto)


def main():
    hops, times, load, names, count = sys.argv[1:]
    names, count = names.split(","), int(count)
    chains = chains_of(rows(hops))
    service = {(int(row["request"]), row["service"]): row for row in rows(times)}
    requests = rows(load)
    if len(chains) != count or len(requests) != count:
        fail(f"{len(chains)} chains and {len(requests)} requests, not {count}")

    apart = {}  # what -> differences, own less the tracer's

    def compare(what, own_ns, traced_ns, later=True):
        difference = own_ns - traced_ns if later else traced_ns - own_ns
        if difference < -SLACK_NS or difference > APART_NS:
            fail(f"{what}: {difference} ns between the tracer's clock reading and the service's own")
        apart.setdefault(what, []).append(difference)

    for k, chain in enumerate(chains):
        check_structure(chain, names)
        for depth, row in enumerate(chain):
            own = service[(k, row["dst"])]
            compare("has the request", int(own["recv_ns"]), point(row, "srv_queue"))
            compare("sends the answer", int(own["send_ns"]), point(row, "srv_app"), later=False)
            if depth:
                caller = service[(k, row["src"])]
                compare("calls the next", int(caller["call_ns"]), int(row["start_mono_ns"]), later=False)
                compare("has the next one's answer", int(caller["reply_ns"]), point(row, "cli_queue"))
        compare("latency of the load", int(requests[k]["latency_ns"]), int(chain[0]["total_ns"]))

    for what, values in apart.items():
        values.sort()
        print(f"{what}: apart p50 {values[len(values) // 2]} p99 {values[len(values) * 99 // 100]} ns")


main()
