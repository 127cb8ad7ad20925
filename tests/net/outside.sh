#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# outside.sh - the host and the world as the ends of a link: cut off, and nobody else with them.
#
#   left, right  on br0, 10.77.0.N ==== host: 10.77.0.254, routes ==== far 192.0.2.2, the world
#   near         on br1, 10.79.0.2 ====       10.79.0.254              nobody names it
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

_outside() {
	local name
	network left right
	ip netns exec "$net-sw" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "$net-sw" addr add 10.77.0.254/24 dev br0
	ip -n "$net-sw" addr add fd77::fe/64 dev br0 nodad
	for name in left right; do
		ip -n "$net-$name" route add default via 10.77.0.254
		ip -n "$net-$name" -6 route add default via fd77::fe
	done
	_namespace far
	ip -n "$net-sw" link add far type veth peer name eth0 netns "$net-far"
	_up sw far 192.0.2.1/24 2001:db8::1/64
	_up far eth0 192.0.2.2/24 2001:db8::2/64
	ip -n "$net-far" route add default via 192.0.2.1
	ip -n "$net-far" -6 route add default via 2001:db8::1
	_namespace near
	ip -n "$net-sw" link add br1 type bridge forward_delay 0
	_up sw br1 10.79.0.254/24 fd79::fe/64
	ip -n "$net-sw" link add near type veth peer name eth0 netns "$net-near"
	ip -n "$net-sw" link set near master br1 up
	_up near eth0 10.79.0.2/24 fd79::2/64
	ip -n "$net-near" route add default via 10.79.0.254
	ip -n "$net-near" -6 route add default via fd79::fe
	for name in left right; do
		wait_until 10 _answers "$name" 192.0.2.2
		wait_until 10 _answers "$name" 2001:db8::2
		wait_until 10 _answers "$name" 10.79.0.2
		wait_until 10 _answers "$name" fd79::2
		wait_until 10 _answers "$name" fd77::fe
	done
}

_up() { # NAMESPACE DEVICE ADDRESS...
	local name=$1 device=$2 address
	shift 2
	ip -n "$net-$name" link set "$device" up
	for address in "$@"; do
		ip -n "$net-$name" addr add "$address" dev "$device" nodad 2>/dev/null ||
			ip -n "$net-$name" addr add "$address" dev "$device"
	done
}

_reaches() { # FROM ADDRESS...
	local from=$1 address
	shift
	for address in "$@"; do
		answers "$from" "$address" || fail "$from does not reach $address"
	done
}

_misses() { # FROM ADDRESS...
	local from=$1 address
	shift
	for address in "$@"; do
		! answers "$from" "$address" || fail "$from reaches $address"
	done
}

cut_off_from_the_world_it_reaches_the_host_and_its_neighbours() {
	_outside
	must_say "(2 links)" hopfault partition "$(ep left)" world
	_misses left 192.0.2.2 2001:db8::2
	_reaches left 10.77.0.254 fd77::fe "$(v4 right)" "$(v6 right)" 10.79.0.2 fd79::2
	_reaches right 192.0.2.2 2001:db8::2
	must_say "world" hopfault status
	hopfault heal
	_reaches left 192.0.2.2 2001:db8::2
}

cut_off_from_the_host_it_reaches_everything_behind_it() {
	_outside
	hopfault partition "$(ep left)" host
	_misses left 10.77.0.254 fd77::fe 192.0.2.1
	_misses sw "$(v4 left)" "$(v6 left)"
	_reaches left "$(v4 right)" 192.0.2.2 2001:db8::2 10.79.0.2
	_reaches sw "$(v4 right)" "$(v6 right)"
	hopfault heal
	_reaches left 10.77.0.254
}

_no_answer() { ! _answers "$@"; }

an_address_that_the_host_gets_or_loses_meanwhile_is_followed() {
	local address
	_outside
	hopfault add "$(ep left)" host drop # what comes back is the host's by whatever address
	_reaches left 192.0.2.2 2001:db8::2
	for address in 192.0.2.99/24 2001:db8::99/64; do
		_up sw far "$address"
		_reaches right "${address%/*}"
		wait_until 2 _no_answer left "${address%/*}"
		_misses left "${address%/*}"
		ip -n "$net-sw" addr del "$address" dev far
		_up far eth0 "$address"
		wait_until 5 _answers left "${address%/*}"
	done
	_misses left 10.77.0.254 192.0.2.1
}

a_cut_is_one_way_when_one_way_is_asked() {
	_outside
	hopfault add "$(ep left)" world drop proto udp
	must_be_within "received" "$("$TOOLS/udpflow" -n 20 -i 0 -w 200 "$net-left" "$net-far" 192.0.2.2 | awk '{ for (i = 1; i < NF; i++) if ($i == "received") print $(i + 1) }')" 0 0
	must_be_within "received back" "$("$TOOLS/udpflow" -n 20 -i 0 "$net-far" "$net-left" "$(v4 left)" | awk '{ for (i = 1; i < NF; i++) if ($i == "received") print $(i + 1) }')" 20 20
	must_be "counted" "$(count_of dropped) == 20"
	_reaches left 192.0.2.2
}

what_comes_from_outside_can_be_delayed() {
	_outside
	hopfault add host "$(ep left)" delay 50ms
	must_be_within "to the host and back, us" "$(rtt_us left 10.77.0.254)" 50000 90000
	must_be_within "to the world and back, us" "$(rtt_us left 192.0.2.2)" 0 40000
	hopfault heal
	hopfault add world "$(ep left)" delay 50ms
	must_be_within "to the world and back, us" "$(rtt_us left 192.0.2.2)" 50000 90000
	must_be_within "to the host and back, us" "$(rtt_us left 10.77.0.254)" 0 40000
}

_held_one_way() { # FROM TO ADDRESS THE_OTHER_WAY_ADDRESS
	local there back
	there=$("$TOOLS/udpflow" -n 100 -i 2000 "$net-$1" "$net-$2" "$3")
	must_be_within "arrived of 100" "$(value_of received "$there")" 100 100
	must_be_within "out of order" "$(value_of reordered "$there")" 0 0
	must_be_within "the shortest way (us)" "$(value_of min_us "$there")" 20000 60000
	must_be_within "the median way (us)" "$(value_of p50_us "$there")" 20000 60000
	back=$("$TOOLS/udpflow" -n 100 -i 2000 "$net-$2" "$net-$1" "$4")
	must_be_within "arrived of 100" "$(value_of received "$back")" 100 100
	must_be_within "the median way back (us)" "$(value_of p50_us "$back")" 0 15000
	note "20 ms asked: median $(value_of p50_us "$there") us there, $(value_of p50_us "$back") us back"
}

a_delay_towards_the_world_holds_one_direction_and_nobody_else() {
	_outside
	hopfault add "$(ep left)" world delay 20ms
	_held_one_way left far 192.0.2.2 "$(v4 left)"
	_held_one_way left far 2001:db8::2 "$(v6 left)"
	must_be "counted" "$(count_of released) == 200"
	must_be_within "to the host and back, us" "$(rtt_us left 10.77.0.254)" 0 15000
	must_be_within "to a neighbour and back, us" "$(rtt_us left "$(v4 right)")" 0 15000
	must_be_within "of another, us" "$(rtt_us right 192.0.2.2)" 0 15000
}

a_delay_towards_the_host_holds_one_direction_and_nobody_else() {
	_outside
	hopfault add "$(ep left)" host delay 20ms
	_held_one_way left sw 10.77.0.254 "$(v4 left)"
	_held_one_way left sw fd77::fe "$(v6 left)"
	must_be_within "to the world and back, us" "$(rtt_us left 192.0.2.2)" 0 15000
	must_be_within "of another, us" "$(rtt_us right 10.77.0.254)" 0 15000
}

both_ways_add_up_and_status_has_asked_beside_achieved() {
	_outside
	hopfault add "$(ep left)" world delay 20ms both proto icmp
	must_be_within "to the world and back, us" "$(rtt_us left 192.0.2.2 10)" 40000 90000
	must_be_within "delayed" "$(count_of delayed)" 20 20
	must_be_within "released" "$(count_of released)" 20 20
	must_be_within "not delayed for want of an engine" "$(count_of undelayed)" 0 0
	must_be_within "asked (ns)" "$(count_of asked_ns)" 400000000 400000000
	must_be_within "too long by (ns, p50)" "$(count_of error_p50_ns)" 0 20000000
}

_tcp_is_whole() { # TO ADDRESS
	local figures
	figures=$("$TOOLS/tcpflow" "$net-left" "$net-$1" "$2" 5001 8000000 100000000 20)
	must_be_within "bytes received" "$(value_of received "$figures")" 8000000 8000000
	must_be_within "wrong bytes" "$(value_of wrong "$figures")" 0 0
}

tcp_goes_outside_through_a_delay_with_every_byte() {
	_outside
	hopfault add "$(ep left)" host,world delay 5ms
	_tcp_is_whole far 192.0.2.2
	_tcp_is_whole far 2001:db8::2
	_tcp_is_whole sw 10.77.0.254
	_tcp_is_whole sw fd77::fe
	must_be "packets were whole when held: fewer of them than segments" "$(count_of released) < $(count_of delayed)"
}

# A tagged frame has its tag beside it when a program sees it, and the TAP puts it into the header: see frame.h.
a_tagged_frame_comes_back_as_it_was() {
	_outside
	hopfault add "$(ep left)" world delay 20ms
	within right "$FACTS_ROOT/tests/lib/tagged.py" hear eth0 5 >"$scratch/heard" &
	wait_until 5 grep -q listening "$scratch/heard"
	within left "$FACTS_ROOT/tests/lib/tagged.py" say eth0 42 192.0.2.9 >"$scratch/said"
	wait_until 5 grep -qF "$(cat "$scratch/said")" "$scratch/heard"
	must_be_within "released" "$(count_of released)" 1 1
}

_flow_outside() { # in the background: 50 packets, all decided when this ends; sets $flow
	"$TOOLS/udpflow" -n 50 -i 1000 -w 4000 "$net-left" "$net-far" 192.0.2.2 >"$scratch/flow" &
	flow=$!
	wait_until 5 _delayed_are 50
}

_delayed_are() {
	[[ $(count_of delayed 1) -ge $1 ]] # the kernel may have something to say as well
}

what_is_held_when_a_partition_falls_does_not_cross_it() {
	local flow
	_outside
	hopfault add "$(ep left)" world delay 2s
	_flow_outside
	hopfault partition "$(ep left)" world
	wait "$flow"
	must_be_within "packets that crossed" "$(value_of received "$(cat "$scratch/flow")")" 0 0
	must_be_within "dropped by the partition" "$(count_of dropped 2)" 50 60
}

a_heal_lets_go_in_order_and_at_once() {
	local flow figures
	_outside
	hopfault add "$(ep left)" world delay 5s
	_flow_outside
	hopfault heal all
	wait "$flow"
	figures=$(cat "$scratch/flow")
	must_be_within "packets received" "$(value_of received "$figures")" 50 50
	must_be_within "packets out of order" "$(value_of reordered "$figures")" 0 0
	must_be_within "the longest way (us)" "$(value_of max_us "$figures")" 0 4900000
	must_be_within "then, to the world and back, us" "$(rtt_us left 192.0.2.2)" 0 15000
}

an_owner_that_ends_lets_go_what_it_holds_and_no_mark_stays() {
	local flow
	_outside
	ip -n "$net-sw" rule add not fwmark 0/0xffffffff prohibit priority 1 # what is marked goes nowhere
	hopfault add "$(ep left)" world delay 5s
	_flow_outside
	hopfault daemon --stop
	wait "$flow"
	must_be_within "packets received" "$(value_of received "$(cat "$scratch/flow")")" 50 50
}

a_killed_owner_leaves_the_way_outside_free_within_a_second() {
	local flow
	_outside
	owner
	hopfault add "$(ep left)" world delay 300ms
	must_be_within "to the world and back, us" "$(rtt_us left 192.0.2.2)" 300000 400000
	_flow_outside
	kill -KILL "$owner"
	pause 1
	must_be_within "after it, to the world and back, us" "$(rtt_us left 192.0.2.2)" 0 15000
	wait "$flow"
	must_be_within "received; what was held is lost" "$(value_of received "$(cat "$scratch/flow")")" 0 50
	hopfault clean
}

a_deadline_ends_it() {
	_outside
	owner
	hopfault add "$(ep left)" world delay 200ms for 1s
	must_be_within "to the world and back, us" "$(rtt_us left 192.0.2.2 2)" 200000 300000
	pause 1
	must_be_within "after it, us" "$(rtt_us left 192.0.2.2)" 0 15000
}

a_tap_that_somebody_deletes_is_made_again() {
	local tap
	_outside
	owner
	hopfault add "$(ep left)" world delay 50ms
	tap=$(ip -n "$net-sw" -o link show | grep -oE 'hfhold[0-9]+')
	ip -n "$net-sw" link del "$tap"
	wait_until 5 _is_delayed_again
}

_is_delayed_again() {
	[[ $(rtt_us left 192.0.2.2 2) -ge 50000 ]]
}

# Behind another bridge, in another namespace, somebody has the address of far: as with two rootless engines.
an_address_means_something_in_its_own_namespace_alone() {
	local name
	_outside
	_namespace sw2
	ip -n "$net-sw2" link add br0 type bridge forward_delay 0
	ip -n "$net-sw2" link set br0 up
	for name in twin mate; do
		_namespace "$name"
		ip -n "$net-sw2" link add "$name" type veth peer name eth0 netns "$net-$name"
		ip -n "$net-sw2" link set "$name" master br0 up
	done
	_up twin eth0 192.0.2.2/24 2001:db8::2/64
	_up mate eth0 192.0.2.3/24 2001:db8::3/64
	wait_until 10 _answers mate 192.0.2.2
	hopfault add "$(ep mate)" "$(ep twin)" loss 0%
	hopfault partition "$(ep left)" world
	_misses left 192.0.2.2 2001:db8::2
	_reaches right 192.0.2.2
	_reaches mate 192.0.2.2 2001:db8::2
	must_be "of mate and twin matched" "$(count_of matched 1) > 0"
}

what_can_not_be_done_is_refused_with_the_reason() {
	_outside
	must_end 2 "neither is a container" "$HOPFAULT" add host world drop
	must_end 2 "arp and nd" "$HOPFAULT" add "$(ep left)" host drop proto arp
	no_fault_is_in_force
	_reaches left 192.0.2.2
}

run_facts "$@"
