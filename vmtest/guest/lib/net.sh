# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# net.sh - small networks for guest tests, and how they are measured.

LEFT4=10.9.0.1 RIGHT4=10.9.0.2
LEFT6=fd09::1 RIGHT6=fd09::2

# Devices made from now on send no router solicitations. There is no router; five devices that ask for one in the same
# tick hold the only CPU for 80 us, and a packet due then with it.
asks_for_no_router() {
	echo 0 >/proc/sys/net/ipv6/conf/default/router_solicitations
}

# left [eth0] === left0 [bridge0] right0 === [eth0] right
two_namespaces_on_a_bridge() {
	local name address4 address6
	asks_for_no_router
	ip link add bridge0 type bridge forward_delay 0
	ip link set bridge0 up
	while read -r name address4 address6; do
		ip netns add "$name"
		ip netns exec "$name" bash -c "$(declare -f asks_for_no_router); asks_for_no_router"
		ip link add "${name}0" type veth peer name eth0 netns "$name"
		ip link set "${name}0" master bridge0 up
		ip -n "$name" link set lo up
		ip -n "$name" link set eth0 up
		ip -n "$name" addr add "$address4/24" dev eth0
		ip -n "$name" addr add "$address6/64" dev eth0 nodad
	done <<-END
		left $LEFT4 $LEFT6
		right $RIGHT4 $RIGHT6
	END
}

# The value after a word: value_of max "min 1 p50 2 max 3" -> 3
value_of() {
	local wanted=$1 word previous=
	for word in $2; do
		if [[ $previous == "$wanted" ]]; then
			echo "$word"
			return
		fi
		previous=$word
	done
	return 1
}

# a_namespace_beyond_the_host: far, 192.0.2.2 and 2001:db8::2, which left reaches by the host alone
a_namespace_beyond_the_host() {
	ip netns add far
	ip netns exec far bash -c "$(declare -f asks_for_no_router); asks_for_no_router"
	ip link add far0 type veth peer name eth0 netns far
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip addr add "${LEFT4%.*}.254/24" dev bridge0
	ip addr add "${LEFT6%::*}::fe/64" dev bridge0 nodad
	ip link set far0 up
	ip addr add 192.0.2.1/24 dev far0
	ip addr add 2001:db8::1/64 dev far0 nodad
	ip -n far link set eth0 up
	ip -n far addr add 192.0.2.2/24 dev eth0
	ip -n far addr add 2001:db8::2/64 dev eth0 nodad
	ip -n far route add default via 192.0.2.1
	ip -n far -6 route add default via 2001:db8::1
	ip -n left route add default via "${LEFT4%.*}.254"
	ip -n left -6 route add default via "${LEFT6%::*}::fe"
}

# one_way LEFT-OR-RIGHT ADDRESS [COUNT [INTERVAL_US]]: see vmtest-oneway
# The tick of these kernels comes every 4 ms. 200 packets 20 us off half of that meet it at 200 places, in every run; a
# whole part of 4 ms would meet it at the same place always: in one run with each packet, in the next with none.
one_way() {
	local from=$1 to=right
	[[ $from == left ]] || to=left
	vmtest-oneway "$from" "$to" "$2" "${3:-200}" "${4:-2020}"
}

# throughput_mbit: one TCP flow from left to right, in Mbit/s, for some seconds
throughput_mbit() {
	local seconds=${1:-3}
	ip netns exec right iperf3 -s -1 -D -I /run/iperf3.pid
	wait_for "iperf3 listens" listens_in right 5201
	ip netns exec left iperf3 -c "$RIGHT4" -t "$seconds" -f k -J >/run/iperf3.json
	awk '/"sum_received"/ { inside = 1 }
		inside && /"bits_per_second"/ { gsub(/[^0-9.e+]/, "", $2); printf "%d\n", $2 / 1e6; exit }' /run/iperf3.json
}

listens_in() {
	local netns=$1 port=$2
	[[ -n $(ip netns exec "$netns" ss -Hltn "sport = :$port") ]]
}

# wait_for WHAT COMMAND...: until the command succeeds, for at most 10 s of the guest's time
wait_for() {
	local what=$1 try
	shift
	for try in {1..200}; do
		if "$@"; then
			return
		fi
		sleep 0.05
	done
	fail "waited $((try / 20)) s in vain until $what"
}

must_be_within() {
	local what=$1 value=$2 low=$3 high=$4
	((value >= low && value <= high)) || fail "$what is $value, not within $low to $high"
}

needs_virtual_time() {
	[[ $VIRTUAL_TIME == yes ]] || skip "times can be asserted in virtual time only"
}

kernel_has() {
	[[ ",$HAS," == *",$1,"* ]]
}
