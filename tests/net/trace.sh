#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# trace.sh - what the tracer says of the lab's chain is so: by the services' own clocks, by the load's, and by what was
# injected where.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

CHAIN=client,a,b,c,d,e

# _traced N [LOAD-OPTION...]: N requests, one after the other, traced; leaves $scratch/{hops,times,load}.csv
_traced() {
	hopfault trace --chain "$CHAIN" -q --csv "$scratch/hops.csv" --summary "$scratch/summary.csv" -- \
		"$HOPFAULT" lab load -n "$1" -c 1 --csv "$scratch/load.csv" --times "$scratch/times.csv" "${@:2}"
}

_agrees() { # N
	local said
	said=$(python3 "$FACTS_ROOT/tests/lib/truth.py" "$scratch/hops.csv" "$scratch/times.csv" "$scratch/load.csv" "$CHAIN" "$1" 2>&1) ||
		fail "$said"
	while read -r line; do
		note "$line"
	done <<<"$said"
}

# rows CONDITION: how many of hops.csv meet it; the columns are names, numbers where they are such, unknown is None
_rows() {
	python3 - "$scratch/hops.csv" "$1" <<-'END'
		import csv, sys
		def value(text):
		    try:
		        return int(text)
		    except ValueError:
		        return text or None
		found = 0
		for row in csv.DictReader(open(sys.argv[1], newline="")):
		    row = {name: value(text) for name, text in row.items()}
		    row["hop"] = f"{row['src']}->{row['dst']}"
		    found += bool(eval(sys.argv[2], {}, row))
		print(found)
	END
}

_exactly() { # WHAT CONDITION COUNT
	must_be_within "$1" "$(_rows "$2")" "$3" "$3"
}

a_hundred_chains_agree_with_the_services_own_clocks() {
	hopfault lab up
	_traced 100
	_agrees 100
	_exactly "linked for sure" "hop != 'client->a' and link_method not in ('exclusive', 'thread')" 0
}

the_same_with_an_event_loop_and_a_connection_for_each_call() {
	hopfault lab up --mode epoll --keep-alive off
	_traced 50
	_agrees 50
	_exactly "calls that had to connect" "hop != 'client->a' and connect_ns is None" 0
}

the_same_with_answers_of_many_packets_and_own_work() {
	hopfault lab up --answer-size 100k --work 300us
	_traced 30
	_agrees 30
	_exactly "answers of less than 100 kB" "resp_bytes < 100000" 0
	_exactly "services that worked less than 300 us" "srv_self_ns < 300000" 0
}

an_injected_delay_stands_in_the_right_hop_and_direction_only() {
	hopfault lab up
	hopfault add b c delay 5ms
	hopfault add d c delay 3ms
	_traced 50
	_agrees 50
	_exactly "b->c with 5 ms of the request injected" "hop == 'b->c' and inj_req_ns == 5000000 and hold_req_ns >= 5000000" 50
	_exactly "c->d with 3 ms of the answer injected" "hop == 'c->d' and inj_resp_ns == 3000000 and hold_resp_ns >= 3000000" 50
	_exactly "other requests injected into" "hop != 'b->c' and inj_req_ns" 0
	_exactly "other answers injected into" "hop != 'c->d' and inj_resp_ns" 0
	_exactly "held without a rule" "hop not in ('b->c', 'c->d') and (hold_req_ns or hold_resp_ns)" 0
	_exactly "rules named" "hop == 'b->c' and str(rule_ids) != '1'" 0
}

a_delayed_handshake_is_told_apart() {
	hopfault lab up --keep-alive off
	hopfault add b c delay 5ms
	_traced 20
	_agrees 20
	_exactly "b->c whose handshake was held" "hop == 'b->c' and inj_connect_ns >= 5000000 and connect_ns >= inj_connect_ns" 20
	_exactly "other handshakes held" "hop != 'b->c' and inj_connect_ns" 0
}

an_injected_loss_makes_retransmits_and_lost_time_on_the_right_hop_only() {
	hopfault lab up
	hopfault add b c loss 20% seed 4
	_traced 60
	must_be "requests were dropped" "$(_rows "hop == 'b->c' and drops_injected") > 0"
	must_be "and sent again" "$(_rows "hop == 'b->c' and retransmits") > 0"
	must_be "which took time" "$(_rows "hop == 'b->c' and inj_loss_ns and inj_loss_ns > 1000000") > 0"
	_exactly "drops elsewhere" "hop != 'b->c' and drops_injected" 0
	_exactly "lost time elsewhere" "hop != 'b->c' and inj_loss_ns" 0
	note "of 60 calls: $(_rows "hop == 'b->c' and drops_injected") with drops, $(_rows "hop == 'b->c' and retransmits") with retransmits, $(_rows "hop == 'b->c' and inj_loss_ns") with lost time"
}

calls_that_a_partition_ended_are_rows_too() {
	local failed
	hopfault lab up --timeout 300ms
	hopfault partition c d
	_traced 5
	failed=$(awk -F, 'NR > 1 && $6 == 504' "$scratch/load.csv" | wc -l)
	must_be_within "requests that ended with 504" "$failed" 5 5
	must_be "rows of the client, with 504" "$(_rows "hop == 'client->a' and status == 504") == 5"
	must_be "rows that say that something is missing or failed" "$(_rows "complete == 0 or status == 504") >= 15"
	_exactly "whole calls to d" "hop == 'c->d' and complete == 1 and status == 200" 0
	_exactly "calls that c gave up" "hop == 'c->d' and shape in ('abandoned', 'unconnected')" 5
	_exactly "of these, not after its 180 ms" "hop == 'c->d' and not 180e6 <= total_ns < 400e6" 0
	_exactly "of these, not known as c's work for b" "hop == 'c->d' and link_method == 'none'" 0
	hopfault heal all
	_traced 20
	_agrees 20
}

tracing_leaves_nothing_and_faults_stay() {
	hopfault lab up
	hopfault add a b delay 1ms
	_traced 5
	[[ $(faults_in_force) == 1 ]]
	hopfault heal all
	hopfault daemon --stop
	hopfault lab down
	[[ -z $(what_is_ours) ]] || fail "left: $(what_is_ours)"
}

a_second_trace_is_refused_and_the_first_goes_on() {
	local pid
	hopfault lab up
	hopfault trace --chain "$CHAIN" -q -n 20 --csv "$scratch/hops.csv" &
	pid=$!
	wait_until 10 _is_tracing
	must_end 1 "running already" "$HOPFAULT" trace --chain "$CHAIN" -n 1
	hopfault lab load -n 30 -c 1
	wait "$pid"
	_exactly "rows" "complete == 1" 100
}

_is_tracing() {
	hopfault status --json | grep -q '"tracing": true'
}

run_facts "$@"
