# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # here, run_folder, place ... are lib.sh's
#
# stores.sh - etcd and Redis as Debian has them, in nodes of the lab's place: network namespaces on one bridge, or containers
# (ENGINE=docker). Read behind lib.sh, and used behind lab_begin.
#
#     nodes_up n1 n2 ca                     they are there, and empty
#     etcd_up NAME...                       a cluster
#     redis_up PRIMARY REPLICA...           a primary and those that follow it
#     sentinels_up PRIMARY NAME...          a sentinel in each
#     store_ready STORE LEADER NAME...      waits until LEADER leads and all follow
#     node_client NAME COMMAND...           with the node's network and this machine's files
#     node_words NAME,NAME                  how hopfault is told of them
#     nodes_empty                           no process and no file is left in them
#
# etcd runs with --unsafe-no-fsync and Redis without files: what is measured is the network and the protocol, not a disk.
stores=$here/scripts/labs/stores
nodes=()

stores_check() { # PROGRAM...
	local program
	type -P python3 >/dev/null || fail "python3 is not installed: scripts/setup labs does that"
	for program; do
		"$here/scripts/engine" program "$program" >/dev/null 2>&1 ||
			fail "$program is neither in PATH nor fetched: scripts/setup engine does that"
	done
}

nodes_up() { # NAME...
	nodes=("$@")
	say "$([[ $place == lab ]] && echo "Network namespaces" || echo "Containers") on one bridge: $*"
	place_nodes "$@"
}

node_words() { # NAME,NAME,...
	local name list=()
	for name in ${1//,/ }; do list+=("$(place_node_word "$name")"); done
	(IFS=, && echo "${list[*]}")
}

node_addresses() { # NAME...: n1=ADDRESS,...
	local name list=()
	for name; do list+=("$name=$(place_node_address "$name")"); done
	(IFS=, && echo "${list[*]}")
}

node_client() { # in a process that keeps none of the lab's locks, also when it outlives the lab
	(exec 8>&- 9>&- && place_node_client "$@")
}

node_run() { # NAME COMMAND...: until nodes_empty, or the lab's end
	(exec 8>&- 9>&- && place_node_run "$@") >>"$run_folder/$1.log" 2>&1 </dev/null &
}

nodes_empty() {
	local name folder
	for name in "${nodes[@]}"; do
		place_node_kill "$name" || true
		folder=$(place_node_folder "$name")
		rm -rf "${folder:?}"/*
	done
}

# ---- stores ----

etcd_up() { # NAME...
	local name own all=''
	for name; do all+=,$name=http://$(place_node_address "$name"):2380; done
	for name; do
		own=$(place_node_address "$name")
		node_run "$name" etcd --name "$name" --data-dir "$(place_node_inner_folder "$name")/etcd" \
			--initial-cluster "${all#,}" --initial-advertise-peer-urls "http://$own:2380" \
			--listen-peer-urls http://0.0.0.0:2380 --listen-client-urls http://0.0.0.0:2379 \
			--advertise-client-urls "http://$own:2379" --unsafe-no-fsync --log-level warn
	done
}

# Pings and timeouts are short, so that a lab need not take a quarter of an hour. A folder each: what a replica got from its
# primary is left in a file there, which the next Redis in the same folder would take for its own.
redis_up() { # PRIMARY REPLICA...
	local name follow=()
	for name; do
		node_run "$name" redis-server --save '' --protected-mode no --repl-diskless-sync-delay 0 \
			--repl-ping-replica-period 1 --repl-timeout 3 --dir "$(place_node_inner_folder "$name")" "${follow[@]}"
		follow=(--replicaof "$(place_node_address "$1")" 6379)
	done
}

sentinels_up() { # PRIMARY NAME...
	local primary=$1 name quorum
	shift
	quorum=$(($# / 2 + 1))
	for name; do
		cat >"$(place_node_folder "$name")/sentinel.conf" <<-END
			port 26379
			dir $(place_node_inner_folder "$name")
			protected-mode no
			sentinel monitor lab $(place_node_address "$primary") 6379 $quorum
			sentinel down-after-milliseconds lab 1500
			sentinel failover-timeout lab 5000
		END
		node_run "$name" redis-server "$(place_node_inner_folder "$name")/sentinel.conf" --sentinel
	done
}

store_state() { # STORE WHAT WORD... -- NAME...: asked from the last node, which is a client's
	local store=$1 what=$2 words=()
	shift 2
	while [[ $1 != -- ]]; do words+=("$1") && shift; done
	shift
	node_client "${nodes[-1]}" python3 "$stores/state.py" "$what" --store "$store" --nodes "$(node_addresses "$@")" "${words[@]}"
}

store_ready() { # STORE LEADER NAME...
	store_state "$1" ready --lead "$2" -- "${@:3}" || fail "$1 did not come up: $(tail -qn 1 "$run_folder"/*.log | head -n 1)"
}
