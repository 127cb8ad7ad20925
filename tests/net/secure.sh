#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# secure.sh - the owner has no more rights than it needs, listens to root alone, and is held up by nobody.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

# capability.h's numbers: dac_override net_admin net_raw sys_ptrace sys_admin sys_nice
_wanted_rights() {
	echo $((1 << 1 | 1 << 12 | 1 << 13 | 1 << 19 | 1 << 21 | 1 << 23))
}

_rights() { # SET FILE
	echo $((16#$(awk -v set="$1:" '$1 == set { print $2 }' "$2")))
}

the_owner_keeps_six_capabilities_and_can_gain_none() {
	local wanted had file set
	network left right
	warm left right
	owner
	hopfault add "$(ep left)" "$(ep right)" delay 5ms # now all its threads are there
	had=$(_rights CapEff /proc/self/status)
	wanted=$(($(_wanted_rights) & had))
	for file in "/proc/$owner"/task/*/status; do
		for set in CapEff CapPrm; do
			[[ $(_rights "$set" "$file") == "$wanted" ]] || fail "$set of a thread: $(grep "$set" "$file")"
		done
		[[ $(_rights CapBnd "$file") == $((wanted & $(_rights CapBnd /proc/self/status))) ]] || fail "$(grep CapBnd "$file")"
		[[ $(_rights CapInh "$file") == 0 && $(_rights CapAmb "$file") == 0 ]] || fail "inheritable: $(grep -E 'CapInh|CapAmb' "$file")"
		[[ $(awk '$1 == "NoNewPrivs:" { print $2 }' "$file") == 1 ]] || fail "a thread may gain privileges"
	done
}

its_watcher_has_none() {
	local watcher set
	[[ -w /sys/kernel/rcu_expedited && $(</sys/kernel/rcu_normal) == 0 ]] || skip "there is nothing here to watch over"
	owner
	watcher=$(<"/proc/$owner/task/$owner/children")
	[[ $(<"/proc/${watcher// /}/comm") == hopfault-grace ]] || fail "the owner's children: $watcher"
	for set in CapEff CapPrm CapInh CapAmb; do
		[[ $(_rights "$set" "/proc/${watcher// /}/status") == 0 ]] || fail "$(grep "$set" "/proc/${watcher// /}/status")"
	done
	[[ $(awk '$1 == "NoNewPrivs:" { print $2 }' "/proc/${watcher// /}/status") == 1 ]] || fail "it may gain privileges"
}

# Of a process that has more rights than the owner.
the_namespace_of_a_mightier_process_is_entered() {
	network left right
	warm left right
	inhabit left
	owner
	hopfault partition "pid:$inhabitant" "$(ep right)"
	! answers left "$(v4 right)" || fail "the process's namespace is not cut off"
}

# An engine of user 65534 that knows no container, whose socket is closed to all others.
_engine_of_another() { # SOCKET
	mkdir -p "${1%/*}"
	python3 - "$1" <<-'END' &
		import os, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		os.chown(sys.argv[1], 65534, 65534)
		os.chmod(sys.argv[1], 0o600)
		s.listen(8)
		while True:
		    c, _ = s.accept()
		    c.recv(4096)
		    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]")
		    c.close()
	END
	wait_until 5 test -S "$1"
	chmod 700 "${1%/*}"
	chown 65534 "${1%/*}"
}

another_users_engine_is_asked_in_its_users_place() {
	_engine_of_another "$scratch/another/run/user/65534/engine.sock"
	export HOPFAULT_DOCKER_SOCKET=/run/user/65534/engine.sock
	# a /run of its own, which is the machine's but for its users
	# shellcheck disable=SC2016 # for that shell
	owner_by unshare --mount --propagation slave sh -ec 'mkdir -p "$0/run/netns"
		mount --rbind /run/netns "$0/run/netns"
		mount --rbind "$0/run" /run
		exec "$@"' "$scratch/another"
	! hopfault partition docker:this_one docker:that_one 2>"$scratch/said" || fail "there are none"
	grep -q "unknown endpoint 'docker:this_one'" "$scratch/said" || fail "said: $(cat "$scratch/said")"
}

another_users_engine_is_not_asked_elsewhere() {
	_engine_of_another "$scratch/theirs/engine.sock"
	export HOPFAULT_DOCKER_SOCKET=$scratch/theirs/engine.sock
	owner
	! hopfault partition docker:this_one docker:that_one 2>"$scratch/said" || fail "its word was taken"
	grep -q "is user 65534's" "$scratch/said" || fail "said: $(cat "$scratch/said")"
}

connections_that_say_nothing_are_dropped_and_keep_nobody_waiting() {
	local manner figures before knock
	owner
	for manner in silent half; do
		"$TOOLS/knock" "$manner" 60 10 >"$scratch/$manner" &
		knock=$!
		wait_until 5 _has_connections "$owner" 50
		before=$(now_us)
		hopfault status >/dev/null
		must_be_within "status beside 60 of them, $manner (ms)" $((($(now_us) - before) / 1000)) 0 1500
		wait "$knock"
		figures=$(tr "=" ' ' <"$scratch/$manner")
		must_be_within "closed by the owner" "$(value_of closed "$figures")" 60 60
		must_be_within "first dropped (ms)" "$(value_of first_ms "$figures")" 1500 6000
		must_be_within "last dropped (ms)" "$(value_of last_ms "$figures")" 1500 6000
	done
}

_has_connections() {
	(($(find "/proc/$1/fd" -lname 'socket:*' | wc -l) >= $2))
}

more_connections_than_there_is_room_for_keep_nobody_out() {
	local knock
	owner
	"$TOOLS/knock" silent 300 10 >"$scratch/silent" &
	knock=$!
	wait_until 5 _has_connections "$owner" 60
	hopfault status >/dev/null
	wait "$knock"
	must_be_within "closed by the owner" "$(value_of closed "$(tr "=" ' ' <"$scratch/silent")")" 300 300
	hopfault status >/dev/null
}

the_socket_is_roots_alone() {
	owner
	[[ $(stat -c '%U %a' "$HOPFAULT_RUN_DIR/control.sock") == "root 600" ]] || fail "$(stat -c '%U %a' "$HOPFAULT_RUN_DIR/control.sock")"
	[[ $(stat -c '%U %a' "$HOPFAULT_RUN_DIR") == "root 700" ]] || fail "$(stat -c '%U %a' "$HOPFAULT_RUN_DIR")"
	# who got through in spite of that is known by the kernel's word
	chmod 711 "$scratch" "$HOPFAULT_RUN_DIR"
	cp "$TOOLS/knock" "$scratch/knock"
	_nobody_gets EACCES
	chmod 666 "$HOPFAULT_RUN_DIR/control.sock"
	_nobody_gets 'ECONNRESET|EPIPE'
	(($("$scratch/knock" ask) > 10)) || fail "root is not answered either"
}

_nobody_gets() {
	local got
	got=$(setpriv --reuid 65534 --regid 65534 --clear-groups "$scratch/knock" ask)
	[[ $got =~ ^($1)$ ]] || fail "another user got: $got"
}

a_folder_that_others_may_write_to_is_refused() {
	mkdir -m 777 "$HOPFAULT_RUN_DIR"
	chmod 777 "$HOPFAULT_RUN_DIR"
	! "$HOPFAULT" daemon 2>"$scratch/said" || fail "it was taken"
	grep -q "must be root's alone" "$scratch/said" || fail "said: $(cat "$scratch/said")"
	chmod 755 "$HOPFAULT_RUN_DIR"
	chown 65534 "$HOPFAULT_RUN_DIR"
	! "$HOPFAULT" daemon 2>"$scratch/said" || fail "another user's was taken"
	rmdir "$HOPFAULT_RUN_DIR"
	mkdir "$scratch/elsewhere"
	ln -s "$scratch/elsewhere" "$HOPFAULT_RUN_DIR"
	! "$HOPFAULT" daemon 2>"$scratch/said" || fail "a symbolic link was followed"
}

# No control character but the end of a line, nothing that is no UTF-8.
_are_harmless() { # FILE...
	python3 - "$@" <<-'END' || fail "a terminal would obey what is in one of: $*"
		import sys, unicodedata
		for name in sys.argv[1:]:
		    text = open(name, "rb").read().decode("utf-8")
		    assert text, name
		    bad = [c for c in text if c not in "\r\n" and unicodedata.category(c) in ("Cc", "Cf")]
		    assert not bad, (name, bad, text[:300])
	END
}

names_and_interfaces_of_strangers_reach_no_terminal() {
	local evil=$'\e]0;x\a' odd odd_names=()
	network left right
	# an interface that a container has named; it has no veth, so its name stands in the refusal
	_namespace odd
	ip -n "$net-odd" link add name "$evil" type bridge
	ip -n "$net-odd" link set "$evil" up
	for odd in "@$net" "=$net" "$net,left"; do
		ip netns add "$odd" && odd_names+=("$odd")
	done
	"$HOPFAULT" ps >"$scratch/ps" 2>&1 || true
	"$HOPFAULT" ps --json >"$scratch/ps.json" 2>&1 || true
	for odd in "${odd_names[@]}"; do
		ip netns del "$odd"
	done
	grep -q "$net-left" "$scratch/ps" || fail "ps shows nothing"
	! grep -q "[@=]$net" "$scratch/ps" || fail "a name that a spreadsheet would take for a formula is shown"
	owner
	! "$HOPFAULT" partition "netns:$net-odd" "$(ep left)" 2>"$scratch/said1" || fail "it has no veth"
	! "$HOPFAULT" partition $'netns:\e[31m\xff' "$(ep left)" 2>"$scratch/said2" || fail "that is no name"
	! "$HOPFAULT" add "$(ep left)" $'\u202egpj.exe' drop 2>"$scratch/said3" || fail "that is no name"
	hopfault add "$(ep left)" "$(ep right)" drop
	"$HOPFAULT" status >"$scratch/said4"
	_are_harmless "$scratch"/ps "$scratch"/ps.json "$scratch"/said[1-4]
}

# What a service asks for ends up in five formats; in none of them is it more than text.
requests_of_strangers_are_text_in_every_format() {
	local file
	network left right
	warm left right
	within right python3 - <<-'END' &
		import socket
		s = socket.create_server(("10.77.0.2", 8080))
		while True:
		    c, _ = s.accept()
		    c.recv(4096)
		    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
		    c.close()
	END
	owner
	hopfault trace --chain "$(ep left),$(ep right)" -q --for 20s -n 4 --csv "$scratch/hops.csv" --summary "$scratch/summary.csv" \
		--svg "$scratch/it.svg" --perfetto "$scratch/perfetto.json" --jsonl "$scratch/it.jsonl" -- \
		nsenter --net="/run/netns/$net-left" python3 - >"$scratch/table" 2>&1 <<-'END'
			import socket, time
			for line in (b"GET /</text><script>alert(1)</script>",
			             b"GET /\x1b]0;x\x07\xff\xe2\x80\xae\",\"=1+1",
			             b"CONNECT =cmd|x!A0",
			             b"GET http://user:secret@host/%0a?token=secret"):
			    for attempt in range(100):
			        try:
			            c = socket.create_connection(("10.77.0.2", 8080))
			            break
			        except OSError:
			            time.sleep(0.05)
			    c.sendall(line + b" HTTP/1.1\r\nHost: x\r\n\r\n")
			    while c.recv(4096):
			        pass
			    c.close()
		END
	for file in hops.csv summary.csv it.svg perfetto.json it.jsonl table; do
		! grep -q 'secret' "$scratch/$file" || fail "$file tells a secret"
	done
	_are_harmless "$scratch"/{hops.csv,summary.csv,it.svg,perfetto.json,it.jsonl,table}
	! grep -q '<script' "$scratch/it.svg" || fail "the picture has a script in it"
	python3 - "$scratch" <<-'END' || fail "a file is not what it should be: $(tail -n 3 "$scratch/hops.csv")"
		import csv, json, sys, xml.dom.minidom
		at = sys.argv[1]
		rows = list(csv.DictReader(open(at + "/hops.csv", newline="")))
		assert len(rows) == 4, len(rows)
		for row in rows:
		    assert None not in row and None not in row.values(), row
		    assert not any(v[:1] in ("=", "+", "-", "@") for v in row.values()), row
		assert any("script" in row["path"] for row in rows)
		xml.dom.minidom.parse(at + "/it.svg")
		json.load(open(at + "/perfetto.json"))
		for line in open(at + "/it.jsonl"):
		    json.loads(line)
	END
}

run_facts "$@"
