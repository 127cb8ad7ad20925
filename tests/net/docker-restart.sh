#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# docker-restart.sh - containers of a real Docker are restarted, made anew, taken off their network and put back, while they
# send from their first instruction on; nothing of that passes a partition that is in force.
#
#     RESTARTS=50 tests/net/docker-restart.sh      5 unless said
#
# scripts/engine makes the engine: it touches no other engine, no other bridge, no firewall rule of the host.
# shellcheck disable=SC2317,SC2015 # called by name
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
hopfault=${HOPFAULT:-$here/build/hopfault}
engine=${HOPFAULT_ENGINE:-$here/scripts/engine}
restarts=${RESTARTS:-5}
scratch=$(mktemp -d /tmp/hfr.XXXXXX)
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
why=$("$engine" missing) || no_engine restarts "$why"

engine_up() {
	"$engine" up "$scratch/engine" $$ &&
		cc -O2 -static -o "$scratch/eager" "$here/tests/tools/eager.c" &&
		"$engine" image eager "$scratch/eager" &&
		docker network create --subnet 172.31.77.0/24 --ip-range 172.31.77.128/25 back >/dev/null
}

# The peer, with what it has counted in $scratch/count/n; and the one that never stops sending to it. A restart may give a
# container another's address: the peer's is its own for good.
address=172.31.77.10
sink() {
	mkdir -p "$scratch/count"
	docker run -d --name sink --network back --ip "$address" -v "$scratch/count:/count" eager count 4711 /count/n >/dev/null
}
eager() { docker run -d --name "$1" --network back eager send "$address" 4711 >/dev/null; } # NAME

quarantine() { # FIGURE
	"$hopfault" status --json | awk -v wanted="\"$1\":" '
		{ gsub(/,$/, "") }
		$1 == "\"quarantine\":" { here = 1 }
		here && $1 == wanted { print $2; exit }'
}

nothing_passes_while_a_container_is_restarted() {
	local before i guarded=0 known=0 us
	something_comes || return 1
	"$hopfault" partition again sink || return 1
	sleep 0.2
	before=$(arrived)
	for ((i = 1; i <= restarts; i++)); do
		docker restart -t 0 again >/dev/null
		wait_for 5 came_again again "$i" || return 1
		us=$(($(of again reattach_ns) / 1000))
		[ "$us" -le "$guarded" ] || guarded=$us
		us=$(($(of again identify_ns) / 1000))
		[ "$us" -le "$known" ] || known=$us
	done
	sleep 0.3
	nothing_came_since "$before" || return 1
	echo "# $restarts restarts: 0 of $(dropped) packets came through; from the veth's news to its row at most" \
		"$(($(quarantine row_max_ns) / 1000)) us, to its program $guarded us (asked for: 20000), until it was known $known us"
	[ "$(of again quarantined)" -ge "$restarts" ] || { echo "quarantined: $(of again quarantined)"; return 1; }
}
dropped() { "$hopfault" status --json | awk '$1 == "\"dropped\":" { gsub(/,/, ""); print $2; exit }'; }

nothing_passes_when_both_are_restarted_at_once() {
	local before
	before=$(arrived)
	docker restart -t 0 again sink >/dev/null &
	docker restart -t 0 sink again >/dev/null || true
	wait || true
	wait_for 5 is again up && wait_for 5 is sink up || return 1
	sleep 0.5
	nothing_came_since "$before"
}

nothing_passes_when_it_is_made_anew() {
	local before
	before=$(arrived)
	docker rm -f again >/dev/null
	wait_for 5 is again down || return 1
	eager again
	wait_for 5 is again up || return 1
	sleep 0.3
	nothing_came_since "$before"
}

nothing_passes_when_it_leaves_its_network_and_returns() {
	local before
	before=$(arrived)
	docker network disconnect back again
	wait_for 5 is again down || return 1
	docker network connect back again
	wait_for 5 is again up || return 1
	sleep 0.3
	nothing_came_since "$before"
}

a_stranger_that_starts_meanwhile_is_let_go() {
	local before began
	docker stop -t 0 again >/dev/null
	wait_for 5 is again down || return 1
	before=$(arrived)
	eager stranger
	began=${EPOCHREALTIME/./}
	wait_for 3 more_than "$before" || return 1
	echo "# a stranger's packets pass $(((${EPOCHREALTIME/./} - began) / 1000)) ms after docker run was done"
	[ "$(quarantine foreign)" -ge 1 ] || { echo "no stranger was counted"; return 1; }
	docker rm -f stranger >/dev/null
	before=$(arrived)
	docker start again >/dev/null
	wait_for 5 is again up || return 1
	sleep 0.3
	nothing_came_since "$before"
}

after_the_heal_all_is_as_before() {
	"$hopfault" heal || return 1
	something_comes
}

a_container_that_is_waited_for_is_cut_from_its_first_packet_on() {
	local before
	docker rm -f again >/dev/null
	"$hopfault" partition sink fresh when up || return 1
	is fresh waiting || return 1
	before=$(arrived)
	eager fresh
	wait_for 5 is fresh up || return 1
	sleep 0.3
	nothing_came_since "$before" || return 1
	"$hopfault" heal || return 1
	something_comes
}

set_up engine_up
sink
eager again
facts_in_order nothing_passes_while_a_container_is_restarted nothing_passes_when_both_are_restarted_at_once \
	nothing_passes_when_it_is_made_anew nothing_passes_when_it_leaves_its_network_and_returns \
	a_stranger_that_starts_meanwhile_is_let_go after_the_heal_all_is_as_before \
	a_container_that_is_waited_for_is_cut_from_its_first_packet_on
