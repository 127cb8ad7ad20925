# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # net is the reader's
#
# network.sh - network namespaces on one bridge, and processes in them, for tests and labs.
#
#   NAME [eth0] ==== NAME [bridge br0, in a namespace of its own]        address: 10.77.0.N and fd77::N
#
# The reader has set $net: names of namespaces begin with it. Processes carry HOPFAULT_RUN_DIR in their environment: what is
# alive at the end is found by it, and ended by its number. The host's own network is never touched.
declare -gA node_number=()

# network NAME...: namespaces on one bridge
network() {
	local name
	make_namespace sw
	ip -n "$net-sw" link add br0 type bridge forward_delay 0
	ip -n "$net-sw" link set br0 up
	for name in "$@"; do
		node "$name"
	done
}

# node NAME: one more
node() {
	local name=$1 number=${node_number[$1]:-$((${#node_number[@]} + 1))}
	node_number[$name]=$number
	make_namespace "$name"
	ip -n "$net-sw" link add "$name" type veth peer name eth0 netns "$net-$name"
	ip -n "$net-sw" link set "$name" master br0 up
	ip -n "$net-$name" link set eth0 up
	ip -n "$net-$name" addr add "10.77.0.$number/24" dev eth0
	ip -n "$net-$name" addr add "fd77::$number/64" dev eth0 nodad
}

make_namespace() {
	ip netns add "$net-$1"
	ip netns exec "$net-$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	ip -n "$net-$1" link set lo up
}

v4() {
	echo "10.77.0.${node_number[$1]}"
}

v6() {
	echo "fd77::${node_number[$1]}"
}

# How a node is named to hopfault; a comma list of nodes likewise.
ep() {
	local list=() name
	for name in ${1//,/ }; do
		list+=("netns:$net-$name")
	done
	(IFS=, && echo "${list[*]}")
}

within() {
	local name=$1
	shift
	nsenter --net="/run/netns/$net-$name" "$@"
}

remove_namespaces() {
	local name
	for name in $(ip netns list | awk -v p="$net-" 'index($1, p) == 1 { print $1 }'); do
		ip netns del "$name"
	done
}

# ---- processes ----

# has_ended PID: also when nobody has reaped it
has_ended() {
	[[ ! -e /proc/$1/stat || $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c1) == [ZX] ]]
}

# Every process that carries our run folder in its environment, but for this one.
our_processes() {
	local file pid
	{ grep -lzxF "HOPFAULT_RUN_DIR=$HOPFAULT_RUN_DIR" /proc/[0-9]*/environ 2>/dev/null || true; } | while read -r file; do
		pid=${file//[^0-9]/}
		[[ $pid == "$$" || $pid == "$BASHPID" ]] || has_ended "$pid" || echo "$pid"
	done
}

end_our_processes() {
	local pid
	for pid in $(our_processes); do
		kill -CONT "$pid" 2>/dev/null
		kill -KILL "$pid" 2>/dev/null
	done
}
