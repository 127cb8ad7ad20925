# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# results.sh - result lines of every kind of test program become one kind, shown and counted.
#
# Lines: ok NAME | not ok NAME: WHY | skip NAME: WHY | # a note | end COUNT. All else is a test's own business and goes
# to the log alone.

# shellcheck disable=SC2034 # run reads it
passed=0 failed=0 skipped=0 announced=''

# take_results: from standard input; counts into passed, failed, skipped
take_results() {
	local line
	announced=''
	while IFS= read -r line; do
		line=${line%$'\r'}
		line=${line#"${line%%[! ]*}"}
		case $line in
		'ok '*) passed=$((passed + 1)) ;;
		'not ok '*) failed=$((failed + 1)) ;;
		'skip '*) skipped=$((skipped + 1)) ;;
		'# '*) ;;
		'end '*)
			announced=${line#end }
			continue
			;;
		*) continue ;;
		esac
		echo "  $line"
	done
}

results() {
	echo $((passed + failed + skipped))
}

# from_cmocka PROGRAM LOG STATUS: what a cmocka program said in TAP becomes result lines. A program that died, or that
# ran fewer tests than it planned, is one failure more.
from_cmocka() {
	awk -v program="$1" -v status="$3" '
		function told(line) { print line; if (line ~ /^not ok /) bad++ }
		function flush() {
			if (held == "") return
			told(held (why == "" ? "" : ": " why))
			held = ""; why = ""
		}
		/^1\.\.[0-9]+$/ { flush(); planned += substr($0, 4); next }
		/^(not )?ok [0-9]+ # SKIP / {
			flush(); seen++
			sub(/^(not )?ok [0-9]+ # SKIP /, "")
			print "skip " program " " $0 ": " (said == "" ? "the test gives no reason" : said)
			said = ""; next
		}
		/^ok [0-9]+ - / { flush(); seen++; said = ""; sub(/^ok [0-9]+ - /, ""); told("ok " program " " $0); next }
		/^not ok [0-9]+ - / { flush(); seen++; sub(/^not ok [0-9]+ - /, ""); held = "not ok " program " " $0; why = said; said = ""; next }
		/^# not ok - / { next }
		/^# / { if (held != "") why = why (why == "" ? "" : "; ") substr($0, 3); next }
		{ said = $0 }
		END {
			flush()
			if (status == 124 || status == 137)
				print "not ok " program ": not done in time, after " seen + 0 " of " planned + 0 " tests"
			else if (seen != planned || !planned)
				print "not ok " program ": ended with " status " after " seen + 0 " of " planned + 0 " tests"
			else if (status != 0 && !bad)
				print "not ok " program ": ended with " status
		}' "$2"
}
