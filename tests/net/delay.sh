#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# delay.sh - packets are held as long as was asked, on the link that was asked, and nowhere else.
#
# The machine may be busy: a time is asserted from below exactly (a packet is never early), from above loosely.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

LOOSE_US=40000 # what a busy machine may add to the median

_is_held() { # FIGURES DELAY_US: all arrived, none early, half of them in time
	must_be_within "packets received" "$(value_of received "$1")" "$(value_of sent "$1")" "$(value_of sent "$1")"
	must_be_within "the shortest way (us)" "$(value_of min_us "$1")" "$2" $(($2 + LOOSE_US))
	must_be_within "the median way (us)" "$(value_of p50_us "$1")" "$2" $(($2 + LOOSE_US))
}

_is_not_held() {
	must_be_within "packets received" "$(value_of received "$1")" "$(value_of sent "$1")" "$(value_of sent "$1")"
	must_be_within "the median way (us)" "$(value_of p50_us "$1")" 0 15000
}

a_delay_of_20ms_holds_one_direction_only() {
	local there back
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" delay 20ms
	there=$(udp left right -n 200)
	back=$(udp right left -n 200)
	_is_held "$there" 20000
	_is_not_held "$back"
	note "20 ms asked: median $(value_of p50_us "$there") us there, $(value_of p50_us "$back") us back"
}

a_delay_of_20ms_holds_one_direction_only_over_ipv6() {
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" delay 20ms
	_is_held "$(udp left right 6 -n 200)" 20000
	_is_not_held "$(udp right left 6 -n 200)"
}

both_holds_both_directions() {
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" delay 20ms both
	_is_held "$(udp left right -n 100)" 20000
	_is_held "$(udp right left -n 100)" 20000
	must_be_within "a ping's time (us)" "$(rtt_us left "$(v4 right)")" 40000 120000
}

a_third_node_is_not_held() {
	network left right third
	warm left right
	warm left third
	hopfault add "$(ep left)" "$(ep right)" delay 50ms
	_is_not_held "$(udp left third -n 100)"
	_is_not_held "$(udp third right -n 100)"
}

jitter_spreads_from_asked_less_jitter_to_asked_plus_jitter() {
	local figures
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" delay 30ms 20ms seed 3
	figures=$(udp left right -n 400 -i 2000)
	must_be_within "packets received" "$(value_of received "$figures")" 400 400
	must_be_within "the shortest way (us)" "$(value_of min_us "$figures")" 10000 14000
	must_be_within "the median way (us)" "$(value_of p50_us "$figures")" 26000 60000
	must_be_within "the longest way (us)" "$(value_of max_us "$figures")" 46000 400000
}

packets_of_one_flow_keep_their_order() {
	local figures
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" delay 10ms
	figures=$(udp left right -n 5000 -i 100)
	must_be_within "packets received" "$(value_of received "$figures")" 5000 5000
	must_be_within "packets out of order" "$(value_of reordered "$figures")" 0 0
	must_be_within "packets twice" "$(value_of duplicated "$figures")" 0 0
}

a_heal_lets_go_what_is_held_in_order_and_at_once() {
	local figures pid
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" delay 5s
	udp left right -n 50 -i 1000 -w 4000 >"$scratch/flow" &
	pid=$!
	wait_until 5 _delayed_are 50
	hopfault heal all
	wait "$pid"
	figures=$(cat "$scratch/flow")
	must_be_within "packets received" "$(value_of received "$figures")" 50 50
	must_be_within "packets out of order" "$(value_of reordered "$figures")" 0 0
	must_be_within "the longest way (us)" "$(value_of max_us "$figures")" 0 4900000
}

_delayed_are() {
	[[ $(count_of delayed) -ge $1 ]] # the kernel may have something to say as well
}

the_status_has_what_was_asked_beside_what_was_achieved() {
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" delay 7ms proto udp
	udp left right -n 100 >/dev/null
	must_be_within "matched" "$(count_of matched)" 100 100
	must_be_within "delayed" "$(count_of delayed)" 100 100
	must_be_within "released" "$(count_of released)" 100 100
	must_be_within "asked (ns)" "$(count_of asked_ns)" 700000000 700000000
	must_be_within "too long by (ns, p50)" "$(count_of error_p50_ns)" 0 20000000
}

tcp_goes_through_a_delay_with_every_byte() {
	local figures
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" delay 5ms both
	figures=$("$TOOLS/tcpflow" "$net-left" "$net-right" "$(v4 right)" 5001 4000000 100000000 20)
	must_be_within "bytes received" "$(value_of received "$figures")" 4000000 4000000
	must_be_within "wrong bytes" "$(value_of wrong "$figures")" 0 0
}

run_facts "$@"
