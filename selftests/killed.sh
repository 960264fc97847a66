#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A tool that is killed at any of its system calls leaves the old state or the
# new one, and nothing else.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

# settled: the request has ended, too, and the target is in one state or the
# other; sets version.
settled()
{
	local text
	text=$(hpkm-list)
	case $text in
	*"patch v2"*) version=2 ;;
	*"patches loaded"*) return 1 ;;
	*) version=1 ;;
	esac
	[ $version = 2 ] || [ "$(</sys/module/hpkm/refcnt)" = 0 ]
}

# each FROM TO COMMAND: kill it at every system call; it leads from one version
# to the other.
each()
{
	local from=$1 n killed old=0 new=0
	shift 2
	for ((n = 0; n < 200; n++)); do
		[ -z "$failed" ] || return
		"$bin/killat" $n "$@" >"$tmp/out" 2>&1
		killed=$?
		if ! soon settled; then
			fail "killed at system call $n: $(hpkm-list)"
			return
		fi
		if [ $version = "$from" ]; then
			old=$((old + 1))
		else
			new=$((new + 1))
			if [ $version = 2 ]; then
				status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
			else
				status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
			fi
		fi
		[ $killed = 0 ] || break
	done
	note "$n system calls; killed there: $old times old, $new times new"
	is "status at the end" $killed 3
	[ $n -ge 5 ] || fail "only $n system calls were seen"
}

apply()
{
	local maps
	load pie -b 2 -z 10
	runs 1
	maps=$(mapped "$pid")
	each 1 2 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	runs 1
	mapped_again "$maps"
	unharmed
	clean
}

revert()
{
	load pie -b 2 -z 10
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	each 2 1 hpkm-revert v2 --pid "$pid" --wait "$patience"
	runs 2
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	runs 1
	unharmed
	clean
}

# While it waits for a thread: its request ends with it.
waiting()
{
	local tool tid
	load pie -b 1
	sleeper slow
	hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 3600 >/dev/null 2>&1 &
	tool=$!
	started+=("$tool")
	soon loaded || fail "apply does not wait"
	end "$tool"
	clean
	tell let
	runs 1
	unharmed
}

loaded() { hpkm-list | grep -qw v2; }

# A signal that can be caught ends it with a word.
interrupted()
{
	local tool tid
	load pie -b 1
	sleeper slow
	# Not by a shell in between, which would ignore the signal.
	hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 3600 \
		>"$tmp/out" 2>"$tmp/err" &
	tool=$!
	started+=("$tool")
	soon loaded || fail "apply does not wait"
	kill -TERM "$tool"
	wait "$tool"
	is "status after SIGTERM" $? 1
	says "cancelled"
	clean
	tell let
	unharmed
}

cases \
	apply "hpkm-apply is killed at each of its system calls" \
	revert "hpkm-revert is killed at each of its system calls" \
	waiting "hpkm-apply is killed while it waits" \
	interrupted "hpkm-apply is interrupted while it waits"
