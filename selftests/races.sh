#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Threads and children that come and go, while patches do.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

made() { stat_of made; }

# cycle N [OPTION...]: apply and revert, while something is made at least so
# often.
cycle()
{
	local n before
	for ((n = 0; n < $1; n++)); do
		before=$(made)
		status 0 hpkm-apply "$bin/pie/v2.hpkm" --wait "$patience" "${@:2}" ||
			return
		runs 2
		soon more_than "$before" || fail "nothing is made any more"
		status 0 hpkm-revert v2 --wait "$patience" "${@:2}" || return
		runs 1
	done
}

more_than() { [ "$(made)" -gt "$1" ]; }

storm()
{
	load pie -b 1 -z 5
	tell storm
	cycle 6 --pid "$pid"
	is "wrong answers" "$(stat_of wrong)" 0
	clean
}

# dozing COMMAND
dozing()
{
	load pie -b 0 -z 5
	tell "$1"
	check "cycles" "$bin/cycle" "$pid" "$bin/pie/v2.image" v2 10
	soon more_than 20 || fail "they do not go on"
	is "wrong answers" "$(stat_of wrong)" 0
	clean
}

# Threads that have run since they were looked at, and look the same, but are in
# an old function now.
turn() { dozing turn; }

# Threads that were not there when the others were looked at.
come() { dozing come; }

# A child has what its parent had when it was made, all of it.
breed()
{
	load pie -b 1 -z 5
	tell breed
	cycle 6 --pid "$pid"
	is "wrong answers" "$(stat_of wrong)" 0
	end "$pid"
	clean
}

# Its memory map is being changed, and more threads wait to change it.
maps()
{
	load pie -b 1 -z 5
	tell maps
	cycle 6 --pid "$pid"
	is "wrong answers" "$(stat_of wrong)" 0
	clean
}

# With --all, no child that is made meanwhile is left out.
breed_all()
{
	local n
	load pie -b 1
	tell breed
	for ((n = 1; n <= 3; n++)); do
		tell fork
	done
	cycle 3 --all
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --all --wait "$patience"
	for ((n = 1; n <= 3; n++)); do
		runs 2 "$n"
	done
	is "wrong answers" "$(stat_of wrong)" 0
	end "$pid"
	soon nothing_left
	clean
}

# An alternate stack that is disarmed while a handler runs on it: the kernel
# does not know it any more, but its frame is there.
disarm()
{
	load pie -b 1
	tell disarm
	"$bin/stats" "$stats" wait handlers 1
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0
	says "around"
	tell let
	"$bin/stats" "$stats" wait slow 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	unharmed
	clean
}

# A coroutine that is parked in an old function.
parked()
{
	load pie -b 1
	tell park
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0 --consistency heap
	says "around"
	runs 1
	tell resume
	is "version of the call that was parked" "$(stat_of slow)" 1
	tell clear
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience" --consistency heap
	runs 2
	tell park
	status 6 hpkm-revert v2 --pid "$pid" --wait 0 --consistency heap
	runs 2
	tell resume
	is "version of the call that was parked" "$(stat_of slow)" 2
	tell clear
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience" --consistency heap
	runs 1
	unharmed
	clean
}

cases \
	storm "threads are made and end all the time" \
	turn "threads sleep in old functions and elsewhere by turns" \
	come "threads are made that sleep in old functions" \
	breed "children are made and end all the time" \
	maps "memory is mapped and unmapped all the time" \
	breed_all "--all, while children are made and end" \
	disarm "a handler on an alternate stack with SS_AUTODISARM" \
	parked "--consistency heap: a parked coroutine"
