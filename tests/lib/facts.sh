# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# facts.sh - runs the facts of the script that reads this file, one process and one time limit for each.
#
#   script                 all facts, one result line each
#   script PATTERN...      those whose names match
#   script --list          their names
#   script --fact NAME     one, in this process; what it says goes to the terminal
#
# Every function that a script defines is a fact, run in the order of the file, unless its name begins with `_`.
# A fact holds, or fails by `fail WHY` or by any command that fails, or ends by `skip WHY`. Result lines:
#
#   ok FACT | not ok FACT: WHY | skip FACT: WHY | # a note | end COUNT
#
# `end` says how many results there are, so that a script that dies halfway is found out. Logs go to $FACTS_LOGS.
set -euo pipefail

FACTS_SCRIPT=$(realpath "$0")
FACTS_ROOT=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
FACTS_LOGS=${FACTS_LOGS:-$FACTS_ROOT/build/test-logs/$(basename "$0" .sh)}
FACTS_SECONDS=${FACTS_SECONDS:-60}
FACTS_SKIPPED=77

# ---- for facts ----

fail() {
	echo "$*" >"${fact_said:-/dev/stderr}"
	exit 1
}

skip() {
	echo "$*" >"${fact_said:-/dev/stderr}"
	exit "$FACTS_SKIPPED"
}

note() {
	echo "# $*" | tee -a "${fact_notes:-/dev/null}"
}

# wait_until SECONDS COMMAND...: until it succeeds
wait_until() {
	local seconds=$1 end
	shift
	end=$((${EPOCHREALTIME/./} + seconds * 1000000))
	until "$@"; do
		((${EPOCHREALTIME/./} < end)) || fail "waited ${seconds} s in vain until: $*"
		pause 0.02
	done
}

# Without a process of its own that lasts; changes $!, so take that first.
pause() {
	read -rt "$1" <> <(:) || true
}

now_us() {
	echo "${EPOCHREALTIME/./}"
}

sleep_until_us() {
	local left=$(($1 - ${EPOCHREALTIME/./}))
	((left <= 0)) || pause "$((left / 1000000)).$(printf %06d $((left % 1000000)))"
}

# must_be WHAT EXPRESSION: arithmetic that must be true
must_be() {
	(($2)) || fail "not so: $1 ($2)"
}

must_be_within() {
	local what=$1 value=$2 low=$3 high=$4
	[[ $value =~ ^-?[0-9]+$ ]] || fail "$what is '$value', no number"
	((value >= low && value <= high)) || fail "$what is $value, not within $low to $high"
}

# must_say TEXT COMMAND...: it succeeds, and says so
must_say() {
	local text=$1 said
	shift
	said=$("$@" 2>&1) || fail "ended with $?: $* - $said"
	grep -qF -- "$text" <<<"$said" || fail "did not say '$text': $* - $said"
}

# must_end STATUS TEXT COMMAND...: it ends with this status, and says TEXT (an extended regular expression)
must_end() {
	local wanted=$1 text=$2 said status=0
	shift 2
	said=$("$@" 2>&1) || status=$?
	[[ $status == "$wanted" ]] || fail "ended with $status, not $wanted: $* - $said"
	grep -qE -- "$text" <<<"$said" || fail "did not say '$text': $* - $said"
}

# value_of WORD "... WORD VALUE ...": the word behind a word
value_of() {
	local wanted=$1 previous='' word
	for word in $2; do
		if [[ $previous == "$wanted" ]]; then
			echo "$word"
			return
		fi
		previous=$word
	done
	fail "no '$wanted' in: $2"
}

# ---- how they are run ----

_facts_names() {
	shopt -s extdebug
	local name
	for name in $(compgen -A function); do
		declare -F "$name"
	done | awk -v script="$0" '$3 == script && $1 !~ /^_/ { print $2, $1 }' | sort -n | cut -d' ' -f2
	shopt -u extdebug
}

_facts_explain() {
	local status=$1 line=$2 command=$3
	[[ -s $fact_said || $BASHPID != "$$" ]] || echo "line $line: '$command' ended with $status" >"$fact_said"
}

# What a fact has to set up and take down: a library that needs it defines these anew.
fact_begins() { :; }
fact_ends() { :; } # whatever happened; a failure here fails the fact

_facts_end() {
	local status=$?
	{ set +x; } 2>/dev/null
	trap - ERR EXIT
	trap '' TERM INT HUP
	set +e
	if ! fact_ends && ((status == 0)); then
		[[ -s $fact_said ]] || echo "it did not leave things as they were" >"$fact_said"
		status=1
	fi
	exit "$status"
}

_facts_be() {
	fact_said=${FACT_SAID:-/dev/stderr} fact_notes=${FACT_NOTES:-/dev/null}
	set -E
	trap '_facts_explain $? $LINENO "$BASH_COMMAND"' ERR
	trap _facts_end EXIT
	trap 'exit 143' TERM INT HUP
	fact_begins
	PS4='+ $EPOCHREALTIME '
	set -x
	"$1"
	{ set +x; } 2>/dev/null
}

_facts_run_one() {
	local fact=$1 log=$FACTS_LOGS/$1.log status=0 began=${EPOCHREALTIME/./} took why
	: >"$log.said"
	: >"$log.notes"
	FACT_SAID=$log.said FACT_NOTES=$log.notes timeout -k 15 "$FACTS_SECONDS" \
		"$FACTS_SCRIPT" --fact "$fact" </dev/null >"$log" 2>&1 || status=$?
	took=$(((${EPOCHREALTIME/./} - began) / 1000))
	why=$(tr '\n' ' ' <"$log.said" | sed 's/ *$//')
	case $status in
	0) echo "ok $fact ($took ms)" ;;
	"$FACTS_SKIPPED") echo "skip $fact: ${why:-no reason given}" ;;
	124 | 137) echo "not ok $fact: not done after $FACTS_SECONDS s${why:+; $why}" ;;
	*) echo "not ok $fact: ${why:-ended with $status}" ;;
	esac
	cat "$log.notes"
	if ((status != 0 && status != FACTS_SKIPPED)); then
		tail -n 25 "$log" | cut -c1-300 | sed 's/^/#   | /'
		facts_failed=1
	fi
	rm -f "$log.said" "$log.notes"
}

run_facts() {
	local fact pattern count=0
	case ${1:-} in
	--list) _facts_names && return ;;
	--fact)
		_facts_be "$2"
		exit 0
		;;
	esac
	mkdir -p "$FACTS_LOGS"
	facts_failed=0
	for fact in $(_facts_names); do
		for pattern in "${@:-*}"; do
			# shellcheck disable=SC2053 # a pattern
			[[ $fact == $pattern ]] || continue
			_facts_run_one "$fact"
			count=$((count + 1))
			break
		done
	done
	echo "end $count"
	exit "$facts_failed"
}
