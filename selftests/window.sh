#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A thread that stands in the bytes where the jump would be written.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

# thread N: a busy thread of the target, in their order.
thread()
{
	local tid busy
	for tid in "/proc/$pid/task/"*; do
		tid=${tid##*/}
		[ "$tid" != "$pid" ] || continue
		busy=$((${busy:-0} + 1))
		[ "$busy" != "$1" ] || echo "$tid"
	done
}

# park TID START SIZE [FROM SIZE]: the thread stays there until `unpark`; sets ip.
park()
{
	mkfifo "$tmp/park"
	exec 8<>"$tmp/park"
	"$bin/step" "$@" <&8 >"$tmp/parked" 2>"$tmp/step" &
	parker=$!
	started+=("$parker")
	soon test -s "$tmp/parked" || {
		fail "the thread does not come there: $(cat "$tmp/step")"
		return 1
	}
	ip=$(cat "$tmp/parked")
}

# unpark [SIGNAL]
unpark()
{
	echo "${1:-}" >&8
	wait "$parker"
	is "status of step" $? 0
	exec 8>&-
	rm -f "$tmp/park" "$tmp/parked"
}

blocked()
{
	local kind=$1 window=$2 tid at before maps
	load "$kind" -b 2
	runs 1
	tid=$(thread 1)
	at=$(address "$kind" answer)
	before=$(peek "$at" 16) maps=$(mapped "$pid")
	park "$tid" $((at + 1)) $((window - 1)) || return
	note "parked at answer+$((ip - at)) of a window of $window"

	status 6 hpkm-apply "$bin/$kind/v2.hpkm" --pid "$pid" --wait 1
	says "answer"
	says "$tid"
	says "$ip"
	status 6 hpkm-apply "$bin/$kind/v2.hpkm" --pid "$pid" --wait 1 --json
	json '"status":"busy"'
	json "{\"tid\":$tid,\"func\":\"answer\",\"ip\":\"$ip\""
	# Even where stacks do not count.
	status 6 hpkm-apply "$bin/$kind/v2.hpkm" --pid "$pid" --wait 0 --consistency ip
	is "bytes" "$(peek "$at" 16)" "$before"
	is "mappings" "$(mapped "$pid")" "$maps"
	clean

	hpkm-apply "$bin/$kind/v2.hpkm" --pid "$pid" --wait "$patience" >"$tmp/late" 2>&1 &
	started+=($!)
	late=$!
	soon applying || fail "apply does not wait"
	unpark
	wait "$late" || fail "apply did not succeed after the thread left: $(cat "$tmp/late")"
	runs 2
	# Not v2's body but what stands at its start.
	[ "$(peek "$at" 16)" != "$before" ] || fail "there is no jump"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	is "bytes after the revert" "$(peek "$at" 16)" "$before"
	runs 1
	unharmed
	clean
}

# The patch is loaded as long as the request runs.
applying() { hpkm-list | grep -qw v2; }

frame_pointer() { blocked pie 6; }
landing_pad() { blocked endbr 10; }

at_version() { [ "$(stat_of other)" = "$1" ]; }

entry()
{
	load pie -b 2
	runs 1
	park "$(thread 2)" "$(address pie other)" 1 || return
	# Whoever called it knows nothing of other versions.
	status 0 hpkm-apply "$bin/pie/other.hpkm" --pid "$pid" --wait "$patience"
	unpark
	runs 1
	soon at_version 2 || fail "other() is not replaced"
	status 0 hpkm-revert other --pid "$pid" --wait "$patience"
	unharmed
	clean
}

# On the jump itself stands one who has not yet taken it: it may be removed.
jump()
{
	load pie -b 2
	runs 1
	status 0 hpkm-apply "$bin/pie/other.hpkm" --pid "$pid" --wait "$patience"
	park "$(thread 2)" "$(address pie other)" 1 || return
	status 0 hpkm-revert other --pid "$pid" --wait "$patience"
	unpark
	soon at_version 1 || fail "other() is still replaced"
	unharmed
	clean
}

# With several functions as well, if it was called from code that stays.
entry_of_many()
{
	load pie -b 2
	runs 1
	park "$(thread 2)" "$(address pie answer)" 1 || return
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	unpark
	runs 2
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	unharmed
	clean
}

# One that another changing function jumped to, with no return address: what
# was passed is as only that version means it.
entry_by_jump()
{
	local at
	load contract -b 1
	runs 1
	at=$(address contract land)
	park "$(thread 1)" "$at" 1 || return
	status 6 hpkm-apply "$bin/contract/v2.hpkm" --pid "$pid" --wait 0
	says land
	unpark
	status 0 hpkm-apply "$bin/contract/v2.hpkm" --pid "$pid" --wait "$patience"
	runs 2
	park "$(thread 1)" "$at" 1 || return
	status 6 hpkm-revert v2 --pid "$pid" --wait 0
	unpark
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	runs 1
	unharmed
	clean
}

# One that is in a loop whose head is the first instruction has not been called.
loop()
{
	local at fix=$bin/loop/v2.hpkm
	load loop -b 1
	at=$(address loop other)
	park "$(thread 1)" "$at" 1 $((at + 1)) 64 || return
	status 6 hpkm-apply "$fix" --pid "$pid" --wait 0
	says other
	status 6 hpkm-apply "$fix" --pid "$pid" --wait 0 --consistency ip
	says other
	# A signal comes right there: its handler sleeps.
	unpark 10
	"$bin/stats" "$stats" wait handlers 1 || fail "no handler"
	status 6 hpkm-apply "$fix" --pid "$pid" --wait 0
	says other
	tell let
	# Who is farther inside would come to the jump at the next turn.
	park "$(thread 1)" $((at + 24)) 16 || return
	status 6 hpkm-apply "$fix" --pid "$pid" --wait 0 --consistency ip
	says other
	unpark
	status 0 hpkm-apply "$fix" --pid "$pid" --wait "$patience" --consistency ip
	soon at_version 2 || fail "other() is not replaced"
	# Now whoever is there has been called.
	park "$(thread 1)" "$at" 1 || return
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	unpark
	soon at_version 1 || fail "other() is still replaced"
	unharmed
	clean
}

# One that was called by the first instruction would return into the jump.
early()
{
	local fix=$bin/early/v2.hpkm
	load early -b 1
	park "$(thread 1)" "$(address early early)" 4 || return
	status 6 hpkm-apply "$fix" --pid "$pid" --wait 0
	says other
	status 6 hpkm-apply "$fix" --pid "$pid" --wait 0 --consistency ip
	says other
	unpark
	status 0 hpkm-apply "$fix" --pid "$pid" --wait "$patience" --consistency ip
	soon at_version 2 || fail "other() is not replaced"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	soon at_version 1 || fail "other() is still replaced"
	unharmed
	clean
}

distance()
{
	local at
	load pie -b 2
	runs 1
	at=$(address pie answer)
	# Behind the window, in front of the call.
	park "$(thread 1)" $((at + 8)) 4 || return
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0 \
		--consistency ip --distance 16
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience" \
		--consistency ip
	unpark
	kill -0 "$pid" || fail "the target has ended"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
}

cases \
	frame_pointer "a thread inside the window: busy, then applied when it left" \
	landing_pad "the same behind an endbr64" \
	entry "a thread on the first instruction takes the jump" \
	entry_of_many "the same when several functions change" \
	entry_by_jump "but not one that jumped there from another of them" \
	jump "a thread in front of the jump, at the revert" \
	loop "a loop whose head is the first instruction" \
	early "a call that returns into the window" \
	distance "--distance counts from the start of the function"
