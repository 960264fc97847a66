#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Words on stacks that look like return addresses: hpkm-apply unwinds the stack
# and finds out which of them are.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

fix=$bin/stale/v2.hpkm

# run CASE [OPTION]: sets pid, in and out.
targets=0
run()
{
	targets=$((targets + 1))
	in=$tmp/in.$targets out=$tmp/out.$targets
	mkfifo "$in"
	"$bin/stale/load" "$@" <>"$in" >"$out" 2>&1 &
	pid=$!
	started+=("$pid")
	slept=0
	sleeps "${2:-1}"
}

# sleeps [THREADS]: so many more of them have gone to sleep.
sleeps()
{
	slept=$((slept + ${1:-1}))
	soon are_asleep || fail "the target does not sleep: $(<"$out")"
}

are_asleep()
{
	local tids
	mapfile -t tids < <(sed -n 's/^asleep //p' "$out")
	[ ${#tids[@]} -ge "$slept" ] && asleep_in "${tids[-1]}" 0
}

has_versions() { [ "$(grep -c '^version' "$out")" = "$1" ]; }

# wake: one thread.
wake() { printf . >"$in"; }

# version N: of the call that has ended last.
version()
{
	soon grep -q '^version' "$out"
	is "version" "$(grep '^version' "$out" | tail -n 1)" "version $1"
}

apply() { status "$1" hpkm-apply "$fix" --pid "$pid" "${@:2}"; }

# busy WORDS [OPTION...]: that is the answer. Words on a stack are unwound when it
# was in the way a few times, which takes as long as it takes.
busy()
{
	local wait=$moment
	while apply 6 --wait "$wait" "${@:2}"; do
		! grep -q "$1" "$tmp/out" "$tmp/err" || return 0
		wait=$((2 * wait))
		[ "$wait" -le "$patience" ] || break
	done
	says "$1"
}

revert() { status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"; }

left()
{
	run left
	# The module does not ask at once.
	apply 6 --wait 0
	says "on its stack"
	apply 0 --wait "$patience"
	revert
	apply 0 --wait "$patience"
	wake
	version 2
	revert
	clean
}

within()
{
	run within
	busy "it returns there" --json
	json "{\"tid\":$pid,\"func\":\"around\","
	json '"syscall":"read",'
	json '"unwound":"unwound:itreturnsthere",'
	grep -q '"since_ms":[1-9][0-9]\{3,\}' "$tmp/out" ||
		fail "since when? $(grep since "$tmp/out")"
	busy "it returns there"
	grep -q ", for [1-9][0-9.]* s now, " "$tmp/out" ||
		fail "since when? $(<"$tmp/out")"
	says "system call read"
	says "--consistency ip"
	wake
	version 1
	apply 0 --wait "$patience"
	revert
	clean
}

deep()
{
	run deep
	apply 0 --wait "$patience"
	wake
	version 2
	revert
	clean
}

park()
{
	run park
	busy "parked on its stack"
	wake
	version 1
	sleeps
	busy "parked on its stack"
	wake
	soon has_versions 2 || fail "it does not return"
	apply 0 --wait "$patience"
	revert
	clean
}

many()
{
	run many 40
	apply 0 --wait "$patience"
	revert
	clean
}

wide()
{
	run wide
	apply 0 --wait "$patience"
	wake
	version 2
	revert
	clean
}

# One of them is in the way of all, or of itself.
each()
{
	local busy pids
	run within
	busy=$pid
	run left
	pids=$busy,$pid
	status 6 hpkm-apply "$fix" --pid "$pids" --wait "$moment" --json
	json "\"pid\":$pid,\"comm\":\"load\",\"status\":\"ready\""
	status 6 hpkm-apply "$fix" --pid "$pids" --wait $((5 * moment)) --each --json
	json "\"pid\":$pid,\"comm\":\"load\",\"status\":\"applied\""
	json "\"pid\":$busy,\"comm\":\"load\",\"status\":\"busy\""
	# Words are found stale on one's own, too.
	status 0 hpkm-revert v2 --pid "$pid" --each --wait "$patience"
	status 0 hpkm-apply "$fix" --pid "$pid" --each --wait "$patience"
	status 3 hpkm-apply "$fix" --pid "$pid" --pid 4194304 --each --json
	json "\"pid\":$pid,\"comm\":\"load\",\"status\":\"already\""
	json '"pid":4194304,"comm":"","status":"gone"'
	status 0 hpkm-revert v2 --all --each --wait "$patience"
	clean
}

# events N: the monitor has told so often that somebody is in the way.
events() { [ "$(grep -c '"event":"blocked"' "$tmp/events")" -ge "$1" ]; }

follow()
{
	local monitor tool
	run within
	hpkm monitor --json >"$tmp/events" &
	monitor=$!
	started+=("$monitor")
	hpkm-apply "$fix" --pid "$pid" --wait 3600 >/dev/null 2>&1 &
	tool=$!
	started+=("$tool")
	soon events 2 || fail "no events: $(<"$tmp/events")"
	end "$tool"
	kill -TERM "$monitor"
	wait "$monitor"
	is "status of the monitor" $? 0
	grep -q "\"tid\":$pid,\"func\":\"around\".*\"since_ms\":[0-9].*\"syscall\":\"read\"" \
		"$tmp/events" || fail "not in the events: $(<"$tmp/events")"
	wake
	version 1
	clean
}

cases \
	left "a word that nobody returns to" \
	within "one that somebody returns to: busy, with the reason" \
	deep "a word below 10,000 frames" \
	park "a context that is parked on the stack" \
	many "stale words on the stacks of 40 threads" \
	wide "more stale words than fit in one question" \
	each "--each: who is busy keeps no other process from it" \
	follow "hpkm monitor tells who is in the way"
