#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# etcd.sh - a cluster of five etcd as Debian has them, and etcdctl.
#
# Each fact writes on both sides of a cut, keeps what was acknowledged, and asks every member for it after the heal. A write
# that was refused may still come then: a member without a leader keeps what it was asked for a while.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

_members=(e1 e2 e3 e4 e5)

_image() {
	"$ENGINE" image etcd etcd etcdctl busybox
}

_cluster() {
	local name all=''
	for name in "${_members[@]}"; do
		all+=,$name=http://$name:2380
	done
	containers "$(_list "${_members[@]}")" etcd --name @ --data-dir /tmp/data --initial-cluster "${all#,}" \
		--listen-peer-urls http://0.0.0.0:2380 --initial-advertise-peer-urls http://@:2380 \
		--listen-client-urls http://0.0.0.0:2379 --advertise-client-urls http://@:2379 --unsafe-no-fsync
	wait_until 20 _writes e1 first
	wait_until 10 _all_have_a_leader
}

# _ctl NAME WORD...: etcdctl inside it, asking that member alone
_ctl() {
	ETCDCTL_API=3 inside "$1" etcdctl --command-timeout=2s --dial-timeout=2s "${@:2}"
}

# The member's own view, without asking the others: "ID LEADER-ID", 0 when it knows none (etcd leaves the field out then)
_status() {
	_ctl "$1" endpoint status -w json | sed -nE 's/.*"member_id":([0-9]+)/\1 0 &/; s/^([0-9]+) 0 .*"leader":([0-9]+).*/\1 \2/; s/^([0-9]+ [0-9]+).*/\1/p'
}

_all_have_a_leader() {
	local name
	for name in "${_members[@]}"; do
		_status "$name" >"$scratch/status" && ! grep -q ' 0$' "$scratch/status" || return 1
	done
}

_knows_no_leader() {
	[[ $(_status "$1") == *' 0' ]]
}

# Who leads, as one of these says: a name; nothing when none is known to them
_leader_among() {
	local name id leader
	for name; do
		read -r id leader < <(_status "$name") || continue
		[[ $id != "$leader" ]] || { echo "$name" && return; }
	done
}

_has_own_leader() { # NAME...
	[[ -n $(_leader_among "$@") ]]
}

# What is acknowledged is written down, and must be there in the end.
_writes() { # NAME KEY
	_ctl "$1" put "key-$2" "by $1" >/dev/null 2>&1 && echo "key-$2" >>"$scratch/acknowledged"
}

_writes_many() { # NAME PREFIX COUNT
	local i
	for ((i = 0; i < $3; i++)); do
		_writes "$1" "$2-$i" || return 1
	done
}

# From its own store, whatever the others have.
_keys_of() {
	_ctl "$1" get --prefix key- --consistency=s --keys-only | grep . | sort
}

_agree() {
	local name
	_keys_of e1 >"$scratch/keys"
	for name in "${_members[@]:1}"; do
		_keys_of "$name" | cmp -s - "$scratch/keys" || return 1
	done
}

_all_agree_and_nothing_is_lost() {
	local lost
	wait_until 15 _agree
	lost=$(sort -u "$scratch/acknowledged" | comm -23 - "$scratch/keys")
	[[ -z $lost ]] || fail "acknowledged and lost: $lost"
	sort -u "$scratch/acknowledged" | comm -13 - "$scratch/keys" >"$scratch/more"
	note "$(wc -l <"$scratch/keys") keys on each of five; written and not acknowledged: $(tr '\n' ' ' <"$scratch/more")"
}

_list() {
	(IFS=, && echo "$*")
}

# _choose_sides NUMBER: sets minority (the leader and NUMBER others) and majority
_choose_sides() {
	local leader name
	leader=$(_leader_among "${_members[@]}")
	[[ -n $leader ]] || fail "the cluster has no leader"
	minority=("$leader") majority=()
	for name in "${_members[@]}"; do
		[[ $name != "$leader" ]] || continue
		if ((${#minority[@]} <= $1)); then minority+=("$name"); else majority+=("$name"); fi
	done
}

a_leader_cut_off_with_one_more_refuses_writes_and_the_majority_elects() {
	local name minority majority
	_cluster
	_choose_sides 1
	_writes_many "${minority[0]}" before 5 || fail "no write before the cut"
	hopfault partition "$(_list "${minority[@]}")" "$(_list "${majority[@]}")"
	for name in "${minority[@]}"; do
		! _writes "$name" "minority-$name" || fail "$name accepted a write on the side of the minority"
	done
	wait_until 15 _has_own_leader "${majority[@]}"
	for name in "${majority[@]}"; do
		_writes_many "$name" "majority-$name" 5 || fail "$name refused a write on the side of the majority"
	done
	for name in "${minority[@]}"; do
		wait_until 10 _knows_no_leader "$name"
		! _keys_of "$name" | grep majority || fail "$name heard of the majority's writes"
	done
	! _keys_of "${majority[0]}" | grep minority || fail "the majority heard of a write on the other side"
	hopfault heal
	wait_until 15 _writes "${minority[0]}" after
	_all_agree_and_nothing_is_lost
}

# It hears them, and they do not hear it: they elect another, and it learns of that.
a_leader_that_is_not_heard_is_replaced_and_follows() {
	local minority majority
	_cluster
	_choose_sides 0
	hopfault partition "${minority[0]}" "$(_list "${majority[@]}")" oneway
	! _writes "${minority[0]}" unheard || fail "a leader that nobody hears accepted a write"
	wait_until 15 _has_own_leader "${majority[@]}"
	_writes_many "${majority[0]}" majority 5 || fail "the others refused a write"
	hopfault heal
	wait_until 15 _writes "${minority[0]}" after
	_all_agree_and_nothing_is_lost
}

run_e2e "$@"
