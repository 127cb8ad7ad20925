# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # set by lib.sh and run
#
# control.sh - from a command's start to its effect: five services cut from each other, and healed. The effect is seen by
# UDP packets from a to b, 4000 a second (see cuttime). "warm": the owner runs and is attached; "new": it runs and has first to attach to
# the five; "cold": there is none.

control_cut() { # STATE
	"$tools/cuttime" "${netns}a" "${netns}b" 10.83.0.3 -- "$hopfault" partition a b c d e 3>"$scratch/cut" >/dev/null
	field command_ns <"$scratch/cut" | in_ms >>"$scratch/control.$1.command"
	field last_ns <"$scratch/cut" | in_ms >>"$scratch/control.$1.effect"
}

control_heal() {
	"$tools/cuttime" "${netns}a" "${netns}b" 10.83.0.3 -- "$hopfault" heal 3>"$scratch/cut" >/dev/null
	field command_ns <"$scratch/cut" | in_ms >>"$scratch/control.heal.command"
	field first_ns <"$scratch/cut" | in_ms >>"$scratch/control.heal.effect"
}

in_ms() { awk '{ printf "%.2f\n", $1 / 1e6 }'; }

section_control() {
	local n state
	lab_up
	for ((n = 0; n < control_rounds; n++)); do
		owner_stop
		control_cut cold
		owner_stop
		owner_start
		control_cut new
		"$hopfault" heal >/dev/null
		control_cut warm
		control_heal
	done
	heading "partition of five services" median largest ""
	for state in warm new cold heal; do
		local asked=() text="partition, $state"
		case $state in
		warm) asked=(b "<=" 30) ;;
		heal) text="heal, warm" asked=(b "<=" 30) ;;
		esac
		row control "$text: until the effect" ms "$(median <"$scratch/control.$state.effect")" \
			"$(largest <"$scratch/control.$state.effect")" "" "$control_rounds" "${asked[@]}"
		row control "$text: the command" ms "$(median <"$scratch/control.$state.command")" \
			"$(largest <"$scratch/control.$state.command")" "" "$control_rounds"
	done
	lab_down
}
