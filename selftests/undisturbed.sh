#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Whatever else is done to the target, it is patched, and neither it nor those
# who watch it are disturbed.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

# Each takes the kind of load, if it is not pie.
apply() { status 0 hpkm-apply "$bin/${1:-pie}/v2.hpkm" --pid "$pid" --wait "$patience"; }
revert() { status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"; }

there_and_back()
{
	apply "$@"
	runs 2
	revert
	runs 1
}

# Many times, or HPKM_CYCLES.
many()
{
	check "cycles" "$bin/cycle" "$pid" "$bin/pie/v2.image" v2 \
		"${HPKM_CYCLES:-20}"
	runs 1
}

traced()
{
	load pie -b 2 -z 10
	runs 1
	watch trace "$pid"
	there_and_back
	many
	# Detaching interrupts system calls, whatever was done before.
	unharmed
	watched
	clean
}

# in_way: a busy thread was stopped where it is in the way of the patch; there
# it stays, and hpkm says so. Then it must be stopped anew.
in_way()
{
	local got
	hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --dry-run --wait 0 \
		>"$tmp/out" 2>&1
	got=$?
	[ $got = 0 ] || [ $got = 6 ] || fail "status $got of a dry run"
	[ $got = 6 ]
}

trace_stopped()
{
	load pie -b 2 -z 10
	runs 1
	watch stopped "$pid"
	while in_way; do
		watched
		watch stopped "$pid"
	done
	apply
	revert
	apply
	watched
	runs 2
	revert
	runs 1
	# Attaching has interrupted system calls.
	is "wrong answers" "$(stat_of wrong)" 0
	clean
}

is_stopped() { grep -q '^State:.T' "/proc/$pid/status"; }

stopped()
{
	load pie -b 2 -z 10
	runs 1
	kill -STOP "$pid"
	soon is_stopped
	while in_way; do
		kill -CONT "$pid"
		runs 1
		kill -STOP "$pid"
		soon is_stopped
	done
	apply
	is_stopped || fail "it does not stand still any more"
	revert
	apply
	kill -CONT "$pid"
	runs 2
	revert
	runs 1
	# Being stopped has interrupted some system calls.
	is "wrong answers" "$(stat_of wrong)" 0
	clean
}

parent()
{
	stats=$tmp/stats
	watch parent "$bin/pie/load" -s "$stats" -b 1 -z 10
	soon test -s "$stats"
	"$bin/stats" "$stats" wait ready 12
	runs 1
	there_and_back
	many
	unharmed
	watched
	clean
}

# The parent of a vfork() sleeps and can't be woken, not even by a signal.
uninterruptible()
{
	load pie -b 2 -z 10
	runs 1
	echo vfork >"$fifo"
	soon is_uninterruptible || fail "no thread is in uninterruptible sleep"
	there_and_back
	is_uninterruptible || fail "no thread is in uninterruptible sleep any more"
	unharmed
	# Its child shares the memory and must not keep it.
	pkill -KILL -P "$pid"
	clean
}

is_uninterruptible() { cat "/proc/$pid/task/"*/status | grep -q '^State:.D'; }

seccomp()
{
	load pie -b 2 -z 10 -S
	runs 1
	grep -q '^Seccomp:.2' "/proc/$pid/status" || fail "there is no filter"
	there_and_back
	there_and_back
	unharmed
	clean
}

namespaces()
{
	local outer
	stats=$tmp/stats
	start unshare --pid --mount --ipc --uts --fork --kill-child \
		"$bin/pie/load" -s "$stats" -b 2 -z 10
	outer=$pid
	soon test -s "$stats"
	"$bin/stats" "$stats" wait ready 13
	pid=$(pgrep -P "$outer")
	is "its pid inside" "$(grep NSpid "/proc/$pid/status" | cut -f 3)" 1
	there_and_back
	unharmed
	clean
}

# With its own root there is no path to its program, nor a library.
chrooted()
{
	mkdir "$tmp/root"
	cp "$bin/static/load" "$tmp/root/"
	stats=$tmp/root/stats
	start chroot "$tmp/root" /load -s /stats -b 2 -z 10
	soon test -s "$stats"
	"$bin/stats" "$stats" wait ready 13
	there_and_back static
	unharmed
	clean
}

cases \
	traced "a tracer sees nothing of it" \
	trace_stopped "threads that a tracer has stopped" \
	stopped "a stopped process stays stopped" \
	parent "the parent gets no signal" \
	uninterruptible "a thread in uninterruptible sleep" \
	seccomp "a strict seccomp filter" \
	namespaces "other pid, mount, ipc and uts namespaces" \
	chrooted "another root directory"
