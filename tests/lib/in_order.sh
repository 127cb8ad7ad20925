# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # $hopfault and $scratch are the script's
#
# in_order.sh - facts about one engine's containers, in order: each takes them as the one before it has left them.
#
#     no_engine WHAT WHY          says why there is nothing to be tested, and ends
#     set_up COMMAND...           what all need; without it nothing goes on
#     facts_in_order NAME...      runs them, and ends
#
# A fact is a function: what it says is shown when it fails, and lines of it that begin with "# " always.

no_engine() {
	echo "skip $1: $2"
	echo "end 1"
	exit 0
}

set_up() {
	"$@" >"$scratch/said" 2>&1 && return
	echo "not ok $1: $(tail -n 1 "$scratch/said")"
	sed 's/^/#   | /' "$scratch/said"
	echo "end 1"
	exit 1
}

facts_in_order() {
	local fact failed=0
	for fact; do
		if "$fact" >"$scratch/said" 2>&1; then
			echo "ok $fact"
			grep '^# ' "$scratch/said" || true
		else
			echo "not ok $fact: $(tail -n 1 "$scratch/said")"
			sed 's/^/#   | /' "$scratch/said"
			failed=1
		fi
	done
	echo "end $#"
	exit "$failed"
}

# ---- for facts ----

wait_for() { # SECONDS COMMAND...
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$until" ] || { echo "waited in vain for: $*"; return 1; }
		sleep 0.02
	done
}

of() { # NAME FIGURE: of an endpoint, as status has it
	"$hopfault" status --json | awk -v name="\"$1\"" -v wanted="\"$2\":" '
		{ gsub(/,$/, "") }
		$1 == "\"name\":" { here = $2 == name }
		here && $1 == wanted { gsub(/"/, "", $2); print $2; exit }'
}
is() { [ "$(of "$1" state)" = "$2" ]; } # NAME STATE
came_again() { [ "$(of "$1" reattached)" -ge "$2" ]; } # NAME TIMES

# What tests/tools/eager.c has counted at the receiver's, in $scratch/count/n.
arrived() { cat "$scratch/count/n"; }
more_than() { [ "$(arrived)" -gt "$1" ]; }
something_comes() {
	local before
	before=$(arrived)
	wait_for 5 more_than "$before" || { echo "nothing comes"; return 1; }
}
nothing_came_since() { # BEFORE
	local now
	now=$(arrived)
	[ "$now" = "$1" ] || { echo "$((now - $1)) came through"; return 1; }
}
