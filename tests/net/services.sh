#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# services.sh - single services of the lab: options of their own, replicas, killed and started again; and what they counted.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

_csv=''

# _counted SERVICE COLUMN: since it was started
_counted() {
	hopfault lab counts --csv "$scratch/counts.csv" >/dev/null
	awk -F, -v service="$1" -v column="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) place[$i] = i }
		$2 == service { print $place[column] }' "$scratch/counts.csv"
}

_load() {
	_csv=$scratch/load.csv
	hopfault lab load --csv "$_csv" "$@" >"$scratch/load.txt"
}

# _answers_of STATUS SHAPE: how many of the last load's
_answers_of() {
	awk -F, -v status="$1" -v shape="$2" '$6 == status && $9 == shape' "$_csv" | wc -l
}

_pid_of() {
	hopfault lab status | awk -v name="$1" '$1 == name { print $3 }'
}

a_killed_service_comes_back_as_it_was() {
	hopfault lab up --services 2 --service b='--fail 100%'
	_load -n 3
	must_be "b fails" "$(_answers_of 500 error) == 3"
	must_say "b was killed" hopfault lab kill b
	must_end 1 "dead" hopfault lab status
	_load -n 3
	must_be "b is gone" "$(_answers_of 502 error) == 3"
	must_say "b serves again" hopfault lab start b
	hopfault lab status
	_load -n 3
	must_be "b fails as before" "$(_answers_of 500 error) == 3"
	must_be "its counts begin anew" "$(_counted b received) == 3"
}

a_service_killed_in_the_middle_fails_what_it_had_in_hand() {
	hopfault lab up --services 2 --service b='--wait 1s' --timeout 5s
	hopfault lab load -n 4 -c 4 --csv "$scratch/load.csv" >"$scratch/load.txt" &
	local load=$!
	wait_until 5 _has_received b 4
	hopfault lab kill b
	wait "$load"
	_csv=$scratch/load.csv
	must_be "all four were reset" "$(grep -c ',502,reset,a->b,' "$_csv") == 4"
}

_has_received() {
	[[ $(_counted "$1" received) == "$2" ]]
}

with_a_fallback_the_client_is_served_without_d() {
	hopfault lab up --service a='--fallback cached'
	_load -n 5
	must_be "all is well" "$(_answers_of 200 full) == 5"
	hopfault lab kill d
	_load -n 5
	must_be "answers are cached" "$(_answers_of 200 cached) == 5"
	grep -q "5  answered, but cached" "$scratch/load.txt"
	hopfault lab start d
	_load -n 5
	must_be "all is well again" "$(_answers_of 200 full) == 5"
}

a_service_of_several_replicas_is_all_of_them() {
	hopfault lab up --services 3 --replicas b=3 >/dev/null
	must_say "b: 3 endpoints (b1, b2, b3); 3 links" hopfault add a b drop
	hopfault heal >/dev/null
	must_say "(1 link)" hopfault add a b2 drop
	must_end 2 "unknown endpoint 'd'" "$HOPFAULT" add a d drop
}

replicas_share_what_comes() {
	hopfault lab up --services 3 --replicas a=3 --replicas b=2
	hopfault lab load -n 120 -c 6 --count --timeline "$scratch/timeline.csv" >"$scratch/load.txt"
	must_be "c had all" "$(_counted c received) == 120"
	must_be "b1 and b2 had all" "$(_counted b1 received) + $(_counted b2 received) == 120"
	must_be "each a had some" "$(_counted a1 received) && $(_counted a2 received) && $(_counted a3 received)"
	grep -qE '^c +120 +1\.00' "$scratch/load.txt"
	must_be "the timeline has all" "$(awk -F, 'NR > 1 { sum += $8 } END { print sum }' "$scratch/timeline.csv") == 120"
}

one_replica_that_is_dead_is_passed_by_with_a_retry() {
	hopfault lab up --services 2 --replicas b=2 --service a='--retries 1 --keep-alive off'
	hopfault lab kill b2
	_load -n 20
	must_be "nobody noticed" "$(_answers_of 200 full) == 20"
	must_be "b1 had all" "$(_counted b1 received) == 20"
}

what_is_wrong_is_said_in_the_services_own_words() {
	must_end 1 "service a ended at once: .*--retires.*did you mean 'retries'" hopfault lab up --service a='--retires 2'
	must_end 1 "service e ended at once: .*--retries needs --next" hopfault lab up --service e='--retries 2'
	must_end 1 "service a ended at once: .*--workers needs --mode threads" \
		hopfault lab up --mode epoll --service a='--workers 2'
	must_end 1 "no service 'x': it has a to e" hopfault lab up --service x='--retries 2'
	must_end 2 "write NAME=" hopfault lab up --service '--retries 2'
	must_end 2 "replicas" hopfault lab up --replicas a=0
	must_end 1 "there is no lab" hopfault lab kill a
	must_end 1 "there is no lab" hopfault lab start a
	hopfault lab up --services 1
	must_end 1 "no service 'b'" hopfault lab kill b
	must_end 1 "a is alive" hopfault lab start a
	hopfault lab kill a
	must_end 1 "a has ended already" hopfault lab kill a
	must_end 2 "say which service" hopfault lab kill
	must_end 2 "'b' .* is too much" hopfault lab kill a b
	must_end 2 "did you mean|'strat'" hopfault lab strat a
}

# Killed at any moment, `lab start` leaves a service that is there and written down, or none: the next one helps, and down
# takes all of it away.
a_start_that_is_killed_leaves_nothing_unknown() {
	local i pid
	hopfault lab up --services 2
	for ((i = 0; i < 12; i++)); do
		hopfault lab kill b >/dev/null
		"$HOPFAULT" lab start b >/dev/null 2>&1 &
		pid=$!
		pause "0.$(printf %03d $((i * 2)))"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		wait_until 5 _b_is_dead_or_serves
		hopfault lab start b >/dev/null 2>&1 || true
		must_end 0 "b +serving" hopfault lab status
		must_be "there is one process of b" "$(_processes_of b) == 1"
	done
	hopfault lab down
	must_be "there is none" "$(_processes_of b) == 0"
}

_b_is_dead_or_serves() {
	[[ $(hopfault lab status | awk '$1 == "b" { print $2 }') =~ ^(dead|serving)$ ]]
}

_processes_of() {
	local file count=0
	while read -r file; do
		if tr '\0' ' ' <"${file%environ}cmdline" 2>/dev/null | grep -q "hopchain --name $1 "; then count=$((count + 1)); fi
	done < <(grep -lzxF "HOPFAULT_RUN_DIR=$HOPFAULT_RUN_DIR" /proc/[0-9]*/environ 2>/dev/null || true)
	echo $count
}

run_facts "$@"
