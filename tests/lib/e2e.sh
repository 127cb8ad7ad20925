# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# e2e.sh - facts about software that nobody here wrote, in containers of a Docker that is there for the tests alone.
#
# A script says which image it needs by _image(), and ends with run_e2e. Every fact has its own containers on one network,
# and an owner of its own; the engine is shared: that of E2E_ENGINE (its folder, as scripts/engine has it), which tests/run
# starts once for all scripts, else one that the script starts for itself.
FACTS_SECONDS=${FACTS_SECONDS:-120}
# shellcheck source=tests/lib/facts.sh
. "$(dirname "${BASH_SOURCE[0]}")/facts.sh"
# shellcheck source=scripts/lib/containers.sh
. "$FACTS_ROOT/scripts/lib/containers.sh"

HOPFAULT=${HOPFAULT:-$FACTS_ROOT/build/hopfault}
ENGINE=$FACTS_ROOT/scripts/engine
container_network=e2e

fact_begins() {
	scratch=$(mktemp -d /tmp/hopfault-test.XXXXXX)
	export HOPFAULT_RUN_DIR=$scratch/run
	docker network create "$container_network" >/dev/null
}

fact_ends() {
	local left
	[[ ! -S $HOPFAULT_RUN_DIR/control.sock ]] || timeout 12 "$HOPFAULT" daemon --stop >/dev/null 2>&1
	left=$(_what_is_left)
	docker ps -aq | xargs -r docker rm -f >/dev/null
	_remove_network
	rm -rf "$scratch"
	[[ -z $left ]] || {
		echo "left behind: $left" | tr '\n' ' ' >"$fact_said"
		return 1
	}
}

# Once the engine kept an endpoint of a container on the network that it had removed, for ever, and all facts after it failed.
_remove_network() {
	local name
	! docker network rm "$container_network" >/dev/null || return 0
	docker network inspect -f '{{range .Containers}}{{.Name}} {{end}}' "$container_network" | tr ' ' '\n' | grep . |
		while read -r name; do docker network disconnect --force "$container_network" "$name"; done || true
	docker network rm "$container_network" >/dev/null
}

# Of hopfault, with the services still there: its owner, and what it puts on devices.
_what_is_left() {
	local file pid
	{ grep -lzxF "HOPFAULT_RUN_DIR=$HOPFAULT_RUN_DIR" /proc/[0-9]*/environ 2>/dev/null || true; } | while read -r file; do
		pid=${file//[^0-9]/}
		[[ $(readlink "/proc/$pid/exe" 2>/dev/null) != "$(realpath "$HOPFAULT")" ]] || echo "process $pid"
	done
	nsenter --net="/run/netns/$(cat "$E2E_ENGINE/netns")" sh -c 'ip -o link show type tun; tc qdisc show' |
		grep -E 'hfhold|clsact|qdisc fq ' || true
}

# ---- for facts ----

hopfault() {
	"$HOPFAULT" "$@"
}

# ---- how they are run ----

_use_engine() {
	export E2E_ENGINE=$1 DOCKER_HOST=unix://$1/docker.sock HOPFAULT_DOCKER_SOCKET=$1/docker.sock
	export HOPFAULT_PODMAN_SOCKET=$1/none.sock
	unset CONTAINER_HOST DOCKER_CONTEXT
}

_skip_all() {
	echo "skip $(basename "$0" .sh) in containers: $1"
	echo "end 1"
	exit 0
}

run_e2e() {
	local why own=''
	[[ ${1:-} != --list ]] || { run_facts --list && return; }
	if [[ ${1:-} != --fact ]]; then
		why=$("$ENGINE" missing) || _skip_all "$why"
		if [[ -z ${E2E_ENGINE:-} ]]; then
			own=$(mktemp -d /tmp/hfe.XXXXXX)/engine
			# shellcheck disable=SC2064 # now
			trap "'$ENGINE' down '$own'; rmdir '${own%/*}'" EXIT
			"$ENGINE" up "$own" $$
		fi
		_use_engine "${own:-$E2E_ENGINE}"
		why=$(_image 2>&1) || _skip_all "$(tail -n 1 <<<"$why")"
	fi
	run_facts "$@"
}
