#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A thousand threads; a thousand functions.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

threads()
{
	local maps
	load pie -b 2 -z 1000
	runs 1
	maps=$(mapped "$pid")
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 60 --json
	json '"threads":1003,'
	runs 2
	status 0 hpkm-revert v2 --pid "$pid" --wait 60
	runs 1
	is "mappings" "$(mapped "$pid")" "$maps"
	unharmed
	clean
}

functions()
{
	local maps
	load many -b 2
	runs 1
	maps=$(mapped "$pid")
	for _ in 1 2; do
		status 0 hpkm-apply "$bin/many/v2.hpkm" --pid "$pid" --wait 60
		runs 2
		status 0 hpkm-list --json
		# Too long for one message.
		[ "$(grep -c '"active":true' "$tmp/out")" = 1000 ] ||
			fail "$(grep -c '"active":true' "$tmp/out") functions are listed"
		status 0 hpkm-revert v2 --pid "$pid" --wait 60
		runs 1
	done
	is "mappings" "$(mapped "$pid")" "$maps"
	unharmed
	clean
}

cases \
	threads "1,000 threads" \
	functions "1,000 functions switch at once"
