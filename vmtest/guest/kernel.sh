# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# kernel.sh - what the booted kernel is and can do, before anything of ours runs on it.
# needs: ip tc ping iperf3 ss bpftool

the_kernel_is_of_the_series_asked_for() {
	local release
	release=$(uname -r)
	[[ $release == "$SERIES".* ]] || fail "asked for $SERIES, booted $release"
}

the_kernel_has_what_the_table_says_and_no_more() {
	local word answer expected
	while read -r word answer; do
		expected=no
		if kernel_has "$word"; then
			expected=yes
		fi
		[[ $answer == "$expected" ]] || fail "$word: the table says $expected, the kernel says $answer"
	done < <(
		has_symbol() { grep -q " $2\$" /proc/kallsyms && echo "$1 yes" || echo "$1 no"; }
		[[ -s /sys/kernel/btf/vmlinux ]] && echo btf yes || echo btf no
		vmtest-fentry tcp_sendmsg >&2 && echo fentry yes || echo fentry no
		has_symbol ringbuf bpf_ringbuf_reserve
		has_symbol tcx tcx_prog_attach
		has_symbol sock-length __tracepoint_sock_send_length
		has_symbol sendmsg-locked __tracepoint_tcp_sendmsg_locked
		has_symbol bpf-qdisc bpf_qdisc_init_prologue
	)
}

a_veth_takes_fq_and_netem_and_clsact() {
	local qdisc
	ip link add v0 type veth peer name v1
	ip link set v0 up
	for qdisc in fq "netem delay 1ms"; do
		# shellcheck disable=SC2086
		tc qdisc add dev v0 root $qdisc
		tc qdisc show dev v0 root | grep -q "qdisc ${qdisc%% *} " || fail "v0 shows no $qdisc"
		tc qdisc del dev v0 root
	done
	tc qdisc add dev v0 clsact
	tc filter add dev v0 egress matchall action drop
}

a_tap_device_can_be_made() {
	[[ -c /dev/net/tun ]]
	ip tuntap add dev tap0 mode tap vnet_hdr
	ip link set tap0 up
}

a_bridge_carries_both_families_between_namespaces() {
	two_namespaces_on_a_bridge
	ip netns exec left ping -q -c 3 -i 0.2 -W 1 "$RIGHT4"
	ip netns exec left ping -q -c 3 -i 0.2 -W 1 "$RIGHT6"
}

netem_holds_every_packet_5ms_within_60us_in_virtual_time() {
	local bare held
	needs_virtual_time
	two_namespaces_on_a_bridge
	bare=$(one_way left "$RIGHT4")
	tc qdisc add dev right0 root netem delay 5ms limit 100000
	held=$(one_way left "$RIGHT4")
	note "one way, ns, bare: $bare"
	note "one way, ns, netem 5 ms: $held"
	[[ $(value_of received "$held") == 200 ]]
	must_be_within "the shortest time (ns)" "$(value_of min "$held")" 5000000 5060000
	must_be_within "the longest time (ns)" "$(value_of max "$held")" 5000000 5060000
}
