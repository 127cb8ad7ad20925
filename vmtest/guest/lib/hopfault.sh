# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# hopfault.sh - what guest tests of hopfault share: a daemon with a chosen engine, the lab, its figures.

LAB_HOPS=(a b c d e)
export HOPFAULT_RUN_DIR=/run/hopfault

# daemon_with ENGINE: in the background, until it answers
daemon_with() {
	hopfault --delay-engine "$1" daemon >/run/daemon.log 2>&1 &
	daemon=$!
	wait_for "the daemon answers" daemon_answers
}

daemon_answers() {
	kill -0 "$daemon" 2>/dev/null || fail "the daemon ended: $(tail -n 1 /run/daemon.log)"
	[[ -S $HOPFAULT_RUN_DIR/control.sock ]] && hopfault status >/dev/null
}

# delay_chain TIME: on every hop from service to service, requests only
delay_chain() {
	local hop
	for ((hop = 1; hop < ${#LAB_HOPS[@]}; hop++)); do
		hopfault add "${LAB_HOPS[hop - 1]}" "${LAB_HOPS[hop]}" delay "$1"
	done
}

# load_ns N FILE: send N requests, one after the other; prints the median latency in ns
load_ns() {
	hopfault lab load -n "$1" -c 1 --csv "$2" >&2
	[[ $(column status "$2" | grep -c '^200$') == "$1" ]] || fail "not all of $1 requests were answered"
	column latency_ns "$2" | median
}

# column NAME FILE.csv: its values, one a line
column() {
	awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; if (!at) exit 1; next } { print $at }' "$2"
}

median() {
	sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

# every_packet_is_held DELAY_NS FIGURES BARE: none is lost or early, none more than 60 us later than the delay and the way
# itself. FIGURES and BARE are one_way's, with and without the delay; of BARE the shortest counts, so no error looks smaller.
every_packet_is_held() {
	local delay_ns=$1 figures=$2 longest
	longest=$((delay_ns + $(value_of min "$3") + 60000))
	[[ $(value_of received "$figures") == "$(value_of sent "$figures")" ]] || fail "packets were lost: $figures"
	must_be_within "the shortest time (ns)" "$(value_of min "$figures")" "$delay_ns" "$longest"
	must_be_within "the longest time (ns)" "$(value_of max "$figures")" "$delay_ns" "$longest"
}

# fq_holds_one_direction_only LEFT_ADDRESS RIGHT_ADDRESS: 5 ms from left to right, and nothing back
fq_holds_one_direction_only() {
	local there back
	there=$(one_way left "$2")
	back=$(one_way right "$1") # the way itself, with no delay on it
	note "one way, ns, fq 5 ms to $2: $there"
	note "one way, ns, back to $1: $back"
	[[ $(value_of received "$back") == "$(value_of sent "$back")" ]] || fail "packets were lost: $back"
	must_be_within "the longest time back (ns)" "$(value_of max "$back")" 0 60000
	every_packet_is_held 5000000 "$there" "$back"
}

# hop_median SRC DST COLUMN FILE.csv: of the calls from SRC to DST
hop_median() {
	awk -F, -v src="$1" -v dst="$2" -v name="$3" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$at["src"] == src && $at["dst"] == dst { print $at[name] }' "$4" | median
}

# Each of four hops adds 5 ms to a request's way, and next to nothing else.
the_chain_is_delayed_by() {
	local engine=$1 bare_ns held_ns
	hopfault lab up
	daemon_with "$engine"
	bare_ns=$(load_ns 20 /run/bare.csv)
	delay_chain 5ms
	held_ns=$(load_ns 20 /run/held.csv)
	note "median of a request through the chain, ns: bare $bare_ns, 4 hops of 5 ms by $engine $held_ns"
	((held_ns - bare_ns >= 20000000)) || fail "$((held_ns - bare_ns)) ns were added, less than 20 ms"
	if [[ $VIRTUAL_TIME == yes ]]; then
		must_be_within "what was added (ns)" $((held_ns - bare_ns)) 20000000 21000000
	fi
}
