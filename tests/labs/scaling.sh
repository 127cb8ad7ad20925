#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# scaling.sh - what lab-scaling concludes holds: what is predicted from the number of places alone is what is measured, with room
# for a busy machine.
# shellcheck source=tests/lib/labs.sh
. "$(dirname "$0")/../lib/labs.sh"

_lab=scaling

_of() { # COLUMN SETUP
	csv_value "$out/setups.csv" "$1" setup="$2"
}

_patience() { # COLUMN REPLICAS WORKERS
	csv_value "$out/patience.csv" "$1" replicas="$2" workers="$3"
}

more_replicas_in_front_do_not_raise_throughput() {
	local n
	lab_ran
	for n in 1 2 4 8; do
		must_hold "$n replicas are below the bound" "$(_of measured_per_second replicas-$n) <= 1.01 * 200"
		must_hold "$n replicas come near it" "$(_of measured_per_second replicas-$n) > 0.7 * 200"
	done
	must_hold "8 beside 1" "$(_of measured_per_second replicas-8) < 1.2 * $(_of measured_per_second replicas-1)"
	must_hold "nor is it faster" "$(_of p50_ms replicas-8) > 0.8 * $(_of p50_ms replicas-1)"
}

the_wait_moves_from_a_to_the_store() {
	lab_ran
	must_hold "before a, with one" "$(_of wait_a_ms replicas-1) > 0.7 * $(_of p50_ms replicas-1)"
	must_hold "before the store, with one" "$(_of wait_c_ms replicas-1) < 0.2 * $(_of p50_ms replicas-1)"
	must_hold "before a, with eight" "$(_of wait_a_ms replicas-8) < 0.1 * $(_of p50_ms replicas-8)"
	must_hold "before the store, with eight" "$(_of wait_c_ms replicas-8) > 0.7 * $(_of p50_ms replicas-8)"
}

# Little: a machine that is slow makes it longer, and nothing makes it shorter.
times_are_those_of_littles_law() {
	local setup
	lab_ran
	for setup in replicas-1 replicas-8 more-places less-work then-replicas; do
		must_hold "$setup: $(_of p50_ms $setup) ms, for $(_of predicted_ms $setup)" \
			"$(_of p50_ms $setup) > 0.9 * $(_of predicted_ms $setup) && $(_of p50_ms $setup) < 1.5 * $(_of predicted_ms $setup)"
	done
}

twice_the_places_or_half_the_work_nearly_double_throughput() {
	lab_ran
	must_hold "places" "$(_of measured_per_second more-places) > 1.5 * $(_of measured_per_second replicas-1)"
	must_hold "work" "$(_of measured_per_second less-work) > 1.5 * $(_of measured_per_second replicas-1)"
}

then_more_places_do_nothing_and_replicas_help() {
	lab_ran
	must_hold "places" "$(_of measured_per_second then-stuck) < 1.3 * $(_of measured_per_second more-places)"
	must_hold "replicas" "$(_of measured_per_second then-replicas) > 1.4 * $(_of measured_per_second then-stuck)"
}

with_limited_patience_more_replicas_answer_fewer() {
	lab_ran
	must_hold "one" "$(_patience answered_per_second 1 8) > 0.7 * 200"
	must_hold "eight" "$(_patience answered_per_second 8 8) < 0.3 * $(_patience answered_per_second 1 8)"
	must_hold "eight that let in few" "$(_patience answered_per_second 8 2) > 0.7 * 200"
}

the_page_has_its_pictures() {
	lab_ran
	[[ $(grep -o 'data:image/svg' "$out/report.html" | wc -l) == 5 ]] || fail "not five pictures"
	grep -q '<h2>What follows</h2>' "$out/report.html"
}

run_facts "$@"
