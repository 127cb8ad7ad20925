#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# words.sh - what makes no sense is refused: status 2, the word, its place, the reason; and nothing is half done.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

# Refused with status 2 and these words, and no owner was even started for it.
_misused() { # TEXT COMMAND-WORDS...
	local text=$1
	shift
	must_end 2 "$text" "$HOPFAULT" "$@"
	[[ ! -e $HOPFAULT_RUN_DIR/control.sock ]] || fail "an owner was started for: $*"
}

a_time_without_a_unit_is_refused_with_the_word_and_its_place() {
	_misused "delay: '5' \(word 4\).*unit" add a b delay 5
	_misused "for: '10' \(word 5\).*unit" add a b drop for 10
	_misused "delay: '5mss' \(word 4\)" add a b delay 5mss
}

numbers_that_are_none_or_too_many_are_refused() {
	_misused "'-5ms' \(word 4\)" add a b delay -5ms
	_misused "'99999999999999999999s' \(word 4\)" add a b delay 99999999999999999999s
	_misused "'1e400s' \(word 4\)" add a b delay 1e400s
	_misused "'101%' \(word 4\)" add a b loss 101%
	_misused "'-1%' \(word 4\)" add a b loss -1%
	_misused "'nan%' \(word 4\)" add a b loss nan%
	_misused "'70000' \(word 5\)" add a b drop port 70000
	_misused "'80-70' \(word 5\)" add a b drop port 80-70
}

words_that_are_none_are_refused_with_their_place() {
	_misused "'dealy' \(word 3\)" add a b dealy 5ms
	_misused "delay" add a b
	_misused "" add a
	_misused "delay \(word 3\)|delay" add a b delay
	_misused "word 5" add a b delay 5ms delay 6ms
	_misused "'partitoin'.*partition" partitoin a b
	_misused "" add --no-such-option a b drop
}

a_rule_for_a_service_to_itself_is_refused() {
	network left right
	must_end 2 "itself" "$HOPFAULT" add "$(ep left)" "$(ep left)" drop
	must_end 2 "itself|itself" "$HOPFAULT" add "$(ep left,right)" "$(ep right)" drop
	no_fault_is_in_force
}

partitions_that_make_no_sense_are_refused() {
	_misused "second group" partition a
	_misused "empty" partition a,,b c
	_misused "empty" partition "" b
	_misused "." partition --grudge sideways a b c
	_misused "say which with --grudge" partition --in-order a b c
	_misused "say which with --grudge" partition --isolate a a b c
	network left right
	must_end 2 "two groups|twice" "$HOPFAULT" partition "$(ep left)" "$(ep right,left)"
	no_fault_is_in_force
}

an_unknown_name_lists_near_names() {
	network left right
	must_end 2 "did you mean.*$net-right|$net-right" "$HOPFAULT" add "$(ep left)" "netns:$net-rigth" drop
	no_fault_is_in_force
	[[ -z $(_ours_in "$net-sw") ]]
}

a_hostile_name_is_shown_not_obeyed() {
	local said
	network left
	said=$("$HOPFAULT" add "$(ep left)" $'x\033[31m\007' drop 2>&1) && fail "it was taken"
	! grep -q $'[\033\007]' <<<"$said" || fail "control bytes reach the terminal"
}

one_endpoint_by_two_names_is_still_itself() {
	network left right
	inhabit left
	must_end 2 "." "$HOPFAULT" add "$(ep left)" "pid:$inhabitant" drop
	no_fault_is_in_force
}

pid_names_the_namespace_of_a_process() {
	network left right
	warm left right
	inhabit right
	hopfault add "$(ep left)" "pid:$inhabitant" drop proto udp
	must_be_within "received" "$(udp_arrived left right -n 50 -i 0 -w 200)" 0 0
	must_be_within "received back" "$(udp_arrived right left -n 50 -i 0)" 50 50
}

an_id_that_is_no_faults_is_refused_and_heals_nothing() {
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" drop proto udp
	must_end 2 "no fault has the id 9" "$HOPFAULT" heal 1 9
	must_end 2 "'x' \(word 1\)" "$HOPFAULT" heal x
	[[ $(faults_in_force) == 1 ]]
}

without_root_it_says_so_before_doing_anything() {
	local words
	chmod 755 "$scratch"
	install -m 755 "$HOPFAULT" "$scratch/hopfault"
	export HOPFAULT_RUN_DIR=$scratch/mine
	for words in "add a b drop" "partition a b" "heal all" "trace --chain a,b" "clean" "daemon" "lab up" "ps"; do
		# shellcheck disable=SC2086 # words
		must_end 1 "needs root" setpriv --reuid 65534 --regid 65534 --clear-groups "$scratch/hopfault" $words
		[[ ! -e $scratch/mine ]] || fail "$words made its folder"
	done
	# a word that makes no sense is told first, to anybody
	must_end 2 "unit" setpriv --reuid 65534 --regid 65534 --clear-groups "$scratch/hopfault" add a b delay 5
	must_end 0 "usage|Commands" setpriv --reuid 65534 --regid 65534 --clear-groups "$scratch/hopfault" help
	must_end 0 "hopfault" setpriv --reuid 65534 --regid 65534 --clear-groups "$scratch/hopfault" version
}

a_kernel_without_a_feature_is_told_what_that_costs() {
	network left right
	HOPFAULT_WITHOUT=ringbuf must_end 1 "." "$HOPFAULT" add "$(ep left)" "$(ep right)" drop
	HOPFAULT_WITHOUT=tcx,clsact must_end 1 "." "$HOPFAULT" add "$(ep left)" "$(ep right)" drop
	HOPFAULT_WITHOUT=tun,fq must_end 1 "." "$HOPFAULT" add "$(ep left)" "$(ep right)" delay 5ms
	hopfault daemon --stop
	HOPFAULT_WITHOUT=tun must_say "no hold engine" hopfault check
	[[ -z $(what_is_ours) ]]
}

a_delay_engine_that_this_kernel_lacks_is_refused_with_the_reason() {
	network left right
	HOPFAULT_WITHOUT=fq must_end 1 "no fq delay engine" "$HOPFAULT" --delay-engine fq add "$(ep left)" "$(ep right)" delay 5ms
	must_end 2 "." "$HOPFAULT" --delay-engine sundial add "$(ep left)" "$(ep right)" delay 5ms
}

run_facts "$@"
