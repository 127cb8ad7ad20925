# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # set by run
#
# lib.sh - what the sections of the bench share: a lab of its own, arms that are entered and left, medians, and rows.
#
# An arm is a state of the machine (nothing attached, attached and idle, ...). Rounds go through all arms in turn, and each
# second round backwards, so that a drift of the machine falls on all of them alike. What is compared is the median of
# the rounds' own ratios.

build=${BUILD:-build}
hopfault=$build/hopfault
# shellcheck disable=SC2034 # read by the sections
tools=$build/tests/tools
chain=client,a,b,c,d,e
scratch=
lab_is_up=
children=()

begin() {
	scratch=$(mktemp -d)
	export HOPFAULT_RUN_DIR=$scratch/run HOPFAULT_LAB_PREFIX=${HOPFAULT_LAB_PREFIX:-b$(printf %x $$)-}
	# shellcheck disable=SC2034 # read by the sections
	netns=/run/netns/$HOPFAULT_LAB_PREFIX
	trap end EXIT
	trap 'exit 130' INT TERM
}

end() {
	local status=$? pid
	for pid in "${children[@]}"; do kill "$pid" 2>/dev/null || true; done
	owner_stop
	many_down
	[ -z "$lab_is_up" ] || "$hopfault" lab down >/dev/null || true
	rm -rf "$scratch"
	return "$status"
}

# ---- the lab, and its owner ----

lab_up() { "$hopfault" lab up "$@" >/dev/null; lab_is_up=1; }
lab_down() { owner_stop; "$hopfault" lab down >/dev/null; lab_is_up=; }

# --stop is answered before the owner has ended; its lock is free when it has.
owner_stop() {
	"$hopfault" daemon --stop >/dev/null 2>&1 || true
	[ ! -e "$HOPFAULT_RUN_DIR/owner.lock" ] || flock --wait 5 "$HOPFAULT_RUN_DIR/owner.lock" true
}
owner_start() {
	"$hopfault" daemon --idle 60m >"$scratch/owner.log" 2>&1 &
	children+=($!)
	wait_until owner_answers
}
owner_answers() { [ -S "$HOPFAULT_RUN_DIR/control.sock" ]; } # the last thing that it makes
owner_pid() { status_number pid; }
status_number() { "$hopfault" status --json | sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" | head -1; }

wait_until() {
	local i
	for ((i = 0; i < 200; i++)); do
		"$@" && return
		sleep 0.02
	done
	echo "bench: waited in vain: $*" >&2
	return 1
}

# Attached to the whole chain, with nothing asked: what a trace leaves behind while the owner lives.
attach_chain() { "$hopfault" trace --chain "$chain" --for 20ms --json >/dev/null; }

# The services' own processes: `ps` names the first one of each namespace, whose child is the service.
service_pids() {
	local pid
	"$hopfault" ps | awk -v mine="^${HOPFAULT_LAB_PREFIX}" '$2 == "lab" && $3 ~ /^[0-9]+$/ { print $3 }' |
		while read -r pid; do cat "/proc/$pid/task/$pid/children"; done | tr -s ' \n' ',' | sed 's/,$//'
}

# ---- endpoints by the dozen, for links that are ruled and not used ----

many_count=0
many_up() { # COUNT: namespaces on the lab's bridge, without a service
	local i name
	for ((i = many_count; i < $1; i++)); do
		name=${HOPFAULT_LAB_PREFIX}m$i
		ip netns add "$name"
		many_count=$((i + 1))
		ip link add "m$i" netns "${HOPFAULT_LAB_PREFIX}lab" type veth peer name eth0 netns "$name"
		ip -n "${HOPFAULT_LAB_PREFIX}lab" link set "m$i" master br0 up
		ip -n "$name" addr add "10.83.0.$((100 + i))/24" dev eth0
		ip -n "$name" link set eth0 up
	done
}
many_down() {
	while ((many_count > 0)); do
		many_count=$((many_count - 1))
		ip netns del "${HOPFAULT_LAB_PREFIX}m$many_count" 2>/dev/null || true
	done
}
# Every one of COUNT endpoints is cut from every other: COUNT * (COUNT - 1) links are ruled.
many_rule() {
	local i names=()
	for ((i = 0; i < $1; i++)); do names+=("netns:${HOPFAULT_LAB_PREFIX}m$i"); done
	"$hopfault" partition "${names[@]}" >/dev/null
}

# ---- figures ----

median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
percentile() { sort -g | awk -v p="$1" '{ v[NR] = $1 } END { if (NR) { k = int(NR * p / 100) + 1; if (k > NR) k = NR; print v[k] } }'; }
largest() { sort -g | tail -1; }
paired_ratio() { paste "$1" "$2" | awk '$1 > 0 { print $2 / $1 }' | median; } # FILE-A FILE-B: the median of b / a, round by round
# Where the median of all such ratios lies, with 95 in 100: by the ranks of a binomial (Conover, Practical Nonparametric Statistics).
ratio_within() { # FILE-A FILE-B
	paste "$1" "$2" | awk '$1 > 0 { print $2 / $1 }' | sort -g | awk '{ v[NR] = $1 }
		END { d = 0.98 * sqrt(NR); a = int(NR / 2 - d); b = int(NR / 2 + d) + 1
			if (a < 1) a = 1
			if (b > NR) b = NR
			printf "%.3f .. %.3f\n", v[a], v[b] }'
}
field() { sed -n "s/.*\b$1=\([0-9.]*\).*/\1/p" | head -1; }
rounded() { awk -v x="$1" -v d="${2:-1}" 'BEGIN { printf "%.*f", d, x }'; }

# ---- rows ----

open_report() {
	mkdir -p "$out"
	csv=$out/results.csv
	report=$out/report.txt
	echo "section,name,unit,a,b,ratio,rounds,asked,met,load" >"$csv"
	: >"$report"
}

say() { echo "$*" | tee -a "$report"; }

heading() { # TITLE  A  B
	say ""
	printf '%-36s %11s %11s %7s  %-s\n' "$1" "$2" "$3" "$4" "asked" | tee -a "$report"
}

# row SECTION NAME UNIT A B RATIO ROUNDS [ASKED-OF OPERATOR LIMIT]: ASKED-OF is b or ratio
row() {
	local section=$1 name=$2 unit=$3 a=$4 b=$5 ratio=$6 rounds=$7 of=${8:-} operator=${9:-} limit=${10:-}
	local asked="" met="" value load
	load=$(cut -d' ' -f1 /proc/loadavg)
	if [ -n "$of" ]; then
		value=$b
		[ "$of" != ratio ] || value=$ratio
		asked="$of $operator $limit"
		met=$(awk -v v="$value" -v o="$operator" -v l="$limit" \
			'BEGIN { print v == "" ? "unknown" : (o == "<=" ? v + 0 <= l + 0 : v + 0 >= l + 0) ? "yes" : "no" }')
	fi
	echo "$section,$name,$unit,$a,$b,$ratio,$rounds,$asked,$met,$load" >>"$csv"
	printf '%-36s %11s %11s %7s  %s\n' "$name, $unit" "$a" "$b" "$ratio" "${asked:+$asked: $met}" | tee -a "$report"
}

# Compares two files of one figure a round.
row_of_files() { # SECTION NAME UNIT FILE-A FILE-B DIGITS [ASKED-OF OPERATOR LIMIT]
	local section=$1 name=$2 unit=$3 file_a=$4 file_b=$5 digits=$6
	shift 6
	row "$section" "$name" "$unit" "$(rounded "$(median <"$file_a")" "$digits")" "$(rounded "$(median <"$file_b")" "$digits")" \
		"$(rounded "$(paired_ratio "$file_a" "$file_b")" 3)" "$(wc -l <"$file_b")" "$@"
}

# The arms of round N, forwards or backwards.
in_turn() { # N ARM...
	local n=$1
	shift
	if ((n % 2)); then printf '%s\n' "$@" | tac; else printf '%s\n' "$@"; fi
}
