# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # container_network is the reader's
#
# containers.sh - containers of the engine of DOCKER_HOST, for tests and labs. The reader has fail(), and may set:
#
#   container_network    the network that they are on
#   container_prefix     what their names begin with, for docker; the words below are without it, and so are host names
#   container_label      a label for all of them
declare -gA process=() # name -> a process in it

# container NAME IMAGE [WORD...]: until it is removed
container() {
	start_container "$@"
	know_container "$1"
}

start_container() {
	docker run -d --name "${container_prefix:-}$1" --hostname "$1" --network "$container_network" \
		${container_label:+--label "$container_label"} "${@:2}" >/dev/null
}

know_container() {
	local name=${container_prefix:-}$1
	process[$1]=$(docker inspect -f '{{.State.Pid}}' "$name")
	((process[$1] > 0)) || fail "$1 ended at once: $(docker logs "$name" 2>&1 | tail -n 1)"
}

# containers NAME,NAME,... IMAGE [WORD...]: several at once; @ in a word is the container's name
containers() {
	local name starts=() words=("${@:2}")
	for name in ${1//,/ }; do
		start_container "$name" "${words[@]//@/$name}" &
		starts+=($!)
	done
	wait "${starts[@]}"
	for name in ${1//,/ }; do
		know_container "$name"
	done
}

# inside NAME COMMAND...: what `docker exec` does, in a hundredth of its time
inside() {
	nsenter --target "${process[$1]}" --mount --uts --ipc --net --pid --root --wd "${@:2}"
}
