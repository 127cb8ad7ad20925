#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cap.sh - what lab-cap concludes holds, and its judges are right.
# shellcheck source=tests/lib/labs.sh
. "$(dirname "$0")/../lib/labs.sh"

_lab=cap

_stores_ran() {
	local program
	for program in etcd redis-server; do
		"$FACTS_ROOT/scripts/engine" program "$program" >/dev/null 2>&1 || skip "$program is not there (scripts/setup engine)"
	done
	lab_ran
}

_side() { # COLUMN STORE SIDE
	csv_value "$out/sides.csv" "$1" "store=$2" fault=minority "side=$3"
}

_cut() { # COLUMN STORE
	csv_value "$out/cuts.csv" "$1" "store=$2" fault=minority
}

judges_agree_with_trying_all_orders() {
	python3 "$FACTS_ROOT/tests/labs/test_register.py" 2>&1 || fail "a judge of histories is wrong"
}

etcd_loses_nothing_that_it_acknowledged() {
	_stores_ran
	must_be "etcd acknowledged enough to judge" "$(_cut acknowledged etcd) > 100"
	must_be "acknowledged by etcd and lost" "$(_cut lost etcd) == 0"
	must_be "stale reads of etcd" "$(_cut stale_reads etcd) == 0"
	[[ $(_cut linearizable etcd) == yes ]] || fail "etcd's register is not linearizable: $(_cut because etcd)"
}

etcds_minority_accepts_nothing_and_its_majority_goes_on() {
	_stores_ran
	must_be "asked on the side of the minority" "$(_side writes_in_cut etcd a) > 50"
	must_be "accepted by the minority" "$(_side accepted_in_cut etcd a) == 0"
	must_hold "the majority's share in the second half of the cut" "$(_side late_share etcd b) > 0.5"
}

rediss_old_primary_accepts_and_what_it_took_is_lost() {
	_stores_ran
	must_be "accepted on the old primary's side" "$(_side accepted_in_cut redis a) > 50"
	must_be "and lost in the end" "$(_side lost redis a) > 50"
	must_be "taken on the other side too" "$(_side accepted_in_cut redis b) > 0"
	[[ $(_cut consistent redis) == no ]] || fail "Redis was consistent"
}

what_is_refused_is_not_there() {
	_stores_ran
	must_be "refused by etcd, and there" "$(_cut refused_but_there etcd) == 0"
	must_be "refused by Redis, and there" "$(_cut refused_but_there redis) == 0"
}

the_consistent_store_waits_for_others() {
	_stores_ran
	must_hold "one-way delays that etcd waits" "$(csv_value "$out/verdict.csv" one_way_delays_waited store=etcd) >= 1"
	must_hold "one-way delays that Redis waits" "$(csv_value "$out/verdict.csv" one_way_delays_waited store=redis) < 1"
	must_say "## What follows" cat "$out/report.md"
	grep -q 'data:image/svg' "$out/report.html" || fail "the page has no pictures"
}

run_facts "$@"
