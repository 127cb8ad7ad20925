#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# consistency.sh - what lab-consistency concludes holds.
# shellcheck source=tests/lib/labs.sh
. "$(dirname "$0")/../lib/labs.sh"

_lab=consistency

_redis_ran() {
	"$FACTS_ROOT/scripts/engine" program redis-server >/dev/null 2>&1 || skip "redis-server is not there (scripts/setup engine)"
	lab_ran
}

_of() { # COLUMN STRATEGY READER DELAY_MS
	csv_value "$out/stale.csv" "$1" "strategy=$2" "reader=$3" "delay_ns=$(($4 * 1000000))"
}

more_delay_makes_more_reads_at_the_replica_stale() {
	_redis_ran
	must_be "reads enough to judge" "$(_of reads replica own 150) > 50"
	must_hold "stale with 50 ms and none" "$(_of stale_share replica own 50) > $(_of stale_share replica own 0) + 0.05"
	must_hold "stale with 150 ms and 50 ms" "$(_of stale_share replica own 150) > $(_of stale_share replica own 50) + 0.1"
}

reading_the_primary_is_never_stale() {
	local reader
	_redis_ran
	for reader in own other; do
		must_be "stale reads of the primary" "$(_of stale primary "$reader" 150) == 0"
	done
}

affinity_gives_a_session_its_own_writes_and_others_nothing() {
	_redis_ran
	must_be "own reads that were stale" "$(_of stale affinity own 150) == 0"
	must_hold "others' that were" "$(_of stale_share affinity other 150) > 0.3"
}

a_cache_helps_for_its_time_to_live() {
	_redis_ran
	must_hold "own stale reads, cached and not" "$(_of stale_share cache own 150) < $(_of stale_share replica own 150) - 0.1"
	must_hold "still stale beyond it" "$(_of stale_share cache own 150) > 0.1"
}

waiting_for_the_replica_is_never_stale_and_costs_the_delay() {
	_redis_ran
	must_be "stale reads behind WAIT" "$(_of stale wait own 150) == 0"
	must_be "what a write took" "$(_of write_p50_ns wait own 150) >= 150000000"
	must_be "and without WAIT" "$(_of write_p50_ns replica own 150) < 150000000"
}

run_facts "$@"
