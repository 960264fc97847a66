#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The file in storage is replaced, too: what runs goes on with the patch, and
# what is started from then on has the fix from its file.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

# store FILE: under its name in $tmp/app, as an installation does it.
store()
{
	mkdir -p "$tmp/app"
	cp "$1" "$tmp/app/.new" && mv "$tmp/app/.new" "$tmp/app/${1##*/}"
}

# is_deleted FILE: process $pid maps the one that had that name before.
is_deleted() { grep -q " $tmp/app/$1 (deleted)\$" "/proc/$pid/maps"; }

# unpatched: nothing of ours is in process $pid, and nobody says so.
unpatched()
{
	! grep 'hpkm[:-]' "/proc/$pid/maps" || fail "patched"
	status 0 hpkm-list --pid "$pid" --json
	json '"targets":[]'
}

# names PID STATUS: the last JSON has one target, this.
names()
{
	is "targets" "$(grep -c '"pid"' "$tmp/out")" 1
	json "{\"pid\":$1,\"comm\":\"load\",\"status\":\"$2\""
}

# all TOOL FIX WANTED: to all; only the old process is reached.
all()
{
	status 0 "hpkm-$1" "$2" --all --wait "$patience" --json
	names "$old" "$3"
}

# goes_on KIND FILE: the old process, whose FILE has been replaced, and a new one.
goes_on()
{
	local fix=$bin/$1/v2.hpkm old=$pid old_stats=$stats
	all apply "$fix" already
	runs 2
	status 0 hpkm-list --pid "$old" --json
	json '{"name":"v2"'
	all revert v2 reverted
	runs 1
	all apply "$fix" applied
	runs 2
	status 0 hpkm-revert v2 --pid "$old" --wait "$patience"
	runs 1
	status 0 hpkm-apply "$fix" --pid "$old" --wait "$patience"
	runs 2

	load "$1" -b 1
	is_deleted "$2" && fail "the new process does not have the new file"
	runs 2
	unpatched
	all apply "$fix" already
	unpatched
	# By its number: it has no such code.
	status 5 hpkm-apply "$fix" --pid "$pid" --wait 0
	says "this build is not mapped"
	unpatched
	runs 2
	unharmed
	stats=$old_stats pid=$old
	runs 2
	unharmed
}

program()
{
	local old new old_stats load_program=$tmp/app/load
	store "$bin/pie/load"
	load pie -b 1
	runs 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --all --wait "$patience"
	runs 2
	# Whoever writes into it, instead, is kept from that while it runs.
	cat "$bin/fixed/load" 2>/dev/null >"$tmp/app/load" &&
		fail "a file that runs was written to"
	store "$bin/fixed/load"
	is_deleted load || fail "the file is still there"
	old=$pid old_stats=$stats
	goes_on pie load

	# The next fix is made for either file.
	status 0 hpkm-apply "$bin/pie/v3.hpkm" --all --wait "$patience" --json
	names "$old" applied
	runs 3
	status 0 hpkm-apply "$bin/fixed/fixed-v3.hpkm" --all --wait "$patience" --json
	new=${started[-1]}
	names "$new" applied
	pid=$new stats=$tmp/stats.$load_number
	runs 3
	unharmed
	status 0 hpkm-revert fixed-v3 --all --wait "$patience"
	runs 2
	end "$old"
	soon nothing_is_patched || fail "the old process is listed: $(hpkm-list)"
	status 3 hpkm-apply "$bin/pie/v2.hpkm" --all
	clean
}

nothing_is_patched() { hpkm-list --json | tr -d ' \n' | grep -q '"targets":\[\]'; }

library()
{
	local load_program=$tmp/app/load
	store "$bin/lib/load"
	store "$bin/lib/libanswer.so"
	load lib -b 1
	runs 1
	status 0 hpkm-apply "$bin/lib/v2.hpkm" --all --wait "$patience"
	runs 2
	store "$bin/fixed/libanswer.so"
	is_deleted libanswer.so || fail "the library is still there"
	goes_on lib libanswer.so
	status 0 hpkm-revert v2 --all --wait "$patience"
	clean
}

# One that was never patched, and whose file has been replaced.
late()
{
	local load_program=$tmp/app/load
	store "$bin/pie/load"
	load pie -b 1
	store "$bin/fixed/load"
	runs 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --all --wait "$patience" --json
	names "$pid" applied
	runs 2
	status 0 hpkm-revert v2 --all --wait "$patience"
	runs 1
	unharmed
	clean
}

cases \
	program "a program is replaced in storage while it runs patched" \
	library "the same with a library" \
	late "a process whose file has gone is patched"
