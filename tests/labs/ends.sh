#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ends.sh - however a lab ends, what it made is taken down: it is interrupted or killed while faults are in force and a trace runs.
# shellcheck source=tests/lib/facts.sh
. "$(dirname "$0")/../lib/facts.sh"
# shellcheck source=tests/lib/ends.sh
. "$(dirname "$0")/../lib/ends.sh"

_must_have_said() { # NAME TEXT
	grep -qF "$2" "$FACTS_LOGS/ends.$1.log" || fail "it did not say '$2': $(tail -n 1 "$FACTS_LOGS/ends.$1.log")"
}

interrupted_as_by_ctrl_c_it_takes_everything_down() {
	begin_a_lab int
	kill -INT -- "-$lab_pid"
	must_vanish "Ctrl-C"
	_must_have_said int "Stopped early"
}

told_to_end_it_takes_everything_down() {
	begin_a_lab term
	kill -TERM "$lab_pid"
	must_vanish "SIGTERM"
	_must_have_said term "Stopped early"
}

# A terminal that is closed: all of them are told, tee and the watchdog, too.
hung_up_it_takes_everything_down() {
	begin_a_lab hup
	kill -HUP -- "-$lab_pid"
	must_vanish "SIGHUP"
	_must_have_said hup "Stopped early"
}

told_to_end_with_all_that_it_waits_for_it_takes_everything_down() {
	begin_a_lab termall
	kill -TERM -- "-$lab_pid"
	must_vanish "SIGTERM to all"
}

# While a function's output is redirected bash keeps copies of the pipe to the log; it must not wait for itself.
ended_within_a_function_that_is_redirected_it_does_not_hang() {
	local script_pid
	cat >"$FACTS_LOGS/redirected.sh" <<-END
		set -euo pipefail
		. "$FACTS_ROOT/scripts/lib/show.sh"
		write_a_log "$FACTS_LOGS/redirected.log"
		trap 'trap "" TERM; say ending; end_the_log' EXIT
		trap 'exit 143' TERM
		slow() { touch "$FACTS_LOGS/redirected.began"; sleep 0.5; }
		slow >"$FACTS_LOGS/redirected.out"
	END
	rm -f "$FACTS_LOGS/redirected.began"
	bash "$FACTS_LOGS/redirected.sh" &
	script_pid=$!
	wait_until 5 test -e "$FACTS_LOGS/redirected.began"
	kill -TERM "$script_pid"
	wait_until 10 _has_ended "$script_pid"
}

_has_ended() { ! kill -0 "$1" 2>/dev/null; }

killed_alone_its_watchdog_takes_everything_down() {
	begin_a_lab kill
	kill -KILL "$lab_pid"
	must_vanish "SIGKILL"
	_must_have_said kill "A lab was killed; taking down what it left"
}

killed_with_its_watchdog_the_next_lab_takes_down_what_it_left() {
	begin_a_lab killall
	kill -KILL -- "-$lab_pid"
	something_is_left >/dev/null || fail "nothing is left for the next one to do"
	OUT=$FACTS_LOGS/out-next "$FACTS_ROOT/scripts/labs/availability" --short >"$FACTS_LOGS/ends.next.log" 2>&1
	_must_have_said next "A lab was killed; taking down what it left"
	must_vanish "by the next one"
}

run_facts "$@"
