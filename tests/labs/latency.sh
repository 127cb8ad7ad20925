#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# latency.sh - what lab-latency concludes holds, also on a busy machine.
# shellcheck source=tests/lib/labs.sh
. "$(dirname "$0")/../lib/labs.sh"

_lab=latency

delay_on_four_links_is_in_every_request() {
	lab_ran
	must_be "the client waits at least 20 ms" \
		"$(percentile_of 1 "$out/hops.csv" total_ns run_id=injected src=client) >= 20000000"
}

run_facts "$@"
