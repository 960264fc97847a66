#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Apply and revert hooks in live processes.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/desk.sh"

# state PATCH: of its hooks in process $pid, as hpkm-list shows it.
state()
{
	local line patch=''
	while read -r line; do
		case $line in
		patch\ *) patch=${line#patch }; patch=${patch%%,*} ;;
		object\ *,\ hook\ *)
			[ "$patch" != "$1" ] || echo "${line##*, hook }" ;;
		esac
	done < <(hpkm-list --pid "$pid")
}

state_is() { [ "$(state order)" = "$1" ]; }

before_anything()
{
	desk
	ask busy 8
	apply order
	soon answers runs 1 || fail "the hook does not run"
	soon answers order 2 || fail "the new version does not run"
	answer early 0
	answer runs 1
	is "state" "$(state order)" ready
	revert order
	answer undone 1
	answer order 1
	ask join
	clean
}

# A process that does nothing: what is shown, and what a revert finds.
idle()
{
	desk
	status 0 hpkm-apply "$dir/order.hpkm" --pid "$pid" --json
	json '"hook":"pending"'
	is "state" "$(state order)" pending
	status 0 hpkm-list --json
	json '"hook":"pending"'
	# No new code has run.
	revert order
	answer order 1
	answer runs 0
	answer undone 0
	apply order
	says "hook pending"
	answer order 2
	answer runs 1
	is "state" "$(state order)" ready
	status 6 hpkm-revert order --pid "$pid" --wait 1
	says "its revert hook has not run yet: no thread called one of its functions"
	is "state" "$(state order)" ready
	answer undone 0
	answer order 2
	answer undone 0
	answer runs 1
	status 6 hpkm-revert order --pid "$pid" --wait 0 --json
	json '"status":"busy"'
	json '"hook":"wanted"'
	hpkm-revert order --pid "$pid" --wait "$patience" >"$tmp/revert" 2>&1 &
	local tool=$!
	soon state_is wanted || fail "a revert is not shown"
	answer order 2
	wait $tool || fail "revert: $(<"$tmp/revert")"
	answer undone 1
	answer order 1
	clean
}

skipped_hooks()
{
	desk
	apply order
	answer order 2
	status 0 hpkm-revert order --pid "$pid" --skip-hooks
	answer order 1
	answer undone 0
	# A second time everything begins anew.
	apply order
	is "state" "$(state order)" pending
	answer order 2
	answer runs 2
	status 0 hpkm-revert order --pid "$pid" --skip-hooks
	clean
}

# A child has what its parent had.
forked()
{
	local parent kid
	desk
	parent=$pid
	apply order
	answer child 1
	answer runs 0
	ask fork
	kid=$got
	started+=("$kid")
	answer order 2
	answer runs 1
	answer child 0
	pid=$kid
	is "state in the child" "$(state order)" pending
	child=1
	answer order 2
	answer runs 1
	answer early 0
	is "state in the child" "$(state order)" ready
	# Its own revert.
	ask busy 1
	revert order
	answer undone 1
	answer order 1
	child='' pid=$parent
	answer undone 0
	ask busy 1
	revert order
	answer order 1
	clean
}

# Forked by another thread while one runs the hook: it is not waited for.
forked_within()
{
	desk
	ask hold 1
	ask busy 3
	apply order
	soon answers in-hook 1 || fail "the hook does not run"
	is "state" "$(state order)" applying
	answer child 1
	answer child 1
	status 6 hpkm-revert order --pid "$pid" --wait 0.5
	says "its apply hook is still running"
	ask hold 0
	soon state_is ready || fail "the hook does not end"
	answer early 0
	answer runs 1
	revert order
	answer order 1
	clean
}

# What is wanted of the parent is not wanted of a child that is forked then.
forked_wanted()
{
	local parent kid tool
	desk
	parent=$pid
	apply order
	answer order 2
	hpkm-revert order --pid "$pid" --wait "$patience" >"$tmp/revert" 2>&1 &
	tool=$!
	soon state_is wanted || fail "a revert is not wanted"
	ask fork
	kid=$got
	started+=("$kid")
	pid=$kid
	is "state in the child" "$(state order)" ready
	child=1
	answer order 2
	answer undone 0
	child='' pid=$parent
	is "state" "$(state order)" wanted
	answer order 2
	wait $tool || fail "revert: $(<"$tmp/revert")"
	answer undone 1
	answer order 1
	child=1
	answer order 2
	end "$kid"
	child=''
	clean
}

# The revert hook has run, but a thread stands in the way until the deadline.
taken_back()
{
	desk
	apply order
	ask lingering 1
	ask linger 1
	ask busy 2
	soon answers runs 1 || fail "the hook does not run"
	status 6 hpkm-revert order --pid "$pid" --wait $((3 * moment))
	says "linger"
	answer undone 1
	# Applied again before new code runs.
	soon answers runs 2 || fail "the apply hook does not run again"
	soon state_is ready || fail "not ready: $(state order)"
	answer order 2
	ask lingering 0
	revert order
	answer undone 2
	answer order 1
	clean
}

killed()
{
	desk
	apply order
	answer order 2
	hpkm-revert order --pid "$pid" --wait "$patience" >/dev/null 2>&1 &
	local tool=$!
	soon state_is wanted || fail "a revert is not wanted"
	end $tool
	soon state_is ready || fail "not taken back: $(state order)"
	answer order 2
	answer undone 0
	ask busy 1
	revert order
	clean
}

covered()
{
	desk
	apply order
	answer order 2
	apply newer
	answer order 3
	status 5 hpkm-revert order --pid "$pid" --wait 5
	says "newer patches replace all its functions"
	revert newer
	answer order 2
	ask busy 1
	revert order
	answer undone 1
	# Hooks of patches that are replaced don't run, as in kernel livepatch.
	apply order
	soon answers runs 2 || fail "the hook does not run"
	apply instead
	soon answers order 3 || fail "it does not replace"
	answer undone 1
	revert instead
	clean
}

# All targets of a request, or none.
several()
{
	local one
	desk
	one=$pid
	apply order
	answer order 2
	desk
	apply order
	answer order 2
	ask busy 2
	status 6 hpkm-revert order --pid "$one" "$pid" --wait $((3 * moment))
	answer order 2
	# The busy one has run its hook; then it was taken back.
	answer undone 1
	soon answers runs 2 || fail "the apply hook does not run again"
	status 0 hpkm-revert order --pid "$one" "$pid" --skip-hooks
	clean
}

# A program at a fixed address, with its C library inside.
static()
{
	local dir=$bin/desk-static
	before_anything
}

dir=$bin/desk
cases \
	before_anything "apply hooks run before any new code, once" \
	idle "in an idle process: pending, and a revert that is busy" \
	skipped_hooks "--skip-hooks; a second enable is a fresh one" \
	forked "children run hooks that their parent has not" \
	forked_within "fork while a hook runs" \
	forked_wanted "fork while a revert is wanted" \
	taken_back "a revert that fails after the hook: applied again" \
	killed "a revert whose client is killed is taken back" \
	covered "newer patches above, and instead" \
	several "several processes, all or none" \
	static "a static program"
