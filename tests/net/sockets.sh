#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# sockets.sh - which engine is asked is the command's choice, request by request; one that does not answer as an engine
# does costs one clear line, and not long.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

# _engine NAME MANNER [CONTAINER NODE]...: at $scratch/NAME.sock
_engine() {
	local name=$1 manner=$2 list=()
	shift 2
	command -v python3 >/dev/null || skip "python3 is not installed"
	unset HOPFAULT_DOCKER_SOCKET HOPFAULT_PODMAN_SOCKET DOCKER_HOST CONTAINER_HOST
	while (($#)); do
		inhabit "$2"
		list+=("$1" "$inhabitant")
		shift 2
	done
	"$FACTS_ROOT/tests/lib/engine.py" "$scratch/$name.sock" "$manner" "${list[@]}" &
	wait_until 10 test -S "$scratch/$name.sock"
}

# _costs_at_most SECONDS COMMAND...
_costs_at_most() {
	local limit=$1 began
	shift
	began=$(now_us)
	"$@"
	must_be_within "milliseconds of: $*" $((($(now_us) - began) / 1000)) 0 $((limit * 1000))
}

each_request_asks_the_engine_that_its_command_names() {
	network left right other
	warm left right
	_engine one answers web left db right
	_engine two answers web other db right
	hopfault partition web db --docker-socket "$scratch/one.sock"
	! answers left "$(v4 right)" || fail "not cut"
	answers other "$(v4 right)" || fail "another engine's web is cut"
	hopfault heal
	# the owner runs by now, and was started by a command that asked elsewhere
	DOCKER_HOST=unix://$scratch/two.sock hopfault partition web db
	answers left "$(v4 right)" || fail "the first engine's web is cut"
	! answers other "$(v4 right)" || fail "not cut"
	hopfault heal
	must_end 2 "unknown endpoint 'web'" "$HOPFAULT" partition web "$(ep right)"
	must_say "other" hopfault ps --podman-socket "$scratch/two.sock" --json
}

two_engines_may_each_have_a_container_of_the_same_name() {
	network left right other
	warm left right
	warm other right
	_engine one answers web left db right
	_engine two answers web other db right
	hopfault add web db delay 20ms --docker-socket "$scratch/one.sock"
	hopfault add web db delay 60ms --docker-socket "$scratch/two.sock"
	must_say "web->db" hopfault status
	must_say "web@2->db" hopfault status
	must_be_within "left's way (us)" "$(rtt_us left "$(v4 right)")" 20000 50000
	must_be_within "other's way (us)" "$(rtt_us other "$(v4 right)")" 60000 90000
	# one goes: the other is not taken for it when it is named again
	ip -n "$net-sw" link del left
	wait_until 5 _is_down
	hopfault add web db loss 0% --docker-socket "$scratch/two.sock"
	_is_down || fail "two's web was taken for one's"
	must_be_within "other's way (us)" "$(rtt_us other "$(v4 right)")" 60000 90000
	must_say "web is down" hopfault status
}

a_container_named_by_its_namespace_is_still_sought_at_its_engine() {
	local number
	network left right
	warm left right
	_engine one answers web left db right
	hopfault add web db delay 20ms --docker-socket "$scratch/one.sock"
	hopfault add "$(ep left)" "$(ep right)" loss 0% # the same two, and no engine is named
	ip -n "$net-sw" link del left
	wait_until 5 _is_down
	number=${node_number[left]}
	ip -n "$net-sw" link add left type veth peer name eth0 netns "$net-left"
	ip -n "$net-sw" link set left master br0 up
	ip -n "$net-left" link set eth0 up
	ip -n "$net-left" addr add "10.77.0.$number/24" dev eth0
	wait_until 5 _is_up_again
	wait_until 5 answers left "$(v4 right)"
	must_be_within "left's way (us)" "$(rtt_us left "$(v4 right)")" 20000 50000
}

_is_up_again() {
	! _is_down
}

_is_down() {
	[[ $("$HOPFAULT" status --json | grep -c '"state": "down"') == 1 ]]
}

an_engine_that_does_not_answer_costs_two_seconds_and_one_line() {
	network left right
	_engine mute hangs
	owner
	_costs_at_most 5 must_end 1 "docker at $scratch/mute.sock did not answer within 2.0 s" \
		"$HOPFAULT" add docker:web docker:db drop --docker-socket "$scratch/mute.sock"
	_costs_at_most 5 must_end 2 "unknown endpoint 'web'.*did not answer within" \
		"$HOPFAULT" add web db drop --docker-socket "$scratch/mute.sock"
	_costs_at_most 5 must_say "left" hopfault ps --docker-socket "$scratch/mute.sock"
	no_fault_is_in_force
}

what_answers_and_is_no_engine_is_told() {
	network left right
	_engine noise garbage
	_engine going gone web left
	must_end 1 "what answers at $scratch/noise.sock does not speak as docker does" \
		"$HOPFAULT" add docker:web docker:db drop --docker-socket "$scratch/noise.sock"
	must_end 1 "podman at $scratch/going.sock hung up" \
		"$HOPFAULT" add podman:web "$(ep right)" drop --podman-socket "$scratch/going.sock"
	must_end 1 "there is no socket $scratch/none.sock" \
		"$HOPFAULT" add docker:web docker:db drop --docker-socket "$scratch/none.sock"
	must_end 1 "is no socket, so no docker engine is there" \
		"$HOPFAULT" add docker:web docker:db drop --docker-socket "$scratch"
	no_fault_is_in_force
}

a_path_that_makes_no_sense_is_refused_before_anything_is_started() {
	must_end 2 "docker-socket: 'docker.sock': no socket's path: it must begin with /" \
		"$HOPFAULT" add a b drop --docker-socket docker.sock
	must_end 2 "podman-socket: 'tcp://h:1': only an engine on this machine" "$HOPFAULT" ps --podman-socket tcp://h:1
	must_end 2 "empty" "$HOPFAULT" partition a b --docker-socket ""
	must_end 2 "begin with /" "$HOPFAULT" trace --chain a,b --docker-socket x
	[[ ! -e $HOPFAULT_RUN_DIR/control.sock ]] || fail "an owner was started"
}

a_socket_that_another_user_made_is_not_asked() {
	network left right
	_engine planted answers web left
	chown 65534 "$scratch/planted.sock"
	must_end 1 "planted.sock is user 65534's" "$HOPFAULT" add docker:web "$(ep right)" drop --docker-socket "$scratch/planted.sock"
	no_fault_is_in_force
}

run_facts "$@"
