# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # set by lib.sh and run
#
# endpoints.sh - what an endpoint costs: the time until the owner is attached to 5 services and to 100 namespaces, `ps` with as
# many, and memory for each of them. A command that attaches is timed beside the same command when all is attached
# already: the rest is the attaching.

endpoints_names() { # COUNT: m0 is not among them
	local i
	for ((i = 1; i <= $1; i++)); do printf '%snetns:%sm%d' "$([ "$i" = 1 ] || echo ,)" "$HOPFAULT_LAB_PREFIX" "$i"; done
}

endpoints_time() { # FILE COMMAND...
	local file=$1 begin=${EPOCHREALTIME/./}
	shift
	"$@" >/dev/null
	awk -v us="$((${EPOCHREALTIME/./} - begin))" 'BEGIN { printf "%.2f\n", us / 1000 }' >>"$file"
}

endpoints_memory() { awk '/^VmRSS/ { print $2 }' "/proc/$(owner_pid)/status"; }

endpoints_cold_and_warm() { # KEY WORDS...
	local key=$scratch/endpoints.$1
	shift
	owner_stop
	owner_start
	# its programs are loaded while it starts, which the first command waits for: that is control.sh's affair
	"$hopfault" add "netns:${HOPFAULT_LAB_PREFIX}m$count" client loss 0% >/dev/null
	"$hopfault" heal >/dev/null
	endpoints_time "$key.new" "$hopfault" add "$@" loss 0%
	"$hopfault" heal >/dev/null
	endpoints_time "$key.warm" "$hopfault" add "$@" loss 0%
	"$hopfault" heal >/dev/null
	awk '{ getline warm <other; printf "%.2f\n", $1 - warm }' other="$key.warm" "$key.new" >"$key.attach"
}

section_endpoints() {
	local n before after count=100
	lab_up
	many_up $((count + 1))
	for ((n = 0; n < endpoints_rounds; n++)); do
		endpoints_cold_and_warm five a b,c,d,e
		endpoints_cold_and_warm hundred "netns:${HOPFAULT_LAB_PREFIX}m0" "$(endpoints_names $((count - 1)))"
		endpoints_time "$scratch/endpoints.ps" "$hopfault" ps
	done
	owner_stop
	owner_start
	"$hopfault" add a b loss 0% >/dev/null
	before=$(endpoints_memory)
	"$hopfault" add "netns:${HOPFAULT_LAB_PREFIX}m0" "$(endpoints_names $((count - 1)))" loss 0% >/dev/null
	after=$(endpoints_memory)
	heading "endpoints" median largest ""
	endpoints_row "attach to 5 services" five.attach 100
	endpoints_row "attach to $count namespaces" hundred.attach 1000
	endpoints_row "ps, $count namespaces and the lab" ps 300
	heading "memory, $count more endpoints" before after each
	row endpoints "the owner's own (VmRSS)" KB "$before" "$after" "$(awk -v a="$before" -v b="$after" -v n="$count" 'BEGIN { printf "%.1f", (b - a) / n }')" 1
	lab_down
	many_down
}

endpoints_row() { # TEXT FILE LIMIT-MS
	row endpoints "$1" ms "$(median <"$scratch/endpoints.$2")" "$(largest <"$scratch/endpoints.$2")" "" "$endpoints_rounds" b "<=" "$3"
}
