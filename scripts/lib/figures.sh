# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# figures.sh - figures out of CSV files, for labs and their tests.
#
# For CSV files whose fields need no quotes, as those are that hopfault writes of labs. A condition is COLUMN=VALUE.

# csv_value FILE COLUMN [CONDITION...]: of the first row for which all conditions hold; empty when there is none
csv_value() {
	csv_values "$@" | head -n 1
}

csv_values() { # all of them
	local file=$1 column=$2 IFS=$'\037' # between conditions: values may have spaces
	shift 2
	awk -F, -v column="$column" -v conditions="$*" '
		BEGIN { count = split(conditions, condition, "\037") }
		{ sub(/\r$/, "") }
		NR == 1 {
			for (i = 1; i <= NF; i++) place[$i] = i
			if (!(column in place)) { print FILENAME ": no column " column >"/dev/stderr"; exit 1 }
			for (i = 1; i <= count; i++) {
				name = condition[i]; sub(/=.*/, "", name)
				if (!(name in place)) { print FILENAME ": no column " name >"/dev/stderr"; exit 1 }
				wanted[place[name]] = substr(condition[i], length(name) + 2)
			}
			next
		}
		{
			for (i in wanted) if ($i != wanted[i]) next
			print $place[column]
		}' "$file"
}

# percentile P: of the numbers on standard input, one a line, empty ones left out, by nearest rank
percentile() {
	grep . | sort -n | awk -v p="$1" '{ value[NR] = $1 } END { if (NR) { r = p / 100 * NR; n = int(r); print value[n < r ? n + 1 : n] } }'
}

# percentile_of P FILE COLUMN [CONDITION...]
percentile_of() {
	local p=$1
	shift
	csv_values "$@" | percentile "$p"
}

ms() { # NS: "5.02 ms", for a reader
	awk -v ns="$1" 'BEGIN { if (ns == "") print "-"; else { ms = ns / 1e6; printf (ms < 1 ? "%.3f ms\n" : ms < 100 ? "%.2f ms\n" : "%.0f ms\n"), ms } }'
}

calc() { # EXPRESSION [FORMAT]: awk's arithmetic
	awk "BEGIN { printf \"${2:-%.6g}\\n\", $1 }"
}
