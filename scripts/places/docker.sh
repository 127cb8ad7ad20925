# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # what the reader has, and uses
#
# docker.sh - the demo, or a lab, on containers: in the engine that runs, if one does, else in one that is started for it.
# place_up takes scripts/compose/compose.yaml as it is; place_chain and place_monolith write one of that kind into the run
# folder. What each function is for stands in scripts/demo. The reader may have set:
#
#     project          of compose: containers are PROJECT_a_1 ...
#     image            what theirs is called
#     engine_folder    where an engine of its own is made, when none runs

place_tools=(docker)
place_load=(lab load --from client --to a:8080)
project=${project:-hf} # short, for names of two of them stand in the tables
image=${image:-hopfault/hopchain}
engine_folder=${engine_folder:-/var/lib/hopfault-demo-engine}
compose_file=$here/scripts/compose/compose.yaml
is_up=$run_folder/compose-is-up
docker_says=''
first_replicas=1 # how many a there are
always_fails=0 # some service of the chain that is up, as it was asked to

engine() { "$here/scripts/engine" "$@"; }
compose() { engine compose -p "$project" -f "$compose_file" "$@"; }

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
	find_a_free_engine
	say_command docker-compose -p "$project" -f "${compose_file#"$here/"}" up -d
	bring_up
}

find_a_free_engine() {
	[[ -x $build/static/hopchain ]] || fail "$build/static/hopchain is not there: make it with ENGINE=docker"
	[[ ! -e $is_up ]] || return 0
	find_engine
	[[ -z $(project_containers) ]] || fail "this engine has a project '$project' already, which is not ours: nothing was done to it"
	echo "$HOPFAULT_DOCKER_SOCKET" >"$is_up"
}

bring_up() {
	compose up -d --build --force-recreate -t 0 --remove-orphans >>"$out/compose.txt" 2>&1 || fail "it did not come up, see $out/compose.txt"
	wait_for_answers
}

# ---- services as they are asked for ----

place_chain() { # N [OPTION...]
	local count=$1
	shift
	find_a_free_engine
	note_replicas "$@"
	say "Containers $(service_name 0) to $(service_name $((count - 1))), each calling the next: hopchain $*"
	compose_file=$run_folder/compose.yaml
	write_chain "$count" "$@" >"$compose_file"
	always_fails=0
	[[ $* != *"--fail 100%"* ]] || always_fails=1
	bring_up
}

place_monolith() { # N [OPTION...]
	local steps=$1
	shift
	find_a_free_engine
	note_replicas
	say "One container, which does the work of $steps: hopchain --monolith $steps $*"
	compose_file=$run_folder/compose.yaml
	write_chain 1 --monolith "$steps" "$@" >"$compose_file"
	bring_up
}

service_name() { local letters=abcdefghijklmnopqrstuvwxyz && echo "${letters:$1:1}"; } # 0: a

in_ms() { # TIME in ms or s
	case $1 in
	*ms) echo "${1%ms}" ;;
	*s) echo $((${1%s} * 1000)) ;;
	esac
}

# As `hopfault lab up` makes it: each waits for the next one an equal step less than the one before; --service NAME=OPTIONS
# is for this one alone; --replicas a=N makes a1, a2 ... of the first one.
write_chain() { # N [OPTION...]
	local count=$1 words=() timeout_ms=1000 i service
	local -A own=()
	shift
	while (($#)); do
		case $1 in
		--timeout) timeout_ms=$(in_ms "$2") && shift ;;
		--replicas) shift ;;
		--service) own[${2%%=*}]=${2#*=} && shift ;;
		*) words+=("$1") ;;
		esac
		shift
	done
	echo "services:"
	for ((i = count - 1; i >= 0; i--)); do
		for service in $(replicas_of "$(service_name $i)"); do
			write_service "$service" "$((i + 1 == count))" "$(service_name $((i + 1)))" \
				"--name $service ${words[*]}" $((timeout_ms * (count - i) / count)) "${own[$(service_name $i)]:-}"
		done
	done
	write_service client 0 "$(replicas_of a | paste -sd,)" "--name client" 1000
}

replicas_of() { # SERVICE: their names, one a line
	local i
	if [[ $1 != a ]] || ((first_replicas == 1)); then
		echo "$1"
	else
		for ((i = 1; i <= first_replicas; i++)); do echo "$1$i"; done
	fi
}

# Sets first_replicas, and to whom a load goes.
note_replicas() { # [OPTION...]
	first_replicas=1
	while (($#)); do
		if [[ $1 == --replicas ]]; then
			[[ $2 == a=* ]] || fail "replicas here are of a alone: $2"
			first_replicas=${2#a=}
		fi
		shift
	done
	place_load=(lab load --from client --to "$(replicas_of a | sed 's/$/:8080/' | paste -sd,)")
}

write_service() { # NAME IS-LAST NEXT WORDS TIMEOUT-MS [WORDS-OF-ITS-OWN]
	local timeout=''
	echo "  $1:"
	echo "    image: $image"
	if (($2)); then
		echo "    build: { context: $build/static, dockerfile: $here/scripts/compose/Dockerfile }"
		echo "    command: $4 ${6:-}"
	elif [[ $1 == client ]]; then
		echo "    command: $4"
		echo "    depends_on: [$3]"
	else
		[[ " ${6:-}" == *" --timeout "* ]] || timeout="--timeout $5ms "
		echo "    command: $4 --next $3:8080 $timeout${6:-}"
		echo "    depends_on: [$3]"
	fi
}

# By SIGKILL, in the middle of what it does; and back, as it was.
place_kill() { # NAME
	say_command docker kill "$(place_name "$1")"
	docker kill -s KILL "$(place_name "$1")" >/dev/null
}

place_start() { # NAME
	say_command docker start "$(place_name "$1")"
	docker start "$(place_name "$1")" >/dev/null
}

place_counts() { # FILE NAME...
	local to
	to=$(printf '%s:8080,' "${@:2}")
	hopfault lab counts --from client --to "${to%,}" --csv "$1" >/dev/null
	sed -i 's/^\([0-9]*,[^,:]*\):8080,/\1,/' "$1" # as the services are called
}

# ---- bare nodes ----

# shellcheck source=scripts/lib/containers.sh
. "$here/scripts/lib/containers.sh"
container_network=$project container_prefix=$project- container_label=com.docker.compose.project=$project
node_programs=() # what is to be had in them, set before

place_nodes() { # NAME...
	find_a_free_engine
	engine image "$image" busybox "${node_programs[@]}" >"$out/image.txt" 2>&1 || fail "no image: $(tail -n 1 "$out/image.txt")"
	docker network create --label "$container_label" "$container_network" >/dev/null
	containers "$(IFS=, && echo "$*")" "$image" sleep 3600
}

place_node_word() { echo "docker:$container_prefix$1"; }
place_node_address() { docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$container_prefix$1"; }
place_node_folder() { echo "/proc/${process[$1]}/root/tmp"; }
place_node_inner_folder() { echo /tmp; }
place_node_run() { inside "$@"; }
place_node_client() { nsenter --net --target "${process[$1]}" "${@:2}"; }
place_node_kill() { inside "$1" busybox kill -KILL -1; } # all but the container's first process

place_word() { # NAME: all its replicas
	if [[ $1 == a ]] && ((first_replicas > 1)); then
		echo "docker:~${project}_a[0-9]+_1"
	else
		place_name "$1"
	fi
}

place_name() { # NAME: how the tables and CSV files call this service
	echo "${project}_$1_1"
}

# A good one, or any from a chain of which one always fails.
wait_for_answers() {
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		if ((always_fails)); then
			hopfault "${place_load[@]}" -n 1 --csv "$run_folder/first.csv" >/dev/null 2>&1
			! awk -F, 'NR == 2 { exit $6 == "" }' "$run_folder/first.csv" || return 0
		else
			! hopfault "${place_load[@]}" -n 1 --fail-on-error >/dev/null 2>&1 || return 0
		fi
		sleep 0.1
	done
	fail "the services do not answer; docker logs tells more"
}

project_containers() {
	docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" 2>/dev/null || true
}

place_status() {
	show hopfault ps
}

place_down() {
	say_command docker-compose -p "$project" -f "${compose_file#"$here/"}" down
	place_end
}

place_end() {
	if [[ -e $is_up ]]; then
		use_engine "$(cat "$is_up")"
		compose down -t 0 >/dev/null 2>&1 || true
		project_containers | xargs -r docker rm -f >/dev/null 2>&1 || true
		docker network rm "$project" >/dev/null 2>&1 || true
		docker rmi "$image" >/dev/null 2>&1 || true
	fi
	engine down "$engine_folder"
}

place_inodes() {
	local pid
	project_containers | xargs -r docker inspect -f '{{.State.Pid}}' | while read -r pid; do
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
	echo "containers|docker ps -a|$(project_containers | wc -l)"
	echo "their networks|docker network ls|$(docker network ls -q --filter "label=com.docker.compose.project=$project" 2>/dev/null | wc -l)"
	echo "their image|docker images|$(docker images -q "$image" 2>/dev/null | wc -l)"
	echo "the test engine's processes|/proc/*/exe and cmdline|$(engine left "$engine_folder" | wc -l)"
	echo "the test engine's files|ls|$(find "$engine_folder" -maxdepth 1 2>/dev/null | wc -l)"
}
