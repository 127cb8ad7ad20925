#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# timeouts.sh - what lab-timeouts concludes holds.
# shellcheck source=tests/lib/labs.sh
. "$(dirname "$0")/../lib/labs.sh"

_lab=timeouts

_measured() { # SETTING CALLER
	csv_value "$out/timeouts.csv" measured_ms "setting=$1" "caller=$2"
}
_finding() { # SETTING KIND: whose it is
	csv_value "$out/findings.csv" caller "setting=$1" "kind=$2"
}

what_was_set_is_what_is_measured() {
	local setting caller set_ms
	lab_ran
	while IFS=, read -r setting caller _ set_ms _; do
		[[ -n $set_ms && $set_ms != set_ms ]] || continue
		must_hold "$setting: $caller waits about $set_ms ms" "$(_measured "$setting" "$caller") > $set_ms * 0.9 && $(_measured "$setting" "$caller") < $set_ms * 1.5"
	done <"$out/timeouts.csv"
	must_be "rows" "$(wc -l <"$out/timeouts.csv") == 1 + 3 * 5"
}

nested_timeouts_are_not_found_fault_with() {
	lab_ran
	[[ -n $(csv_value "$out/findings.csv" kind setting=nested kind=sane) ]] || fail "it says: $(grep '^nested' "$out/findings.csv")"
}

an_inner_timeout_that_is_longer_is_named() {
	lab_ran
	[[ $(_finding inverted outer_shorter) == b ]] || fail "it says: $(grep '^inverted' "$out/findings.csv")"
}

who_waits_without_end_is_named() {
	lab_ran
	[[ $(_finding none hangs) == d ]] || fail "it says: $(grep '^none' "$out/findings.csv")"
	[[ -z $(_measured none d) ]] || fail "d gave up"
}

run_facts "$@"
