#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# availability.sh - what lab-availability concludes holds. Shares are of so many requests, so they are held to what was really
# dropped where that is known, and else to five standard deviations.
# shellcheck source=tests/lib/labs.sh
. "$(dirname "$0")/../lib/labs.sh"

_lab=availability

_whole() { # COLUMN SYSTEM FIGURE
	csv_value "$out/wholes.csv" "$1" system="$2" figure="$3"
}

_hop() { # COLUMN HOP
	csv_value "$out/measured.csv" "$1" hop="$2"
}

# _must_be_about WHAT PERCENT SEEN-PERCENT OF: a share of so many requests
_must_be_about() {
	must_hold "$1: $3 % of $4, for $2 %" "($3 - $2) ^ 2 < 25 * $2 * (100 - $2) / $4"
}

_must_be_text() { # WHAT SEEN WANTED
	[[ $2 == "$3" ]] || fail "$1: '$2', not '$3'"
}

five_times_99_95_percent_are_99_75_and_22_hours_a_year() {
	lab_ran
	must_hold "available" "($(_whole availability_percent "five in series" "as claimed") - 100 * 0.9995 ^ 5) ^ 2 < 1e-7"
	must_hold "hours a year" "($(_whole downtime_year_hours "five in series" "as claimed") - 8766 * (1 - 0.9995 ^ 5)) ^ 2 < 0.01"
	_must_be_about "simulated" "$(calc "100 * (1 - 0.9995 ^ 5)")" \
		"$(calc "100 - $(_whole availability_percent "five in series" simulated)")" 100000
}

what_shares_a_rack_is_no_better_than_the_rack() {
	lab_ran
	must_hold "two copies" "$(csv_value "$out/redundancy.csv" exact_percent setup="1 of 2") > 99.98"
	must_hold "in one rack" "$(csv_value "$out/redundancy.csv" exact_percent setup="1 of 3 in one rack of 99.9 %") < 99.9"
	must_hold "formula and exact figure" "$(awk -F, 'NR > 1 && ($2 - $4) ^ 2 > 1e-11 { bad++ } END { print bad + 0 }' "$out/redundancy.csv") == 0"
}

downtime_in_series_is_the_formulas() {
	lab_ran
	must_be "rows" "$(awk 'END { print NR - 1 }' "$out/series.csv") == 9"
	must_be "those that differ" "$(awk -F, 'NR > 1 && ($4 - $5) ^ 2 > 1e-11 { bad++ } END { print bad + 0 }' "$out/series.csv") == 0"
}

the_ranking_of_the_bookshop_begins_with_the_catalogue() {
	lab_ran
	_must_be_text "the first change" "$(sed -n 2p "$out/changes-bookshop.csv" | cut -d, -f1-3)" \
		"catalogue,optional,storefront -> catalogue made optional"
	_must_be_text "the first cost" "$(sed -n 2p "$out/costs-bookshop.csv" | cut -d, -f1)" catalogue
}

# A machine that is busy may fail a call more by itself: then a timeout is real.
each_hop_has_failed_as_often_as_its_connections_were_dropped() {
	local hop dropped failed
	lab_ran
	for hop in "a -> b" "b -> c"; do
		dropped=$(_hop dropped "$hop") failed=$(_hop failed_by_itself "$hop")
		must_be "dropped of $hop" "$dropped > 0"
		must_hold "failed of $hop: $failed, dropped: $dropped" "$failed >= $dropped && $failed <= $dropped + 4"
		_must_be_about "dropped of $hop" "$(calc "100 - $(_hop injected_percent "$hop")")" \
			"$(calc "100 * $dropped / $(_hop calls "$hop")")" "$(_hop calls "$hop")"
		_must_be_text "the verdict of $hop" "$(_hop verdict "$hop")" worse
	done
	must_hold "a is innocent" "$(_hop measured_percent "outside -> a") >= 99"
}

hops_multiply_up_to_what_the_client_saw() {
	lab_ran
	must_hold "product and answers" "($(csv_values "$out/measured.csv" measured_percent | awk 'BEGIN { p = 100 } { p *= $1 / 100 } END { print p }') - $(csv_value "$out/mended.csv" measured_percent setup="as it was")) ^ 2 < 0.01"
}

the_advice_names_the_weakest_hop_and_mending_it_helps_as_predicted() {
	local setup
	lab_ran
	grep -q 'Measured: b -> c is farthest below its claim' "$out"/availability-of-400.txt || fail "it does not name b -> c"
	sed -n '/^With what was measured/,$p' "$out/availability-of-400.txt" | grep -q 'Find: c is the weakest link' || fail "it does not find c"
	for setup in "b asks c a second time" "b answers without c"; do
		_must_be_about "$setup" "$(csv_value "$out/mended.csv" predicted_percent setup="$setup")" \
			"$(csv_value "$out/mended.csv" measured_percent setup="$setup")" 200 # two samples of 400
		must_hold "$setup is better" "$(csv_value "$out/mended.csv" measured_percent setup="$setup") > $(csv_value "$out/mended.csv" measured_percent setup="as it was")"
	done
}

requests_to_tell_a_promise_grow_tenfold_with_a_nine() {
	lab_ran
	must_hold "99.99 to 99.9" "$(csv_value "$out/needed.csv" requests claim_percent=99.99) / $(csv_value "$out/needed.csv" requests claim_percent=99.9) > 9.9"
	must_be "99.95 from 99.9" "$(csv_value "$out/needed.csv" requests claim_percent=99.95) > 15000"
}

the_page_has_its_pictures() {
	lab_ran
	[[ $(grep -o 'data:image/svg' "$out/report.html" | wc -l) == 5 ]] || fail "not five pictures"
	grep -q '<h2>What follows</h2>' "$out/report.html"
}

run_facts "$@"
