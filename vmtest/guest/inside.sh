# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# inside.sh - endpoints on a macvlan or ipvlan are cut apart inside, by filters that do not go by themselves.
# needs: ip tc ping
# payload: build/hopfault

# _two_on KIND [MODE...]: namespaces one and two, on one lower device in this one
_two_on() {
	local name number=0
	asks_for_no_router
	ip link add low0 type veth peer name low1
	ip link set low0 up
	ip link set low1 up
	for name in one two; do
		number=$((number + 1))
		ip netns add "$name"
		ip link add link low0 name new0 type "$@"
		ip link set new0 netns "$name" name eth0
		ip -n "$name" link set eth0 up
		ip -n "$name" addr add "10.80.0.$number/24" dev eth0
		ip -n "$name" addr add "fd80::$number/64" dev eth0 nodad
	done
}

_reaches() { # FROM ADDRESS
	ip netns exec "$1" ping -q -c 2 -i 0.2 -W 1 "$2"
}

_is_cut_and_healed_and_cleaned() {
	daemon_with hold
	_reaches one 10.80.0.2
	hopfault partition netns:one netns:two
	! _reaches one 10.80.0.2 || fail "one reaches two"
	! _reaches two fd80::1 || fail "two reaches one"
	hopfault heal all
	_reaches one 10.80.0.2
	hopfault partition netns:one netns:two
	# shellcheck disable=SC2154 # daemon_with sets it
	kill -KILL "$daemon"
	sleep 1.5
	_reaches one 10.80.0.2
	_reaches two fd80::1
	hopfault clean
	! tc -n one filter show dev eth0 ingress | grep link_ || fail "filters are left inside"
}

two_on_a_macvlan_are_cut_apart() {
	_two_on macvlan mode bridge
	_is_cut_and_healed_and_cleaned
}

two_on_an_ipvlan_are_cut_apart_in_its_mode_l2() {
	_two_on ipvlan mode l2
	_is_cut_and_healed_and_cleaned
}

two_on_an_ipvlan_are_cut_apart_in_its_mode_l3() {
	_two_on ipvlan mode l3
	_is_cut_and_healed_and_cleaned
}

an_ipvlan_in_its_mode_l3s_is_refused() {
	local said
	_two_on ipvlan mode l3s
	daemon_with hold
	said=$(hopfault partition netns:one netns:two 2>&1) && fail "it was taken"
	grep "eth0 is a ipvlan" <<<"$said"
}
