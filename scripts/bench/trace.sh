# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # set by lib.sh and run
#
# trace.sh - what tracing costs the chain client -> a -> b -> c -> d -> e: processor time for each request, and latency, with
# nothing attached / attached and idle / traced, at fixed rates and saturated; and at fixed rates with tracing off and on by
# turns of half a second, within one load. A shared machine is slower or quicker by a quarter for some seconds at a time:
# rounds of seconds need hundreds until that is the same on both sides, turns some dozens. Last, whether a trace is whole when
# dozens of connections keep the processors from it.
#
# Processor time is the scheduler's own count for the services, the load generator, the owner and the trace command: all
# that this work makes run, and nothing of others on the same machine. What the programs do in a packet's way is in it, as
# a veth's soft interrupts run in the thread that sends. /proc/stat would count the whole machine, with its
# strangers, and in ticks.

trace_arm() {
	case $1 in
	none) owner_stop ;;
	*) owner_answers || { owner_start; attach_chain; sleep "$trace_settle_s"; } ;;
	esac
}
trace_settle_s=3 # the owner looks every few milliseconds at what it has just attached to, for two seconds: that is no request's

# A trace's own start and end are no request's: it runs before the load begins and ends after it.
trace_begin() { # ARM
	local files=()
	[ "$1" != files ] || files=(--csv "$scratch/hops.csv" --summary "$scratch/summary.csv")
	"$hopfault" trace --chain "$chain" --for 100s "${files[@]}" >/dev/null &
	trace_pid=$!
	wait_until owner_traces
}
owner_traces() { "$hopfault" status --json | grep -q '"tracing": true'; }

trace_end() {
	kill -INT "$trace_pid"
	wait "$trace_pid" || true
}

trace_once() { # ARM LOAD-OPTION...
	local arm=$1 pids trace_pid=""
	shift
	pids=$(service_pids)
	[ "$arm" = none ] || pids+=,$(owner_pid)
	case $arm in traced | files) trace_begin "$arm" ;; esac
	"$tools/cputime" --pids "$pids${trace_pid:+,$trace_pid}" -- "$hopfault" lab load -c 8 "$@" --csv "$scratch/load.csv" \
		3>"$scratch/cpu" >/dev/null
	[ -z "$trace_pid" ] || trace_end
	awk -v n="$trace_sent" '{ for (i = 1; i <= NF; i++) { split($i, kv, "="); v[kv[1]] = kv[2] } print (v["command_ns"] + v["pids_ns"]) / n / 1000 }' \
		"$scratch/cpu"
}

section_trace() {
	local arms=(none idle traced) rate arm n options key
	[ "$depth" = quick ] || arms+=(files)
	lab_up
	owner_start
	attach_chain
	for rate in "${trace_rates[@]}"; do
		trace_n=$trace_saturated_n trace_sent=$trace_n
		options=(-n "$trace_n")
		if [ "$rate" != saturated ]; then
			trace_n=$((rate * trace_seconds)) trace_sent=$((trace_n + 50))
			options=(-n "$trace_n" --rate "$rate" --warmup 50)
		fi
		"$hopfault" lab load -n 500 -c 8 >/dev/null
		for ((n = 0; n < trace_rounds; n++)); do
			for arm in $(in_turn "$n" "${arms[@]}"); do
				key=$scratch/trace.$rate.$arm
				trace_arm "$arm"
				trace_once "$arm" "${options[@]}" >>"$key.cpu"
				tail -n +2 "$scratch/load.csv" | cut -d, -f4 | awk '{ print $1 / 1000 }' >"$scratch/latency"
				cat "$scratch/latency" >>"$key.all"
				percentile 50 <"$scratch/latency" >>"$key.p50"
				percentile 99 <"$scratch/latency" >>"$key.p99"
			done
		done
		trace_rows "$rate"
		[ "$rate" = saturated ] || by_turns "$rate"
	done
	in_a_crowd 64
	lab_down
}

# ---- whole, however busy it is ----

in_a_crowd() { # CONNECTIONS
	local n complete lost trace_pid worst=$scratch/crowd
	for ((n = 0; n < trace_crowds; n++)); do
		"$hopfault" trace --chain "$chain" --for 100s --json >"$scratch/crowd.json" &
		trace_pid=$!
		wait_until owner_traces
		"$hopfault" lab load -c "$1" -n "$trace_crowd_n" >/dev/null
		trace_end
		complete=$(sed -n 's/.*"calls_complete": \([0-9]*\).*/\1/p' "$scratch/crowd.json")
		lost=$(sed -n 's/.*"ring_[a-z]*": \([0-9]*\).*/\1/p' "$scratch/crowd.json" | awk '{ n += $1 } END { print n + 0 }')
		echo "$((trace_crowd_n * 5 - complete))" >>"$worst.calls"
		echo "$lost" >>"$worst.events"
	done
	heading "chain of 5, saturated, $1 connections" "median" "at most" ""
	row trace "of $((trace_crowd_n * 5)) calls not complete" calls "$(median <"$worst.calls")" "$(largest <"$worst.calls")" "" "$trace_crowds"
	row trace "events lost" events "$(median <"$worst.events")" "$(largest <"$worst.events")" "" "$trace_crowds"
}

# ---- off and on by turns ----

turn_s=0.5
turn_around_s=0.3 # what a trace's begin leaves to be done is no request's

uptime_s() { cut -d' ' -f1 /proc/uptime; }

# Of PIDS: us of processor time for each request, in a line of what=off's or on's file; and when it was.
turn_once() { # RATE WHAT PIDS
	local key=$scratch/turns.$1 from
	sleep "$turn_around_s"
	from=$(uptime_s)
	"$tools/cputime" --pids "$3" -- sleep "$turn_s" 3>"$scratch/cpu" >/dev/null
	echo "$2 $from $(uptime_s)" >>"$key.times"
	awk -v rate="$1" -v cpu_ns="$(field pids_ns <"$scratch/cpu")" -v wall_ns="$(field wall_ns <"$scratch/cpu")" \
		'BEGIN { print cpu_ns / 1000 / (rate * wall_ns / 1e9) }' >>"$key.$2.cpu"
}

# The requests that began in each turn: their p99, turn by turn, and all of their latencies.
turn_latencies() { # RATE
	local key=$scratch/turns.$1 what from to
	while read -r what from to; do
		awk -F, -v a="$from" -v b="$to" 'NR > 1 && $3 / 1e9 > a + .02 && $3 / 1e9 < b - .02 { print $4 / 1000 }' "$scratch/turns.csv" \
			>"$scratch/latency"
		cat "$scratch/latency" >>"$key.$what.all"
		percentile 99 <"$scratch/latency" >>"$key.$what.p99"
	done <"$key.times"
}

by_turns() { # RATE
	local rate=$1 key=$scratch/turns.$1 n load_pid pids trace_pid
	trace_arm idle
	pids=$(service_pids),$(owner_pid)
	# more than there will be: it is ended when all turns are over
	"$hopfault" lab load -c 8 -n $((rate * (trace_turns * 4 + 60))) --rate "$rate" --csv "$scratch/turns.csv" >/dev/null &
	load_pid=$!
	children+=("$load_pid")
	sleep 1
	for ((n = 0; n < trace_turns; n++)); do
		turn_once "$rate" off "$pids,$load_pid"
		trace_begin traced
		turn_once "$rate" on "$pids,$load_pid,$trace_pid"
		trace_end
	done
	kill -INT "$load_pid"
	wait "$load_pid" || true
	turn_latencies "$rate"
	heading "chain of 5, $rate/s, by turns" off on ratio
	row_of_files trace "$rate/s, by turns: CPU/request" us "$key.off.cpu" "$key.on.cpu" 1 ratio "<=" 1.10
	row_of_files trace "$rate/s, by turns: p99" us "$key.off.p99" "$key.on.p99" 0 ratio "<=" 1.10
	pooled_row "$rate/s, by turns: p99 of all" "$key.off.all" "$key.on.all" "$trace_turns"
}

trace_rows() { # RATE
	local rate=$1 arm key=$scratch/trace.$1 text="$1/s" asked
	[ "$rate" != saturated ] || text=saturated
	heading "chain of 5, $text" none "with it" ratio
	for arm in "${arms[@]:1}"; do
		asked=(ratio "<=" 1.10)
		[ "$arm" != idle ] || asked=()
		row_of_files trace "$text: CPU/request, $arm" us "$key.none.cpu" "$key.$arm.cpu" 1 "${asked[@]}"
		row_of_files trace "$text: p50, $arm" us "$key.none.p50" "$key.$arm.p50" 0
		[ "$rate" != saturated ] || asked=()
		row_of_files trace "$text: p99, $arm" us "$key.none.p99" "$key.$arm.p99" 0 "${asked[@]}"
		pooled_row "$text: p99 of all rounds, $arm" "$key.none.all" "$key.$arm.all"
	done
	heading "chain of 5, $text" idle traced ratio
	row_of_files trace "$text: CPU/request" us "$key.idle.cpu" "$key.traced.cpu" 1 ratio "<=" 1.10
	asked=(ratio "<=" 1.10)
	[ "$rate" != saturated ] || asked=()
	row_of_files trace "$text: p99" us "$key.idle.p99" "$key.traced.p99" 0 "${asked[@]}"
	pooled_row "$text: p99 of all rounds" "$key.idle.all" "$key.traced.all"
}

pooled_row() { # NAME FILE-A FILE-B [ROUNDS]
	local a b
	a=$(percentile 99 <"$2")
	b=$(percentile 99 <"$3")
	row trace "$1" us "$(rounded "$a" 0)" "$(rounded "$b" 0)" "$(awk -v a="$a" -v b="$b" 'BEGIN { printf "%.3f", b / a }')" "${4:-$trace_rounds}"
}
