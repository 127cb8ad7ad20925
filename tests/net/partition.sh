#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# partition.sh - a cut cuts what was asked, at one instant, and heals without a byte lost.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

_progress_is_beyond() {
	[[ -s $1 && $(awk 'NR == 1 { print $1 }' "$1") -gt $2 ]]
}

_progress() {
	awk 'NR == 1 { print $1 }' "$1"
}

_tcp_is_cut_and_goes_on() { # ADDRESS
	local flow before after figures
	network left right
	warm left right
	"$TOOLS/tcpflow" "$net-left" "$net-right" "$1" 5001 3000000 1000000 40 "$scratch/progress" >"$scratch/flow" &
	flow=$!
	wait_until 10 _progress_is_beyond "$scratch/progress" 200000
	hopfault partition "$(ep left)" "$(ep right)"
	before=$(_progress "$scratch/progress")
	pause 0.7
	after=$(_progress "$scratch/progress")
	[[ $before == "$after" ]] || fail "$((after - before)) bytes crossed the partition"
	hopfault heal all
	wait "$flow" || fail "the connection did not survive: $(cat "$scratch/flow")"
	figures=$(cat "$scratch/flow")
	must_be_within "bytes received" "$(value_of received "$figures")" 3000000 3000000
	must_be_within "wrong bytes" "$(value_of wrong "$figures")" 0 0
	must_be_within "the longest gap (ms)" "$(value_of longest_gap_ms "$figures")" 700 30000
}

a_partition_cuts_an_established_tcp_connection_that_goes_on_after_the_heal() {
	_tcp_is_cut_and_goes_on 10.77.0.2
}

the_same_over_ipv6() {
	_tcp_is_cut_and_goes_on fd77::2
}

a_partition_cuts_between_groups_and_not_inside() {
	network one two three four
	warm one two
	warm three four
	warm one three
	hopfault partition "$(ep one,two)" "$(ep three,four)"
	answers one "$(v4 two)"
	answers three "$(v4 four)"
	! answers one "$(v4 three)" || fail "one reaches three"
	! answers four "$(v6 two)" || fail "four reaches two"
	hopfault heal all
	answers one "$(v4 three)"
	answers four "$(v6 two)"
}

oneway_cuts_what_the_first_group_sends_alone() {
	network left right
	warm left right
	hopfault partition "$(ep left)" "$(ep right)" oneway
	must_be_within "left to right" "$(udp_arrived left right -n 50 -i 0 -w 200)" 0 0
	must_be_within "right to left" "$(udp_arrived right left -n 50 -i 0)" 50 50
}

a_oneway_cut_stays_one_way_with_a_cold_ipv6_neighbour_cache() {
	network left right
	hopfault add "$(ep right)" "$(ep left)" drop
	within left ip -6 neigh flush dev eth0
	within right ip -6 neigh flush dev eth0
	must_be_within "left to right, nobody known" "$(udp_arrived left right 6 -n 50 -i 2000 -w 3000)" 50 50
	within left ip -6 neigh flush dev eth0
	within right ip -6 neigh flush dev eth0
	must_be_within "right to left" "$(udp_arrived right left 6 -n 50 -i 2000 -w 200)" 0 0
}

a_oneway_cut_stays_one_way_with_a_cold_arp_cache() {
	network left right
	hopfault add "$(ep right)" "$(ep left)" drop
	within left ip neigh flush dev eth0
	within right ip neigh flush dev eth0
	must_be_within "left to right, nobody known" "$(udp_arrived left right -n 50 -i 2000 -w 3000)" 50 50
	must_be_within "right to left" "$(udp_arrived right left -n 50 -i 2000 -w 200)" 0 0
}

proto_nd_cuts_neighbour_discovery() {
	network left right
	warm left right
	hopfault add "$(ep right)" "$(ep left)" drop proto nd
	answers left "$(v6 right)" || fail "a known neighbour does not answer"
	within left ip -6 neigh flush dev eth0
	! answers left "$(v6 right)" || fail "the neighbour was found"
	answers left "$(v4 right)"
	must_be "packets were dropped" "$(count_of dropped) > 0"
}

proto_arp_cuts_address_resolution() {
	network left right
	warm left right
	hopfault add "$(ep right)" "$(ep left)" drop proto arp
	within left ip -4 neigh flush dev eth0
	within right ip -4 neigh flush dev eth0
	! answers left "$(v4 right)" || fail "the address was resolved"
	answers left "$(v6 right)"
	must_be "packets were dropped" "$(count_of dropped) > 0"
}

packets_held_when_a_partition_falls_do_not_cross_it() {
	local flow figures
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" delay 2s
	udp left right -n 50 -i 1000 -w 4000 >"$scratch/flow" &
	flow=$!
	wait_until 5 _delayed_are 50
	hopfault partition "$(ep left)" "$(ep right)"
	wait "$flow"
	figures=$(cat "$scratch/flow")
	must_be_within "packets that crossed" "$(value_of received "$figures")" 0 0
	must_be_within "dropped by the partition" "$(count_of dropped 2)" 50 60
}

_delayed_are() {
	[[ $(count_of delayed 1) -ge $1 ]] # the kernel may have something to say as well
}

a_wrong_name_in_the_last_group_changes_nothing() {
	network one two three
	warm one two
	warm one three
	owner
	must_end 2 "unknown|no such|nosuch" "$HOPFAULT" partition "$(ep one)" "$(ep two)" "netns:$net-nosuch"
	[[ $(faults_in_force) == 0 ]] || fail "a fault is in force: $(hopfault status)"
	answers one "$(v4 two)"
	answers one "$(v4 three)"
	[[ -z $(_ours_in "$net-sw") ]] || fail "something is attached: $(_ours_in "$net-sw")"
}

healing_one_of_two_faults_leaves_the_other() {
	network one two three
	warm one two
	warm one three
	hopfault add "$(ep one)" "$(ep two)" drop proto udp
	hopfault add "$(ep one)" "$(ep three)" drop proto udp
	hopfault heal 1
	must_be_within "one to two" "$(udp_arrived one two -n 50 -i 0)" 50 50
	must_be_within "one to three" "$(udp_arrived one three -n 50 -i 0 -w 200)" 0 0
	hopfault heal 2
	must_be_within "one to three" "$(udp_arrived one three -n 50 -i 0)" 50 50
}

two_faults_on_one_link_are_healed_one_by_one() {
	local figures
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" drop proto udp
	hopfault add "$(ep left)" "$(ep right)" delay 20ms
	must_be_within "with both" "$(udp_arrived left right -n 50 -i 0 -w 200)" 0 0
	hopfault heal 1
	figures=$(udp left right -n 50)
	must_be_within "with the delay alone" "$(value_of received "$figures")" 50 50
	must_be_within "the shortest way (us)" "$(value_of min_us "$figures")" 20000 60000
	must_end 2 "." "$HOPFAULT" heal 1
}

majorities_ring_lets_each_node_see_a_majority() {
	local from to seen
	local nodes=(n1 n2 n3 n4 n5)
	network "${nodes[@]}"
	for to in "${nodes[@]:1}"; do warm n1 "$to"; done
	# shellcheck disable=SC2046 # words
	hopfault partition --grudge majorities-ring $(for from in "${nodes[@]}"; do ep "$from"; done)
	for from in "${nodes[@]}"; do
		seen=1
		for to in "${nodes[@]}"; do
			[[ $from == "$to" ]] || ! within "$from" ping -n -q -c 2 -i 0.1 -W 0.5 "$(v4 "$to")" || seen=$((seen + 1))
		done
		must_be_within "nodes that $from sees, with itself" "$seen" 3 3
	done
}

a_bridge_in_order_sees_both_sides() {
	local nodes=(n1 n2 n3 n4 n5) name
	network "${nodes[@]}"
	for name in "${nodes[@]:1}"; do warm n1 "$name"; done
	warm n3 n5
	# shellcheck disable=SC2046 # words
	hopfault partition --grudge bridge --in-order $(for name in "${nodes[@]}"; do ep "$name"; done)
	answers n1 "$(v4 n2)" || fail "the first two are cut apart"
	answers n1 "$(v4 n3)" || fail "the first does not see the bridge"
	answers n3 "$(v4 n5)" || fail "the bridge does not see the last"
	! answers n1 "$(v4 n4)" || fail "the first sees the fourth"
	! answers n5 "$(v4 n2)" || fail "the last sees the second"
}

run_facts "$@"
