#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# loss.sh - as many packets are lost as was asked, the same ones for the same seed, and no other.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

# Five standard deviations of a binomial distribution: once in 1.7 million runs chance alone would be outside.
_is_binomial() { # WHAT LOST SENT PERCENT
	python3 -c '
import math, sys
lost, sent, p = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 100
mean, room = sent * p, 5 * math.sqrt(sent * p * (1 - p))
sys.exit(None if abs(lost - mean) <= room else f"{lost} of {sent} is not within {mean:.0f} +- {room:.0f}")' \
		"$2" "$3" "$4" || fail "$1: $2 lost of $3 at $4 % is outside of five standard deviations"
}

_lossy() { # PERCENT SEED COUNT: one run; prints udpflow's line
	hopfault add "$(ep left)" "$(ep right)" loss "$1" proto udp seed "$2" >&2
	udp left right -n "$3" -i 0
	must_be_within "matched" "$(count_of matched)" "$3" "$3"
	count_of dropped >"$scratch/dropped"
	hopfault heal all >&2
}

a_loss_of_1_percent_is_binomial_over_100000_packets() {
	local figures lost
	network left right
	warm left right
	figures=$(_lossy 1% 7 100000)
	lost=$((100000 - $(value_of received "$figures")))
	note "1 % asked: $lost of 100000 lost"
	_is_binomial "packets" "$lost" 100000 1
	must_be_within "dropped, by its own count" "$(cat "$scratch/dropped")" "$lost" "$lost"
}

the_same_seed_loses_the_same_packets_and_another_seed_others() {
	local first again other
	network left right
	warm left right
	first=$(_lossy 10% 42 20000)
	again=$(_lossy 10% 42 20000)
	other=$(_lossy 10% 43 20000)
	_is_binomial "packets" $((20000 - $(value_of received "$first"))) 20000 10
	[[ $(value_of digest "$first") == "$(value_of digest "$again")" ]] || fail "the same seed: $first - and again: $again"
	[[ $(value_of digest "$first") != "$(value_of digest "$other")" ]] || fail "another seed lost the same packets"
}

the_other_direction_loses_nothing() {
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" loss 50%
	must_be_within "received" "$(udp_arrived right left -n 2000 -i 0)" 2000 2000
}

a_loss_of_100_percent_lets_nothing_through_and_0_percent_everything() {
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" loss 100%
	must_be_within "received" "$(udp_arrived left right -n 500 -i 0 -w 200)" 0 0
	hopfault heal all
	must_be_within "received" "$(udp_arrived left right -n 500 -i 0)" 500 500
}

what_is_not_lost_is_delayed_when_both_are_asked() {
	local figures
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" delay 10ms loss 20% seed 5
	figures=$(udp left right -n 2000 -i 200)
	_is_binomial "packets" $((2000 - $(value_of received "$figures"))) 2000 20
	must_be_within "the shortest way (us)" "$(value_of min_us "$figures")" 10000 40000
}

tcp_survives_a_loss_with_every_byte() {
	local figures
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" loss 2% seed 9
	figures=$("$TOOLS/tcpflow" "$net-left" "$net-right" "$(v4 right)" 5001 2000000 2000000 30)
	must_be_within "bytes received" "$(value_of received "$figures")" 2000000 2000000
	must_be_within "wrong bytes" "$(value_of wrong "$figures")" 0 0
	must_be "segments were sent again" "$(value_of retransmits "$figures") > 0"
}

run_facts "$@"
