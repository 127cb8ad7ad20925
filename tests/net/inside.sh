#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# inside.sh - endpoints on a macvlan, which have no veth on the host's side: worked on inside, where ingress is the way in.
#
#   one, two, three  macvlan on low0, 10.80.0.N ==== shim, 10.80.0.254 [sw, routes] 10.77.0.254 ==== br0: left, right
#                                                                      ======= far 192.0.2.2, the world
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

_inside() {
	local name number=0
	network left right
	ip netns exec "$net-sw" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "$net-sw" addr add 10.77.0.254/24 dev br0
	ip -n "$net-sw" addr add fd77::fe/64 dev br0 nodad
	ip -n "$net-sw" link add low0 type veth peer name low1
	ip -n "$net-sw" link set low0 up
	ip -n "$net-sw" link set low1 up
	ip -n "$net-sw" link add link low0 name shim type macvlan mode bridge 2>/dev/null || skip "this kernel has no macvlan"
	_address sw shim 254 fe
	for name in one two three; do
		number=$((number + 1))
		_namespace "$name"
		_macvlan "$name" "$number"
	done
	for name in left right; do
		ip -n "$net-$name" route add default via 10.77.0.254
		ip -n "$net-$name" -6 route add default via fd77::fe
	done
	_namespace far
	ip -n "$net-sw" link add far type veth peer name eth0 netns "$net-far"
	ip -n "$net-sw" link set far up
	ip -n "$net-sw" addr add 192.0.2.1/24 dev far
	ip -n "$net-far" link set eth0 up
	ip -n "$net-far" addr add 192.0.2.2/24 dev eth0
	ip -n "$net-far" route add default via 192.0.2.1
	wait_until 10 _answers one 10.80.0.2
	wait_until 10 _answers one fd80::3
	wait_until 10 _answers left 10.80.0.1
	wait_until 10 _answers left fd80::1
	wait_until 10 _answers one 192.0.2.2
}

_macvlan() { # NODE NUMBER
	ip -n "$net-sw" link add link low0 name new0 address "02:00:0a:50:00:0$2" type macvlan mode bridge
	ip -n "$net-sw" link set new0 netns "$net-$1" name eth0
	_address "$1" eth0 "$2" "$2"
	ip -n "$net-$1" route add default via 10.80.0.254
	ip -n "$net-$1" -6 route add default via fd80::fe
}

_address() { # NAMESPACE DEVICE NUMBER NUMBER_V6
	ip -n "$net-$1" link set "$2" up
	ip -n "$net-$1" addr add "10.80.0.$3/24" dev "$2"
	ip -n "$net-$1" addr add "fd80::$4/64" dev "$2" nodad
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

_arrived() { # FROM TO ADDRESS [OPTION...]
	local from=$1 to=$2 address=$3
	shift 3
	value_of received "$("$TOOLS/udpflow" "$@" "$net-$from" "$net-$to" "$address")"
}

two_on_one_device_are_cut_apart_and_no_third() {
	_inside
	must_say "(2 links)" hopfault partition "$(ep one)" "$(ep two)"
	_misses one 10.80.0.2 fd80::2
	_misses two 10.80.0.1 fd80::1
	_reaches one 10.80.0.3 fd80::3 "$(v4 left)" 10.80.0.254
	_reaches three 10.80.0.2 fd80::2
	hopfault heal
	_reaches one 10.80.0.2 fd80::2
}

a_cut_of_one_direction_leaves_the_other() {
	_inside
	hopfault add "$(ep one)" "$(ep two)" drop proto udp
	must_be_within "there" "$(_arrived one two 10.80.0.2 -n 30 -i 0 -w 200)" 0 0
	must_be_within "back" "$(_arrived two one 10.80.0.1 -n 30 -i 0)" 30 30
	must_be_within "there, IPv6" "$(_arrived one two fd80::2 -n 30 -i 0 -w 200)" 0 0
	must_be_within "back, IPv6" "$(_arrived two one fd80::1 -n 30 -i 0)" 30 30
	must_be_within "dropped" "$(count_of dropped)" 60 60
}

_lost_are_the_same_in_every_run() { # FROM TO ADDRESS
	local first second
	hopfault add "$(ep "$1")" "$(ep "$2")" loss 30% proto udp seed 7
	first=$("$TOOLS/udpflow" -n 400 -i 0 -w 200 "$net-$1" "$net-$2" "$3")
	must_be_within "received of 400" "$(value_of received "$first")" 230 330
	must_be_within "matched" "$(count_of matched)" 400 400
	must_be_within "dropped and received" "$(($(count_of dropped) + $(value_of received "$first")))" 400 400
	hopfault heal
	hopfault add "$(ep "$1")" "$(ep "$2")" loss 30% proto udp seed 7
	second=$("$TOOLS/udpflow" -n 400 -i 0 -w 200 "$net-$1" "$net-$2" "$3")
	[[ $(value_of digest "$first") == "$(value_of digest "$second")" ]] || fail "others were lost: $first, $second"
	hopfault heal
}

loss_strikes_each_packet_once_on_every_kind_of_way() {
	_inside
	_lost_are_the_same_in_every_run one two 10.80.0.2
	_lost_are_the_same_in_every_run left one 10.80.0.1
	_lost_are_the_same_in_every_run one left "$(v4 left)"
}

it_is_cut_from_one_behind_a_veth_both_ways() {
	_inside
	hopfault partition "$(ep left)" "$(ep one)"
	_misses left 10.80.0.1 fd80::1
	_misses one "$(v4 left)" "$(v6 left)"
	_reaches right 10.80.0.1 fd80::1
	_reaches left 10.80.0.2 "$(v4 right)"
	hopfault heal
	hopfault add "$(ep one)" "$(ep left)" drop proto udp
	must_be_within "to the veth" "$(_arrived one left "$(v4 left)" -n 30 -i 0 -w 200)" 0 0
	must_be_within "from the veth" "$(_arrived left one 10.80.0.1 -n 30 -i 0)" 30 30
	hopfault heal
	hopfault add "$(ep left)" "$(ep one)" drop proto udp
	must_be_within "to the veth" "$(_arrived one left "$(v4 left)" -n 30 -i 0)" 30 30
	must_be_within "from the veth" "$(_arrived left one 10.80.0.1 -n 30 -i 0 -w 200)" 0 0
}

a_delay_is_made_at_the_veth_of_the_other_end() {
	local figures
	_inside
	hopfault add "$(ep left)" "$(ep one)" delay 20ms
	figures=$("$TOOLS/udpflow" -n 100 -i 2000 "$net-left" "$net-one" 10.80.0.1)
	must_be_within "arrived of 100" "$(value_of received "$figures")" 100 100
	must_be_within "the shortest way (us)" "$(value_of min_us "$figures")" 20000 60000
	figures=$("$TOOLS/udpflow" -n 100 -i 2000 "$net-one" "$net-left" "$(v4 left)")
	must_be_within "the median way back (us)" "$(value_of p50_us "$figures")" 0 15000
	must_be_within "released" "$(count_of released)" 100 110
	must_be_within "not delayed" "$(count_of undelayed)" 0 0
	hopfault heal
	hopfault add "$(ep one)" "$(ep left)" delay 20ms
	must_be_within "from inside to a veth and back, us" "$(rtt_us one "$(v4 left)")" 20000 60000
	must_be_within "from inside to inside, us" "$(rtt_us one 10.80.0.2)" 0 15000
	! ip -n "$net-one" -o link show | grep hfhold || fail "there is a TAP inside"
}

what_is_held_when_a_partition_falls_does_not_get_inside() {
	local flow
	_inside
	hopfault add "$(ep left)" "$(ep one)" delay 2s
	"$TOOLS/udpflow" -n 50 -i 1000 -w 4000 "$net-left" "$net-one" 10.80.0.1 >"$scratch/flow" &
	flow=$!
	wait_until 5 _delayed_are 50
	hopfault partition "$(ep left)" "$(ep one)"
	wait "$flow"
	must_be_within "packets that crossed" "$(value_of received "$(cat "$scratch/flow")")" 0 0
}

_delayed_are() {
	[[ $(count_of delayed 1) -ge $1 ]] # the kernel may have something to say as well
}

it_is_cut_from_host_and_world_each_by_itself() {
	_inside
	hopfault partition "$(ep one)" world
	_misses one 192.0.2.2
	_misses far 10.80.0.1
	_reaches one 10.80.0.254 10.80.0.2 "$(v4 left)"
	hopfault heal
	hopfault partition "$(ep one)" host
	_misses one 10.80.0.254 192.0.2.1
	_reaches one 192.0.2.2 10.80.0.2 "$(v4 left)"
	hopfault heal
	_reaches one 10.80.0.254
}

what_can_not_be_done_there_is_refused_with_the_reason() {
	_inside
	must_end 2 "netns:$net-one -> netns:$net-two|$net-two is on a macvlan or ipvlan, and a packet can be held at a veth alone" "$HOPFAULT" add "$(ep one)" "$(ep two)" delay 5ms
	must_end 2 "$net-one is on a macvlan or ipvlan" "$HOPFAULT" add "$(ep one)" world delay 5ms
	must_end 2 "$net-one is on a macvlan or ipvlan" "$HOPFAULT" add host "$(ep one)" delay 5ms
	must_end 2 "arp and nd" "$HOPFAULT" add "$(ep one)" "$(ep two)" drop proto arp
	no_fault_is_in_force
	_reaches one 10.80.0.2
}

its_namespace_is_not_kept_and_it_is_found_when_it_comes_again() {
	_inside
	owner
	hopfault partition "$(ep one)" "$(ep two)"
	_misses one 10.80.0.2
	ip netns del "$net-one"
	wait_until 5 _has_gone 10.80.0.1
	_namespace one
	_macvlan one 1
	wait_until 10 _is_cut_again
	_reaches three 10.80.0.1
	hopfault heal
	_reaches one 10.80.0.2
}

_has_gone() { # nobody answers, though it was never cut from three
	! _answers three "$1"
}

_is_cut_again() {
	_answers three 10.80.0.1 && ! _answers one 10.80.0.2
}

a_killed_owner_leaves_nothing_in_force_inside() {
	_inside
	owner
	hopfault partition "$(ep one)" "$(ep two,left)"
	_misses one 10.80.0.2
	kill -KILL "$owner"
	pause 1
	_reaches one 10.80.0.2 fd80::2 "$(v4 left)"
	hopfault clean
	[[ -z $(_ours_in "$net-one") ]] || fail "left inside: $(_ours_in "$net-one")"
}

a_trace_sees_calls_between_two_of_them_and_from_behind_a_veth() {
	local server callers name i
	_inside
	ip netns exec "$net-two" python3 -m http.server 8080 --bind 10.80.0.2 >/dev/null 2>&1 &
	server=$!
	wait_until 10 _calls one
	owner
	for name in one left; do
		(for ((i = 0; i < 20; i++)); do pause 0.1 && _calls "$name"; done) &
		callers=$!
		hopfault trace --chain "$(ep "$name,two")" -n 5 --for 10s --csv "$scratch/hops.csv"
		wait "$callers"
		# the request is seen to leave and to arrive, and so is the response
		awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
			$at["status"] == 200 && $at["total_ns"] > 0 && $at["net_req_ns"] > 0 && $at["net_resp_ns"] > 0 && $at["srv_app_ns"] > 0 { whole++ }
			END { exit !(NR == 6 && whole == 5) }' "$scratch/hops.csv" || fail "not five whole calls from $name: $(<"$scratch/hops.csv")"
	done
	kill "$server"
}

_calls() { # NAME
	ip netns exec "$net-$1" curl -sf -m 5 -o /dev/null http://10.80.0.2:8080/
}

ps_says_where_work_is_done() {
	_inside
	must_say "eth0 inside" hopfault ps
	must_say '"inside": true' hopfault ps --json
}

run_facts "$@"
