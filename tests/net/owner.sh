#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# owner.sh - no fault outlives its owner, however that one ends, and what it left is taken away by the next.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

# left is delayed towards right and cut from third, by an owner that works; a flow for SECONDS has begun.
_faulty() { # SECONDS
	network left right third
	warm left right
	warm left third
	owner
	hopfault add "$(ep left)" "$(ep right)" delay 100ms
	hopfault partition "$(ep left)" "$(ep third)"
	udp left right -n $(($1 * 200)) -i 5000 -w 2500 -l "$scratch/right.log" >"$scratch/right" &
	right=$!
	udp left third -n $(($1 * 200)) -i 5000 -w 2500 -l "$scratch/third.log" >"$scratch/third" &
	third=$!
	wait_until 10 _work_is_done 20
}

_work_is_done() {
	(($(count_of delayed 1) >= $1 && $(count_of dropped 2) >= $1))
}

# From this time of day on nothing is held or lost.
_is_normal_after() {
	local name figures
	for name in right third; do
		figures=$(arrived_after "$scratch/$name.log" "$1")
		must_be "packets were sent to $name afterwards" "$(value_of sent "$figures") > 100"
		must_be_within "of them received by $name" "$(value_of received "$figures")" \
			"$(value_of sent "$figures")" "$(value_of sent "$figures")"
		# a busy machine may hold one up; a fault would hold all
		must_be_within "the median way to $name (us)" "$(_median_after "$scratch/$name.log" "$1")" 0 50000
	done
}

_median_after() {
	awk -v from="$2" '$2 >= from && $3 != "-" { print $3 }' "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# The lease has a thread of its own that goes before all ordinary work: while the owner lives, no fault lapses.
_was_faulty_until() {
	must_be_within "packets that crossed while the owner was alive" \
		"$(awk -v to="$1" '$2 < to && $3 != "-"' "$scratch/third.log" | wc -l)" 0 0
	must_be_within "packets that were not held while the owner was alive" \
		"$(awk -v to="$1" '$2 < to && $3 != "-" && $3 < 100000' "$scratch/right.log" | wc -l)" 0 0
}

_killed() {
	local at
	_faulty 5
	# the owner's lock is free again when it is dead: nothing to wait for
	at=$(now_us)
	kill -KILL "$owner"
	wait "$right" "$third"
	_was_faulty_until "$at"
	_is_normal_after $((at + 1500000))
	hopfault clean
	[[ -z $(what_is_ours) ]] || fail "left after clean: $(what_is_ours)"
	must_say "nothing of ours was left" hopfault clean
	owner
	hopfault add "$(ep left)" "$(ep right)" delay 20ms
	must_be_within "the shortest way with a new owner (us)" "$(value_of min_us "$(udp left right -n 50)")" 20000 60000
}

traffic_is_normal_1500_ms_after_the_owner_was_killed() {
	_killed
}

traffic_is_normal_1500_ms_after_the_owner_was_killed_with_clsact() {
	export HOPFAULT_WITHOUT=tcx
	_killed
}

_stopped() {
	local at figures
	_faulty 6
	at=$(now_us)
	kill -STOP "$owner"
	sleep_until_us $((at + 3500000))
	kill -CONT "$owner"
	wait "$right" "$third"
	_was_faulty_until "$at"
	# until it goes on, when the fault is in force again
	awk -v to=$((at + 3500000)) '$2 < to' "$scratch/right.log" >"$scratch/cut" && mv "$scratch/cut" "$scratch/right.log"
	awk -v to=$((at + 3500000)) '$2 < to' "$scratch/third.log" >"$scratch/cut" && mv "$scratch/cut" "$scratch/third.log"
	_is_normal_after $((at + 1500000))
	figures=$(arrived_after "$scratch/right.log" 0)
	must_be_within "the longest way of all (us): nothing ancient is delivered" "$(value_of max_us "$figures")" 100000 1600000
	must_be_within "packets twice" "$(value_of duplicated "$(cat "$scratch/right")")" 0 0
	hopfault status
}

traffic_is_normal_1500_ms_after_the_owner_was_stopped() {
	_stopped
}

traffic_is_normal_1500_ms_after_the_owner_was_stopped_with_clsact() {
	export HOPFAULT_WITHOUT=tcx
	_stopped
}

# The kernel is told to hurry while a program is attached, and never longer.
_grace_periods_are_as_before() {
	[[ $(</sys/kernel/rcu_expedited) == "$1" ]]
}

grace_periods_are_as_before_when_the_owner_is_killed_while_it_attaches() {
	local before i killer names=(one two three four five six)
	before=$(</sys/kernel/rcu_expedited)
	network "${names[@]}"
	for ((i = 0; i < 12; i++)); do
		owner
		(
			pause "$(awk -v us=$((RANDOM % 12000)) 'BEGIN { printf "%.6f", us / 1000000 }')"
			kill -KILL "$owner"
		) &
		killer=$!
		"$HOPFAULT" partition "$(ep one,two)" "$(ep three,four,five,six)" >/dev/null 2>&1 || true
		wait "$killer"
		wait "$owner" 2>/dev/null || true
		hopfault daemon --stop # the command may have started another
		wait_until 2 _grace_periods_are_as_before "$before"
	done
	hopfault clean
	_grace_periods_are_as_before "$before"
	wait_until 5 _no_watcher_is_left
}

# The one of this test's owners; it has their folder mapped.
_no_watcher_is_left() {
	! grep -qs "$HOPFAULT_RUN_DIR/grace.note" /proc/[0-9]*/maps
}

the_owner_has_a_watcher_and_it_ends_with_it() {
	network left right
	owner
	hopfault add "$(ep left)" "$(ep right)" drop
	[[ ! -w /sys/kernel/rcu_expedited ]] || ! _no_watcher_is_left || fail "nobody watches over the knob"
	kill -KILL "$owner"
	wait_until 5 _no_watcher_is_left
}

a_deadline_passes_with_no_command() {
	local before after
	network left right
	warm left right
	owner
	before=$(now_us)
	hopfault add "$(ep left)" "$(ep right)" drop for 1s
	after=$(now_us)
	udp left right -n 500 -i 5000 -l "$scratch/log" >"$scratch/flow"
	# the second began somewhere between the two
	must_be_within "packets that arrived before" "$(awk -v to=$((before + 1000000)) '$2 < to && $3 != "-"' "$scratch/log" | wc -l)" 0 0
	must_be_within "packets lost after" "$(awk -v from=$((after + 1050000)) '$2 > from && $3 == "-"' "$scratch/log" | wc -l)" 0 0
	wait_until 5 no_fault_is_in_force
}

a_deadline_passes_while_the_owner_is_stopped() {
	network left right
	warm left right
	owner
	hopfault add "$(ep left)" "$(ep right)" drop for 300ms
	kill -STOP "$owner"
	pause 0.35
	must_be_within "received" "$(udp_arrived left right -n 50 -i 1000)" 50 50
	kill -CONT "$owner"
}

a_second_owner_is_refused() {
	network left right
	owner
	must_end 1 "running already" "$HOPFAULT" daemon
	kill -0 "$owner"
	hopfault status
}

an_owner_that_is_told_to_stop_leaves_nothing() {
	network left right
	warm left right
	owner
	hopfault add "$(ep left)" "$(ep right)" delay 20ms
	hopfault add "$(ep left)" "$(ep right)" loss 50%
	hopfault daemon --stop
	has_ended "$owner"
	[[ -z $(what_is_ours) ]] || fail "left: $(what_is_ours)"
	must_be_within "received" "$(udp_arrived left right -n 100 -i 0)" 100 100
	must_say "no owner is running" hopfault daemon --stop
}

an_owner_that_gets_sigterm_leaves_nothing() {
	export HOPFAULT_WITHOUT=tcx
	network left right
	warm left right
	owner
	hopfault add "$(ep left)" "$(ep right)" delay 20ms both
	kill -TERM "$owner"
	wait_until 5 has_ended "$owner"
	[[ -z $(what_is_ours) ]] || fail "left: $(what_is_ours)"
	! tc -n "$net-sw" qdisc show | grep clsact || fail "a clsact is left"
}

an_idle_owner_ends_by_itself_and_one_with_a_fault_does_not() {
	network left right
	"$HOPFAULT" daemon --idle 1s >"$scratch/owner.log" 2>&1 &
	owner=$!
	wait_until 15 _owner_answers
	hopfault add "$(ep left)" "$(ep right)" delay 1ms for 2500ms
	pause 2
	! has_ended "$owner" || fail "it ended before the fault: $(cat "$scratch/owner.log")"
	wait_until 10 has_ended "$owner"
	[[ -z $(what_is_ours) ]] || fail "left: $(what_is_ours)"
}

an_endpoint_that_vanishes_leaves_no_trace_and_the_owner_lives() {
	network left right third
	warm left right
	warm left third
	owner
	hopfault add "$(ep left)" "$(ep right)" delay 20ms both
	hopfault add "$(ep left)" "$(ep third)" drop proto udp
	udp left right -n 50 >/dev/null
	ip netns del "$net-right"
	wait_until 5 _device_is_gone right
	hopfault status
	must_be_within "left to third" "$(udp_arrived left third -n 50 -i 0 -w 200)" 0 0
	must_be_within "third to left" "$(udp_arrived third left -n 50 -i 0)" 50 50
	hopfault heal all
	kill -0 "$owner"
	node right
	within left ip neigh flush dev eth0
	warm left right
	must_be_within "left to the new right" "$(udp_arrived left right -n 50 -i 0)" 50 50
	hopfault add "$(ep left)" "$(ep right)" delay 20ms
	must_be_within "the shortest way to it (us)" "$(value_of min_us "$(udp left right -n 50)")" 20000 60000
}

_device_is_gone() {
	! ip -n "$net-sw" link show "$1" >/dev/null 2>&1
}

two_owners_with_folders_of_their_own_do_not_meet() {
	network left right
	warm left right
	owner
	hopfault add "$(ep left)" "$(ep right)" delay 20ms
	HOPFAULT_RUN_DIR=$scratch/other hopfault status
	[[ $(faults_in_force) == 1 ]]
	HOPFAULT_RUN_DIR=$scratch/other hopfault daemon --stop
	must_be_within "the shortest way (us)" "$(value_of min_us "$(udp left right -n 50)")" 20000 60000
}

run_facts "$@"
