#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# podman.sh - containers and pods of a real Podman: found by every kind of name, cut and delayed, and kept so while they are
# restarted.
#
#     RESTARTS=50 tests/net/podman.sh      5 unless said
#
# shellcheck disable=SC2317,SC2015 # called by name
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
hopfault=${HOPFAULT:-$here/build/hopfault}
restarts=${RESTARTS:-5}
# shellcheck source=tests/lib/in_order.sh
. "$here/tests/lib/in_order.sh"
# shellcheck source=tests/lib/podman.sh
. "$here/tests/lib/podman.sh"
podman_apart "$@"

scratch=$(mktemp -d /tmp/hfp.XXXXXX)
export HOPFAULT_RUN_DIR=$scratch/run HOPFAULT_PODMAN_SOCKET=$scratch/engine/podman.sock
export HOPFAULT_DOCKER_SOCKET=$scratch/none.sock
unset DOCKER_HOST

cleanup() {
	"$hopfault" daemon --stop >/dev/null 2>&1 || true
	podman_down
	rm -rf "$scratch"
}
trap cleanup EXIT
why=$(podman_missing) || no_engine podman "$why"

address=172.31.78.10 # the sink's, for good: a restart may give a container another
engine_up() {
	podman_up "$scratch/engine" &&
		podman_image box "$(type -P busybox)" &&
		cc -O2 -static -o "$scratch/eager" "$here/tests/tools/eager.c" &&
		podman_image eager "$scratch/eager" &&
		pod network create --disable-dns --subnet 172.31.78.0/24 --ip-range 172.31.78.128/25 back
}
containers_up() {
	mkdir -p "$scratch/count" &&
		pod run -d --name web --label app=web --network back box /bin/busybox sleep 1000 &&
		pod run -d --name db --network back box /bin/busybox sleep 1000 &&
		pod pod create --name crew --network back &&
		pod run -d --pod crew --name crew-a box /bin/busybox sleep 1000 &&
		pod run -d --pod crew --name crew-b box /bin/busybox sleep 1000 &&
		pod run -d --name slow --stop-timeout 3 --network back box /bin/busybox sleep 1000 &&
		pod run -d --name onhost --network host box /bin/busybox sleep 1000 &&
		pod run -d --name sink --network back --ip "$address" -v "$scratch/count:/count" eager /bin/eager count 4711 /count/n &&
		eager again
}
eager() { pod run -d --name "$1" --network back eager /bin/eager send "$address" 4711; } # NAME

address_of() { pod inspect "$1" -f '{{.NetworkSettings.Networks.back.IPAddress}}'; }
rtt_ms() { # FROM TO: the shortest of some
	pod exec "$1" /bin/busybox ping -c 3 -i 0.1 -W 1 "$(address_of "$2")" | awk -F/ '/min\/avg/ { split($3, v, " "); print v[3] }'
}
reaches() { pod exec "$1" /bin/busybox ping -c 1 -W 1 "$(address_of "$2")" >/dev/null; }
misses() { ! reaches "$@"; }
refused() { # TEXT WORDS...: with a line that has the text
	local text=$1
	shift
	! "$hopfault" "$@" 2>"$scratch/why" || { echo "it was taken: $*"; return 1; }
	[ "$(wc -l <"$scratch/why")" = 1 ] && grep -q -- "$text" "$scratch/why" || { cat "$scratch/why"; return 1; }
}

ps_shows_containers_with_address_network_and_veth() {
	"$hopfault" ps --json 2>/dev/null | python3 -c '
import json, sys
rows = {e["name"]: e for e in json.load(sys.stdin) if e["engine"] == "podman"}
for name in "web", "db", "crew-a", "crew-b", "slow", "sink":
    (interface,) = rows[name]["interfaces"]
    assert interface["network"] == "back" and interface["veth"].startswith("veth"), interface
    assert interface["addresses"][0].startswith("172.31.78."), interface
assert rows["crew-a"]["interfaces"] == rows["crew-b"]["interfaces"], rows["crew-a"]
assert rows["onhost"]["refusal"], rows["onhost"]'
}
a_delay_holds_by_name_id_label_and_expression() {
	local word ms
	for word in web podman:web "$(pod inspect web -f '{{.Id}}')" "$(pod inspect web -f '{{.Id}}' | cut -c1-8)" label:app=web '~we.'; do
		"$hopfault" add "$word" db delay 20ms >/dev/null || return 1
		ms=$(rtt_ms web db)
		awk -v ms="$ms" 'BEGIN { exit !(ms >= 20 && ms < 40) }' || { echo "$word: the shortest way took $ms ms"; return 1; }
		"$hopfault" heal >/dev/null
	done
}
a_partition_cuts_and_heals() {
	"$hopfault" partition web db >/dev/null && misses web db && misses db web || return 1
	reaches web crew-a || { echo "who was not named is cut off"; return 1; }
	"$hopfault" heal >/dev/null && reaches web db
}
a_fault_on_one_of_a_pod_is_on_its_pod() {
	"$hopfault" add crew-a db drop >/dev/null && misses crew-b db || return 1
	"$hopfault" heal >/dev/null && reaches crew-b db || return 1
	refused 'itself' add crew-a crew-b drop
}
what_cannot_be_worked_on_is_refused_by_name() {
	refused 'onhost.*host' add onhost db drop && refused "did you mean 'web'" add wep db drop
}
one_that_does_not_run_is_refused_and_can_be_waited_for() {
	pod stop -t 0 db >/dev/null && refused 'does not run' partition web db || return 1
	"$hopfault" partition web db when up >/dev/null && pod start db >/dev/null && wait_for 5 is db up || return 1
	misses web db && "$hopfault" heal >/dev/null && reaches web db
}
nothing_passes_while_a_container_is_restarted() {
	local before i guarded=0 us
	something_comes && "$hopfault" partition again sink || return 1
	sleep 0.2
	before=$(arrived)
	for ((i = 1; i <= restarts; i++)); do
		pod restart -t 0 again >/dev/null
		wait_for 5 came_again again "$i" || return 1
		us=$(($(of again reattach_ns) / 1000))
		[ "$us" -le "$guarded" ] || guarded=$us
	done
	sleep 0.3
	nothing_came_since "$before" || return 1
	echo "# $restarts restarts: 0 packets came through; from the veth's news to its program at most $guarded us (asked for: 20000)"
	[ "$(of again quarantined)" -ge "$restarts" ] || { echo "quarantined: $(of again quarantined)"; return 1; }
}
nothing_passes_when_it_is_made_anew() {
	local before
	before=$(arrived)
	pod rm -f -t 0 again >/dev/null
	wait_for 5 is again down && eager again >/dev/null && wait_for 5 is again up || return 1
	sleep 0.3
	nothing_came_since "$before" && "$hopfault" heal && something_comes
}
# Between SIGTERM and SIGKILL Podman calls it `stopping`; it runs, and answers.
one_that_was_asked_to_end_is_worked_on_until_it_ends() {
	local ending state
	pod stop slow >/dev/null 2>&1 &
	ending=$!
	wait_for 3 is_called slow stopping || { state=$(pod inspect slow -f '{{.State.Status}}') && echo "it is $state" && return 1; }
	"$hopfault" partition db slow >/dev/null || return 1
	is_called slow stopping || { echo "it had ended before it was cut"; return 1; }
	misses db slow || return 1
	"$hopfault" heal >/dev/null
	wait "$ending"
}
is_called() { [ "$(pod inspect "$1" -f '{{.State.Status}}')" = "$2" ]; } # NAME STATE

# The pod's network goes and comes with its infra container; a member that is slow to end comes 3 s after it.
gang_up() { # [COMMAND]: before it starts
	pod pod create --name gang --network back &&
		pod create --pod gang --name gang-b --stop-timeout 1 box /bin/busybox sleep 1000 &&
		pod create --pod gang --name gang-a --stop-timeout 3 eager /bin/eager send "$address" 4711 &&
		${1:-true} && pod pod start gang
}
# The infra container's process gets one of the last process numbers, and the members the first ones.
numbers_begin_anew() {
	echo $(($(</proc/sys/kernel/pid_max) - 72)) 2>/dev/null >/proc/sys/kernel/ns_last_pid || true
}
nothing_passes_while_a_pod_is_restarted() {
	local before i
	pod rm -f -t 0 again >/dev/null && gang_up >/dev/null || return 1
	something_comes && "$hopfault" partition gang-a sink || return 1
	sleep 0.2
	before=$(arrived)
	for i in 1 2; do
		pod pod restart gang >/dev/null 2>&1
		wait_for 5 came_again gang-a "$i" || return 1
		sleep 0.3
		nothing_came_since "$before" || return 1
	done
	[ "$(of gang-a quarantined)" -ge 2 ] || { echo "quarantined: $(of gang-a quarantined)"; return 1; }
}
# On busy processors a look comes late, when several containers are in the pod already.
nothing_passes_when_a_pod_is_made_anew() {
	local status=0 busy=()
	for _ in $(seq "$(nproc)"); do
		timeout 60 sh -c 'while :; do :; done' &
		busy+=($!)
	done
	pods_made_anew || status=1
	kill "${busy[@]}"
	wait "${busy[@]}" 2>/dev/null || true
	((status == 0)) && "$hopfault" heal && something_comes
}
pods_made_anew() {
	local before i
	before=$(arrived)
	for ((i = 3; i < 13; i++)); do
		pod pod rm -f -t 0 gang >/dev/null
		wait_for 5 is gang-a down && gang_up numbers_begin_anew >/dev/null && wait_for 5 came_again gang-a "$i" || return 1
		sleep 0.3
		nothing_came_since "$before" || return 1
	done
}
each_way_to_say_where_podman_is_finds_it() {
	local socket=$HOPFAULT_PODMAN_SOCKET none=$HOPFAULT_DOCKER_SOCKET
	podman_says() { # ENGINE COMMAND...: web and db can be named as this engine's
		local engine=$1
		shift
		env -u HOPFAULT_PODMAN_SOCKET -u HOPFAULT_DOCKER_SOCKET "$@" | awk -v engine="$engine" '
			$2 == engine && ($1 == "web" || $1 == "db") { n++ }
			END { exit n != 2 }' || { echo "$*: not both are $engine's"; return 1; }
	}
	podman_says podman "$hopfault" ps --podman-socket "$socket" --docker-socket "$none" &&
		podman_says podman CONTAINER_HOST="unix://$socket" "$hopfault" ps --docker-socket "$none" &&
		podman_says docker "$hopfault" ps --docker-socket "$socket" --podman-socket "$none" &&
		podman_says docker DOCKER_HOST="unix://$socket" "$hopfault" ps --podman-socket "$none" &&
		podman_says docker "$hopfault" ps --docker-socket "$socket" --podman-socket "$socket" || return 1
	"$hopfault" partition web db --docker-socket "$socket" --podman-socket "$none" >/dev/null && misses web db || return 1
	"$hopfault" heal >/dev/null && reaches web db
}
the_engine_may_go_away() {
	"$hopfault" partition web db >/dev/null || return 1
	podman_stop_service
	misses web db && refused 'podman.sock' add web sink drop && "$hopfault" heal >/dev/null && reaches web db
}

set_up engine_up
set_up containers_up
facts_in_order ps_shows_containers_with_address_network_and_veth a_delay_holds_by_name_id_label_and_expression \
	a_partition_cuts_and_heals a_fault_on_one_of_a_pod_is_on_its_pod what_cannot_be_worked_on_is_refused_by_name \
	one_that_does_not_run_is_refused_and_can_be_waited_for nothing_passes_while_a_container_is_restarted \
	nothing_passes_when_it_is_made_anew one_that_was_asked_to_end_is_worked_on_until_it_ends \
	nothing_passes_while_a_pod_is_restarted nothing_passes_when_a_pod_is_made_anew \
	each_way_to_say_where_podman_is_finds_it the_engine_may_go_away
