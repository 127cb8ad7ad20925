# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# hopfault.sh - hopfault does its main job on this kernel: it loads, delays exactly, traces, and leaves nothing.
# Times are asserted in virtual time, where they are the same in every run and on every host.
# needs: ip tc ping ss iperf3 bpftool
# payload: build/hopfault build/hopchain

check_finds_what_this_kernel_has() {
	hopfault check >/run/check
	sed 's/^/# /' /run/check >&2
	grep -qE '\bfq\b' /run/check
}

fq_holds_every_packet_5ms_within_60us_in_one_direction_only() {
	needs_virtual_time
	two_namespaces_on_a_bridge
	daemon_with fq
	hopfault add netns:left netns:right delay 5ms
	fq_holds_one_direction_only "$LEFT4" "$RIGHT4"
	fq_holds_one_direction_only "$LEFT6" "$RIGHT6"
}

hold_holds_every_packet_5ms_and_half_of_them_within_60us() {
	local there
	needs_virtual_time
	two_namespaces_on_a_bridge
	daemon_with hold
	hopfault add netns:left netns:right delay 5ms
	there=$(one_way left "$RIGHT4")
	note "one way, ns, hold 5 ms: $there"
	[[ $(value_of received "$there") == 200 ]]
	must_be_within "the shortest time (ns)" "$(value_of min "$there")" 5000000 5060000
	must_be_within "the median time (ns)" "$(value_of p50 "$there")" 5000000 5060000
}

# far, beyond the host, is the world to left; what left sends there is held and comes back by the host-side veth's ingress.
towards_the_world_hold_holds_every_packet_5ms_and_gives_it_back() {
	local address there back
	needs_virtual_time
	two_namespaces_on_a_bridge
	a_namespace_beyond_the_host
	daemon_with hold
	hopfault add netns:left world delay 5ms
	for address in 192.0.2.2 2001:db8::2; do
		there=$(vmtest-oneway left far "$address" 200 2020)
		note "one way to the world, ns, hold 5 ms: $there"
		[[ $(value_of received "$there") == 200 ]] || fail "packets were lost: $there"
		must_be_within "the shortest time (ns)" "$(value_of min "$there")" 5000000 5080000
		must_be_within "the median time (ns)" "$(value_of p50 "$there")" 5000000 5080000
	done
	back=$(vmtest-oneway far left "$LEFT4" 200 2020)
	must_be_within "the median time back (ns)" "$(value_of p50 "$back")" 0 80000
	hopfault add netns:left world drop
	! ip netns exec left ping -q -c 2 -i 0.2 -W 1 192.0.2.2 || fail "it crosses a cut"
	hopfault heal all
	ip netns exec left ping -q -c 2 -i 0.2 -W 1 192.0.2.2
}

one_tcp_flow_at_20ms_by_fq_has_at_least_90_percent_of_netems_throughput() {
	local netem ours
	needs_virtual_time
	two_namespaces_on_a_bridge
	tc qdisc add dev right0 root netem delay 20ms limit 100000
	netem=$(throughput_mbit)
	tc qdisc del dev right0 root
	daemon_with fq
	hopfault add netns:left netns:right delay 20ms
	ours=$(throughput_mbit)
	note "one TCP flow at 20 ms, Mbit/s: netem $netem, fq $ours"
	((ours * 100 >= netem * 90)) || fail "$ours Mbit/s by fq, $netem by netem"
}

the_chain_is_delayed_by_fq() {
	the_chain_is_delayed_by fq
}

the_chain_is_delayed_by_hold() {
	the_chain_is_delayed_by hold
}

the_chain_is_traced_and_what_was_injected_is_told_apart() {
	local rows
	hopfault lab up
	daemon_with fq
	delay_chain 5ms
	hopfault trace --chain client,a,b,c,d,e --csv /run/hops.csv -- hopfault lab load -n 20 -c 1
	rows=$(column complete /run/hops.csv | grep -c '^1$')
	[[ $rows == 100 ]] || fail "$rows complete calls of 100"
	must_be_within "injected on a->b (ns)" "$(hop_median a b inj_req_ns /run/hops.csv)" 5000000 5000000
	if [[ $VIRTUAL_TIME == yes ]]; then
		must_be_within "held on a->b (ns)" "$(hop_median a b hold_req_ns /run/hops.csv)" 5000000 5060000
	fi
}

traffic_is_normal_1500ms_after_the_daemon_was_killed() {
	local times
	two_namespaces_on_a_bridge
	daemon_with fq
	hopfault add netns:left netns:right delay 50ms
	[[ $(value_of min "$(one_way left "$RIGHT4" 5)") -ge 50000000 ]]
	# shellcheck disable=SC2154 # daemon_with sets it
	kill -KILL "$daemon"
	sleep 1.5
	times=$(one_way left "$RIGHT4" 5)
	(($(value_of max "$times") < 10000000)) || fail "still held: $times"
	hopfault clean
	! tc qdisc show dev right0 | grep -v noqueue || fail "left behind: $(tc qdisc show dev right0)"
}

heal_stop_and_lab_down_leave_nothing() {
	two_namespaces_on_a_bridge
	hopfault lab up
	hopfault add a b delay 5ms
	hopfault add netns:left netns:right delay 5ms
	hopfault heal all
	hopfault daemon --stop
	hopfault lab down
	! ip netns list | grep '^hf-' || fail "namespaces are left"
	! bpftool prog show | grep -E 'sched_cls|tracing' || fail "programs are left"
	! tc qdisc show dev right0 | grep -v noqueue || fail "a qdisc is left"
	! pidof hopfault hopchain || fail "processes are left"
}
