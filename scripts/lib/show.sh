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
# into the file alone. What ends the script must not end tee before it: then there would be nobody to say anything to.
write_a_log() { # FILE
	mkdir -p "${1%/*}"
	exec 3>&1 4>&2
	exec > >(trap '' HUP TERM && exec tee -ip "$1" 9>&-) 2>&1
	tee_pid=$!
}

# An end that comes while a function's output is redirected finds copies of the pipe in bash's own hands: tee would wait for
# them, and bash for tee. Whoever else has one is waited for a few seconds, and no longer.
end_the_log() {
	[[ -n ${tee_pid:-} ]] || return 0
	local pipe fd tries
	pipe=$(readlink "/proc/$tee_pid/fd/0") || true
	exec >&3 2>&4
	for fd in "/proc/$$/fd"/*; do
		[[ -z $pipe || $(readlink "$fd") != "$pipe" ]] || eval "exec ${fd##*/}>&-"
	done
	for ((tries = 0; tries < 50; tries++)); do
		kill -0 "$tee_pid" 2>/dev/null || break
		read -rt 0.1 <> <(:) || true
	done
	kill -KILL "$tee_pid" 2>/dev/null || true
	wait "$tee_pid" 2>/dev/null || true
	tee_pid=''
}

number_in() { sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" <<<"$2"; } # NAME JSON
