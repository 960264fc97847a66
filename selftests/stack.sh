#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A thread that sleeps in the middle of an old function, or will return to it.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

answered() { "$bin/stats" "$stats" wait slow 1; }

inside()
{
	load pie -b 2 -z 10
	runs 1
	sleeper slow
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 1
	says "slow"
	says "$tid"
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0 --json
	json "{\"tid\":$tid,\"func\":\"slow\","
	json '"threads":14,"attempts":1,'
	runs 1
	tell let
	answered
	is "version of the call under way" "$(stat_of slow)" 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	runs 2
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	unharmed
	clean
}

by_ip()
{
	load pie -b 2 -z 10
	runs 1
	sleeper slow
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience" --consistency ip
	tell let
	answered
	is "version of the call under way" "$(stat_of slow)" 1
	sleeper slow
	tell let
	soon slow_is 2 || fail "the next call is of version $(stat_of slow)"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	clean
}

slow_is() { [ "$(stat_of slow)" = "$1" ]; }

# The old code never goes, so who is in it need not block the way back to it.
revert_by_ip()
{
	load pie -b 0
	sleeper slow
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience" --consistency ip
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	tell let
	answered
	is "version of the call under way" "$(stat_of slow)" 1
	unharmed
	clean
}

in_new()
{
	load pie -b 2 -z 10
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	sleeper slow
	status 6 hpkm-revert v2 --pid "$pid" --wait 1 --json
	json "{\"tid\":$tid,"
	runs 2
	tell let
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	answered
	is "version of the call under way" "$(stat_of slow)" 2
	runs 1
	unharmed
	clean
}

retiring() { grep -q '/hpkm:v2' "/proc/$pid/maps"; }
retired() { ! retiring; }

# The patch's code goes when the thread has left it. No busy threads: with ip
# consistency old and new code may meet.
retire()
{
	load pie -b 0 -z 10
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	sleeper slow
	status 6 hpkm-revert v2 --pid "$pid" --wait 0
	status 0 hpkm-revert v2 --pid "$pid" --dry-run --wait "$patience" --consistency ip
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience" --consistency ip
	status 0 hpkm-list
	says "retiring"
	status 0 hpkm-list --json
	json '"top":false,"retiring":true,'
	tell let
	answered
	is "version of the call under way" "$(stat_of slow)" 2
	unharmed
	clean
}

# Two patches; the newer one is in the middle of nothing, the older one is: its
# revert switches no function, and it goes when the thread has left it. No busy
# threads: with ip consistency the two versions may meet.
in_between()
{
	load pie -b 0 -z 10
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	sleeper slow
	status 6 hpkm-apply "$bin/pie/v3.hpkm" --pid "$pid" --wait 0
	says "slow"
	status 0 hpkm-apply "$bin/pie/v3.hpkm" --pid "$pid" --wait "$patience" --consistency ip
	status 0 hpkm-revert v2 --pid "$pid" --wait 0
	check "v2 is not mapped any more" retiring
	tell let
	answered
	is "version of the call under way" "$(stat_of slow)" 2
	soon retired || fail "v2 does not go: $(hpkm-list)"
	sleeper slow
	tell let
	soon slow_is 3 || fail "the next call is of version $(stat_of slow)"
	status 0 hpkm-revert v3 --pid "$pid" --wait "$patience"
	unharmed
	clean
}

# The compiler has moved the part in which the thread sleeps away from the rest
# of its function, of the original and of each version.
cold()
{
	local v
	load cold -b 2 -z 5
	sleeper slow
	status 6 hpkm-apply "$bin/cold/v2.hpkm" --pid "$pid" --wait 0
	says "slow"
	says "$tid"
	tell let
	answered
	status 0 hpkm-apply "$bin/cold/v2.hpkm" --pid "$pid" --wait "$patience"
	runs 2
	for v in 2 3; do
		is "version of the call under way" "$(stat_of slow)" $((v - 1))
		sleeper slow
		if [ "$v" = 2 ]; then
			status 6 hpkm-apply "$bin/cold/v3.hpkm" --pid "$pid" --wait 0
			says "$tid"
		fi
		status 6 hpkm-revert "v$v" --pid "$pid" --wait 0
		says "$tid"
		runs "$v"
		tell let
		soon slow_is "$v" || fail "the call was of version $(stat_of slow)"
		if [ "$v" = 2 ]; then
			status 0 hpkm-apply "$bin/cold/v3.hpkm" --pid "$pid" --wait "$patience"
			runs 3
		fi
	done
	# The older one has gone from every stack.
	status 0 hpkm-revert v2 --pid "$pid" --wait 0
	soon retired || fail "v2 does not go: $(hpkm-list)"
	status 0 hpkm-revert v3 --pid "$pid" --wait "$patience"
	runs 1
	unharmed
	clean
}

# A locked page makes three mappings of one stack; the old function is above it.
split()
{
	load pie -b 1
	sleeper split
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0
	says "around"
	says "$tid"
	tell let
	answered
	is "version of the call under way" "$(stat_of slow)" 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	unharmed
	clean
}

# A page of the stack that another process would have to bring in: that is not
# waited for.
withheld()
{
	load pie -b 1
	sleeper withheld
	status 6 timeout 60 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 1
	says "$tid"
	tell let
	answered
	is "version of the call under way" "$(stat_of slow)" 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	unharmed
	clean
}

# Two stacks in one mapping: whoever sleeps on the lower one is not in the way of
# what happens on the upper one, and nothing between them is missed.
beside()
{
	load pie -b 1
	sleeper beside
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0 --json
	json "{\"tid\":$tid,\"func\":\"slow\","
	is "threads in the way" "$(grep -o '"tid"' "$tmp/out" | wc -l)" 1
	tell let
	answered
	is "version of the call under way" "$(stat_of slow)" 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	runs 2
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	unharmed
	clean
}

# So much stack that nobody looks through it: refused, and the machine goes on.
deep()
{
	load pie -b 1
	sleeper deep
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0
	says "stacks are too large"
	says "$tid"
	tell let
	answered
	is "version of the call under way" "$(stat_of slow)" 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	unharmed
	clean
}

# A thread that has left 64-bit code: its stack is of another kind.
narrow()
{
	load pie -b 1
	tell narrow
	"$bin/stats" "$stats" wait handlers 1
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0
	soon narrow_busy || fail "32-bit code is not seen: $(<"$tmp/out")"
	tell stop
	answered
	is "version of the call under way" "$(stat_of slow)" 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	unharmed
	clean
}

# It may have been seen on its way there.
narrow_busy()
{
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0
	grep -q "32-bit code" "$tmp/out" "$tmp/err"
}

# What is not there inside the stop is brought in, and looked at.
absent()
{
	load pie -b 1
	sleeper shared
	tell forget
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0
	says "slow"
	says "$tid"
	tell let
	answered
	is "version of the call under way" "$(stat_of slow)" 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	runs 1
	unharmed
	clean
}

# A handler on an alternate stack: whom it interrupted is not between the stack
# pointer and the end of that stack.
handler()
{
	load pie -b 1
	tell handler
	"$bin/stats" "$stats" wait handlers 1
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0
	says "around"
	tell let
	answered
	is "version of the call under way" "$(stat_of slow)" 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	unharmed
	clean
}

# The same, where its frame can't be found: nobody knows what it has interrupted.
nameless()
{
	load pie -b 1
	tell nameless
	"$bin/stats" "$stats" wait handlers 1
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0
	says "alternate signal stack"
	tell let
	answered
	is "version of the call under way" "$(stat_of slow)" 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	unharmed
	clean
}

# One that did not interrupt anything of interest: done, or refused for now,
# and done when the handler has ended.
aside()
{
	local got
	load pie -b 1
	tell aside
	"$bin/stats" "$stats" wait handlers 1
	hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0 >"$tmp/out" 2>&1
	got=$?
	[ "$got" = 0 ] || [ "$got" = 6 ] || fail "status $got"
	note "with a handler on an alternate stack: status $got"
	tell let
	answered
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	runs 2
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	unharmed
	clean
}

cases \
	inside "a thread asleep in an old function: busy, with its tid and function" \
	by_ip "--consistency ip: it finishes the old call, the next one is new" \
	revert_by_ip "a revert to code that a thread never left" \
	in_new "a thread asleep in new code: its revert is busy" \
	retire "a revert with --consistency ip: the patch stays until it is left" \
	in_between "a thread asleep in the older of two patches" \
	cold "a thread asleep in a part that was moved away (.cold)" \
	split "a stack that locking a page has split" \
	withheld "a page of a stack that is for a userfaultfd to bring in" \
	beside "two stacks in one mapping" \
	deep "a thread with more stack than is looked through" \
	narrow "a thread in 32-bit code" \
	absent "a thread whose stack the page tables do not have" \
	handler "a signal handler on an alternate stack, from within an old function" \
	nameless "and its frame is none that we know" \
	aside "a signal handler on an alternate stack, from elsewhere"
