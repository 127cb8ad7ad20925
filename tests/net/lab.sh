#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lab.sh - the lab comes up, works, and leaves nothing behind, however it ends.
#
#     tests/net/lab.sh [FOLDER]		FOLDER: where labtool and hopchain are (build/tests/tools and build)
#
# Runs beside a user's own lab and other tests: its own run folder and its own prefix for names.
# shellcheck disable=SC2317,SC2015,SC2001,SC2143 # called by name, from run()
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
tool=${LABTOOL:-${1:-$here/build/tests/tools}/labtool}
chain=${HOPCHAIN:-${1:-$here/build}/hopchain}
kills=${KILLS:-20}
mine=t$(printf '%x' $$)
scratch=$(mktemp -d)
export HOPFAULT_RUN_DIR=$scratch/run HOPFAULT_LAB_PREFIX=$mine-
failed=0
count=0

cleanup() {
	"$tool" down >/dev/null 2>&1 || true
	ip netns del "${mine}x" 2>/dev/null || true
	ip netns del "${mine}y" 2>/dev/null || true
	rm -rf "$scratch"
}
trap cleanup EXIT

up() { "$tool" up -p "$chain" "$@"; }

# Everything of this lab that the system can show.
leftovers() {
	ip netns list | grep "^$HOPFAULT_LAB_PREFIX" || true
	ls -d /run/netns/"$HOPFAULT_LAB_PREFIX"* 2>/dev/null || true
	grep "/run/netns/$HOPFAULT_LAB_PREFIX" /proc/self/mountinfo || true
	[ ! -e "$HOPFAULT_RUN_DIR" ] || find "$HOPFAULT_RUN_DIR"
	processes
	ip -o link | grep -E ' veth-(client|a|b|c|d|e)@| br0:' || true
}

# Services whose environment names our folder. A dead process that nobody asked for has no environment any more.
processes() {
	local file
	{ grep -lzxF "HOPFAULT_RUN_DIR=$HOPFAULT_RUN_DIR" /proc/[0-9]*/environ 2>/dev/null || true; } | while read -r file; do
		[ "$(readlink "${file%environ}exe")" != "$chain" ] || echo "process ${file//[^0-9]/}"
	done
}

nothing_is_left() {
	local left
	left=$(leftovers)
	[ -z "$left" ] || { echo "$left"; return 1; }
}

# Until it succeeds, 5 s at most: a kill has been sent when kill returns, and not yet died of.
soon() { # COMMAND...
	local _
	for _ in $(seq 100); do
		! "$@" >/dev/null 2>&1 || return 0
		read -rt 0.05 <> <(:) || true
	done
}
is_not_whole() { ! "$tool" status; }
no_process_is_left() { [ -z "$(processes)" ]; }

refused() { # EXPECTED-TEXT COMMAND...
	local text=$1 said
	shift
	if said=$("$@" 2>&1); then echo "was not refused: $*"; return 1; fi
	grep -qF -- "$text" <<<"$said" || { echo "said: $said"; return 1; }
}

it_comes_up_and_the_chain_answers() {
	up
	"$tool" status | tail -1 | grep -qx whole=1
	"$tool" client curl -sf -m 5 http://10.83.0.2:8080/ | grep -q '"service":"e"'
	"$tool" client curl -sfg -m 5 'http://[fd83::2]:8080/' | grep -q '"service":"e"'
	"$tool" client ping -6 -c 1 -W 2 fd83::6 >/dev/null
}

nothing_shows_in_the_hosts_own_namespace() {
	[ -z "$(ip -o link | grep -E ' veth-(client|a|b|c|d|e)@| br0:')" ]
}

a_service_has_its_own_name_hosts_and_processes() {
	local pid
	pid=$("$tool" status | sed -n 's/^b .*pid=\([0-9]*\).*/\1/p')
	[ "$(nsenter -t "$pid" -u hostname)" = b ]
	nsenter -t "$pid" -m -p cat /etc/hosts | grep -q $'10.83.0.4\tc$'
	[ "$(nsenter -t "$pid" -m -p sh -c 'ls -d /proc/[0-9]*' | wc -l)" -le 4 ]
}

endpoints_are_found_by_every_kind_of_name() {
	local pid
	pid=$("$tool" status | sed -n 's/^b .*pid=\([0-9]*\).*/\1/p')
	"$tool" resolve lab:b | grep -q 'eth0<->veth-b 10.83.0.3/120'
	"$tool" resolve "netns:${HOPFAULT_LAB_PREFIX}b" | grep -q 'eth0<->veth-b'
	"$tool" resolve "pid:$pid" | grep -q 'eth0<->veth-b'
	"$tool" ps | grep -q '^lab:client .*eth0<->veth-client'
	[ -z "$("$tool" ps | grep "netns:$HOPFAULT_LAB_PREFIX")" ]
}

what_can_not_be_worked_on_is_refused_with_the_reason() {
	refused "is a switch" "$tool" resolve "netns:${HOPFAULT_LAB_PREFIX}lab"
	refused "host's own network" "$tool" resolve "pid:$$"
	refused "did you mean" "$tool" resolve lab:clinet
	refused "unknown endpoint" "$tool" resolve nobody-has-this
	refused "no such process" "$tool" resolve pid:4194999
	refused "not a process id" "$tool" resolve pid:1x
	refused "is not a name" "$tool" resolve 'a b'
	refused "is not a name" "$tool" resolve $'\033[31m'
	ip netns add "${mine}x"
	refused "no network interface but loopback" "$tool" resolve "${mine}x"
	ip -n "${mine}x" link add br9 type bridge
	ip -n "${mine}x" link set br9 up
	refused "br9 is a bridge" "$tool" resolve "${mine}x"
	ip netns del "${mine}x"
}

one_name_for_two_things_is_ambiguous() {
	if [ -e /run/netns/e ]; then echo "a namespace e exists: not tried"; return 0; fi
	ip netns add e
	refused "netns:e" "$tool" resolve e || { ip netns del e; return 1; }
	ip netns del e
}

twice_up_says_so_and_replace_replaces() {
	local before after
	before=$("$tool" status | grep '^a ')
	refused "up already" up
	[ "$("$tool" status | grep '^a ')" = "$before" ]
	up --replace -s 2
	after=$("$tool" status | grep -c ' veth-')
	[ "$after" = 3 ]
}

a_dead_service_is_seen() {
	kill -9 "$("$tool" status | sed -n 's/^b .*pid=\([0-9]*\).*/\1/p')"
	soon is_not_whole
	refused "b" "$tool" status
	refused "whole=0" "$tool" status
}

down_leaves_nothing() {
	"$tool" down
	nothing_is_left
	"$tool" down | grep -q '^down: 0 nodes'
}

a_foreign_name_is_refused_and_left() {
	ip netns add "${HOPFAULT_LAB_PREFIX}c"
	refused "/run/netns/${HOPFAULT_LAB_PREFIX}c exists" up
	"$tool" down >/dev/null
	ip netns list | grep -q "^${HOPFAULT_LAB_PREFIX}c"
	ip netns del "${HOPFAULT_LAB_PREFIX}c"
	nothing_is_left
}

a_name_that_changed_hands_is_left_by_down() {
	up
	ip netns del "${HOPFAULT_LAB_PREFIX}c"
	ip netns add "${HOPFAULT_LAB_PREFIX}c"
	refused "was left" "$tool" down
	ip netns list | grep -q "^${HOPFAULT_LAB_PREFIX}c"
	ip netns del "${HOPFAULT_LAB_PREFIX}c"
	nothing_is_left
}

a_foreign_process_with_a_written_number_lives() {
	local victim
	up -s 1
	read -rt 0.05 <> <(:) || true # it is told by when it was born, to 10 ms
	sleep 600 >/dev/null 2>&1 &
	victim=$!
	sed -i "s/\"pid\": [1-9][0-9]*/\"pid\": $victim/" "$HOPFAULT_RUN_DIR/lab/state.json"
	grep -q "\"pid\": $victim" "$HOPFAULT_RUN_DIR/lab/state.json"
	local service
	service=$(processes | sed 's/process //')
	"$tool" down
	kill -0 "$victim"
	kill "$victim"
	wait "$victim" 2>/dev/null || true
	# We made it an orphan: its process 1 is its parent.
	for pid in $service; do kill -9 "$pid" 2>/dev/null || true; done
	soon no_process_is_left
	nothing_is_left
}

a_service_that_ends_at_once_takes_all_back() {
	refused "ended at once" "$tool" up -p /bin/false
	[ -z "$(ip netns list | grep "^$HOPFAULT_LAB_PREFIX")" ]
	[ -z "$(processes)" ]
	grep -q 'ended with status 1' "$HOPFAULT_RUN_DIR/lab/a.log"
	"$tool" down >/dev/null
	nothing_is_left
}

a_missing_program_changes_nothing() {
	refused "is not a program" "$tool" up -p /nowhere/hopchain
	nothing_is_left
}

an_interrupted_up_leaves_nothing() {
	local i pid
	for i in 5 20 40 60 80; do
		"$tool" up -p "$chain" >/dev/null 2>&1 &
		pid=$!
		read -rt "0.$(printf %03d "$i")" <> <(:) || true
		kill -INT "$pid" 2>/dev/null || true
		kill -TERM "$pid" 2>/dev/null || true
		# a signal that comes when all is done already finds a whole lab
		if wait "$pid" || "$tool" status >/dev/null 2>&1; then "$tool" down >/dev/null; fi
		nothing_is_left
	done
}

a_killed_up_leaves_nothing_after_down() {
	local i pid ms
	for ((i = 0; i < kills; i++)); do
		"$tool" up -p "$chain" >/dev/null 2>&1 &
		pid=$!
		ms=$((RANDOM % 130))
		read -rt "0.$(printf %03d "$ms")" <> <(:) || true
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		"$tool" down >/dev/null || { echo "down failed after a kill at $ms ms"; return 1; }
		nothing_is_left || { echo "after a kill at $ms ms"; return 1; }
	done
}

a_killed_down_is_finished_by_the_next() {
	local i pid
	for ((i = 0; i < kills / 4; i++)); do
		up -s 3 >/dev/null
		"$tool" down >/dev/null 2>&1 &
		pid=$!
		read -rt "0.$(printf %03d $((RANDOM % 45)))" <> <(:) || true
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		"$tool" down >/dev/null
		nothing_is_left
	done
}

a_killed_up_is_no_obstacle_to_the_next() {
	"$tool" up -p "$chain" >/dev/null 2>&1 &
	local pid=$!
	read -rt 0.03 <> <(:) || true
	kill -9 "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	up --replace >/dev/null
	"$tool" down >/dev/null
	nothing_is_left
}

a_foreign_qdisc_is_not_replaced() {
	ip netns add "${mine}x"
	ip -n "${mine}x" link add v0 type veth peer name v1
	ip -n "${mine}x" link set v0 up
	tc -n "${mine}x" qdisc add dev v0 clsact
	# Here and where fq is known: noqueue may be replaced, or the kernel says that it has none.
	{ "$tool" fq "${mine}x" v0 20 || true; } | grep -E 'root=noqueue handle=0 clsact=1 ingress=0 install=(0|EOPNOTSUPP)'
	tc -n "${mine}x" qdisc add dev v0 root pfifo_fast 2>/dev/null ||
		tc -n "${mine}x" qdisc add dev v0 root tbf rate 1gbit burst 64k latency 50ms
	{ "$tool" fq "${mine}x" v0 20 || true; } | grep -E 'handle=[1-9a-f][0-9a-f]* .*install=EBUSY'
	ip netns del "${mine}x"
}

# errexit does not work in a condition, so the status is taken by hand.
run() {
	local said status began=$EPOCHREALTIME
	set +e
	said=$(set -e; "$1" 2>&1)
	status=$?
	set -e
	count=$((count + 1))
	if [ "$status" = 0 ]; then
		echo "ok $1 ($(((${EPOCHREALTIME/./} - ${began/./}) / 1000)) ms)"
		return
	fi
	echo "not ok $1: $(tail -n 1 <<<"$said")"
	sed 's/^/#   | /' <<<"$said"
	failed=1
}

[ "$(id -u)" = 0 ] || { echo "skip the_lab: needs root"; echo "end 1"; exit 0; }
for fact in it_comes_up_and_the_chain_answers nothing_shows_in_the_hosts_own_namespace \
	a_service_has_its_own_name_hosts_and_processes endpoints_are_found_by_every_kind_of_name \
	what_can_not_be_worked_on_is_refused_with_the_reason one_name_for_two_things_is_ambiguous \
	twice_up_says_so_and_replace_replaces a_dead_service_is_seen down_leaves_nothing \
	a_foreign_name_is_refused_and_left a_name_that_changed_hands_is_left_by_down \
	a_foreign_process_with_a_written_number_lives a_service_that_ends_at_once_takes_all_back \
	a_missing_program_changes_nothing an_interrupted_up_leaves_nothing \
	a_killed_up_leaves_nothing_after_down a_killed_down_is_finished_by_the_next \
	a_killed_up_is_no_obstacle_to_the_next a_foreign_qdisc_is_not_replaced; do
	run "$fact"
done
echo "end $count"
exit "$failed"
