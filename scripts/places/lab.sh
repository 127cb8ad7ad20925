# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # what the reader has, and uses
#
# lab.sh - the demo, or a lab, in hopfault's own lab: network namespaces, no container engine. What each function is for
# stands in scripts/demo.

place_tools=(ip)
place_load=(lab load)

place_up() {
	show hopfault lab up --work "$work" --timeout "$timeout"
}

place_status() {
	show hopfault lab status
}

place_chain() { # N [OPTION...]
	show hopfault lab up --replace --services "$@"
}

place_monolith() { # N [OPTION...]
	show hopfault lab up --replace --monolith "$@"
}

place_name() { # NAME: how the tables and CSV files call this service
	echo "$1"
}

place_down() {
	show hopfault lab down
}

place_end() {
	hopfault lab down
}

place_inodes() {
	lab_namespaces | sed 's,^,/run/netns/,' | xargs -r stat -c %i
}

lab_namespaces() {
	find /run/netns -maxdepth 1 -name "$HOPFAULT_LAB_PREFIX*" -printf '%f\n' 2>/dev/null || true
}

place_within() {
	local namespace
	for namespace in $(lab_namespaces); do
		nsenter --net="/run/netns/$namespace" "$@"
	done
}

place_inventory() {
	echo "network namespaces|ls /run/netns|$(lab_namespaces | wc -l)"
}
