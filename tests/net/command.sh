#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# command.sh - a fault with `-- COMMAND` lives as long as the command, whatever happens to hopfault; and a command line
# that dies halfway leaves all of a fault or nothing.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

the_fault_is_in_force_while_the_command_runs_and_gone_with_it() {
	network left right
	warm left right
	owner
	hopfault add "$(ep left)" "$(ep right)" drop proto udp -- \
		"$TOOLS/udpflow" -n 50 -i 0 -w 200 "$net-left" "$net-right" "$(v4 right)" >"$scratch/flow"
	must_be_within "received meanwhile" "$(value_of received "$(grep ^sent "$scratch/flow")")" 0 0
	must_be_within "received after" "$(udp_arrived left right -n 50 -i 0)" 50 50
	no_fault_is_in_force
}

the_commands_exit_status_is_hopfaults() {
	network left right
	must_end 7 "" "$HOPFAULT" add "$(ep left)" "$(ep right)" drop -- sh -c 'exit 7'
	must_end 143 "" "$HOPFAULT" add "$(ep left)" "$(ep right)" drop -- sh -c 'kill -TERM $$'
	must_end 7 "" "$HOPFAULT" partition "$(ep left)" "$(ep right)" -- sh -c 'exit 7'
	no_fault_is_in_force
}

a_command_that_is_no_program_ends_with_127_and_no_fault() {
	network left right
	must_end 127 "nosuch-program" "$HOPFAULT" add "$(ep left)" "$(ep right)" drop -- nosuch-program
	no_fault_is_in_force
}

a_command_is_not_run_when_the_fault_is_refused() {
	network left
	must_end 2 "nosuch" "$HOPFAULT" add "$(ep left)" "netns:$net-nosuch" drop -- touch "$scratch/ran"
	[[ ! -e $scratch/ran ]]
}

the_fault_lives_with_the_command_also_when_hopfault_is_killed() {
	local pid command
	network left right
	warm left right
	owner
	# The command waits for the end of the fifo, without a clock.
	mkfifo "$scratch/gate"
	"$HOPFAULT" add "$(ep left)" "$(ep right)" drop proto udp -- sh -c "echo \$\$ >$scratch/pid; exec cat $scratch/gate" &
	pid=$!
	exec 9>"$scratch/gate"
	wait_until 10 test -s "$scratch/pid"
	command=$(cat "$scratch/pid")
	kill -KILL "$pid"
	wait_until 5 has_ended "$pid"
	kill -0 "$command"
	must_be_within "received while the command lives" "$(udp_arrived left right -n 50 -i 0 -w 200)" 0 0
	exec 9>&-
	wait_until 5 has_ended "$command"
	wait_until 5 no_fault_is_in_force
	must_be_within "received after" "$(udp_arrived left right -n 50 -i 0)" 50 50
}

a_command_line_that_is_killed_halfway_leaves_all_or_nothing() {
	local i count pid
	network one two three
	warm one two
	warm one three
	owner
	for i in 2 10 20 30 45 60 80; do
		"$HOPFAULT" partition "$(ep one)" "$(ep two)" "$(ep three)" >/dev/null 2>&1 &
		pid=$!
		pause "0.0$(printf %02d "$i")"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		kill -0 "$owner"
		count=$(faults_in_force)
		must_be_within "faults" "$count" 0 1
		if ((count)); then
			must_be_within "one to two" "$(udp_arrived one two -n 20 -i 0 -w 100)" 0 0
			must_be_within "three to one" "$(udp_arrived three one -n 20 -i 0 -w 100)" 0 0
		else
			must_be_within "one to two" "$(udp_arrived one two -n 20 -i 0)" 20 20
			must_be_within "three to one" "$(udp_arrived three one -n 20 -i 0)" 20 20
		fi
		hopfault heal all
		note "killed after $i ms: $count faults"
	done
}

ten_commands_at_once_all_get_their_fault() {
	local i pids=()
	network left right
	for i in {1..10}; do
		"$HOPFAULT" add "$(ep left)" "$(ep right)" drop proto udp port "$((7000 + i))" >"$scratch/out.$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail "one failed: $(cat "$scratch"/out.*)"
	done
	[[ $(faults_in_force) == 10 ]]
	[[ $(cat "$scratch"/out.* | grep -o '^fault [0-9]*' | sort -u | wc -l) == 10 ]]
}

a_dry_run_changes_nothing() {
	network left right
	warm left right
	must_say "nothing was changed" hopfault add "$(ep left)" "$(ep right)" drop --dry-run
	must_say "nothing was changed" hopfault partition "$(ep left)" "$(ep right)" --dry-run
	no_fault_is_in_force
	[[ -z $(_ours_in "$net-sw") ]]
	must_be_within "received" "$(udp_arrived left right -n 50 -i 0)" 50 50
}

run_facts "$@"
