#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# From one thread to thousands; from one function to ten thousand.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

# threads SLEEPING BUSY
threads()
{
	local maps
	load pie -b "$2" -z "$1"
	runs 1
	maps=$(mapped "$pid")
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience" --json
	json "\"threads\":$(($1 + $2 + 1)),"
	[ "$2" = 0 ] || runs 2
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	runs 1
	mapped_again "$maps"
	unharmed
	clean
}

one_thread() { threads 0 0; }
thousand() { threads 1000 2; }
four_thousand() { threads 4093 2; }

# functions COUNT
functions()
{
	local maps
	load "many-$1" -b 2
	runs 1
	maps=$(mapped "$pid")
	for _ in 1 2; do
		status 0 hpkm-apply "$bin/many-$1/v2.hpkm" --pid "$pid" --wait "$patience"
		runs 2
		status 0 hpkm-list --json
		# Too long for one message.
		is "functions that are listed" \
			"$(grep -c '"active":true' "$tmp/out")" "$1"
		status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
		runs 1
	done
	mapped_again "$maps"
	unharmed
	clean
}

one_function() { functions 1; }
thousand_functions() { functions 1000; }
ten_thousand_functions() { functions 10000; }

cases \
	one_thread "1 thread" \
	thousand "1,003 threads" \
	four_thousand "4,096 threads" \
	one_function "1 function" \
	thousand_functions "1,000 functions switch at once" \
	ten_thousand_functions "10,000 functions switch at once"
