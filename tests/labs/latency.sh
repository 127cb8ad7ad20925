#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# latency.sh - what lab-latency concludes holds, also on a busy machine: floors are exact, and what lies above them is given
# room that a slow machine needs and a wrong formula does not have.
# shellcheck source=tests/lib/labs.sh
. "$(dirname "$0")/../lib/labs.sh"

_lab=latency

_median() { # SETUP's number in the file
	sed -n "$(($1 + 1))p" "$out/setups.csv" | cut -d, -f2
}

_point() { # COLUMN HOPS DELAY_MS
	csv_value "$out/points.csv" "$1" hops="$2" delay_ms="$3"
}

delay_on_four_links_is_in_every_request() {
	lab_ran
	must_be "the client waits at least 20 ms" \
		"$(percentile_of 1 "$out/hops.csv" total_ns run_id=injected src=client) >= 20000000"
}

no_median_is_below_the_floor() {
	local hops delay
	lab_ran
	for hops in 1 4 8; do
		for delay in 0 5 20; do
			must_hold "$hops hops of $delay ms" "$(_point p50_ms $hops $delay) >= $(_point floor_ms $hops $delay)"
		done
	done
}

points_follow_the_formulas_line() {
	local hops more
	lab_ran
	for hops in 1 4 8; do
		more=$(calc "$(_point p50_ms $hops 20) - $(_point p50_ms $hops 0)")
		must_hold "20 ms more on each of $hops hops" "$more > 0.9 * 20 * $hops && $more < 1.5 * 20 * $hops"
	done
}

one_process_is_below_the_chain() {
	lab_ran
	must_hold "one process beside services that are apart" "$(_median 1) < 0.5 * $(_median 3)"
}

more_hops_are_slower_also_without_distance() {
	lab_ran
	must_hold "eight hops beside one" "$(_point p50_ms 8 0) > 1.5 * $(_point p50_ms 1 0)"
}

most_of_the_time_is_boundary_when_services_are_apart() {
	lab_ran
	must_be "the share of the boundary" "$(csv_values "$out/setups.csv" boundary_percent | tail -n 1) >= 90"
}

presets_are_as_slow_as_they_say() {
	lab_ran
	must_hold "four round trips of 0.5 ms" "$(csv_value "$out/presets.csv" p50_ms preset=same-dc) >= 2"
	must_hold "four round trips of 80 ms at least" "$(csv_value "$out/presets.csv" p50_ms preset=cross-continent) >= 320"
}

the_page_has_its_pictures() {
	lab_ran
	[[ $(grep -o 'data:image/svg' "$out/report.html" | wc -l) == 3 ]] || fail "not three pictures"
	grep -q '<h2>What follows</h2>' "$out/report.html"
}

run_facts "$@"
