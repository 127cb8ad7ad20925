# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # build is the reader's
#
# show.sh - what scripts that work before a user's eyes say, and how: for the demo and the labs. The reader has set `build`,
# the folder with the programs, and `script`, its own name in messages.

steps=0
step() { printf '\n=== %d. %s\n' $((++steps)) "$*"; }
say() { printf '%s\n' "$*"; }
fail() {
	printf '%s: %s\n' "$script" "$*" >&2
	exit 1
}

# Descriptor 9 is the lock: an owner that outlives the script must not keep it. Where the output is redirected, this is
# called in a subshell, or bash would keep a copy of the pipe to tee, and the script's end would wait for its end in vain.
hopfault() { "$build/hopfault" "$@" 9>&-; }

show() { # COMMAND...: the command as a user would type it, then what it says
	say_command "$@"
	"$@"
}

say_command() { printf '$ %s\n' "$*" | fold -s -w 76 | sed '2,$s/^/      /; $!s/$/\\/'; }

# Everything that is said from here on goes to the terminal and into the file; when nobody reads the terminal any more,
# into the file alone.
write_a_log() { # FILE
	mkdir -p "${1%/*}"
	exec 3>&1 4>&2
	exec > >(exec tee -ip "$1" 9>&-) 2>&1
	tee_pid=$!
}

end_the_log() {
	[[ -n ${tee_pid:-} ]] || return 0
	exec >&3 2>&4
	wait "$tee_pid" || true
	tee_pid=''
}

number_in() { sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" <<<"$2"; } # NAME JSON
