#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# foreign.sh - what somebody else has put on a device works on, and stays as it was.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

FRAME=$((14 + 20 + 8 + 333)) # of a UDP packet with 333 bytes, which nothing else here sends

# _count DEVICE tcx|clsact: somebody's program is attached; its counts come with _counted
_count() {
	mkfifo "$scratch/gate"
	"$TOOLS/behind" "$net-sw" "$1" "$2" "$FRAME" <"$scratch/gate" >"$scratch/counted" 2>"$scratch/behind" &
	behind=$!
	exec 8>"$scratch/gate"
	wait_until 5 _is_attached
}

_is_attached() {
	local status=0
	grep -q ready "$scratch/counted" && return
	has_ended "$behind" || return 1
	wait "$behind" || status=$?
	((status != 77)) || skip "this kernel has no TCX"
	fail "$(cat "$scratch/behind")"
}

# Sets $counts.
_counted() {
	exec 8>&-
	wait "$behind"
	counts=$(grep egress "$scratch/counted")
}

# Ours first, theirs behind it.
_all_that_passes_is_seen() { # THEIRS
	local figures counts
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" loss 30% proto udp port 4242
	_count right "$1"
	figures=$(udp left right -b 333 -n 1000 -i 0)
	udp right left -b 333 -n 500 -i 0 >/dev/null
	_counted
	must_be_within "seen of those that we let pass" "$(value_of egress "$counts")" \
		"$(value_of received "$figures")" "$(value_of received "$figures")"
	must_be_within "seen of those that came back" "$(value_of ingress "$counts")" 500 500
	must_be "some were lost" "$(value_of received "$figures") < 900"
}

_all_that_is_held_is_seen_once() { # THEIRS
	local counts
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" delay 5ms
	_count right "$1"
	must_be_within "received" "$(udp_arrived left right -b 333 -n 500 -i 200)" 500 500
	_counted
	must_be_within "seen of 500 that were held" "$(value_of egress "$counts")" 500 500
}

a_tcx_program_behind_ours_sees_every_packet_that_we_pass() {
	_all_that_passes_is_seen tcx
}

a_clsact_program_behind_our_tcx_sees_every_packet_that_we_pass() {
	_all_that_passes_is_seen clsact
}

a_clsact_program_behind_our_clsact_sees_every_packet_that_we_pass() {
	export HOPFAULT_WITHOUT=tcx
	_all_that_passes_is_seen clsact
}

a_tcx_program_sees_what_we_hold_once() {
	_all_that_is_held_is_seen_once tcx
}

a_clsact_program_sees_what_we_hold_once() {
	_all_that_is_held_is_seen_once clsact
}

a_clsact_program_behind_our_clsact_sees_what_we_hold_once() {
	export HOPFAULT_WITHOUT=tcx
	_all_that_is_held_is_seen_once clsact
}

# Everything that tc knows of both devices, without what counts or ages, and without what is ours.
_tc_state() {
	local device
	for device in left right; do
		tc -n "$net-sw" qdisc show dev "$device"
		tc -n "$net-sw" filter show dev "$device" egress
		tc -n "$net-sw" filter show dev "$device" ingress
	done | grep -vE 'link_(enter|leave)' | grep -vE "^filter protocol all pref [0-9]+ bpf chain 0 $" || true
}

_somebodys_qdisc_and_filter() { # tc's words for a root qdisc are what this kernel has
	local device
	for device in left right; do
		tc -n "$net-sw" qdisc add dev "$device" root handle 77: tbf rate 1gbit burst 256k latency 100ms
		tc -n "$net-sw" qdisc add dev "$device" clsact
	done
	mkfifo "$scratch/gate2"
	"$TOOLS/behind" "$net-sw" right clsact 60 <"$scratch/gate2" >"$scratch/theirs" &
	exec 7>"$scratch/gate2"
	wait_until 5 grep -q ready "$scratch/theirs"
}

_stays_as_it_was() {
	local before
	network left right
	warm left right
	_somebodys_qdisc_and_filter
	before=$(_tc_state)
	grep -q tbf <<<"$before"
	grep -q behind <<<"$before"
	owner
	hopfault add "$(ep left)" "$(ep right)" delay 10ms both
	hopfault add "$(ep left)" "$(ep right)" loss 10%
	udp left right -n 100 -i 500 >/dev/null
	diff <(echo "$before") <(_tc_state) || fail "changed during the fault"
	hopfault heal all
	diff <(echo "$before") <(_tc_state) || fail "changed after the heal"
	hopfault daemon --stop
	diff <(echo "$before") <(_tc_state) || fail "changed after the owner's end"
	owner
	hopfault add "$(ep left)" "$(ep right)" delay 10ms
	kill -KILL "$owner"
	wait_until 5 has_ended "$owner"
	hopfault clean
	diff <(echo "$before") <(_tc_state) || fail "changed after a kill and clean"
	exec 7>&-
}

foreign_qdisc_and_filter_stay_as_they_were() {
	_stays_as_it_was
}

foreign_qdisc_and_filter_stay_as_they_were_with_clsact() {
	export HOPFAULT_WITHOUT=tcx
	_stays_as_it_was
}

a_foreign_ingress_qdisc_is_left_and_the_command_refuses_where_clsact_must_be() {
	local before
	export HOPFAULT_WITHOUT=tcx
	network left right
	warm left right
	tc -n "$net-sw" qdisc add dev right handle ffff: ingress
	before=$(_tc_state)
	must_end 1 "ingress qdisc" "$HOPFAULT" add "$(ep left)" "$(ep right)" drop
	diff <(echo "$before") <(_tc_state) || fail "it was changed"
	no_fault_is_in_force
	must_be_within "received" "$(udp_arrived left right -n 50 -i 0)" 50 50
}

an_unmatched_packet_passes_as_it_is() {
	local figures
	network left right
	warm left right
	hopfault add "$(ep left)" "$(ep right)" drop proto udp port 9
	figures=$(udp left right -n 2000 -i 0)
	must_be_within "received" "$(value_of received "$figures")" 2000 2000
	must_be_within "packets twice" "$(value_of duplicated "$figures")" 0 0
	must_be_within "out of order" "$(value_of reordered "$figures")" 0 0
}

run_facts "$@"
