#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# session.sh - nobody cuts the SSH connection off over which he works, unless he says so.
#
#   left, right  on br0, 10.77.0.N ==== host: 10.77.0.254 ==== far 192.0.2.2, the world
#
# Stands for sshd: a bash of that name, which holds a real TCP connection to somebody who answers, and starts commands.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

_place() {
	local name
	network left right
	ip netns exec "$net-sw" sysctl -qw net.ipv4.ip_forward=1
	ip -n "$net-sw" addr add 10.77.0.254/24 dev br0
	ip -n "$net-sw" addr add fd77::fe/64 dev br0 nodad
	_namespace far
	ip -n "$net-sw" link add far type veth peer name eth0 netns "$net-far"
	ip -n "$net-sw" addr add 192.0.2.1/24 dev far
	ip -n "$net-sw" link set far up
	ip -n "$net-far" addr add 192.0.2.2/24 dev eth0
	ip -n "$net-far" link set eth0 up
	ip -n "$net-far" route add default via 192.0.2.1
	for name in left right; do
		ip -n "$net-$name" route add default via 10.77.0.254
		wait_until 10 _answers "$name" 192.0.2.2
		wait_until 10 _answers "$name" fd77::fe
	done
	cp "$BASH" "$scratch/sshd"
	cp "$BASH" "$scratch/ssh"
	owner
}

# listens NAME PORT: there, every line that comes is given back
_listens() {
	nsenter --net="/run/netns/$net-$1" python3 -c '
import socket, sys, threading
listener = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)
def serve(connection):
    while data := connection.recv(100):
        connection.sendall(data)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],)).start()' "$2" &
	wait_until 5 _is_open "$1" "$2"
}

_is_open() {
	[[ $(within "$1" ss -Hltn "sport = :$2") ]]
}

# over PLACE ADDRESS PORT COMMAND...: as if typed in a shell at PLACE, by a user who is at ADDRESS
_over() {
	local name=$1 address=$2 port=$3
	shift 3
	# shellcheck disable=SC2016 # its own dollars
	nsenter --net="/run/netns/$net-$name" "$scratch/sshd" -c '
		exec 5<>"/dev/tcp/$0/$1" || exit 90
		shift
		echo alive >&5 && read -rt 5 said <&5 && [[ $said == alive ]] || exit 91
		bash -c "\"\$@\"; exit \$?" - "$@"
		exit $?' "$address" "$port" "$@"
}

# as_host_from_left COMMAND...: logged in on the host, out of a container
_as_host_from_left() {
	_over sw "$(v4 left)" 4022 "$@"
}

_refused() { # WHAT COMMAND...
	local what=$1
	shift
	must_end 1 "$what.*; nothing was done. Say force" "$@"
	no_fault_is_in_force
}

_taken() {
	must_say "link" "$@"
	hopfault heal
}

from_a_container_to_the_host_nothing_that_ends_it_is_done() {
	_place
	_listens left 4022
	_refused "$net-left -> host: this would cut your own SSH connection \($(v4 left):4022 -> 10.77.0.254:[0-9]+\)" \
		_as_host_from_left "$HOPFAULT" add "$(ep left)" host drop
	_refused "host -> $net-left" _as_host_from_left "$HOPFAULT" add host "$(ep left)" drop for 1s
	_refused "would cut" _as_host_from_left "$HOPFAULT" partition "$(ep left)" host for 1s
	_refused "would cut" _as_host_from_left "$HOPFAULT" partition "$(ep left),$(ep right)" host --dry-run
	_refused "would cut" _as_host_from_left "$HOPFAULT" partition host "$(ep left)" -- true
	_refused "would lose half or more of" _as_host_from_left "$HOPFAULT" add "$(ep left)" host loss 60%
	_refused "would delay by 5s" _as_host_from_left "$HOPFAULT" add host "$(ep left)" delay 6s
	_refused "would cut" _as_host_from_left "$HOPFAULT" add "$(ep left)" host drop proto tcp sport 4000-5000
	_refused "would cut" _over sw "$(v6 left)" 4022 "$HOPFAULT" partition "$(ep left)" host
}

what_leaves_it_alone_is_done() {
	_place
	_listens left 4022
	_taken _as_host_from_left "$HOPFAULT" partition "$(ep right)" host
	_taken _as_host_from_left "$HOPFAULT" partition "$(ep left)" "$(ep right)"
	_taken _as_host_from_left "$HOPFAULT" partition "$(ep left)" world
	_taken _as_host_from_left "$HOPFAULT" add host "$(ep left)" delay 5ms
	_taken _as_host_from_left "$HOPFAULT" add "$(ep left)" host loss 10%
	_taken _as_host_from_left "$HOPFAULT" add "$(ep left)" host drop proto udp
	_taken _as_host_from_left "$HOPFAULT" add "$(ep left)" host drop port 80
	_taken _as_host_from_left "$HOPFAULT" add host "$(ep left)" drop proto arp
	_taken "$HOPFAULT" partition "$(ep left)" host
}

several_rules_together_do_not_end_it_either() {
	_place
	_listens left 4022
	must_say "1 link" _as_host_from_left "$HOPFAULT" add "$(ep left)" host loss 30%
	must_end 1 "would lose half or more of" _as_host_from_left "$HOPFAULT" add "$(ep left)" host loss 30%
	must_be "faults in force" "$(faults_in_force) == 1"
	must_say "1 link" _as_host_from_left "$HOPFAULT" add host "$(ep left)" loss 30%
}

with_force_it_is_done_and_the_connection_does_stand_still() {
	_place
	_listens left 4022
	# shellcheck disable=SC2016 # its own dollars
	must_say "silence" _over sw "$(v4 left)" 4022 bash -c '
		"$0" partition "$1" host force for 1m >&2 || exit
		echo lost >&5
		read -rt 1 said <&5 || echo silence' "$HOPFAULT" "$(ep left)"
	must_say "force\"" hopfault status --json
	hopfault heal
	must_say "force" _as_host_from_left "$HOPFAULT" add "$(ep left)" host drop force
}

in_a_container_its_link_to_the_user_is_kept() {
	_place
	_listens right 4022
	_listens far 4023
	_listens sw 4024
	_refused "$net-left -> $net-right: this would cut" _over left "$(v4 right)" 4022 "$HOPFAULT" partition "$(ep left)" "$(ep right)"
	_refused "would cut" _over left "$(v4 right)" 4022 "$HOPFAULT" partition "$(ep left)" "$(ep right)" net br0
	_refused "world -> $net-left: this would cut" _over left 192.0.2.2 4023 "$HOPFAULT" partition "$(ep left)" world
	_refused "host -> $net-left: this would cut" _over left 10.77.0.254 4024 "$HOPFAULT" add host "$(ep left)" drop
	_taken _over left "$(v4 right)" 4022 "$HOPFAULT" partition "$(ep left)" world
	_taken _over left 192.0.2.2 4023 "$HOPFAULT" partition "$(ep left)" "$(ep right),host"
	_taken _over left 10.77.0.254 4024 "$HOPFAULT" partition "$(ep left)" world
}

# far --> sshd in left, a shell, ssh --> sshd of the host
a_container_that_one_hops_through_is_kept_as_well() {
	_place
	_listens far 4023
	_accepts_one 2222
	# shellcheck disable=SC2016 # its own dollars
	_over left 192.0.2.2 4023 bash -c '"$0" -c "
		exec 6<>/dev/tcp/10.77.0.254/2222 && echo hop >&6 && read -r said <&6; sleep 60; exit"' "$scratch/ssh" &
	wait_until 10 test -e "$scratch/accepted"
	_refused "host -> $net-left: this would cut your own SSH" _inherits "$HOPFAULT" partition "$(ep left)" host
	_refused "this would cut the SSH connection that your own runs through \(192.0.2.2:4023" \
		_inherits "$HOPFAULT" partition "$(ep left)" world
	_taken _inherits "$HOPFAULT" partition "$(ep right)" world,host
}

# The host's sshd, which accepts: _inherits COMMAND... runs below it.
_accepts_one() {
	mkfifo "$scratch/ask" "$scratch/told"
	# shellcheck disable=SC2016 # its own dollars
	nsenter --net="/run/netns/$net-sw" python3 -c '
import os, socket, sys
listener = socket.create_server(("", int(sys.argv[1])))
connection = listener.accept()[0]
connection.sendall(connection.recv(100))
os.set_inheritable(connection.fileno(), True)
os.execv(sys.argv[2], ["sshd", "-c", sys.argv[3], "sshd", sys.argv[4]])' "$1" "$scratch/sshd" '
		touch "$1/accepted"
		while read -r line <"$1/ask"; do
			status=0
			$line >"$1/said" 2>&1 || status=$?
			echo "$status" >"$1/told"
		done' "$scratch" &
	wait_until 5 _is_open sw "$1"
}

_inherits() {
	local status
	echo "$*" >"$scratch/ask"
	read -r status <"$scratch/told"
	cat "$scratch/said"
	return "$status"
}

where_no_sshd_is_found_the_environment_is_believed() {
	_place
	SSH_CONNECTION="$(v4 left) 4022 10.77.0.254 22"
	export SSH_CONNECTION
	_refused "would cut your own SSH connection \($(v4 left):4022 -> 10.77.0.254:22" \
		within sw "$HOPFAULT" partition "$(ep left)" host
	export SSH_CONNECTION="192.0.2.2 4022 192.0.2.1 22"
	_taken within sw "$HOPFAULT" partition "$(ep left)" host
	export SSH_CONNECTION="what it says is none"
	_taken within sw "$HOPFAULT" partition "$(ep left)" host
}

run_facts "$@"
