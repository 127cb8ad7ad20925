#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# docker.sh - words mean the containers of a real Docker, started for this test and ended with it.
#
#     tests/net/docker.sh [FOLDER]		FOLDER: where labtool is (build/tests/tools)
#
# scripts/engine makes it: it touches no other engine, no other bridge, no firewall rule of the host.
# shellcheck disable=SC2317,SC2015 # called by name
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
tool=${LABTOOL:-${1:-$here/build/tests/tools}/labtool}
hopfault=${HOPFAULT:-$here/build/hopfault}
engine=$here/scripts/engine
scratch=$(mktemp -d /tmp/hfd.XXXXXX)
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
why=$("$engine" missing) || no_engine containers "$why"

engine_up() {
	"$engine" up "$scratch/engine" $$ && "$engine" image box busybox
}

box() { docker run -d "$@" box sleep 600 >/dev/null; }
service() { # PROJECT SERVICE
	echo "--label com.docker.compose.project=$1 --label com.docker.compose.service=$2"
}
# shellcheck disable=SC2046 # options are words
containers_up() {
	docker network create back >/dev/null
	box --name web --network back --label app=web
	docker network connect bridge web
	box --name shop_db_1 --network back $(service shop db)
	box --name shop_db_2 --network back $(service shop db)
	box --name cache
	box --name other $(service shop cache)
	box --name guest --network container:web
	box --name bare --network none
	box --name hosted --network host
	box --name 10.0.0.1
}

names() { "$tool" select "$1" | sed 's/ .*//' | tr '\n' ' ' | sed 's/ $//'; }
means() { # WORD NAMES
	local said
	said=$(names "$1" 2>&1) && [ "$said" = "$2" ] || { echo "'$1' means: $said"; return 1; }
}
refused() { # WORD TEXT
	local said
	if said=$("$tool" select "$1" 2>&1); then echo "was not refused: $1"; return 1; fi
	grep -qF -- "$2" <<<"$said" || { echo "said: $said"; return 1; }
}
id_of() { docker inspect -f '{{.Id}}' "$1"; }

a_name_an_id_and_its_beginning_mean_one() {
	means web docker:web && means docker:web docker:web && means "$(id_of web)" docker:web &&
		means "$(id_of web | head -c 12)" docker:web
}
a_scaled_service_means_all_its_containers() {
	local both="docker:shop_db_1 docker:shop_db_2"
	means db "$both" && means shop/db "$both" && means '~shop_.*' "$both" && means label:app=web docker:web
}
each_network_has_its_name() {
	local said
	said=$("$tool" select web)
	grep -q 'net=back 172' <<<"$said" && grep -q 'net=bridge 172' <<<"$said" || { echo "$said"; return 1; }
}
a_name_does_not_win_over_anothers_service() {
	refused cache "say which of docker:cache, docker:shop/cache" && means docker:cache docker:cache &&
		means shop/cache docker:other
}
what_has_no_veth_is_refused_with_the_reason() {
	refused hosted "--network host" && refused hosted "among that of" && refused bare "no network interface but loopback"
}
an_address_is_no_containers_name() {
	refused 10.0.0.1 "is no endpoint's name" && means docker:10.0.0.1 docker:10.0.0.1
}
near_names_are_told() { refused shop_db_3 "shop_db_1'" && refused shop_db_3 "shop_db_2'"; }
a_guest_has_its_owners_networks() {
	[ "$("$tool" select guest | cut -d' ' -f3-)" = "$("$tool" select web | cut -d' ' -f3-)" ]
}
a_container_is_found_without_its_engine() {
	local id
	id=$(id_of shop_db_1 | head -c 12)
	HOPFAULT_DOCKER_SOCKET=$scratch/none.sock means "$id" "containerd:$id"
}
a_stopped_one_is_known_and_a_started_one_found_again() {
	docker stop -t 0 shop_db_1 >/dev/null
	refused shop_db_1 "does not run now (exited)" || return 1
	means db docker:shop_db_2 || return 1
	docker start shop_db_1 >/dev/null
	means db "docker:shop_db_1 docker:shop_db_2"
}
a_network_that_comes_again_keeps_its_name() {
	docker network disconnect back web
	docker network connect back web
	each_network_has_its_name
}

address_of() { docker inspect -f '{{.NetworkSettings.Networks.bridge.IPAddress}}' "$1"; }
answers() { docker exec "$1" busybox ping -c 1 -W 1 "$2" >/dev/null; } # FROM ADDRESS
ms_of() { docker exec "$1" busybox ping -c 3 -W 1 "$2" | sed -n 's,.*min/avg/max = \([0-9]*\).*,\1,p'; }

a_partition_cuts_running_containers_and_heals() {
	local cache
	cache=$(address_of cache)
	answers web "$cache" || { echo "no answer before"; return 1; }
	"$hopfault" partition web docker:cache || return 1
	! answers web "$cache" || { echo "it answered through the cut"; return 1; }
	"$hopfault" heal || return 1
	answers web "$cache" || { echo "no answer after the heal"; return 1; }
}
back_address_of() { docker inspect -f '{{.NetworkSettings.Networks.back.IPAddress}}' "$1"; }
a_partition_of_a_scaled_service_cuts_all_its_containers() {
	local web said
	web=$(back_address_of web)
	answers shop_db_1 "$web" && answers shop_db_2 "$web" || { echo "no answer before"; return 1; }
	said=$("$hopfault" partition db web) || return 1
	grep -qF "(db: 2 endpoints (shop_db_1, shop_db_2); 4 links)" <<<"$said" || { echo "$said"; return 1; }
	! answers shop_db_1 "$web" && ! answers shop_db_2 "$web" || { echo "it answered through the cut"; return 1; }
	answers shop_db_1 "$(back_address_of shop_db_2)" || { echo "inside the service it is cut"; return 1; }
	"$hopfault" heal && answers shop_db_2 "$web"
}
a_fault_on_a_named_network_leaves_the_others_alone() {
	local web cache
	web=$(back_address_of web) cache=$(address_of cache)
	"$hopfault" partition db web net back || return 1
	! answers shop_db_1 "$web" || { echo "the network is not cut"; return 1; }
	"$hopfault" heal
	"$hopfault" partition docker:cache web net bridge || return 1
	! answers web "$cache" || { echo "the network is not cut by the engine's name"; return 1; }
	"$hopfault" heal
	"$hopfault" partition docker:cache web net docker0 || return 1
	! answers web "$cache" || { echo "the network is not cut by the bridge's name"; return 1; }
	"$hopfault" heal
	"$hopfault" partition docker:cache web net back >"$scratch/net" 2>&1 && { echo "cache is not on back"; return 1; }
	grep -qF "cache is on no network 'back'; it is on: bridge" "$scratch/net" || { cat "$scratch/net"; return 1; }
}
a_container_can_be_cut_off_from_the_host_alone() {
	answers web 172.17.0.1 || { echo "no answer before"; return 1; }
	"$hopfault" partition web host || return 1
	! answers web 172.17.0.1 || { echo "it answered through the cut"; return 1; }
	answers web "$(address_of cache)" || { echo "another container is cut off too"; return 1; }
	answers cache 172.17.0.1 || { echo "the host is cut off from others"; return 1; }
	"$hopfault" heal
	"$hopfault" partition web world || return 1
	answers web 172.17.0.1 && answers web "$(address_of cache)" && answers web "$(back_address_of shop_db_1)" || return 1
	"$hopfault" heal
}
a_delay_holds_one_direction_between_containers() {
	local ms
	"$hopfault" add web docker:cache delay 100ms || return 1
	ms=$(ms_of web "$(address_of cache)")
	"$hopfault" heal || return 1
	[ "$ms" -ge 100 ] && [ "$ms" -lt 200 ] || { echo "100 ms one way were $ms ms there and back"; return 1; }
}

set_up engine_up
containers_up
facts_in_order a_name_an_id_and_its_beginning_mean_one a_scaled_service_means_all_its_containers each_network_has_its_name \
	a_name_does_not_win_over_anothers_service what_has_no_veth_is_refused_with_the_reason \
	an_address_is_no_containers_name near_names_are_told a_guest_has_its_owners_networks \
	a_container_is_found_without_its_engine a_stopped_one_is_known_and_a_started_one_found_again \
	a_network_that_comes_again_keeps_its_name a_partition_cuts_running_containers_and_heals \
	a_partition_of_a_scaled_service_cuts_all_its_containers a_fault_on_a_named_network_leaves_the_others_alone \
	a_container_can_be_cut_off_from_the_host_alone \
	a_delay_holds_one_direction_between_containers
