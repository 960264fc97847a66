#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The examples of the patch author's guide, in live processes: a fix that adds a
# member to a structure, and one that changes a variable's initial value.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/desk.sh"

member()
{
	local kid
	desk
	ask open 1
	answer failed 1 0
	answer failed 1 0
	answer failed 1 0
	apply session
	# The session is older than the patch.
	answer failed 1 0
	answer failed 1 0
	answer failed 1 1
	ask login 1
	answer failed 1 0
	ask open 2
	answer failed 2 0
	answer failed 2 0
	ask close 1
	answer failed 2 1
	# Memory that may well stand where the old session stood.
	ask open 1
	answer failed 1 0
	ask fork
	kid=$got
	started+=("$kid")
	answer failed 1 0
	child=1
	answer failed 1 0
	answer failed 1 1
	child=''
	answer failed 1 1
	end "$kid"
	hpkm-revert session --pid "$pid" --wait "$patience" >"$tmp/revert" 2>&1 &
	local tool=$!
	soon wanted || fail "a revert is not wanted"
	ask login 2
	wait $tool || fail "revert: $(<"$tmp/revert")"
	answer failed 1 0
	answer failed 1 0
	answer failed 1 0
	clean
}

wanted() { hpkm-list --pid "$pid" | grep -q 'hook wanted'; }

initial_value()
{
	desk
	answer quota 99 1
	answer quota 100 0
	apply quota
	answer quota 249 1
	answer quota 250 0
	hpkm-revert quota --pid "$pid" --wait "$patience" >"$tmp/revert" 2>&1 &
	local tool=$!
	soon wanted || fail "a revert is not wanted"
	answer quota 10 1
	wait $tool || fail "revert: $(<"$tmp/revert")"
	answer quota 100 0
	# A value that was set stays.
	ask quota-set 7
	apply quota
	answer quota 7 0
	status 0 hpkm-revert quota --pid "$pid" --skip-hooks
	answer quota 6 1
	clean
}

dir=$bin/desk
cases \
	member "a new member of a structure, as a shadow variable" \
	initial_value "another initial value, by a hook"
