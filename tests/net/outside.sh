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

what_can_not_be_done_is_refused_with_the_reason() {
	_outside
	must_end 2 "delay is made where a packet enters a container, and world is none" "$HOPFAULT" add "$(ep left)" world delay 5ms
	must_end 2 "delay the answers instead" "$HOPFAULT" add host "$(ep left)" delay 5ms both
	must_end 2 "neither is a container" "$HOPFAULT" add host world drop
	must_end 2 "arp and nd" "$HOPFAULT" add "$(ep left)" host drop proto arp
	no_fault_is_in_force
	_reaches left 192.0.2.2
}

run_facts "$@"
