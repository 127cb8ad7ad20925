#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# docker-macvlan.sh - containers of a real Docker on a macvlan network, where no veth leads to the host: the programs are put on
# their interfaces inside.
#
#     engine's namespace   far ==== near, the parent    one 10.66.0.11, two 10.66.0.12 on it (macvlan, bridge mode)
#
# shellcheck disable=SC2317,SC2015 # called by name
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
hopfault=${HOPFAULT:-$here/build/hopfault}
engine=$here/scripts/engine
scratch=$(mktemp -d /tmp/hfm.XXXXXX)
export HOPFAULT_RUN_DIR=$scratch/run HOPFAULT_DOCKER_SOCKET=$scratch/engine/docker.sock
export HOPFAULT_PODMAN_SOCKET=$scratch/none.sock DOCKER_HOST=unix://$HOPFAULT_DOCKER_SOCKET

cleanup() {
	"$hopfault" daemon --stop >/dev/null 2>&1 || true
	"$engine" down "$scratch/engine" || true
	rm -rf "$scratch"
}
trap cleanup EXIT
# shellcheck source=tests/lib/in_order.sh
. "$here/tests/lib/in_order.sh"
why=$("$engine" missing) || no_engine macvlan "$why"

host() { nsenter --net="/run/netns/$(cat "$scratch/engine/netns")" "$@"; }
engine_up() {
	"$engine" up "$scratch/engine" $$ && "$engine" image box busybox &&
		cc -O2 -static -o "$scratch/eager" "$here/tests/tools/eager.c" && "$engine" image eager "$scratch/eager" &&
		host ip link add far type veth peer name near && host ip link set far up && host ip link set near up
}
# A probe of its own: a kernel without macvlan is no failure.
has_macvlan() {
	host ip link add link near name probe type macvlan mode bridge 2>/dev/null && host ip link del probe
}
containers_up() {
	docker network create -d macvlan --subnet 10.66.0.0/24 -o parent=near flat >/dev/null &&
		docker run -d --name one --network flat --ip 10.66.0.11 box sleep 600 >/dev/null &&
		docker run -d --name two --network flat --ip 10.66.0.12 box sleep 600 >/dev/null &&
		wait_for 10 reaches one 10.66.0.12
}
reaches() { docker exec "$1" busybox ping -c 1 -w 1 "$2" >/dev/null 2>&1; }
misses() { ! reaches "$@"; }

ps_says_that_they_are_worked_on_inside() {
	"$hopfault" ps --json | python3 -c '
import json, sys
inside = {e["name"]: i["inside"] for e in json.load(sys.stdin) for i in e["interfaces"] if e["engine"] == "docker"}
sys.exit(inside != {"one": True, "two": True})' || { "$hopfault" ps; return 1; }
}
a_partition_cuts_and_heals() {
	"$hopfault" partition one two >/dev/null && misses one 10.66.0.12 && misses two 10.66.0.11 || return 1
	"$hopfault" heal >/dev/null && reaches one 10.66.0.12
}
a_drop_one_way_is_counted() {
	"$hopfault" add one two drop proto icmp >/dev/null && misses one 10.66.0.12 || return 1
	"$hopfault" status --json | grep -qE '"dropped": [1-9]' || { echo "not counted"; return 1; }
	"$hopfault" heal >/dev/null
}
a_delay_is_refused_with_the_reason() {
	"$hopfault" add one two delay 5ms 2>"$scratch/why" && { echo "it was taken"; return 1; }
	grep -q veth "$scratch/why" || { cat "$scratch/why"; return 1; }
}
after_a_restart_it_is_cut_off_again() {
	"$hopfault" partition one two >/dev/null && docker restart -t 0 one >/dev/null && wait_for 5 misses two 10.66.0.11 || return 1
	sleep 1.5
	misses two 10.66.0.11 && misses one 10.66.0.12 || return 1
	"$hopfault" heal >/dev/null && wait_for 5 reaches one 10.66.0.12
}

# To load others would leave it uncut for as long as the kernel verifies them.
the_same_programs_serve_it_after_a_restart() {
	local before
	"$hopfault" partition one two >/dev/null && before=$(programs) && docker restart -t 0 one >/dev/null &&
		wait_for 5 misses two 10.66.0.11 || return 1
	[ "$(programs)" = "$before" ] || { echo "before: $before; now: $(programs)"; return 1; }
	"$hopfault" heal >/dev/null && wait_for 5 reaches one 10.66.0.12
}
# By their ids; the owner's alone, as others may work on this machine.
programs() { sed -n 's/^prog_id:[^0-9]*//p' "/proc/$(owner_pid)/fdinfo/"* | sort -un | xargs; }
owner_pid() { "$hopfault" status --json | sed -n 's/.*"pid": \([0-9]*\).*/\1/p' | head -1; }

# No veth of the host's tells that it comes: what it sends until it is found gets through, and no longer.
what_passes_after_a_restart_before_it_is_found_is_little() {
	local before first gap most=0 settled
	mkdir -p "$scratch/count"
	docker run -d --name sink --network flat --ip 10.66.0.21 -v "$scratch/count:/count" eager count 4711 /count/n >/dev/null &&
		docker run -d --name again --network flat --ip 10.66.0.22 eager send 10.66.0.21 4711 >/dev/null || return 1
	something_comes && "$hopfault" partition again sink >/dev/null || return 1
	sleep 0.2
	for _ in 1 2 3 4 5; do
		before=$(arrived)
		docker restart -t 0 again >/dev/null
		first=${EPOCHREALTIME/./}
		wait_for 2 is_silent || return 1
		gap=$(((${EPOCHREALTIME/./} - first) / 1000))
		[ "$gap" -le "$most" ] || most=$gap
	done
	settled=$(arrived)
	sleep 0.3
	nothing_came_since "$settled" || return 1
	echo "# 5 restarts: cut again $most ms after docker restart was done, at most; $((settled - before)) packets got through in the last"
	"$hopfault" heal >/dev/null && something_comes
}
is_silent() {
	local before
	before=$(arrived)
	sleep 0.05
	[ "$(arrived)" = "$before" ]
}

set_up engine_up
has_macvlan || no_engine macvlan "this kernel has no macvlan"
set_up containers_up
facts_in_order ps_says_that_they_are_worked_on_inside a_partition_cuts_and_heals a_drop_one_way_is_counted \
	a_delay_is_refused_with_the_reason after_a_restart_it_is_cut_off_again the_same_programs_serve_it_after_a_restart \
	what_passes_after_a_restart_before_it_is_found_is_little
