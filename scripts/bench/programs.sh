# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # set by lib.sh and run
#
# programs.sh - nanoseconds a packet of each BPF program: by BPF_PROG_TEST_RUN over random links (see progbench), and by the
# kernel's own count while the chain is under load.

section_programs() {
	programs_by_test_run
	programs_under_traffic
}

programs_by_test_run() {
	"$tools/progbench" --keys --rounds "$programs_rounds" --samples "$programs_samples" >"$scratch/progbench" || {
		say "programs: progbench failed"
		return
	}
	heading "a packet, BPF_PROG_TEST_RUN" "10 links" "1000 links" ratio
	local ten thousand
	ten=$(programs_figure links10)
	thousand=$(programs_figure links1000)
	row programs "link_enter, no rule matches" ns "$ten" "$thousand" \
		"$(awk -v a="$ten" -v b="$thousand" 'BEGIN { if (a > 0) printf "%.3f", b / a }')" "$programs_rounds" b "<=" 150
	row programs "link_enter, 1000 links to 10" ns "$ten" "$thousand" \
		"$(awk -v a="$ten" -v b="$thousand" 'BEGIN { if (a > 0) printf "%.3f", b / a }')" "$programs_rounds" ratio "<=" 1.20
	sed 's/^/  /' "$scratch/progbench" >>"$report"
}

programs_figure() { # SCENARIO: the median over samples, less an empty program's
	sed -n "s/^$1\.\(p50\|median\)_ns=//p; s/^$1_\(p50\|median\)_ns=//p" "$scratch/progbench" | head -1
}

# A run's figure has two reads of the clock in it: the kernel's way of counting.
programs_under_traffic() {
	local owner state name
	lab_up
	many_up 32
	owner_start
	attach_chain
	owner=$(owner_pid)
	for state in idle ruled10 ruled1000 traced; do
		local command=()
		case $state in
		ruled10) "$hopfault" add client,a,b,c,d a,b,c,d,e drop proto udp port 9 >/dev/null 2>&1 ||
			"$hopfault" add client,a b,c,d,e drop proto udp port 9 both >/dev/null ;;
		ruled1000) many_rule 32 ;;
		traced)
			"$hopfault" heal >/dev/null
			command=("$hopfault" trace --chain "$chain" --for 100s --)
			;;
		esac
		"$tools/progstats" --pid "$owner" -- "${command[@]}" "$hopfault" lab load -n "$programs_requests" -c 8 --rate 1000 \
			3>"$scratch/progstats.$state" >/dev/null
	done
	heading "a packet, under traffic (1000 req/s)" idle "with it" ratio
	for state in ruled10 ruled1000 traced; do
		while read -r name; do
			local a b
			a=$(grep "^prog=$name " "$scratch/progstats.idle" | field ns_per_run || true)
			b=$(grep "^prog=$name " "$scratch/progstats.$state" | field ns_per_run)
			row programs "$name, $state" ns "$a" "$b" \
				"$(awk -v a="${a:-0}" -v b="$b" 'BEGIN { if (a > 0) printf "%.3f", b / a }')" 1
		done < <(sed -n 's/^prog=\([^ ]*\) .*/\1/p' "$scratch/progstats.$state" | sort)
	done
	lab_down
	many_down
}
