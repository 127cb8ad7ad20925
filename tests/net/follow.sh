#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# follow.sh - an endpoint that goes and comes again is cut from the first packet on, keeps its id and its rules, and who
# only happens to come while it is away is let go.
# shellcheck source=tests/lib/follow.sh
. "$(dirname "$0")/../lib/follow.sh"

# A machine that is busy, for as long as the fact lasts.
_keep_busy() {
	timeout 20 sh -c 'while :; do :; done' &
	timeout 20 sh -c 'while :; do :; done' &
}

nothing_of_a_restarted_endpoint_passes_a_partition_in_force() {
	local said
	_place_for_one_that_comes_again
	owner
	said=$(_restart -n 3)
	must_be "packets pass without a partition" "$(value_of received "$said") > 0"
	hopfault partition "$(ep left)" "$(ep again)"
	said=$(_restart -n 25 -k 60)
	note "25 restarts: $said"
	must_be "it sent" "$(value_of sent "$said") > 1000"
	must_be_within "packets that came through" "$(value_of received "$said")" 0 0
	must_be_within "came again" "$(_endpoint "$net-again" reattached)" 25 25
	must_be_within "quarantined" "$(_endpoint "$net-again" quarantined)" 25 25
	note "row after the news: at most $(($(_quarantine row_max_ns) / 1000)) us; program: $(($(_quarantine program_max_ns) / 1000)) us"
}

nothing_passes_to_a_restarted_endpoint_either() {
	local said
	_place_for_one_that_comes_again
	owner
	_restart -n 1 >/dev/null
	hopfault partition "$(ep left)" "$(ep again)"
	said=$(_restart -r -n 25 -k 60)
	note "25 restarts: $said"
	must_be "it was sent to" "$(value_of sent "$said") > 1000"
	must_be_within "packets that came through" "$(value_of received "$said")" 0 0
}

nothing_passes_on_a_busy_machine() {
	local said
	_place_for_one_that_comes_again
	owner
	_restart -n 1 >/dev/null
	hopfault partition "$(ep left)" "$(ep again)"
	_keep_busy
	said=$(_restart -n 25 -k 40)
	note "25 restarts: $said"
	must_be "it sent" "$(value_of sent "$said") > 100"
	must_be_within "packets that came through" "$(value_of received "$said")" 0 0
}

nothing_passes_while_an_engine_hangs() {
	local said i
	_place_for_one_that_comes_again
	_engine_that_hangs
	owner
	_restart -n 1 >/dev/null
	hopfault partition "$(ep left)" "$(ep again)"
	for i in 1 2; do
		hopfault add "nobody$i" "$(ep left)" drop &
	done
	said=$(_restart -n 25 -k 60)
	note "25 restarts: $said"
	must_be "it sent" "$(value_of sent "$said") > 1000"
	must_be_within "packets that came through" "$(value_of received "$said")" 0 0
	wait_until 5 _state_is again up
}

its_id_and_its_rules_are_what_they_were() {
	local id
	network left right
	warm left right
	owner
	hopfault add "$(ep left)" "$(ep right)" delay 20ms
	hopfault add "$(ep right)" "$(ep left)" drop proto udp
	id=$(_endpoint "$net-right" endpoint)
	ip netns del "$net-right"
	wait_until 5 _state_is right down
	must_say "is down; its faults act again when it comes back" hopfault status
	node right
	wait_until 5 _state_is right up
	must_be "the id" "$(_endpoint "$net-right" endpoint) == $id"
	within left ip neigh flush dev eth0
	wait_until 10 _answers left "$(v4 right)"
	must_be_within "the shortest way (us)" "$(value_of min_us "$(udp left right -n 50)")" 20000 60000
	must_be_within "from it" "$(udp_arrived right left -n 50 -i 0 -w 200)" 0 0
	must_be "rules" "$(faults_in_force) == 2"
}

two_that_are_away_at_once_are_kept_apart_when_both_come() {
	network left right
	warm left right
	owner
	hopfault partition "$(ep left)" "$(ep right)"
	ip netns del "$net-left"
	ip netns del "$net-right"
	wait_until 5 _state_is left down
	wait_until 5 _state_is right down
	node left
	node right
	! answers left "$(v4 right)" || fail "they met"
	wait_until 5 _state_is left up
	wait_until 5 _state_is right up
	! answers right "$(v4 left)" || fail "they met after a while"
	hopfault heal
	wait_until 5 answers left "$(v4 right)"
}

a_stranger_that_comes_meanwhile_is_let_go() {
	network left right
	warm left right
	owner
	hopfault partition "$(ep left)" "$(ep right)"
	ip netns del "$net-right"
	wait_until 5 _state_is right down
	node third
	wait_until 2 _answers third "$(v4 left)"
	must_be_within "strangers" "$(_quarantine foreign)" 1 1
	must_be_within "in quarantine now" "$(_quarantine now)" 0 0
	must_be_within "left to third" "$(udp_arrived left third -n 50 -i 0)" 50 50
	must_be_within "third to left" "$(udp_arrived third left -n 50 -i 0)" 50 50
	node right
	wait_until 5 _state_is right up
	! answers right "$(v4 left)" || fail "the one that was away answered"
}

# A namespace that has no name: nobody can say whose it is.
_nameless() {
	unshare -n sleep 600 &
	nameless=$!
	wait_until 5 _is_apart "$nameless"
	ip -n "$net-sw" link add nameless type veth peer name eth0 netns "$nameless"
	ip -n "$net-sw" link set nameless master br0 up
	nsenter --target "$nameless" --net sh -c 'ip link set eth0 up; ip addr add 10.77.0.99/24 dev eth0'
}

_is_apart() {
	[[ $(readlink "/proc/$1/ns/net") != $(readlink /proc/self/ns/net) ]]
}

_nameless_answers() {
	nsenter --target "$nameless" --net ping -n -q -c 1 -W 1 "$(v4 left)" >/dev/null
}

one_that_nobody_knows_is_let_go_after_two_seconds() {
	local began took
	network left right
	warm left right
	owner
	hopfault partition "$(ep left)" "$(ep right)"
	ip netns del "$net-right"
	wait_until 5 _state_is right down
	_nameless
	began=$(now_us)
	must_be_within "in quarantine now" "$(_quarantine now)" 1 1
	! _nameless_answers || fail "it was not taken for the one that is missing"
	wait_until 5 _nameless_answers
	took=$((($(now_us) - began) / 1000))
	note "let go after $took ms"
	must_be_within "until it was let go (ms)" "$took" 500 3500
	must_be_within "expired" "$(_quarantine expired)" 1 1
	must_say "it was not known within 2 s" hopfault status
}

a_rule_may_wait_for_who_is_not_there_yet() {
	local said
	network left
	node_number[again]=2
	owner
	must_end 2 "unknown endpoint" hopfault partition "$(ep left)" "$(ep again)"
	must_end 2 "when up" hopfault partition "$(ep left)" "$(ep again)" when down
	hopfault partition "$(ep left)" "$(ep again)" when up
	must_say "when up" hopfault status --json
	_state_is "again" waiting || [[ $(_endpoint "netns:$net-again" state) == waiting ]]
	must_say "has not been seen yet" hopfault status
	_namespace again
	said=$(_restart -n 1 -k 1500)
	note "the first time: $said"
	must_be "it sent" "$(value_of sent "$said") > 1000"
	must_be_within "packets that came through" "$(value_of received "$said")" 0 0
	wait_until 5 _state_is again up
	must_be "rules" "$(faults_in_force) == 1"
}

a_veth_that_leaves_its_bridge_is_not_gone() {
	network left right
	warm left right
	owner
	hopfault partition "$(ep left)" "$(ep right)"
	ip -n "$net-sw" link set right nomaster
	pause 0.3
	_state_is right up
	ip -n "$net-sw" link set right master br0
	! answers left "$(v4 right)" || fail "it passed"
	must_be_within "came again" "$(_endpoint "$net-right" reattached)" 0 0
}

an_owner_that_is_killed_in_a_quarantine_leaves_nothing() {
	network left right
	warm left right
	owner
	hopfault partition "$(ep left)" "$(ep right)"
	ip netns del "$net-right"
	wait_until 5 _state_is right down
	_nameless
	must_be_within "in quarantine now" "$(_quarantine now)" 1 1
	kill -KILL "$owner"
	pause 1.5
	_nameless_answers || fail "it is still cut off 1.5 s after the owner's death"
	[[ -z $(what_is_ours) ]] || fail "left: $(what_is_ours)"
}

an_owner_that_ends_in_a_quarantine_leaves_nothing() {
	export HOPFAULT_WITHOUT=tcx
	network left right
	warm left right
	owner
	hopfault partition "$(ep left)" "$(ep right)"
	ip netns del "$net-right"
	wait_until 5 _state_is right down
	_nameless
	must_be_within "in quarantine now" "$(_quarantine now)" 1 1
	! _nameless_answers || fail "it was not taken for the one that is missing"
	hopfault daemon --stop
	_nameless_answers || fail "it is still cut off"
	! tc -n "$net-sw" qdisc show | grep clsact || fail "a clsact is left"
}

a_lab_that_is_made_anew_is_found_again() {
	hopfault lab up >/dev/null
	owner
	hopfault partition lab:b lab:c
	hopfault lab down >/dev/null
	wait_until 5 _lab_is b down
	hopfault lab up >/dev/null
	wait_until 5 _lab_is b up
	wait_until 5 _lab_is c up
	must_say "b->c" hopfault lab load -n 1 -c 1
	hopfault heal
	! hopfault lab load -n 3 -c 1 | grep 'b->c' || fail "it is still cut"
}

_lab_is() {
	[[ $(_endpoint "$1" state) == "$2" ]]
}

run_facts "$@"
