#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The library that is patched is closed, and opened again.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

apply() { status 0 hpkm-apply "$bin/lib/v2.hpkm" --pid "$pid" --wait "$patience" "$@"; }
revert() { status 0 hpkm-revert v2 --pid "$pid" --wait "$patience" "$@"; }

plug()
{
	stats=$tmp/plug.stats
	fifo=$tmp/plug.fifo
	mkfifo "$fifo"
	"$bin/plug" -s "$stats" "$bin/lib/libanswer.so" <>"$fifo" \
		>/dev/null 2>&1 &
	pid=$!
	started+=("$pid")
	soon test -s "$stats"
	"$bin/stats" "$stats" wait ready 1 || fail "the target does not start"
	tell open
	runs 1
}

# ours: mappings of hpkm in the target.
ours() { grep -c -e /hpkm: -e /hpkm-table "/proc/$pid/maps"; }
has_none() { [ "$(ours)" = 0 ]; }

# none_of_ours: soon; see mapped_again.
none_of_ours() { soon has_none || is "mappings of ours" "$(ours)" 0; }

there_and_back()
{
	plug
	apply
	runs 2
	revert
	runs 1
	tell close
	status 5 hpkm-apply "$bin/lib/v2.hpkm" --pid "$pid"
	clean
}

opened_again()
{
	plug
	apply
	runs 2
	tell close
	tell open
	runs 1
	# The jumps went with the library, so it is not "already".
	apply --json
	json '"status":"applied"'
	runs 2
	is "patches" "$(hpkm-list | grep -c '^    patch')" 1
	revert
	runs 1
	none_of_ours
	clean
}

elsewhere()
{
	plug
	apply
	tell close
	tell other
	tell open
	runs 1
	apply --json
	json '"status":"applied"'
	runs 2
	revert
	runs 1
	none_of_ours
	clean
}

closed()
{
	plug
	apply
	tell close
	revert
	none_of_ours
	clean
}

# Another patch finds what is left of one, and takes it away.
left_over()
{
	plug
	apply
	tell close
	tell open
	status 0 hpkm-apply "$bin/lib/v3.hpkm" --pid "$pid" --wait "$patience"
	runs 3
	is "patches" "$(hpkm-list | grep -c '^    patch')" 1
	status 0 hpkm-revert v3 --pid "$pid" --wait "$patience"
	runs 1
	none_of_ours
	clean
}

# One jump is no more what it was, the others are: somebody wrote there.
overwritten()
{
	local base at name
	plug
	apply
	runs 2
	read -r base _ < <(grep libanswer "/proc/$pid/maps")
	while read -r at _ name; do
		[ "$name" != slow ] || break
	done < <(nm "$bin/lib/libanswer.so")
	at=$((0x${base%%-*} + 0x$at))
	poke $at cc
	status 5 hpkm-revert v2 --pid "$pid" --wait 1
	says "was overwritten"
	runs 2
	poke $at ff
	revert
	runs 1
	clean
}

# What the process does to its own mappings is its own affair; but it is found,
# and nothing is written into what is not ours.
unmapped()
{
	plug
	apply
	tell unmap
	has_none || fail "$(ours) mappings are left"
	soon nothing_left || fail "something is left: $(hpkm-list)"
	clean
}

written()
{
	plug
	apply
	tell write
	status 5 hpkm-revert v2 --pid "$pid" --wait 1
	says "changed by the process"
	end "$pid"
	clean
}

moved()
{
	plug
	apply
	tell move
	runs 2
	revert
	runs 1
	clean
}

protected()
{
	plug
	tell protect
	apply
	tell protect
	runs 2
	revert
	tell protect
	runs 1
	clean
}

# Text that is no longer the file's: what is patched can be reverted, for the
# bytes are the same; but the library has no text then that can be patched.
copied()
{
	plug
	apply
	tell copy
	runs 2
	revert
	runs 1
	none_of_ours
	status 5 hpkm-apply "$bin/lib/v2.hpkm" --pid "$pid"
	says "this build is not mapped"
	runs 1
	clean
}

merged()
{
	plug
	tell merge
	[ ! -w /sys/kernel/mm/ksm/run ] || echo 1 >/sys/kernel/mm/ksm/run
	apply
	tell merge
	runs 2
	nap; nap; nap
	revert
	runs 1
	[ ! -w /sys/kernel/mm/ksm/run ] || echo 2 >/sys/kernel/mm/ksm/run
	clean
}

cycles()
{
	local n
	plug
	for ((n = 0; n < 6; n++)); do
		apply
		runs 2
		tell close
		tell open
		runs 1
	done
	revert
	none_of_ours
	is "wrong answers" "$(stat_of wrong)" 0
	clean
}

cases \
	there_and_back "a library that was opened by the program" \
	opened_again "closed and opened again: it is patched anew" \
	elsewhere "opened again at another address" \
	closed "a revert after the library was closed" \
	left_over "another patch after the library was closed and opened" \
	overwritten "a jump that somebody overwrote" \
	unmapped "the process unmaps what is ours" \
	written "the process writes into what is ours" \
	moved "the process moves what is ours" \
	protected "the process changes the protection of its text" \
	copied "the process puts a copy in the place of its text" \
	merged "pages that are merged, and locked" \
	cycles "six times applied, closed, opened"
