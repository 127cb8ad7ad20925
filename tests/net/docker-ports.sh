#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# docker-ports.sh - to which link traffic by a published port belongs: two Docker engines at once, whose containers have the
# same names and addresses, each with a way out.
#
#     far 192.0.2.2, 2001:db8::2 ==== 192.0.2.1, 2001:db8::1  engine's namespace  docker0 172.17.0.1 ==== web, cache
#
#   proxy      translates what comes from outside (IPv4 and IPv6), docker-proxy carries the rest
#   noproxy    translates everything (--userland-proxy=false)
#
#     tests/net/docker-ports.sh
#
# A link is told by rules that lose 0 % and count: one request, and which of them matched?
# shellcheck disable=SC2317,SC2015 # called by name
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
hopfault=${HOPFAULT:-$here/build/hopfault}
engine=$here/scripts/engine
scratch=$(mktemp -d /tmp/hfp.XXXXXX)
export HOPFAULT_RUN_DIR=$scratch/run HOPFAULT_PODMAN_SOCKET=$scratch/none.sock

cleanup() {
	"$hopfault" daemon --stop >/dev/null 2>&1 || true
	for name in proxy noproxy; do
		ip netns del "hfp$$-$name" 2>/dev/null || true
		"$engine" down "$scratch/$name" || true
	done
	rm -rf "$scratch"
}
trap cleanup EXIT

# shellcheck source=tests/lib/in_order.sh
. "$here/tests/lib/in_order.sh"
why=$("$engine" missing) || no_engine published_ports "$why"

# ---- the two engines ----

use() { # ENGINE: whom all that follows is about
	now=$1
	export HOPFAULT_DOCKER_SOCKET=$scratch/$now/docker.sock DOCKER_HOST=unix://$scratch/$now/docker.sock
}
host() { nsenter --net="/run/netns/$(cat "$scratch/$now/netns")" "$@"; }
far() { nsenter --net="/run/netns/hfp$$-$now" "$@"; }

way_out() {
	local namespace=hfp$$-$now
	ip netns add "$namespace"
	host ip link add out type veth peer name eth0 netns "$namespace"
	host sh -c 'ip addr add 192.0.2.1/24 dev out; ip addr add 2001:db8::1/64 dev out nodad; ip link set out up
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	far sh -c 'ip addr add 192.0.2.2/24 dev eth0; ip addr add 2001:db8::2/64 dev eth0 nodad; ip link set eth0 up'
}
box() { docker run -d "$@" >/dev/null; }
engine_up() { # NAME OPTION...
	use "$1"
	DOCKERD_OPTIONS=${*:2} "$engine" up "$scratch/$1" $$ && "$engine" image box busybox
}
containers_up() {
	way_out
	docker network create back >/dev/null
	box --name web -p 8080:80 box httpd -f -p 80 -h /etc
	box --name cache box sleep 600
	box --name other --network back box sleep 600
}
# Bridged frames go through iptables, as on machines where dockerd finds it so: else no answer comes back through a hairpin.
filter_bridged() {
	# shellcheck disable=SC2016 # the inner shell expands them
	host sh -c 'for family in ip ip6; do echo 1 >/proc/sys/net/bridge/bridge-nf-call-${family}tables; done'
}

# ---- which link? ----

count_links() {
	local pair
	"$hopfault" heal >/dev/null
	for pair in "host web" "world web" "cache web" "web host" "web world" "web cache" "cache host" "host cache" \
		"cache world" "world cache" "docker:other host" "host docker:other" "docker:other web" "web docker:other"; do
		# shellcheck disable=SC2086 # two words
		"$hopfault" add $pair loss 0% proto tcp >/dev/null || return 1
	done
}
matched() {
	"$hopfault" status --json | python3 -c '
import json, sys
links = {fault["text"].split(" loss")[0].replace("docker:", "").replace(" ", ">"): fault["counts"]["matched"]
         for fault in json.load(sys.stdin)["faults"]}
print(" ".join(sorted(link for link in links if links[link])))'
}
# FROM ADDRESS: a file of web's is asked for
ask() {
	case $1 in
	far) timeout 5 nsenter --net="/run/netns/hfp$$-$now" curl -sgm 4 "http://$2/passwd" ;;
	host) timeout 5 nsenter --net="/run/netns/$(cat "$scratch/$now/netns")" curl -sgm 4 "http://$2/passwd" ;;
	*) timeout 5 docker exec "$1" busybox wget -q -O - "http://$2/passwd" ;;
	esac 2>/dev/null | grep -q root:
}
goes_by() { # LINKS FROM ADDRESS: it is answered, and these are the links that it crossed, sorted
	local links=$1 said
	shift
	count_links || { echo "no rule"; return 1; }
	ask "$@" || { echo "no answer: $*"; return 1; }
	said=$(matched)
	[ "$said" = "$links" ] || { echo "$* went by: $said, not by: $links"; return 1; }
}
with_fault() { # WORDS FROM ADDRESS
	local fault=$1
	shift
	"$hopfault" heal >/dev/null
	ask "$@" || { echo "no answer without: $*"; return 1; }
	# shellcheck disable=SC2086 # words
	"$hopfault" $fault >/dev/null || return 1
	ask "$@"
}
is_cut_by() { ! with_fault "$@" || { echo "not cut by $1: ${*:2}"; return 1; }; }
is_not_cut_by() { with_fault "$@" || { echo "cut by $1: ${*:2}"; return 1; }; }

# ---- facts ----

from_outside_it_is_the_worlds_where_the_kernel_translates() {
	use proxy
	goes_by "web>world world>web" far 192.0.2.1:8080 && goes_by "web>world world>web" far "[2001:db8::1]:8080" || return 1
	use noproxy
	goes_by "web>world world>web" far 192.0.2.1:8080
}
a_cut_from_the_world_closes_the_port_to_the_world_alone() {
	use proxy
	is_cut_by "partition web world" far 192.0.2.1:8080 && is_cut_by "add web world drop" far "[2001:db8::1]:8080" &&
		is_not_cut_by "partition web world" host 127.0.0.1:8080 &&
		is_not_cut_by "partition web world" cache 192.0.2.1:8080 &&
		is_not_cut_by "partition web host" far 192.0.2.1:8080
}
from_the_host_it_is_the_hosts_by_whatever_address() {
	local to
	use proxy
	for to in 127.0.0.1 192.0.2.1 172.17.0.1 "[::1]" "[2001:db8::1]"; do
		goes_by "host>web web>host" host "$to:8080" || return 1
	done
	use noproxy
	goes_by "host>web web>host" host 127.0.0.1:8080 && goes_by "host>web web>host" host 192.0.2.1:8080
}
docker_proxy_makes_two_links_of_one() {
	use proxy
	goes_by "cache>host host>cache host>web web>host" cache 192.0.2.1:8080 &&
		goes_by "host>other host>web other>host web>host" other 192.0.2.1:8080
}
either_link_of_docker_proxy_can_be_cut_and_no_third() {
	use proxy
	is_cut_by "partition cache host" cache 192.0.2.1:8080 && is_cut_by "partition web host" cache 192.0.2.1:8080 &&
		is_not_cut_by "partition cache web" cache 192.0.2.1:8080
}
a_hairpin_that_the_kernel_translates_is_of_two_links_on_its_way_there() {
	use noproxy
	goes_by "cache>host cache>web web>cache" cache 192.0.2.1:8080
}
either_link_of_a_hairpin_can_be_cut() {
	use noproxy
	is_cut_by "partition cache web" cache 192.0.2.1:8080 && is_cut_by "add cache host drop" cache 192.0.2.1:8080 &&
		is_not_cut_by "add host cache drop" cache 192.0.2.1:8080
}
to_oneself_through_the_host_it_is_the_hosts() {
	use proxy
	goes_by "host>web web>host" web 192.0.2.1:8080
}
inside_a_container_no_link_is_crossed() {
	use proxy
	goes_by "" web 127.0.0.1:80 && goes_by "" web "$(address web):80"
}
without_the_port_it_is_their_own_link() {
	use noproxy
	goes_by "cache>web web>cache" cache "$(address web):80"
}
address() { docker inspect -f '{{.NetworkSettings.Networks.bridge.IPAddress}}' "$1"; }

# The same words and addresses in both engines: what is done to the one is not done to the other, whichever was named last.
two_engines_with_the_same_addresses_are_kept_apart() {
	local one
	for one in proxy noproxy; do
		use "$one"
		"$hopfault" heal >/dev/null
		[ "$(address web)" = 172.17.0.2 ] || { echo "web has another address"; return 1; }
		"$hopfault" add cache web loss 0% >/dev/null && "$hopfault" add host web loss 0% >/dev/null
	done
	for one in proxy noproxy; do
		use "$one"
		"$hopfault" heal >/dev/null
		"$hopfault" partition web cache,host >/dev/null || return 1
		! ask cache 172.17.0.2:80 && ! ask host 172.17.0.2:80 || { echo "not cut in $now"; return 1; }
		ask far 192.0.2.1:8080 || { echo "the world is cut off in $now"; return 1; }
		[ "$one" = proxy ] && use noproxy || use proxy
		ask cache 172.17.0.2:80 && ask host 172.17.0.2:80 && ask far 192.0.2.1:8080 || { echo "cut in $now too"; return 1; }
	done
	"$hopfault" heal >/dev/null
}
dns_of_docker_crosses_no_veth_and_the_help_says_so() {
	"$hopfault" help add | tr '\n' ' ' | tr -s ' ' | grep -qF "127.0.0.11" || { echo "no word of it"; return 1; }
	use proxy
	"$hopfault" heal >/dev/null
	"$hopfault" partition docker:other host >/dev/null && "$hopfault" add docker:other world drop >/dev/null || return 1
	docker exec other busybox nslookup other 127.0.0.11 2>/dev/null | grep -q 'Address: 172\.' || { echo "no answer"; return 1; }
	"$hopfault" heal >/dev/null
}

up() {
	engine_up noproxy --userland-proxy=false && containers_up && filter_bridged || return 1
	engine_up proxy --experimental --ip6tables --ipv6 --fixed-cidr-v6 fd88::/64 && containers_up
}

set_up up
# those that count come first: what was cut off goes on trying for a while
facts_in_order from_outside_it_is_the_worlds_where_the_kernel_translates from_the_host_it_is_the_hosts_by_whatever_address \
	docker_proxy_makes_two_links_of_one a_hairpin_that_the_kernel_translates_is_of_two_links_on_its_way_there \
	to_oneself_through_the_host_it_is_the_hosts inside_a_container_no_link_is_crossed without_the_port_it_is_their_own_link \
	a_cut_from_the_world_closes_the_port_to_the_world_alone either_link_of_docker_proxy_can_be_cut_and_no_third \
	either_link_of_a_hairpin_can_be_cut two_engines_with_the_same_addresses_are_kept_apart \
	dns_of_docker_crosses_no_veth_and_the_help_says_so
