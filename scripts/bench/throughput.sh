# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # set by lib.sh and run
#
# throughput.sh - TCP from the lab's client to service a: bare; attached and idle; 1000 links ruled and none of the rules
# matching (one of them on this very link); 5 ms by each delay engine that this kernel has.
#
# The first three differ by less than this machine does from second to second: the programs are taken off and put on again
# within one flow, some times a second (tests/tools/byturns.c). Each end has a processor of its own, where there are two,
# so that the scheduler moves neither.

at_sender=(taskset -c 0) at_receiver=(taskset -c 1)
[ "$(nproc)" -gt 1 ] || { at_sender=(env) at_receiver=(env); }

throughput_arm() {
	owner_stop
	case $1 in
	bare) ;;
	idle) attach_chain ;;
	ruled)
		attach_chain
		many_rule 32
		"$hopfault" add client a,b,c,d,e drop proto udp port 9 both >/dev/null
		;;
	hold | fq) HOPFAULT_DELAY_ENGINE=$1 "$hopfault" add client a delay 5ms >/dev/null ;;
	esac
}

# Mbit/s that arrived.
throughput_once() { # STREAMS
	timeout "$((throughput_s + 10))" nsenter --net="${netns}client" iperf3 -c 10.83.0.2 -p 5201 -P "$1" -t "$throughput_s" -f m |
		awk -v n="$1" '/receiver/ && (n == 1 || /SUM/) { for (i = 1; i <= NF; i++) if ($i == "Mbits/sec") print $(i - 1) }'
}

throughput_server_answers() { nsenter --net="${netns}client" iperf3 -c 10.83.0.2 -p 5201 -n 1M >/dev/null 2>&1; }

has() { "$hopfault" check --json | tr -d '\n ' | grep -q "\"name\":\"$1\",\"there\":true"; } # FEATURE

# ---- by turns, within one flow ----

throughput_by_turns() { # ARM STREAMS
	local flow file=$scratch/turns.$1.$2
	wait_until throughput_server_answers
	throughput_arm "$1"
	"${at_sender[@]}" nsenter --net="${netns}client" iperf3 -c 10.83.0.2 -p 5201 -P "$2" -t $((throughput_turns + 30)) >/dev/null 2>&1 &
	flow=$!
	children+=("$flow")
	sleep 3 # the owner looks about more often for two seconds after it has attached
	nsenter --net="${netns}lab" "$tools/byturns" "$(owner_pid)" "$throughput_server" "$throughput_turns" 100 veth-client veth-a >"$file"
	kill "$flow"
	wait "$flow" 2>/dev/null || true
	cut -d' ' -f1 "$file" >"$file.bare"
	cut -d' ' -f2 "$file" >"$file.with"
	row_of_files throughput "$1: $2 stream(s)" Mbit/s "$file.bare" "$file.with" 0 ratio ">=" 0.97
	say "    the ratio, with 95 in 100: $(ratio_within "$file.bare" "$file.with")"
}

section_throughput() {
	local arms=(bare hold) streams arm n
	if ! command -v iperf3 >/dev/null; then say "throughput: skipped, iperf3 is not installed"; return; fi
	! has sch_fq || arms+=(fq)
	lab_up
	many_up 32
	# 5 ms at 10 Gbit/s are 6 MB in flight: with the usual buffers TCP itself would be the limit.
	for n in client a; do
		nsenter --net="$netns$n" sh -c 'echo 4096 1000000 67108864 >/proc/sys/net/ipv4/tcp_rmem; echo 4096 1000000 67108864 >/proc/sys/net/ipv4/tcp_wmem'
	done
	"${at_receiver[@]}" nsenter --net="${netns}a" iperf3 -s -p 5201 >/dev/null 2>&1 &
	throughput_server=$!
	children+=("$throughput_server")
	wait_until throughput_server_answers
	for ((n = 0; n < throughput_rounds; n++)); do
		for arm in $(in_turn "$n" "${arms[@]}"); do
			throughput_arm "$arm"
			for streams in 1 4; do throughput_once "$streams" >>"$scratch/throughput.$arm.$streams"; done
		done
	done
	heading "TCP throughput, one way" bare "with it" ratio
	for streams in 1 4; do
		for arm in "${arms[@]:1}"; do
			row_of_files throughput "$arm: $streams stream(s)" Mbit/s "$scratch/throughput.bare.$streams" \
				"$scratch/throughput.$arm.$streams" 0
		done
	done
	if has TCX; then
		heading "TCP throughput, by turns" bare "with it" ratio
		for arm in idle ruled; do
			for streams in 1 4; do throughput_by_turns "$arm" "$streams"; done
		done
	else
		say "by turns: skipped, this kernel has no TCX, by which programs are taken off and put on again"
	fi
	has sch_fq || say "fq: not in this kernel, so not measured"
	lab_down
	many_down
}
