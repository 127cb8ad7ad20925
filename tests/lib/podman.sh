# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# podman.sh - a Podman for one test, that shares nothing with one that is there already: network namespace, images, containers,
# networks and socket are its own, in a folder. Nothing is pulled.
#
#     podman_apart WORD...    first of all, with the script's own words: runs it anew in a mount namespace
#     podman_missing          why there can be none here (status 1), or nothing
#     podman_up FOLDER        start it; its socket is FOLDER/podman.sock
#     pod WORD...             podman WORD...
#     podman_image NAME FILE  an image of one static program
#     podman_stop_service     end what has the socket; containers run on
#     podman_down             end it, and take away all that it made

podman_engine=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/scripts/engine
podman_folder='' podman_pid='' podman_made=''

# Netavark keeps the addresses in use by all Podmans of a machine in one place, whatever their folders: this one gets its own.
podman_apart() {
	[[ $(id -u) == 0 ]] || return 0
	[[ -n ${PODMAN_IS_APART:-} ]] || PODMAN_IS_APART=1 exec unshare --mount --propagation private "$0" "$@"
	[[ -d /run/containers ]] || podman_made=/run/containers
	mkdir -p /run/containers
	mount -t tmpfs none /run/containers
}

podman_missing() {
	local tool
	[[ $(id -u) == 0 ]] || { echo "a test engine needs root" && return 1; }
	for tool in podman conmon runc iptables; do
		"$podman_engine" program "$tool" >/dev/null 2>&1 || { echo "$tool is not there (scripts/setup engine)" && return 1; }
	done
	[[ -n $(_podman_helpers) ]] || { echo "netavark is not there (scripts/setup engine)" && return 1; }
}

# The folder in which netavark is.
_podman_helpers() {
	local podman
	podman=$("$podman_engine" program podman)
	find "${podman%/bin/podman}"/lib/podman "${podman%/bin/podman}"/libexec/podman /usr/lib/podman /usr/libexec/podman \
		-name netavark -printf '%h\n' -quit 2>/dev/null
}

# Limits, as a container must not be given more than we have; no journal and no systemd are asked.
_podman_configuration() {
	local helpers
	helpers=$(_podman_helpers)
	cat <<-END
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		[network]
		network_backend = "netavark"
		network_config_dir = "$podman_folder/networks"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		tmp_dir = "$podman_folder/tmp"
		conmon_path = ["$("$podman_engine" program conmon)"]
		helper_binaries_dir = ["$helpers", "${helpers/lib\/podman/libexec/podman}"]
		runtime = "runc"
		[engine.runtimes]
		runc = ["$("$podman_engine" program runc)"]
	END
}

pod() {
	HOME=$podman_folder/home CONTAINERS_CONF=$podman_folder/containers.conf LD_LIBRARY_PATH=$("$podman_engine" libraries) \
		nsenter --net="/run/netns/$(<"$podman_folder/netns")" "$("$podman_engine" program podman)" --root "$podman_folder/root" \
		--runroot "$podman_folder/run" --storage-driver vfs "$@"
}

podman_up() { # FOLDER
	local namespace try
	podman_folder=$1
	namespace=hfp-$(cksum <<<"$1" | cut -d' ' -f1)
	mkdir -p "$podman_folder/home/.config/containers" || return
	echo "$namespace" >"$podman_folder/netns"
	ip netns add "$namespace" || return
	nsenter --net="/run/netns/$namespace" sh -c 'ip link set lo up; echo 1 >/proc/sys/net/ipv4/ip_forward'
	_podman_configuration >"$podman_folder/containers.conf"
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$podman_folder/home/.config/containers/policy.json"
	pod system service --time=0 "unix://$podman_folder/podman.sock" >"$podman_folder/log" 2>&1 &
	podman_pid=$!
	for ((try = 0; try < 200; try++)); do
		curl -sf --unix-socket "$podman_folder/podman.sock" http://d/_ping >/dev/null && return
		kill -0 "$podman_pid" 2>/dev/null || break
		sleep 0.05
	done
	tail -n 1 "$podman_folder/log"
	return 1
}

podman_image() { # NAME FILE
	local root
	root=$(mktemp -d "$podman_folder/image.XXXXXX")
	mkdir -p "$root"/{bin,tmp,etc,run} && cp "$2" "$root/bin/${2##*/}" && tar -C "$root" -c . | pod import - "$1" >/dev/null
}

# It is a child of the function's shell, and perhaps of nsenter's.
podman_stop_service() {
	[[ -n ${podman_pid:-} ]] || return 0
	pkill -P "$podman_pid" 2>/dev/null || true
	kill "$podman_pid" 2>/dev/null || true
	wait "$podman_pid" 2>/dev/null || true
	podman_pid=''
}

podman_down() {
	[[ -n $podman_folder && -e $podman_folder/netns ]] || return 0
	pod pod rm -fa -t 0 >/dev/null 2>&1 || true
	pod rm -fa -t 0 >/dev/null 2>&1 || true
	pod network rm -f back >/dev/null 2>&1 || true
	podman_stop_service
	awk -v dir="$podman_folder/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r | xargs -r umount -l
	ip netns del "$(<"$podman_folder/netns")" 2>/dev/null || true
	rm -rf "$podman_folder"
	umount -l /run/containers
	[[ -z $podman_made ]] || rmdir "$podman_made"
}
