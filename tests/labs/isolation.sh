#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# isolation.sh - what lab-isolation concludes holds.
# shellcheck source=tests/lib/labs.sh
. "$(dirname "$0")/../lib/labs.sh"

_lab=isolation

_of() { # COLUMN GUARD PHASE [FAULT]
	csv_value "$out/outcomes.csv" "$1" "fault=${4:-kill}" "guard=$2" "phase=$3"
}

without_a_guard_the_death_of_d_reaches_the_client() {
	lab_ran
	must_be "all is well before" "$(_of requests none before) == $(_of good none before)"
	must_hold "most fail meanwhile" "$(_of error_share none during) > 0.8"
}

# A window that began before the cut was in force would have good answers in it.
while_c_and_d_are_cut_apart_nothing_gets_through() {
	lab_ran
	must_be "all is well before" "$(_of requests none before cut) == $(_of good none before cut)"
	must_hold "all fail meanwhile" "$(_of error_share none during cut) > 0.95"
	must_be "and there were some" "$(_of requests none during cut) >= 40"
}

with_a_fallback_nobody_fails_and_answers_say_what_they_are() {
	lab_ran
	must_hold "few fail" "$(_of error_share cached during) < 0.1"
	must_hold "most are degraded" "$(_of degraded cached during) > 0.8 * $(_of requests cached during)"
}

the_monolith_dies_whole() {
	lab_ran
	must_hold "most fail meanwhile" "$(_of error_share monolith during) > 0.8"
}

retries_multiply_and_a_breaker_stops_them() {
	lab_ran
	must_be "two retries at four services" "$(csv_value "$out/storm.csv" e_requests retries=storm) == 40 * 81"
	must_be "none without" "$(csv_value "$out/storm.csv" e_requests retries=none) == 40"
	must_hold "less with a breaker" "$(csv_value "$out/storm.csv" e_requests retries=guarded) < 40 * 20"
}

run_facts "$@"
