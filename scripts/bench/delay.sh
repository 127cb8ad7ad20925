# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # set by lib.sh and run
#
# delay.sh - asked delay beside the delay that was given, thin traffic (a ping each 5 ms), by the programs' own sightings;
# beside it, measured meanwhile, how late this machine wakes a thread that only sleeps.

delay_once() { # MILLISECONDS
	local ms=$1 key=$scratch/delay.$1
	"$hopfault" add client a delay "${ms}ms" >/dev/null
	"$tools/timererror" 5000 "$((delay_pings * 9 / 10))" >"$scratch/timer" &
	nsenter --net="${netns}client" ping -q -i 0.005 -c "$delay_pings" 10.83.0.2 >/dev/null
	wait $!
	"$hopfault" status --json >"$scratch/status"
	"$hopfault" heal >/dev/null
	for figure in p50 p99 max; do
		awk -v k="\"error_${figure}_ns\":" '$1 == k { print ($2 + 0) / 1000; exit }' "$scratch/status" >>"$key.$figure"
		field "${figure}_ns" <"$scratch/timer" | awk '{ print $1 / 1000 }' >>"$key.timer.$figure"
	done
}

section_delay() {
	local ms n figure asked
	lab_up
	owner_start
	for ((n = 0; n < delay_rounds; n++)); do
		for ms in $(in_turn "$n" 1 5 20 100); do delay_once "$ms"; done
	done
	heading "delay engine hold: error, one way" "bare timer" hold ratio
	for ms in 1 5 20 100; do
		for figure in p50 p99 max; do
			asked=()
			[ "$ms.$figure" != 5.p50 ] || asked=(b "<=" 60)
			[ "$ms.$figure" != 5.p99 ] || asked=(b "<=" 400)
			row_of_files delay "${ms} ms asked: error $figure" us "$scratch/delay.$ms.timer.$figure" "$scratch/delay.$ms.$figure" 0 "${asked[@]}"
		done
	done
	lab_down
}
