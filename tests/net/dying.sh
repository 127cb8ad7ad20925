#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dying.sh - endpoints that die while a command works on them: the whole fault is in force then, or nothing of it.
#
# The instant is drawn anew each time, from the command's start to after its end.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

_times=16
_longest_us=30000 # such a command takes half of that here

_six() {
	network one two three four five six
	hopfault add "$(ep one)" "$(ep two)" loss 0% # the owner is there, and its programs are loaded
	hopfault heal
}

_reborn() { # NAME: it has lost its veth, and gets another
	local number=${node_number[$1]}
	ip -n "$net-sw" link add "$1" type veth peer name eth0 netns "$net-$1"
	ip -n "$net-sw" link set "$1" master br0 up
	ip -n "$net-$1" link set eth0 up
	ip -n "$net-$1" addr add "10.77.0.$number/24" dev eth0
	ip -n "$net-$1" addr add "fd77::$number/64" dev eth0 nodad
	warm "$1" one
}

# One death in the middle of a command; sets $status, and leaves what the command said in $scratch/said.
_dies_during() { # NAME COMMAND-WORDS...
	local name=$1 killer
	shift
	(
		pause "$(awk -v us=$((RANDOM * 2 % _longest_us)) 'BEGIN { printf "%.6f", us / 1000000 }')"
		ip -n "$net-sw" link del "$name"
	) &
	killer=$!
	status=0
	timeout 20 "$HOPFAULT" "$@" >"$scratch/said" 2>&1 || status=$?
	wait "$killer" || fail "$name could not be killed"
}

_dead_in_the_middle_of() { # COMMAND-WORDS...
	local i done=0 refused=0
	_six
	for ((i = 0; i < _times; i++)); do
		_dies_during four "$@"
		if ((status == 0)); then
			done=$((done + 1))
			[[ $(faults_in_force) == 1 ]] || fail "it was done, and $(faults_in_force) faults are in force"
			! _answers one "$(v4 five)" || fail "it was done, and one reaches five"
		else
			refused=$((refused + 1))
			((status == 1 || status == 2)) || fail "it ended with $status: $(<"$scratch/said")"
			grep -q four "$scratch/said" || fail "the reason does not name who died: $(<"$scratch/said")"
			no_fault_is_in_force || fail "it was refused, and a fault is in force"
			answers one "$(v4 five)" || fail "it was refused, and one does not reach five"
		fi
		answers one "$(v4 two)" || fail "who was not named is cut off"
		hopfault heal >/dev/null
		_reborn four
	done
	note "of $_times: $done done, $refused refused"
	wait_until 5 answers one "$(v4 four)"
}

a_partition_stands_whole_or_not_at_all() {
	_dead_in_the_middle_of partition "$(ep one,two)" "$(ep four,five,six)"
}

a_rule_on_many_links_stands_whole_or_not_at_all() {
	_dead_in_the_middle_of add "$(ep one,two)" "$(ep four,five,six)" drop both
}

a_delay_leaves_no_tap_and_no_hook_of_who_died() {
	local i
	_six
	for ((i = 0; i < _times; i++)); do
		_dies_during four add "$(ep one,two)" "$(ep four,five,six)" delay 5ms both
		hopfault heal >/dev/null
		_reborn four
	done
	wait_until 5 answers one "$(v4 four)"
	must_be_within "us without a fault" "$(rtt_us one "$(v4 five)")" 0 4000
}

run_facts "$@"
