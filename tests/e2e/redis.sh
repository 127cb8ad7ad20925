#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# redis.sh - a Redis and its replica as Debian has them, and redis-cli.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

_image() {
	"$ENGINE" image redis redis-server redis-cli
}

_pair() { # [OPTION...]: of the primary
	container primary redis --save '' --protected-mode no --enable-debug-command local --repl-diskless-sync-delay 0 \
		--repl-ping-replica-period 1 --repl-timeout 3 "$@"
	wait_until 10 _says primary PONG ping
	container replica redis --save '' --protected-mode no --enable-debug-command local --repl-timeout 3 \
		--replicaof primary 6379
	wait_until 15 _link_is up
}

_cli() { # NAME WORD...
	inside "$1" redis-cli "${@:2}"
}

_says() { # NAME ANSWER WORD...
	[[ $(_cli "$1" "${@:3}" 2>/dev/null) == "$2" ]]
}

_link_is() {
	_cli replica info replication 2>/dev/null | tr -d '\r' | grep -qx "master_link_status:$1"
}

_are_equal() {
	[[ $(_cli primary debug digest) == "$(_cli replica debug digest)" ]]
}

a_replica_that_is_cut_off_is_stale_and_whole_again_after_the_heal() {
	_pair
	_cli primary set colour red
	wait_until 5 _says replica red get colour
	hopfault partition primary replica
	_says primary OK set colour blue || fail "the primary does not accept a write while its replica is cut off"
	_says primary 1000 eval 'for i = 1, 1000 do redis.call("set", "k" .. i, i) end return redis.call("dbsize") - 1' 0 ||
		fail "the primary did not take 1000 writes"
	_says replica red get colour || fail "the replica is not stale"
	wait_until 15 _link_is down
	_says replica red get colour || fail "the replica is not stale"
	hopfault heal
	wait_until 15 _link_is up
	wait_until 5 _says replica blue get colour
	wait_until 5 _are_equal
	_says replica 1001 dbsize || fail "the replica has not all keys"
}

a_primary_that_wants_a_replica_refuses_writes_while_it_is_cut_off() {
	_pair --min-replicas-to-write 1 --min-replicas-max-lag 2
	wait_until 5 _says primary OK set colour red
	hopfault partition primary replica
	wait_until 10 _refuses_writes
	hopfault heal
	wait_until 15 _says primary OK set colour blue
	wait_until 5 _says replica blue get colour
}

_refuses_writes() {
	_cli primary set colour green | grep -q NOREPLICAS
}

# The primary hears its replica, which does not hear the primary: no answer can come of that, and both notice.
a_replica_that_only_does_not_hear_is_stale_too() {
	_pair
	_cli primary set colour red
	wait_until 5 _says replica red get colour
	hopfault partition primary replica oneway
	_says primary OK set colour blue || fail "the primary does not accept a write"
	wait_until 15 _link_is down
	_says replica red get colour || fail "the replica heard of it"
	hopfault heal
	wait_until 15 _says replica blue get colour
}

run_e2e "$@"
