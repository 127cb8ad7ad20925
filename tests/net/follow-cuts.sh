#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# follow-cuts.sh - cuts of every kind hold from the first packet on of an endpoint that comes again: on one network alone, between
# all that one word means, from the host and from the world.
#
#   left         on br0, 10.77.0.N ==== host: 10.77.0.254, routes ==== far 192.0.2.2, the world
#   again        likewise, made by restart
#   third        on br1, 10.78.0.N
#
# What it sends to a peer is judged at the peer, whatever there is at its own veth. Else its programs must be there first: so an
# interface is set up inside 60 ms after its birth (-u), where Docker takes 290.
# shellcheck source=tests/lib/follow.sh
. "$(dirname "$0")/../lib/follow.sh"

_place_with_a_way_out() {
	_place_for_one_that_comes_again
	_know_hardware_addresses
	ip netns exec "$net-sw" sysctl -qw net.ipv4.ip_forward=1
	ip -n "$net-sw" addr add 10.77.0.254/24 dev br0
	_namespace far
	ip -n "$net-sw" link add far type veth peer name eth0 netns "$net-far"
	ip -n "$net-sw" link set far up
	ip -n "$net-sw" addr add 192.0.2.1/24 dev far
	ip -n "$net-far" link set eth0 up
	ip -n "$net-far" addr add 192.0.2.2/24 dev eth0
	ip -n "$net-far" route add default via 192.0.2.1
	wait_until 10 _answers far 10.77.0.254
}

# Hardware addresses are known beforehand, so that the first packet waits for no answer to be sent.
_restart_to_left() {
	_restart -m "$(_mac left eth0)" "$@"
}

_restart_to_host() {
	"$TOOLS/restart" "$net-sw" "$net-again" "$net-sw" 10.77.0.2 10.77.0.254 -m "$(_mac sw br0)" "$@"
}

_restart_to_world() {
	"$TOOLS/restart" "$net-sw" "$net-again" "$net-far" 10.77.0.2 192.0.2.2 -w 10.77.0.254 -m "$(_mac sw br0)" "$@"
}

_mac() {
	ip -n "$net-$1" -j link show "$2" | sed 's/.*"address":"\([0-9a-f:]*\)".*/\1/'
}

# br0 has a hardware address of its own, else it takes that of its ports; what it and left send to goes where restart's is.
_know_hardware_addresses() {
	ip -n "$net-sw" link set br0 address 02:00:68:66:00:fe
	ip -n "$net-sw" neigh replace 10.77.0.2 lladdr 02:00:68:66:00:01 dev br0
	ip -n "$net-left" neigh replace 10.77.0.2 lladdr 02:00:68:66:00:01 dev eth0
}

# _must_hold WHAT COMMAND [OPTION...]: of 25 restarts nothing comes through
_must_hold() {
	local what=$1 said
	shift
	said=$("$@" -n 25 -k 60)
	note "$what, 25 restarts: $said; programs after the news: at most $(($(_quarantine program_max_ns) / 1000)) us"
	must_be "it sent" "$(value_of sent "$said") > 100"
	must_be_within "packets that came through" "$(value_of received "$said")" 0 0
}

_must_pass() {
	local said
	said=$("$@" -n 3)
	must_be "packets pass without a cut" "$(value_of received "$said") > 0"
}

a_cut_on_one_network_holds_both_ways() {
	_place_for_one_that_comes_again
	_know_hardware_addresses
	owner
	_must_pass _restart_to_left
	hopfault partition "$(ep left)" "$(ep again)" net br0
	_must_hold "from it" _restart_to_left
	_must_hold "to it" _restart_to_left -r -u 60
	wait_until 5 _state_is again up
	must_be "rules" "$(faults_in_force) == 1"
}

a_cut_on_another_network_lets_it_through() {
	local said
	_place_for_one_that_comes_again
	_second_network left again
	owner
	_restart -n 1 >/dev/null
	hopfault partition "$(ep left)" "$(ep again)" net br1
	said=$(_restart -n 5)
	note "cut on br1 alone: $said"
	must_be "what goes over br0 passes" "$(value_of received "$said") > 0"
}

# br1 with 10.78.0.N for these nodes.
_second_network() {
	local name
	ip -n "$net-sw" link add br1 type bridge forward_delay 0
	ip -n "$net-sw" link set br1 up
	for name in "$@"; do
		ip -n "$net-sw" link add "$name-2" type veth peer name eth1 netns "$net-$name"
		ip -n "$net-sw" link set "$name-2" master br1 up
		ip -n "$net-$name" link set eth1 up
		ip -n "$net-$name" addr add "10.78.0.${node_number[$name]}/24" dev eth1
	done
}

a_cut_between_all_that_a_word_means_holds() {
	_place_for_one_that_comes_again
	_know_hardware_addresses
	node other
	owner
	_restart -n 1 >/dev/null
	must_say "2 endpoints" hopfault partition "$(ep left)" "netns:~$net-(again|other)"
	_must_hold "from it" _restart_to_left
	_must_hold "to it" _restart_to_left -r -u 60
	must_be_within "came again" "$(_endpoint "$net-again" reattached)" 50 50
}

a_cut_from_the_host_holds_both_ways() {
	_place_with_a_way_out
	owner
	_must_pass _restart_to_host
	hopfault partition "$(ep again)" host
	_must_hold "from it" _restart_to_host -u 60
	_must_hold "to it" _restart_to_host -r -u 60
	wait_until 5 _state_is again up
	must_be "what goes to left passes" "$(value_of received "$(_restart_to_left -n 3)") > 0"
}

a_cut_from_the_world_holds_both_ways() {
	_place_with_a_way_out
	owner
	_must_pass _restart_to_world
	hopfault partition "$(ep again)" world
	_must_hold "from it" _restart_to_world -u 60
	_must_hold "to it" _restart_to_world -r -u 60
	wait_until 5 _state_is again up
	must_be "what goes to the host passes" "$(value_of received "$(_restart_to_host -n 3)") > 0"
}

# For 4 s the guard alone looks after who comes.
_keep_the_owner_waiting() {
	local i
	for i in 1 2; do
		"$HOPFAULT" add "nobody$i" "$(ep left)" drop >/dev/null 2>&1 &
	done
	pause 0.1
}

_must_hold_while_the_owner_waits() { # WHAT COMMAND [OPTION...]
	local said
	_keep_the_owner_waiting
	said=$("${@:2}" -n 12)
	note "$1, 12 restarts while the owner waits: $said"
	must_be "it sent" "$(value_of sent "$said") > 100"
	must_be_within "packets that came through" "$(value_of received "$said")" 0 0
}

cuts_hold_while_the_owner_waits_for_an_engine() {
	_place_with_a_way_out
	_engine_that_hangs
	owner
	_restart -n 1 >/dev/null
	hopfault partition "$(ep again)" host
	_must_hold_while_the_owner_waits "from it to the host" _restart_to_host -u 60
	hopfault heal
	hopfault partition "$(ep left)" "$(ep again)" net br0
	_must_hold_while_the_owner_waits "to it on one network" _restart_to_left -r -u 60
}

two_that_are_away_at_once_are_cut_from_the_world() {
	local said
	_place_with_a_way_out
	node other
	owner
	_restart -n 1 >/dev/null
	hopfault partition "$(ep again),$(ep other)" world
	ip netns del "$net-other"
	wait_until 5 _state_is other down
	_must_hold "from it" _restart_to_world -u 60
}

without_tcx_nothing_is_left_after_a_restart_and_a_heal() {
	export HOPFAULT_WITHOUT=tcx
	_place_with_a_way_out
	owner
	_restart -n 1 >/dev/null
	hopfault partition "$(ep again)" host
	_must_hold "from it" _restart_to_host -u 60
	wait_until 5 _state_is again up
	must_say clsact tc -n "$net-sw" qdisc show dev again
	hopfault daemon --stop
	! tc -n "$net-sw" qdisc show | grep clsact || fail "a clsact is left"
}

run_facts "$@"
