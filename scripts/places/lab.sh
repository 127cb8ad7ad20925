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

place_kill() { show hopfault lab kill "$1"; }
place_start() { show hopfault lab start "$1"; }

place_counts() { # FILE NAME...
	hopfault lab counts --csv "$1" >/dev/null
}

place_word() { # NAME: all its replicas
	echo "$1"
}

place_name() { # NAME: how the tables and CSV files call this service
	echo "$1"
}

place_down() {
	show hopfault lab down
}

place_end() {
	hopfault lab down
	[[ ! -e $run_folder/has_nodes ]] || remove_nodes
}

# ---- bare nodes ----

# shellcheck source=scripts/lib/network.sh
. "$here/scripts/lib/network.sh"
net=${HOPFAULT_LAB_PREFIX%-}
node_programs=() # what is to be had in them; here they have all that this machine has

place_nodes() { # NAME...
	local name
	: >"$run_folder/has_nodes" # that of this prefix all namespaces are ours
	network "$@"
	for name; do mkdir -p "$run_folder/$name"; done
}

remove_nodes() {
	local namespace
	for namespace in $(lab_namespaces); do kill_in "$namespace"; done
	remove_namespaces
}

place_node_word() { ep "$1"; }
place_node_address() { v4 "$1"; }
place_node_folder() { echo "$run_folder/$1"; }
place_node_inner_folder() { echo "$run_folder/$1"; }
place_node_run() { # NAME PROGRAM WORD...
	local name=$1 program
	program=$("$here/scripts/engine" program "$2")
	LD_LIBRARY_PATH=$("$here/scripts/engine" libraries) within "$name" "$program" "${@:3}"
}
place_node_client() { within "$@"; }
place_node_kill() { kill_in "$net-$1"; }

kill_in() {
	ip netns pids "$1" | xargs -r kill -KILL 2>/dev/null || true
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
