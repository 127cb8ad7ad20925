# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# net.sh - a small network of its own for each fact, an owner of its own, and nothing left of either.
#
# The network is that of scripts/lib/network.sh.
# shellcheck source=tests/lib/facts.sh
. "$(dirname "${BASH_SOURCE[0]}")/facts.sh"
# shellcheck source=scripts/lib/network.sh
. "$FACTS_ROOT/scripts/lib/network.sh"

HOPFAULT=${HOPFAULT:-$FACTS_ROOT/build/hopfault}
TOOLS=${TOOLS:-$FACTS_ROOT/build/tests/tools}

fact_begins() {
	[[ $(id -u) == 0 ]] || skip "needs root"
	net=ht$(printf %x "$$")
	scratch=$(mktemp -d /tmp/hopfault-test.XXXXXX)
	export HOPFAULT_RUN_DIR=$scratch/run HOPFAULT_LAB_PREFIX=$net-
	node_number=()
}

fact_ends() {
	local left
	_end_owner
	left=$(what_is_ours; _complaints)
	end_our_processes
	remove_namespaces
	if [[ -n ${KEEP:-} ]]; then
		echo "kept: $scratch"
	else
		rm -rf "$scratch"
	fi
	[[ -z $left ]] || {
		echo "left behind: $left" | tr '\n' ' ' >"$fact_said"
		return 1
	}
}

# ---- the tool ----

hopfault() {
	"$HOPFAULT" "$@"
}

# A daemon in the background, until it answers; sets $owner
owner() {
	owner_by exec
}

owner_by() { # COMMAND... that becomes it
	"$@" "$HOPFAULT" daemon >"$scratch/owner.log" 2>&1 &
	owner=$!
	wait_until 15 _owner_answers
}

_owner_answers() {
	kill -0 "$owner" 2>/dev/null || fail "the owner ended: $(tail -n 1 "$scratch/owner.log")"
	[[ -S $HOPFAULT_RUN_DIR/control.sock ]] && hopfault status >/dev/null 2>&1
}

# count_of NAME [ID]: of the only fault, or of the one with this id, a figure of its counts
count_of() {
	hopfault status --json | awk -F'[:,]' -v name="\"$1\"" -v wanted="${2:-}" '
		{ gsub(/[ \t]/, "") }
		$1 == "\"id\"" { id = $2 }
		$1 == "\"hold\"" { over = 1 }
		$1 == name && !over && (wanted == "" || id == wanted) { print $2 }'
}

faults_in_force() {
	hopfault status --json | grep -c '"id":' || true
}

no_fault_is_in_force() {
	[[ $(faults_in_force) == 0 ]]
}

# ---- the network ----

_namespace() {
	make_namespace "$@"
}

# A process that stays there until the fact ends; sets $inhabitant, its number ($! is another when it was waited for).
inhabit() {
	nsenter --net="/run/netns/$net-$1" sleep 600 &
	inhabitant=$!
	wait_until 5 _sleeps "$inhabitant"
}

_sleeps() {
	[[ $(cat "/proc/$1/comm") == sleep ]]
}

# udp FROM TO [OPTION...]: see udpflow; 6 as the first option: over IPv6
udp() {
	local from=$1 to=$2 address
	shift 2
	address=$(v4 "$to")
	if [[ ${1:-} == 6 ]]; then
		shift
		address=$(v6 "$to")
	fi
	"$TOOLS/udpflow" "$@" "$net-$from" "$net-$to" "$address"
}

# udp_arrived FROM TO [OPTION...]: how many arrived, when all that matters is that
udp_arrived() {
	value_of received "$(udp "$@")"
}

# Both know the other's hardware address, so that no resolution is in what is measured.
warm() {
	wait_until 10 _answers "$1" "$(v4 "$2")"
	wait_until 10 _answers "$1" "$(v6 "$2")"
}

_answers() {
	within "$1" ping -n -q -c 1 -W 1 "$2" >/dev/null
}

# answers FROM TO: does one ping of three come back?
answers() {
	within "$1" ping -n -q -c 3 -i 0.1 -W 1 "$2" >/dev/null
}

# rtt_us FROM ADDRESS [COUNT]: the shortest
rtt_us() {
	within "$1" ping -n -q -c "${3:-5}" -i 0.05 -W 2 "$2" |
		awk -F'[ /]' '/^rtt/ { printf "%d\n", $7 * 1000; found = 1 } END { exit !found }'
}

# log_of PROGRAM: figures of a flow's log by awk; $1 number, $2 sent at (us), $3 its way (us) or "-"
arrived_after() {
	awk -v from="$2" '$2 >= from { sent++; if ($3 != "-") { got++; if ($3 > max) max = $3 } }
		END { printf "sent %d received %d max_us %d\n", sent, got, max }' "$1"
}

# ---- nothing is left ----

# What of ours the system shows after the owner's end: nothing, or lines.
what_is_ours() {
	local name pid
	for name in $(ip netns list | awk -v p="$net-" 'index($1, p) == 1 { print $1 }'); do
		ip -n "$name" -o link show | grep -oE '\bhf[a-z0-9]+[@:]' | sed "s/^/device in $name: /"
		_ours_in "$name"
	done
	for pid in $(our_processes); do
		[[ $(readlink "/proc/$pid/exe" 2>/dev/null) != "$(realpath "$HOPFAULT")" ]] || echo "process $pid"
	done
}

# Of a sanitizer, when the tool was built with one.
_complaints() {
	cat "$scratch/owner.log" "$HOPFAULT_RUN_DIR/owner.log" 2>/dev/null | grep -m 3 -E 'Sanitizer|runtime error' || true
}

# Filters of ours, and fq, in a namespace.
_ours_in() {
	local name=$1 device
	for device in $(ip -n "$name" -o link show | awk -F'[:@ ]+' '{ print $2 }'); do
		{
			tc -n "$name" filter show dev "$device" ingress
			tc -n "$name" filter show dev "$device" egress
		} 2>/dev/null | grep -oE 'link_(enter|leave)' | sed "s/^/filter on $device in $name: /"
		tc -n "$name" qdisc show dev "$device" | grep -oE '^qdisc fq [0-9a-f]+:' | sed "s/^/on $device in $name: /"
	done
}

_end_owner() {
	[[ ! -S $HOPFAULT_RUN_DIR/control.sock ]] || timeout 12 "$HOPFAULT" daemon --stop || true
	[[ ! -e $HOPFAULT_RUN_DIR/lab ]] || timeout 20 "$HOPFAULT" lab down || true
} >/dev/null 2>&1
