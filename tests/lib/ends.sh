# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2031 # what lib.sh sets is wanted of a subshell alone
#
# ends.sh - for tests of how a lab ends: a lab is begun, and what it has made is found by the name of its run folder.
#
#     begin_a_lab NAME              in the background; returns while requests flow, faults are in force and a trace runs
#     kill -TERM "$lab_pid"         or -- "-$lab_pid": the lab with its watchdog and all that it waits for
#     must_vanish WHAT              what it made, and itself, within some seconds
#     something_is_left             says what

lab_pid='' folder='' prefix=''

# A session of its own, so that a signal to all of it, as by Ctrl-C, does not reach the test. Its log is ends.NAME.log.
begin_a_lab() { # NAME
	[[ $(id -u) == 0 ]] || skip "needs root"
	OUT=$FACTS_LOGS/out-ends setsid env --default-signal=INT "$FACTS_ROOT/scripts/labs/availability" --short \
		>"$FACTS_LOGS/ends.$1.log" 2>&1 &
	lab_pid=$!
	wait_until 20 _has_a_folder
	folder=$(readlink "/proc/$lab_pid/fd/9") folder=${folder%/lock}
	# The prefix that it gives to what it makes.
	prefix=$(. "$FACTS_ROOT/scripts/labs/lib.sh" && lab_set_names "$folder" && echo "$HOPFAULT_LAB_PREFIX")
	wait_until 30 _is_in_the_middle
	[[ -n $(_namespaces) && -e $folder/control.sock ]] || fail "the lab is not up: $(something_is_left)"
}

_has_a_folder() {
	[[ $(readlink "/proc/$lab_pid/fd/9" 2>/dev/null) == /run/hopfault-lab.*/lock ]]
}

_is_in_the_middle() {
	local pid
	for pid in $(_processes); do
		if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q ' trace --chain .* -- .* lab load'; then return 0; fi
	done
	return 1
}

_processes() {
	grep -lzsxF "HOPFAULT_RUN_DIR=$folder" /proc/[0-9]*/environ | cut -d/ -f3 || true
}

_namespaces() {
	find /run/netns -maxdepth 1 -name "$prefix*" -printf '%f\n' 2>/dev/null || true
}

something_is_left() {
	echo "namespaces: $(_namespaces | tr '\n' ' '); processes: $(_processes | tr '\n' ' '); folder: $(ls -d "$folder" 2>/dev/null || true)"
	[[ -n $(_namespaces)$(_processes) || -e $folder ]]
}

_all_has_gone() {
	! something_is_left && ! kill -0 "$lab_pid" 2>/dev/null
}

must_vanish() { # WHAT
	local began
	began=$(now_us)
	wait_until 20 _all_has_gone
	note "$1: nothing was left after $((($(now_us) - began) / 1000)) ms"
}

# Also of a fact that failed.
fact_ends() {
	[[ -n $lab_pid ]] || return 0
	kill -KILL -- "-$lab_pid" 2>/dev/null || true
	[[ -e $folder/lock ]] || return 0
	(. "$FACTS_ROOT/scripts/labs/lib.sh" && script=ends && lab_clear "$folder" 5) || true
}
