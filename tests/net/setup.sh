#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# setup.sh - scripts/setup on a machine that lacks packages, and on one that has them. dpkg and apt are stand-ins in front of
# the real ones, so nothing is installed and nothing is asked of the network.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

# What is installed stands in $scratch/installed; what apt-get was told, in $scratch/told. $1: what apt-get does
_machine() {
	mkdir "$scratch/bin"
	touch "$scratch/installed" "$scratch/told"
	# as the real one: what it knows, on standard output, and a failure when it does not know one of those asked about
	cat >"$scratch/bin/dpkg-query" <<-'END'
		#!/bin/bash
		status=0
		for word; do
			case $word in
			-*) continue ;;
			'${'*) continue ;;
			esac
			if grep -qx "$word" "$SCRATCH/installed"; then echo "installed $word"; else status=1; fi
		done
		exit $status
	END
	cat >"$scratch/bin/apt-get" <<-END
		#!/bin/bash
		echo "\$*" >>"\$SCRATCH/told"
		[[ " \$* " == *" install "* ]] || exit 0
		$1
	END
	chmod +x "$scratch/bin/"*
}

_setup() {
	SCRATCH=$scratch PATH=$scratch/bin:$PATH HOPFAULT_PACKAGES=$scratch/packages "$FACTS_ROOT/scripts/setup" "$@" </dev/null
}

# shellcheck disable=SC2016 # for the stand-in
_installs='for word; do [[ $word == -* ]] || echo "$word" >>"$SCRATCH/installed"; done'

packages_that_dpkg_does_not_know_are_installed() {
	_machine "$_installs"
	echo make >"$scratch/installed"
	must_say "missing for build: bpftool clang" _setup build
	grep -q "install.* libbpf-dev" "$scratch/told" || fail "apt-get was told: $(cat "$scratch/told")"
	grep -q "install.* libelf-dev" "$scratch/told" || fail "apt-get was told: $(cat "$scratch/told")"
	! grep -qw "install.* make" "$scratch/told" || fail "make was there already"
}

where_all_is_there_nothing_is_done() {
	_machine "$_installs"
	_setup build >/dev/null
	: >"$scratch/told"
	must_say "all is there for: build" _setup build
	[[ ! -s $scratch/told ]] || fail "apt-get was told: $(cat "$scratch/told")"
}

an_apt_get_that_fails_is_said() {
	_machine "exit 100"
	must_end 1 "apt-get could not install: bpftool" _setup build
}

what_is_still_missing_after_the_installation_is_said() {
	_machine "exit 0"
	must_end 1 "these are missing: bpftool" _setup build
}

run_facts "$@"
