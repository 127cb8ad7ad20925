#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# audit.sh - the patience that is measured is the one that was set; and however an audit ends, no cut and no load is left.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

_audit() { # OPTION...: of three services, while 40 requests a second flow; leaves $scratch/{audit.json,patience.csv}
	hopfault audit timeouts --chain client,a,b,c -q --json --csv "$scratch/patience.csv" "$@" -- \
		"$HOPFAULT" lab load -n 100000 -c 4 --rate 40 --csv "$scratch/load.csv" >"$scratch/audit.json" 2>"$scratch/said"
}

_gave_up_ms() { # SRC DST: how long this caller waited, when its own link was cut
	python3 - "$scratch/audit.json" "$@" <<-'END'
		import json, sys
		for cut in json.load(open(sys.argv[1]))["cuts"]:
		    for caller in cut["callers"]:
		        if (cut["src"], cut["dst"]) == (caller["caller"], caller["callee"]) == tuple(sys.argv[2:]):
		            times = caller["gave_up_waiting_for_answer"] or caller["gave_up_connecting"]
		            print(times["p50_ns"] // 1000000 if times else -1)
	END
}

_found() { # KIND CALLER
	python3 - "$scratch/audit.json" "$@" <<-'END'
		import json, sys
		found = [f for f in json.load(open(sys.argv[1]))["findings"] if [f["kind"], f["caller"]] == sys.argv[2:]]
		sys.exit(not found)
	END
}

timeouts_are_measured_and_an_inner_one_that_is_longer_is_named() {
	hopfault lab up --services 3 --service a='--timeout 200ms' --service b='--timeout 500ms' >/dev/null
	_audit --limit 2s
	must_be_within "a's patience, ms" "$(_gave_up_ms a b)" 180 300
	must_be_within "b's patience, ms" "$(_gave_up_ms b c)" 470 650
	_found outer_shorter a || fail "that a gives up before b was not found: $(<"$scratch/audit.json")"
	no_fault_is_in_force || fail "a cut stayed"
	must_be "rows" "$(wc -l <"$scratch/patience.csv") == 7"
}

who_has_no_timeout_is_said_to_hang() {
	hopfault lab up --services 3 --service a='--timeout 900ms' --service b='--timeout 1h' >/dev/null
	_audit --limit 2s
	_found hangs b || fail "that b hangs was not found: $(<"$scratch/audit.json")"
	! _found hangs a || fail "a was said to hang"
	must_be_within "a's patience, ms" "$(_gave_up_ms a b)" 850 1100
}

_load_runs() { pgrep -f "^$HOPFAULT lab load .*$scratch" >/dev/null; }
_no_load_runs() { ! _load_runs; }
_is_cut() { [[ $(faults_in_force) != 0 ]]; }

# Sets $audit
_audit_in_the_background() {
	hopfault lab up --services 2 >/dev/null
	"$HOPFAULT" audit timeouts --chain client,a,b -q --limit 30s -- \
		"$HOPFAULT" lab load -n 100000 -c 4 --rate 40 --csv "$scratch/load.csv" >"$scratch/said" 2>&1 &
	audit=$!
	wait_until 15 _is_cut
	_load_runs || fail "no load runs"
}

killed_it_leaves_no_cut_and_no_load() {
	_audit_in_the_background
	kill -KILL "$audit"
	wait "$audit" 2>/dev/null || true
	wait_until 2 no_fault_is_in_force
	wait_until 2 _no_load_runs
	hopfault lab load -n 20 -c 1 >/dev/null || fail "the chain does not answer"
}

interrupted_it_heals_and_says_what_it_has() {
	_audit_in_the_background
	kill -INT "$audit"
	! wait "$audit" || fail "an audit that was interrupted is not whole"
	no_fault_is_in_force || fail "a cut stayed"
	_no_load_runs || fail "the load runs on"
	grep -q "Patience along the chain" "$scratch/said" || fail "nothing was said: $(<"$scratch/said")"
}

a_load_that_ends_early_is_said() {
	hopfault lab up --services 2 >/dev/null
	must_end 1 "ended .* before every link was cut" "$HOPFAULT" audit timeouts --chain client,a,b -q -- \
		"$HOPFAULT" lab load -n 20 -c 1
	no_fault_is_in_force
}

what_makes_no_sense_is_refused() {
	must_end 2 "say what" "$HOPFAULT" audit --chain a,b
	must_end 2 "say which" "$HOPFAULT" audit timeouts
	must_end 2 "at least two" "$HOPFAULT" audit timeouts --chain a
	must_end 2 "unit" "$HOPFAULT" audit timeouts --chain a,b --limit 5
	must_end 2 "between" "$HOPFAULT" audit timeouts --chain a,b --limit 1ms
	hopfault lab up --services 2 >/dev/null
	must_end 2 "did you mean|unknown endpoint" "$HOPFAULT" audit timeouts --chain cliemt,a
	no_fault_is_in_force
}

run_facts "$@"
