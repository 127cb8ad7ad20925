#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# nginx.sh - three nginx as Debian has them, each passing requests on to the next, and curl.
#
#     curl -> n1 -> n2 -> n3          a new connection for each request, as nginx does when it is told nothing else
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

_image() {
	local folder
	folder=$(mktemp -d)
	mkdir -p "$folder"/{var/log,var/lib,etc}/nginx
	_config "proxy_pass http://n2;" >"$folder/etc/nginx/n1.conf"
	_config "proxy_pass http://n3;" >"$folder/etc/nginx/n2.conf"
	_config "return 200 'n3 answers';" >"$folder/etc/nginx/n3.conf"
	"$ENGINE" image nginx -a "$folder" nginx curl busybox
	rm -rf "$folder"
}

_config() { # LOCATION
	cat <<-END
		user nobody nogroup;
		worker_processes 1;
		pid /tmp/nginx.pid;
		error_log stderr;
		events {}
		http {
			access_log off;
			proxy_connect_timeout 1s;
			proxy_read_timeout 1s;
			server {
				listen 80;
				location / { $1 }
			}
		}
	END
}

# nginx looks its next one up when it starts, so the last starts first.
_chain() {
	local name
	for name in n3 n2 n1; do
		container "$name" nginx -e stderr -g 'daemon off;' -c "/etc/nginx/$name.conf"
	done
	container client --entrypoint /bin/sleep nginx 600
	wait_until 10 _answers 200
}

_answers() { # STATUS
	[[ $(_status) == "$1" ]]
}

_status() {
	inside client curl -s -o /dev/null -m 5 -w '%{http_code}' http://n1/ || true
}

_ms() {
	inside client curl -s -o /dev/null -m 5 -w '%{time_total}' http://n1/ | awk '{ printf "%d\n", $1 * 1000 }'
}

# Connecting crosses the link once in this direction, and the request once more.
curl_sees_the_delay_of_one_hop_twice() {
	local before
	_chain
	before=$(_ms)
	hopfault add n2 n3 delay 100ms
	must_be_within "milliseconds with 100 ms from n2 to n3" "$(_ms)" $((200 + before / 2)) $((400 + before * 2))
	must_say "20 of 20 requests" hopfault lab load --from client --to n1:80 -n 20 --fail-on-error
	hopfault heal
	must_be_within "milliseconds after the heal" "$(_ms)" 0 $((100 + before * 2))
}

trace_ties_the_calls_of_nginx_and_tells_the_injected_part() {
	_chain
	hopfault add n2 n3 delay 20ms
	hopfault trace --chain client,n1,n2,n3 --csv "$scratch/hops.csv" --json -- \
		nsenter -t "${process[client]}" -n -m -r curl -sf 'http://n1/[1-10]' >"$scratch/said"
	awk -F, '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		{
			calls[$at["dst"]]++
			if ($at["parent_span_id"] != "") tied++
			if ($at["complete"] != 1) incomplete++
			if ($at["dst"] == "n3" && $at["hold_req_ns"] >= 20e6 && $at["hold_req_ns"] < 60e6) held++
			if ($at["dst"] == "n3" && $at["total_ns"] < $at["injected_ns"] + 20e6) plain++
			if ($at["dst"] != "n3" && $at["hold_req_ns"] > 0) elsewhere++
		}
		END { print "n1", calls["n1"] + 0, "n2", calls["n2"] + 0, "n3", calls["n3"] + 0, "tied", tied + 0,
			"incomplete", incomplete + 0, "held", held + 0, "elsewhere", elsewhere + 0 }
	' "$scratch/hops.csv" >"$scratch/figures"
	note "of ten requests: $(cat "$scratch/figures")"
	must_be "a call of each request on each hop, all tied" \
		"$(grep -cx 'n1 10 n2 10 n3 10 tied 20 incomplete 0 held 10 elsewhere 0' "$scratch/figures" || true)"
}

a_cut_in_the_chain_is_a_504_at_its_front_until_the_heal() {
	local link
	_chain
	for link in "n2 n3" "n1 n2"; do
		# shellcheck disable=SC2086 # two words
		hopfault partition $link
		[[ $(_status) == 504 ]] || fail "not 504 while $link are cut apart: $(_status)"
		hopfault heal
		[[ $(_status) == 200 ]] || fail "not 200 after the heal of $link"
	done
}

run_e2e "$@"
