# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # _lab is the test's
#
# labs.sh - for tests of labs: the short form of a lab is run once, and each fact looks at what it wrote.
#
#     _lab=latency                       or with more words: _lab="latency --more"
#     the_chain_is_slower() {
#             lab_ran                    runs it if no fact of this run has yet; $out is its folder then
#             must_be "..." "$(csv_value "$out/points.csv" ...) > ..."
#     }
#
# The functions of scripts/lib/figures.sh can be used: csv_value, percentile_of, calc ...
# shellcheck source=tests/lib/facts.sh
. "$(dirname "${BASH_SOURCE[0]}")/facts.sh"

FACTS_SECONDS=${LAB_FACT_SECONDS:-200}
export LABS_RUN=${LABS_RUN:-$$} # of the script, not of the process of one fact

# shellcheck source=scripts/lib/figures.sh
. "$FACTS_ROOT/scripts/lib/figures.sh"

lab_ran() {
	[[ $(id -u) == 0 ]] || skip "needs root"
	out=$FACTS_LOGS/out-$LABS_RUN
	[[ ! -e $out/done ]] || return 0
	[[ ! -e $out.failed ]] || fail "the lab failed, see ${out}.log"
	# shellcheck disable=SC2086 # words
	OUT=$out "$FACTS_ROOT/scripts/labs/"$_lab --short >"$out.log" 2>&1 || {
		touch "$out.failed"
		fail "the lab ended with $?: $(tail -n 3 "$out.log")"
	}
	touch "$out/done"
}

# must_hold WHAT EXPRESSION: arithmetic with fractions that must be true
must_hold() {
	[[ $(calc "($2) ? 1 : 0") == 1 ]] || fail "not so: $1 ($2)"
}
