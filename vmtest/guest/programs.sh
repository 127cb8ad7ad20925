# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# programs.sh - the verifier of this kernel takes our tc programs, as they come from the compiler.
# The programs for sockets are chosen by kernel, so they are loaded by hopfault itself, in hopfault.sh.
# needs: bpftool
# payload: build/link.bpf.o

every_program_of_link_is_accepted_by_the_verifier() {
	if ! bpftool prog loadall /payload/link.bpf.o /sys/fs/bpf/link >/run/verifier.log 2>&1; then
		tail -n 40 /run/verifier.log
		# the verifier's verdict stands before its own account of the work done
		fail "$(awk '/^processed [0-9]+ insns/ { verdict = last } { last = $0 } END { print verdict ? verdict : last }' /run/verifier.log)"
	fi
	note "$(bpftool prog show | grep -c sched_cls) tc programs, $(bpftool prog show | awk '/sched_cls/ { print $4 }' | paste -sd' ')"
}
