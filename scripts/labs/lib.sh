# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2030,SC2031 # what a lab uses; lab_clear is to change nothing
#
# lib.sh - what all labs share: beginning, ending, running, and writing down.
#
#     . "$(dirname "$0")/lib.sh"
#     lab_begin latency "$@"        options, lock, folders, log, traps, and the place: $place is lab or docker
#     step "Five services"          headings for who watches
#     place_chain 5 --work 200us    services; see scripts/demo for what a place can do
#     traced base 1000              requests, and rows for each call in $out/hops.csv
#     csv_value, percentile_of ...  figures, see scripts/lib/figures.sh
#     report_title ...              the page; see "writing down" below
#     lab_end                       takes everything down, makes report.html, says where things are
#
# A lab's folder $out, out/lab-NAME unless OUT says otherwise, is emptied of what an earlier run wrote. With --short the
# variable `short` is 1: as few requests as the conclusions bear; tests run that. Each run has a run folder, a prefix for
# names and, on Docker, a project of its own, so several may run at once; those that measure in earnest (not --short) wait
# for each other. What a killed one left is taken down by its watchdog, and where that was killed, too, by the next lab. A lab
# that lasts longer than lab_seconds is ended.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${BUILD:-$here/build}
place=${ENGINE:-lab}
short=0
lab_seconds=${LAB_SECONDS:-600}
lab_runs=/run/hopfault-lab # .XXXXXX: a folder for each run, locked by it
lab_lock=/run/lock/hopfault-labs

# shellcheck source=scripts/lib/show.sh
. "$here/scripts/lib/show.sh"
# shellcheck source=scripts/lib/figures.sh
. "$here/scripts/lib/figures.sh"

# ---- the beginning ----

lab_begin() { # NAME [OPTION...]
	lab=$1 script=lab-$1 out=${OUT:-$here/out/lab-$1}
	shift
	lab_options "$@"
	[[ $(id -u) == 0 ]] || fail "it needs root: it makes network namespaces and loads BPF programs. Nothing was done."
	lab_make_run_folder
	# shellcheck source=scripts/places/lab.sh
	. "$here/scripts/places/$place.sh"
	lab_check_tools
	((short)) || lab_wait_for_others
	rm -rf "${out:?}"/*.{csv,json,svg,md,html,txt,log}
	write_a_log "$out/lab.log"
	trap lab_at_exit EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	trap 'exit 141' PIPE
	lab_watch &
	lab_watchdog=$!
	lab_clear_what_killed_ones_left
	say "lab-$lab on $([[ $place == lab ]] && echo "the embedded lab" || echo "$place"), $(uname -sr), $(nproc) cores, $(date -u +%FT%TZ)"
}

lab_options() {
	while (($#)); do
		case $1 in
		--short) short=1 ;;
		--help | -h)
			sed -n '4,/^[^#]/s/^# \{0,1\}//p' "$0"
			exit 0
			;;
		*)
			echo "$script: '$1': the only option is --short; ENGINE=docker and OUT=FOLDER are variables" >&2
			exit 2
			;;
		esac
		shift
	done
	[[ -e $here/scripts/places/$place.sh ]] || {
		echo "$script: ENGINE=$place: it is lab or docker" >&2
		exit 2
	}
}

lab_make_run_folder() {
	run_folder=$(mktemp -d "$lab_runs.XXXXXX")
	lab_set_names "$run_folder"
	exec 9>"$run_folder/lock"
	flock 9
	export HOPFAULT_RUN_DIR=$run_folder
	echo "$place" >"$run_folder/place"
}

# What a run has made is found again by the name of its folder, also when it was killed.
lab_set_names() { # FOLDER
	local number
	number=$(cksum <<<"$1" | cut -d' ' -f1)
	project=l$(printf %x $((number % 65536)))
	image=hopfault/$project
	engine_folder=/var/lib/hopfault-$project
	export HOPFAULT_LAB_PREFIX=$project-
}

lab_check_tools() {
	local tool
	for tool in hopfault hopchain; do
		[[ -x $build/$tool ]] || fail "$build/$tool is not there: run make lab-$lab, or make first"
	done
	for tool in "${place_tools[@]}" ip awk tee flock nsenter; do
		type -P "$tool" >/dev/null || fail "$tool is not installed: scripts/setup does that"
	done
}

lab_wait_for_others() {
	mkdir -p "${lab_lock%/*}"
	exec 8>"$lab_lock"
	flock -n 8 && return
	say "Another lab is measuring; waiting for its end."
	flock -w 1800 8 || fail "it did not end within half an hour"
}

lab_clear_what_killed_ones_left() {
	local folder
	for folder in "$lab_runs".*/; do
		folder=${folder%/}
		[[ -e $folder/lock && $folder != "$run_folder" ]] || continue
		lab_clear "$folder" || say "lab-$lab: what a killed lab left in $folder could not be taken down"
	done
}

lab_clear() ( # FOLDER [SECONDS]: a process of its own, which takes on the other's names. One whose lock is held lives.
	exec 9>"$1/lock"
	flock -w "${2:-0}" 9 || exit 0
	say "A lab was killed; taking down what it left."
	run_folder=$1
	lab_set_names "$1"
	export HOPFAULT_RUN_DIR=$1
	place=$(cat "$1/place")
	# shellcheck source=scripts/places/lab.sh
	. "$here/scripts/places/$place.sh"
	lab_take_down
)

# ---- the end, on every path ----

lab_jobs=() # processes in the background that end with the lab

lab_take_down() {
	hopfault daemon --stop >/dev/null 2>&1 || true
	hopfault clean >/dev/null 2>&1 || true
	! declare -F lab_also_take_down >/dev/null || lab_also_take_down # of a lab that makes more than services
	place_end >/dev/null 2>&1
	rm -rf "$run_folder"
}

lab_at_exit() {
	local status=$? pid
	trap '' INT TERM HUP PIPE
	set +e # nobody may listen any more; what was made is taken down nevertheless
	for pid in "${lab_jobs[@]}"; do kill "$pid" 2>/dev/null || true; done
	kill "$lab_watchdog" 2>/dev/null || true
	if [[ -e $run_folder ]]; then
		((status == 0)) || say "Stopped early (status $status); taking everything down."
		lab_take_down || say "lab-$lab: something could not be taken down"
	fi
	end_the_log
	exit "$status"
}

# Ends the lab, and what it waits for, when it takes too long. When the lab has gone, it has taken everything down, or was
# killed and has not.
lab_watch() {
	exec 9>&- 8>&-
	trap - EXIT
	trap '' HUP INT # of a terminal: they mean the lab
	trap 'exit 0' TERM
	SECONDS=0
	while ((SECONDS < lab_seconds)); do
		read -rt 1 <> <(:) || true
		kill -0 $$ 2>/dev/null || lab_has_gone
	done
	say "lab-$lab: not done after $lab_seconds s"
	kill -TERM $$
	pgrep -P $$ | grep -vx -e "$tee_pid" -e "$BASHPID" | xargs -r kill -TERM # what it waits for
}

lab_has_gone() {
	[[ -e $run_folder/lock ]] || exit 0
	trap '' TERM PIPE
	set +e
	lab_processes | xargs -r kill -TERM 2>/dev/null || true # they hold its lock, or go on with what nobody waits for
	lab_clear "$run_folder" 10
	exit 0
}

# What has run in this lab's run folder since it was made: its owner, services, traces, loads.
lab_processes() {
	grep -lzsxF "HOPFAULT_RUN_DIR=$run_folder" /proc/[0-9]*/environ | cut -d/ -f3 | grep -vx "$BASHPID" || true
}

lab_end() {
	local file
	step "Everything is taken down, and the page is made"
	lab_take_down
	! "$build/hopfault" help report >/dev/null 2>&1 || hopfault report "$out"
	printf '\n=== Written to %s, in %d s\n' "$out" "$SECONDS"
	for file in "$out"/*; do
		printf '  %-28s %8d bytes\n' "${file##*/}" "$(stat -c %s "$file")"
	done
}

# ---- running ----

# traced RUN-ID N [OPTION...]: N requests, one at a time, through $chain (client,a,...); rows are added to $out/hops.csv and
# $out/summary.csv under this name. The table that hopfault prints stands in $out/RUN-ID.txt. Other words for the load
# than one connection: traced_load.
chain=client,a,b,c,d,e
traced_load=(-c 1)
traced() {
	local command=(hopfault trace --chain "$chain" --run-id "$1" --csv "$out/hops.csv" --summary "$out/summary.csv"
		--append -q "${@:3}" -- "$build/hopfault" "${place_load[@]}" -n "$2" "${traced_load[@]}")
	say_command "${command[@]//$build\//}"
	("${command[@]}") >"$out/$1.txt" 2>&1 || fail "the trace failed: $(tail -n 1 "$out/$1.txt")"
	grep "^$1: " "$out/$1.txt" || true
}

# load_begin FILE.csv OPTION...: requests in the background, a row for each in the file; load_wait waits for their end.
load_begin() {
	local file=$1
	shift
	say_command hopfault "${place_load[@]}" "$@" --csv "$file" "&"
	"$build/hopfault" "${place_load[@]}" "$@" --csv "$file" >"${file%.csv}.txt" 9>&- 8>&- &
	load_pid=$!
	lab_jobs+=("$load_pid")
}

load_wait() {
	wait "$load_pid" || fail "the load failed"
}

# at_once VARIABLE COMMAND...: a change by hopfault (add, partition, heal); VARIABLE gets the instant by which it was in
# force, in ns of CLOCK_MONOTONIC, which is the clock of all CSV files.
at_once() {
	local -n at_once_ns=$1
	shift
	say_command "$@"
	at_once_ns=$(number_in done_mono_ns "$("$@" --json)")
}

# ---- writing down ----
#
# report.md is made from top to bottom:
#
#     report_title "What a hop costs"
#     report_asked <<END ... END        "What was asked", "What was done", "What was seen", "What follows":
#     report_done  report_seen  report_follows     the heading where it was not yet, and the text
#     report_text <<END ... END         more text
#     report_table FILE.csv [COLUMN=HEADING...]    a table of these columns, or of all
#     report_picture FILE.svg TITLE

report_title() {
	printf '# %s\n\n*%s*\n' "$1" "lab-$lab, $([[ $place == lab ]] && echo "network namespaces" || echo "containers"), $(uname -sr), $(nproc) cores, $(date -u '+%F %H:%M UTC')$( ((!short)) || echo ", short form")" >"$out/report.md"
}

report_section() { # HEADING
	grep -qxF "## $1" "$out/report.md" || printf '\n## %s\n' "$1" >>"$out/report.md"
	report_text
}

report_asked() { report_section "What was asked"; }
report_done() { report_section "What was done"; }
report_seen() { report_section "What was seen"; }
report_follows() { report_section "What follows"; }

report_text() {
	{ echo && cat; } >>"$out/report.md"
}

report_table() { # FILE [COLUMN=HEADING...]
	local file=$1
	shift
	printf '%s\n' "$@" | awk -F, '
		function cell(text) { gsub(/\|/, "\\|", text); return " " text " |" }
		NR == FNR { if ($0 != "") { wanted[++columns] = $0; sub(/=.*/, "", wanted[columns]); heading[columns] = $0; sub(/^[^=]*=/, "", heading[columns]) } next }
		FNR == 1 {
			for (i = 1; i <= NF; i++) place[$i] = i
			if (!columns) for (i = 1; i <= NF; i++) { wanted[++columns] = $i; heading[columns] = $i; gsub(/_/, " ", heading[columns]) }
			line = "|"; rule = "|"
			for (i = 1; i <= columns; i++) {
				if (!(wanted[i] in place)) { print FILENAME ": no column " wanted[i] >"/dev/stderr"; exit 1 }
				line = line cell(heading[i])
			}
			next
		}
		FNR == 2 { # numbers stand to the right
			for (i = 1; i <= columns; i++) rule = rule ($place[wanted[i]] ~ /^[-+]?[0-9.]/ ? "---:|" : "---|")
			print ""; print line; print rule
		}
		{
			line = "|"
			for (i = 1; i <= columns; i++) line = line cell($place[wanted[i]])
			print line
		}' - "$file" >>"$out/report.md"
}

report_picture() { # FILE TITLE
	printf '\n![%s](%s)\n' "$2" "${1##*/}" >>"$out/report.md"
}
