#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# match.sh - a rule meets the packets that it names, on real traffic, and no other.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

_dropping() { # MATCH...
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" drop "$@"
}

_passes() { # OPTION...
	must_be_within "received ($*)" "$(udp_arrived left right "$@" -n 100 -i 0 -w 300)" 100 100
}

_is_cut() {
	must_be_within "received ($*)" "$(udp_arrived left right "$@" -n 100 -i 0 -w 200)" 0 0
}

_no_answer() { # ADDRESS
	if within left ping -n -q -c 3 -i 0.1 -W 0.5 "$1"; then
		fail "$1 answers"
	fi
}

proto_udp_leaves_icmp_and_tcp_alone() {
	_dropping proto udp
	_is_cut
	_is_cut 6
	answers left "$(v4 right)"
	answers left "$(v6 right)"
	must_say "received 100000 wrong 0" "$TOOLS/tcpflow" "$net-left" "$net-right" "$(v4 right)" 5001 100000 1000000 10
}

proto_icmp_leaves_udp_and_neighbour_discovery_alone() {
	_dropping proto icmp
	_no_answer "$(v4 right)"
	_no_answer "$(v6 right)"
	within left ip neigh flush dev eth0
	_passes
	_passes 6
}

proto_tcp_leaves_udp_and_icmp_alone() {
	_dropping proto tcp
	_passes
	_passes 6
	answers left "$(v4 right)"
	must_end 1 "no connection" "$TOOLS/tcpflow" "$net-left" "$net-right" "$(v4 right)" 5001 1000 1000 1
}

port_is_the_destinations_and_lists_and_ranges_count() {
	_dropping proto udp port 5000,6000-6010
	_is_cut -p 5000
	_is_cut -p 6000
	_is_cut -p 6010
	_is_cut 6 -p 6005
	_passes -p 5001
	_passes -p 5999
	_passes -p 6011
	_passes -p 4242 -s 5000
}

sport_is_the_sources() {
	_dropping proto udp sport 5000
	_is_cut -s 5000
	_is_cut 6 -s 5000
	_passes -s 5001
	_passes -p 5000
}

a_port_without_a_protocol_means_tcp_and_udp() {
	_dropping port 5001
	_is_cut -p 5001
	must_end 1 "no connection" "$TOOLS/tcpflow" "$net-left" "$net-right" "$(v4 right)" 5001 1000 1000 1
	answers left "$(v4 right)"
}

fragments_follow_their_first_or_pass() {
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" delay 5ms
	within left ping -n -q -c 5 -i 0.1 -s 4000 -W 2 "$(v4 right)"
	within left ping -n -q -c 5 -i 0.1 -s 4000 -W 2 "$(v6 right)"
	must_be_within "a large ping's time (us)" "$(within left ping -n -q -c 5 -i 0.1 -s 4000 -W 2 "$(v4 right)" |
		awk -F'[ /]' '/^rtt/ { printf "%d\n", $7 * 1000 }')" 5000 60000
}

share_keeps_a_connections_fate() {
	local figures
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" drop proto udp share 30% seed 11
	figures=$(udp left right -f 400 -n 4000 -i 0 -w 300)
	note "share 30 %: $(value_of none "$figures") of 400 flows cut"
	must_be_within "flows of mixed fate" "$(value_of mixed "$figures")" 0 0
	must_be_within "flows cut" "$(value_of none "$figures")" 75 165
}

groups_of_names_mean_every_pair() {
	network one two three
	warm one three
	warm two three
	hopfault add "$(ep one,two)" "$(ep three)" drop proto udp
	must_be_within "one to three" "$(udp_arrived one three -n 50 -i 0 -w 200)" 0 0
	must_be_within "two to three" "$(udp_arrived two three -n 50 -i 0 -w 200)" 0 0
	must_be_within "one to two" "$(udp_arrived one two -n 50 -i 0)" 50 50
	must_be_within "three to one" "$(udp_arrived three one -n 50 -i 0)" 50 50
}

a_rule_that_matches_nothing_says_so() {
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" drop proto udp port 9
	must_say "matched no packet" hopfault status
	must_say "matched no packet" hopfault heal all
}

run_facts "$@"
