#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# select.sh - one word may mean several endpoints: a fault holds between all of them, and what was meant is said.
# shellcheck source=tests/lib/net.sh
. "$(dirname "$0")/../lib/net.sh"

an_expression_cuts_all_that_it_means_and_nobody_else() {
	network web-1 web-2 web-3 db cache
	warm web-1 cache
	warm web-3 cache
	warm web-2 web-3
	must_say "~$net-web-.*: 3 endpoints ($net-web-1, $net-web-2, $net-web-3)" \
		hopfault partition "~$net-web-.*,$(ep db)" "$(ep cache)"
	must_say "8 links" hopfault status
	! answers web-1 "$(v4 cache)" || fail "web-1 crossed the cut"
	! answers web-3 "$(v4 cache)" || fail "web-3 crossed the cut"
	! answers db "$(v4 cache)" || fail "db crossed the cut"
	answers web-2 "$(v4 web-3)" || fail "inside a group it is cut"
	answers web-1 "$(v4 db)" || fail "inside a group it is cut"
	must_say "web-3" hopfault status --json
	hopfault heal
	answers web-1 "$(v4 cache)" || fail "cut after the heal"
}

a_rule_holds_from_each_to_each_one_way() {
	network web-1 web-2 db
	warm web-1 db
	warm web-2 db
	must_say "2 endpoints ($net-web-1, $net-web-2); 2 links" hopfault add "netns:~$net-web-[12]" "$(ep db)" drop proto udp
	must_be_within "received from web-1" "$(udp_arrived web-1 db -n 50 -i 0 -w 200)" 0 0
	must_be_within "received from web-2" "$(udp_arrived web-2 db -n 50 -i 0 -w 200)" 0 0
	must_be_within "received back" "$(udp_arrived db web-2 -n 50 -i 0)" 50 50
}

who_is_named_and_meant_in_one_group_stands_there_once() {
	network web-1 web-2 db
	must_say "4 links" hopfault partition "$(ep web-1),~$net-web-.*" "$(ep db)" --dry-run
	must_end 2 "two groups" "$HOPFAULT" partition "~$net-web-.*" "$(ep db),$(ep web-2)"
	must_end 2 "twice" "$HOPFAULT" partition "$(ep web-1),$(ep web-1)" "$(ep db)"
	must_end 2 "$net-web-2 is on both sides" "$HOPFAULT" add "~$net-web-.*" "$(ep web-2)" drop
	no_fault_is_in_force
}

where_one_is_needed_several_are_refused_and_listed() {
	network web-1 web-2 db
	must_end 2 "means 2 endpoints \($net-web-1, $net-web-2\): name one" \
		"$HOPFAULT" partition --grudge one --isolate "~$net-web-.*" "~$net-.*-.*" "$(ep db)"
	no_fault_is_in_force
}

a_word_that_means_nobody_is_refused() {
	network web-1 db
	must_end 2 "no name is '~$net-wbe-.*'" "$HOPFAULT" add "~$net-wbe-.*" "$(ep db)" drop
	must_end 2 "no container has 'label:app=nobody'" "$HOPFAULT" partition label:app=nobody "$(ep db)"
	must_end 2 "regular expression" "$HOPFAULT" add "~web{9}" "$(ep db)" drop
	must_end 2 "did you mean '$net-web-1'" "$HOPFAULT" add "$net-wbe-1" "$(ep db)" drop
	must_end 2 "see: hopfault ps" "$HOPFAULT" add "nobody-is-called-so-here" "$(ep db)" drop
	no_fault_is_in_force
}

a_chain_may_go_through_any_of_several() {
	network front web-1 web-2
	must_end 2 "stands twice in the chain" "$HOPFAULT" trace --chain "$(ep front),~$net-web-.*,$(ep web-2)" --for 100ms -q
	must_end 0 "no chain was seen" "$HOPFAULT" trace --chain "$(ep front),~$net-web-.*" --for 100ms -q
}

# A second network, br1 with 10.78.0.N, for these nodes.
_second_network() {
	local name
	ip -n "$net-sw" link add br1 type bridge forward_delay 0
	ip -n "$net-sw" link set br1 up
	for name in "$@"; do
		ip -n "$net-sw" link add "$name-2" type veth peer name eth1 netns "$net-$name"
		ip -n "$net-sw" link set "$name-2" master br1 up
		ip -n "$net-$name" link set eth1 up
		ip -n "$net-$name" addr add "10.78.0.${node_number[$name]}/24" dev eth1
	done
}

a_fault_holds_on_every_network_that_both_share_or_on_the_one_that_is_named() {
	network left right
	_second_network left right
	warm left right
	wait_until 10 _answers left 10.78.0.2
	hopfault partition "$(ep left)" "$(ep right)"
	! answers left "$(v4 right)" || fail "the first network is not cut"
	! answers left 10.78.0.2 || fail "the second network is not cut"
	hopfault heal
	hopfault partition "$(ep left)" "$(ep right)" net br1
	must_say '"text": "'"$(ep left) $(ep right) net br1" hopfault status --json
	answers left "$(v4 right)" || fail "the first network is cut, and the second was named"
	! answers left 10.78.0.2 || fail "the network that was named is not cut"
	hopfault heal
	hopfault add "$(ep left)" "$(ep right)" drop proto udp net br0
	must_be_within "received on br0" "$(udp_arrived left right -n 20 -i 0 -w 200)" 0 0
	answers left 10.78.0.2 || fail "ping is no udp"
}

a_network_that_one_of_them_is_not_on_is_refused_with_those_that_it_is_on() {
	network left right lone
	_second_network left right
	must_end 2 "$net-lone is on no network 'br1'; it is on: br0" "$HOPFAULT" partition "$(ep left)" "$(ep right,lone)" net br1
	must_end 2 "is on no network 'br9'; it is on: br0, br1" "$HOPFAULT" add "$(ep left)" "$(ep right)" drop net br9
	must_end 2 "a network's name is missing" "$HOPFAULT" add "$(ep left)" "$(ep right)" drop net
	no_fault_is_in_force
	must_say "br1" hopfault ps
}

# A macvtap on an interface of its own in a namespace of its own: _macvtap NODE NAME
_macvtap() {
	_namespace low
	ip -n "$net-low" link add low0 type veth peer name low1
	ip -n "$net-low" link set low0 up
	ip -n "$net-low" link add link low0 name mv0 type macvtap 2>/dev/null || skip "this kernel has no macvtap"
	ip -n "$net-low" link set mv0 netns "$net-$1" name "$2"
	ip -n "$net-$1" link set "$2" up
}

what_has_no_veth_is_refused_by_name_with_the_reason() {
	network left
	_namespace mac
	_macvtap mac eth0
	must_end 2 "netns:$net-mac can't be worked on: it has no veth \(eth0 is a macvtap\)" "$HOPFAULT" add "$(ep left)" "netns:$net-mac" drop
	must_end 2 "in the host's own network.*\`host\`" "$HOPFAULT" add "$(ep left)" "pid:$$" drop
	no_fault_is_in_force
}

an_interface_where_nothing_can_be_done_is_told() {
	network left right
	_macvtap right eth1
	must_say "of $net-right, eth1 is a macvtap: the fault does not act there" hopfault partition "$(ep left)" "$(ep right)"
	must_say "$net-right: nothing can be done on one of its interfaces: eth1 is a macvtap" hopfault ps
	! answers left "$(v4 right)" || fail "not cut where it can be"
	hopfault heal
}

run_facts "$@"
