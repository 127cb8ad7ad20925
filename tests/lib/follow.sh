# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# follow.sh - what facts about endpoints that go and come again need beside net.sh.
# shellcheck source=tests/lib/net.sh
. "$(dirname "${BASH_SOURCE[0]}")/net.sh"

# _endpoint NAME FIGURE: of status's row of this endpoint
_endpoint() {
	hopfault status --json | awk -F'[:,]' -v name="$1" -v wanted="\"$2\"" '
		{ line = $0; sub(/^[^:]*: */, "", line); sub(/,$/, "", line) }
		/"name":/ { here = line == "\"" name "\"" }
		{ key = $1; gsub(/[ \t]/, "", key) }
		here && key == wanted { gsub(/"/, "", line); print line; exit }'
}

_quarantine() {
	hopfault status --json | awk -F'[:,]' -v wanted="\"$1\"" '
		{ key = $1; gsub(/[ \t]/, "", key) }
		key == "\"quarantine\"" { here = 1 }
		here && key == wanted { print $2 + 0; exit }'
}

_state_is() {
	[[ $(_endpoint "$net-$1" state) == "$2" ]]
}

# A bridge with `left`, and `again` without an interface: restart makes that.
_place_for_one_that_comes_again() {
	network left
	node_number[again]=2
	_namespace again
}

_restart() {
	"$TOOLS/restart" "$net-sw" "$net-again" "$net-left" 10.77.0.2 10.77.0.1 "$@"
}

# An engine that takes every question and answers none: who asks it waits for 2 s, and so does the owner's loop.
_engine_that_hangs() {
	export HOPFAULT_DOCKER_SOCKET=$scratch/hangs.sock
	python3 - "$HOPFAULT_DOCKER_SOCKET" <<-END &
		import socket, sys, time
		engine = socket.socket(socket.AF_UNIX)
		engine.bind(sys.argv[1])
		engine.listen(64)
		time.sleep(60)
	END
	wait_until 5 test -S "$HOPFAULT_DOCKER_SOCKET"
}
