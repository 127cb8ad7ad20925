# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # what the demo has, and uses
#
# docker.sh - the demo on containers, from scripts/compose/compose.yaml as it is: in the engine that runs, if one does, else
# in one that is started for it. What each function is for stands in scripts/demo.

place_tools=(docker)
place_load=(lab load --from client --to a:8080)
project=hf # containers are hf_a_1 ...: short, for names of two of them stand in the tables
engine_folder=/var/lib/hopfault-demo-engine
is_up=$run_folder/compose-is-up
docker_says=''

engine() { "$here/scripts/engine" "$@"; }
compose() { engine compose -p "$project" -f "$here/scripts/compose/compose.yaml" "$@"; }

# The engine that a `docker` command would use now.
running_engine() {
	docker_says=$(docker context inspect -f '{{.Endpoints.docker.Host}}' 2>/dev/null) || docker_says=unix:///var/run/docker.sock
	docker version >/dev/null 2>&1
}

use_engine() { # SOCKET
	export DOCKER_HOST=unix://$1 HOPFAULT_DOCKER_SOCKET=$1
}

find_engine() {
	if running_engine; then
		[[ $docker_says == unix://* ]] || fail "the engine at $docker_says is not on this machine; unset DOCKER_HOST for one that is"
		use_engine "${docker_says#unix://}"
		say "The engine that runs: $docker_says"
		return
	fi
	say "No engine runs, so one is started for this: scripts/engine up $engine_folder"
	engine up "$engine_folder" $$
	use_engine "$engine_folder/docker.sock"
}

place_up() {
	[[ -x $build/static/hopchain ]] || fail "$build/static/hopchain is not there: run make demo ENGINE=docker"
	find_engine
	[[ -z $(containers) ]] || fail "this engine has a project '$project' already, which is not ours: nothing was done to it"
	say_command docker-compose -p "$project" -f scripts/compose/compose.yaml up -d
	echo "$HOPFAULT_DOCKER_SOCKET" >"$is_up"
	compose up -d --build >"$out/compose.txt" 2>&1 || fail "it did not come up, see $out/compose.txt"
	wait_for_answers
}

wait_for_answers() {
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		! hopfault "${place_load[@]}" -n 1 --fail-on-error >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	fail "the services do not answer; docker logs tells more"
}

containers() {
	docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" 2>/dev/null || true
}

place_status() {
	show hopfault ps
}

place_down() {
	say_command docker-compose -p "$project" -f scripts/compose/compose.yaml down
	place_end
}

place_end() {
	if [[ -e $is_up ]]; then
		use_engine "$(cat "$is_up")"
		compose down -t 0 >/dev/null 2>&1 || true
		docker rmi hopfault/hopchain >/dev/null 2>&1 || true
	fi
	engine down "$engine_folder"
}

place_inodes() {
	local pid
	containers | xargs -r docker inspect -f '{{.State.Pid}}' | while read -r pid; do
		stat -L -c %i "/proc/$pid/ns/net"
	done
}

# The host's side of the veths: in the test engine's namespace, or where we are.
place_within() {
	local namespace
	if namespace=$(cat "$engine_folder/netns" 2>/dev/null); then
		nsenter --net="/run/netns/$namespace" "$@"
	elif running_engine; then
		"$@"
	fi
}

place_inventory() {
	echo "containers|docker ps -a|$(containers | wc -l)"
	echo "their networks|docker network ls|$(docker network ls -q --filter "label=com.docker.compose.project=$project" 2>/dev/null | wc -l)"
	echo "their image|docker images|$(docker images -q hopfault/hopchain 2>/dev/null | wc -l)"
	echo "the test engine's processes|/proc/*/exe and cmdline|$(engine left "$engine_folder" | wc -l)"
	echo "the test engine's files|ls|$(find "$engine_folder" -maxdepth 1 2>/dev/null | wc -l)"
}
