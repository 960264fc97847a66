#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What else a machine does to a process while it is patched.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

cycle()
{
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	runs 2
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	runs 1
}

hotplug()
{
	local cpu=/sys/devices/system/cpu/cpu1/online n flip
	[ -w $cpu ] || { skip "no CPU can be taken offline"; return; }
	load pie -b 2 -z 10
	while :; do
		echo 0 >$cpu
		nap
		echo 1 >$cpu
		nap
	done &
	flip=$!
	for ((n = 0; n < 4; n++)); do
		cycle
	done
	end $flip
	echo 1 >$cpu
	unharmed
	clean
}

# Frozen threads sleep: they are patched where they are, and not woken.
frozen()
{
	local group=/sys/fs/cgroup/hpkm-test
	mountpoint -q /sys/fs/cgroup ||
		mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null
	mkdir "$group" 2>/dev/null ||
		{ skip "no control groups"; return; }
	load pie -b 2 -z 10
	runs 1
	echo "$pid" >"$group/cgroup.procs"
	freeze "$group" 1
	# A busy thread may have been frozen where it is in the way.
	while ! hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0 \
		>"$tmp/out" 2>&1; do
		freeze "$group" 0
		runs 1
		freeze "$group" 1
	done
	grep -q 'frozen 1' "$group/cgroup.events" || fail "it is not frozen any more"
	freeze "$group" 0
	runs 2
	# From one group to another meanwhile.
	echo "$pid" >/sys/fs/cgroup/cgroup.procs
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	runs 1
	# Being frozen has interrupted some system calls.
	is "wrong answers" "$(stat_of wrong)" 0
	end "$pid"
	soon rmdir "$group"
	clean
}

# Frozen on the way out of fork(): the child is there, and nobody in the way.
frozen_fork()
{
	local group=/sys/fs/cgroup/hpkm-fork n
	mkdir "$group" 2>/dev/null || { skip "no control groups"; return; }
	load pie -b 0 -z 5
	echo "$pid" >"$group/cgroup.procs"
	tell breed
	for ((n = 0; n < 10; n++)); do
		freeze "$group" 1
		hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 1 --dry-run \
			>"$tmp/out" 2>&1
		! grep -q "is being made" "$tmp/out" || fail "$(<"$tmp/out")"
		freeze "$group" 0
		nap
	done
	echo "$pid" >/sys/fs/cgroup/cgroup.procs
	end "$pid"
	soon rmdir "$group"
	clean
}

freeze()
{
	echo "$2" >"$1/cgroup.freeze"
	soon grep -q "frozen $2" "$1/cgroup.events" || fail "frozen is not $2"
}

# No room for what breaking copy-on-write needs: refused, or done; never half.
limited()
{
	local group=/sys/fs/cgroup/hpkm-limit got n
	mkdir "$group" 2>/dev/null || { skip "no control groups"; return; }
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null
	[ -w "$group/memory.max" ] ||
		{ rmdir "$group"; skip "no memory controller"; return; }
	load pie -b 2 -z 10
	echo "$pid" >"$group/cgroup.procs"
	for ((n = 0; n < 5; n++)); do
		echo "$((n * 8))K" >"$group/memory.high"
		hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience" \
			>"$tmp/out" 2>&1
		got=$?
		echo max >"$group/memory.high"
		case $got in
		0) runs 2; status 0 hpkm-revert v2 --pid "$pid" --wait "$patience" ;;
		1|5|6) ;;
		*) fail "status $got: $(<"$tmp/out")" ;;
		esac
		runs 1
	done
	unharmed
	end "$pid"
	soon rmdir "$group"
	clean
}

killed_for_memory() { grep -q '^oom_kill [1-9]' "$group/memory.events"; }

# A control group that the program joins before it starts.
in_group()
{
	load_program=$tmp/in-group
	cat >"$load_program" <<-EOF
		#!/bin/sh
		echo \$\$ >"$group/cgroup.procs"
		exec "$bin/pie/load" "\$@"
	EOF
	chmod 755 "$load_program"
}

# Killed for want of memory while it is patched, or is about to be, and what it
# had is taken away before it has ended.
out_of_memory()
{
	local group=/sys/fs/cgroup/hpkm-oom load_program tool n
	mkdir "$group" 2>/dev/null || { skip "no control groups"; return; }
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null
	[ -w "$group/memory.max" ] ||
		{ rmdir "$group"; skip "no memory controller"; return; }
	rmdir "$group"
	in_group
	for ((n = 0; n < 8; n++)); do
		mkdir "$group"
		load pie -b 2 -z 20
		((n % 2)) || status 0 hpkm-apply "$bin/pie/v3.hpkm" --pid "$pid" \
			--wait "$patience"
		hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience" \
			>"$tmp/out" 2>&1 &
		tool=$!
		((n < 4)) || nap
		echo 0 >"$group/memory.max"
		wait $tool
		# 1: there was no memory for what breaking copy-on-write needs.
		case $? in
		0|1|3|5) ;;
		*) fail "status of apply: $(<"$tmp/out")" ;;
		esac
		soon killed_for_memory || fail "it was not killed"
		end "$pid"
		soon rmdir "$group" || fail "the group can't be removed"
	done 2>/dev/null
	clean
}

# Pages of text, patched text and stacks go to swap and come back.
swapped()
{
	local disk n
	modprobe zram 2>/dev/null && disk=/dev/zram0 && [ -b $disk ] ||
		{ skip "no zram"; return; }
	echo 64M >/sys/block/zram0/disksize
	check "mkswap" mkswap $disk
	check "swapon" swapon $disk
	load pie -b 2 -z 20
	for ((n = 0; n < 5; n++)); do
		check "pages can't be put out" "$bin/pageout" "$pid"
		status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
		check "pages can't be put out" "$bin/pageout" "$pid"
		runs 2
		check "pages can't be put out" "$bin/pageout" "$pid"
		status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
		runs 1
	done
	[ "$(awk '/^pswpout/ { print $2 }' /proc/vmstat)" -gt 0 ] ||
		fail "nothing was swapped out"
	unharmed
	end "$pid"
	swapoff $disk
	echo 1 >/sys/block/zram0/reset
	rmmod zram
	clean
}

# A probe elsewhere in the same page comes and goes; one on a function that the
# patch is for is seen.
probed()
{
	local trace=/sys/kernel/tracing at n offset
	[ -w $trace/uprobe_events ] || mount -t tracefs none $trace 2>/dev/null
	[ -w $trace/uprobe_events ] || { skip "no uprobes"; return; }
	load pie -b 2 -z 5
	at() { awk -v s="$1" '$3 == s { print $1 }' "$bin/pie/symbols"; }
	offset=0x$(at other)
	echo "p:hpkm/other $bin/pie/load:$offset" >$trace/uprobe_events ||
		{ skip "no uprobe can be set"; return; }
	for ((n = 0; n < 5; n++)); do
		echo 1 >$trace/events/hpkm/other/enable
		cycle
		echo 0 >$trace/events/hpkm/other/enable
		cycle
	done
	echo >$trace/uprobe_events
	echo "r:hpkm/answer $bin/pie/load:0x$(at answer)" >$trace/uprobe_events
	echo 1 >$trace/events/hpkm/answer/enable
	status 5 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 1
	says "probe"
	echo 0 >$trace/events/hpkm/answer/enable
	echo >$trace/uprobe_events
	cycle
	unharmed
	clean
}

below_says()
{
	local release
	release=$(uname -r)
	if printf '%s\n' 6.14 "$release" | sort -VC; then
		echo "around"
	else
		echo "at a return probe"
	fi
}

# Return probes on what an old function has called: its return address is not on
# the stack. A thread sleeps there, or is busy there: then, before Linux 6.14, it
# is not known whether it is in the middle of a probe.
probed_below()
{
	local trace=/sys/kernel/tracing at
	[ -w $trace/uprobe_events ] || mount -t tracefs none $trace 2>/dev/null
	[ -w $trace/uprobe_events ] || { skip "no uprobes"; return; }
	at() { awk -v s="$1" '$3 == s { print "0x" $1 }' "$bin/pie/symbols"; }
	echo "r:hpkm/asleep $bin/pie/load:$(at asleep_within)" >$trace/uprobe_events ||
		{ skip "no uprobe can be set"; return; }
	echo "r:hpkm/busy $bin/pie/load:$(at busy_within)" >>$trace/uprobe_events
	echo 1 >$trace/events/hpkm/enable
	load pie -b 2 -z 5
	sleeper within
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0
	says "around"
	says "$tid"
	tell let
	soon slow_is 1 || fail "the call was of version $(stat_of slow)"
	cycle
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	tell spin
	"$bin/stats" "$stats" wait handlers 1
	status 6 hpkm-revert v2 --pid "$pid" --wait 1
	says "$(below_says)"
	tell stop
	soon slow_is 2 || fail "the call was of version $(stat_of slow)"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	runs 1
	echo 0 >$trace/events/hpkm/enable
	echo >$trace/uprobe_events
	unharmed
	clean
}

slow_is() { [ "$(stat_of slow)" = "$1" ]; }

# serve FILE: a process serves it as $served, with pages only until there is a
# file $stall. There is none to be waited for when that process ends.
serve()
{
	stall=$tmp/stall
	mkdir -p "$tmp/served"
	served=$tmp/served/file
	[ -e /dev/fuse ] || modprobe fuse 2>/dev/null
	[ -e /dev/fuse ] || { skip "no FUSE"; return 1; }
	start "$bin/served" "$1" "$tmp/served" "$stall"
	server=$pid
	soon test -e "$served" || fail "nothing is served"
}

unserve()
{
	end "$server"
	umount -l "$tmp/served"
}

# within COMMAND...: as status 0, but whoever waits for the server waits for ever.
within() { status 0 timeout -s KILL $((2 * patience)) "$@"; }

# With --all, what a process has mapped that is of no concern is not waited for.
stalled()
{
	local concerned
	serve "$bin/pie/load" || return
	: >"$stall"
	load other-build -b 1
	tell "map $served"
	load pie -b 1
	tell "map $served"
	concerned=$pid
	within hpkm-apply "$bin/pie/v2.hpkm" --all --wait "$patience" --json
	json "\"pid\":$concerned,"
	runs 2
	within hpkm-revert v2 --all --wait "$patience"
	runs 1
	[ ! -e "$stall.waits" ] || fail "the server was asked"
	unharmed
	unserve
	clean
}

# A program on such a file system is done when it is named.
served()
{
	local load_program
	serve "$bin/pie/load" || return
	load_program=$served
	load pie -b 1
	status 5 hpkm-apply "$bin/pie/v2.hpkm" --all --wait "$patience"
	says "FUSE"
	says "--pid"
	runs 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	runs 2
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	runs 1
	end "$pid"
	unserve
	clean
}

# Where its program has no pages now, it can't be told what runs. That does not
# say that the program has gone.
unread()
{
	local load_program
	serve "$bin/pie/load" || return
	load_program=$served
	load pie -b 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	runs 2
	"$bin/pageout" "$pid" >/dev/null 2>&1
	hpkm-revert v2 --all --wait "$patience" >"$tmp/out" 2>&1
	case $? in
	0) runs 1 ;;
	5)
		says "can't be read"
		runs 2
		status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
		runs 1
		;;
	*) fail "$(<"$tmp/out")" ;;
	esac
	kill -0 "$pid" 2>/dev/null || fail "the target has ended"
	end "$pid"
	unserve
	clean
}

# The module comes and goes while nothing is patched.
reloaded()
{
	local n
	load pie -b 2 -z 5
	for ((n = 0; n < 5; n++)); do
		cycle
		soon reload_module || fail "the module can't be loaded anew"
	done
	unharmed
	clean
}

# Huge pages under a stack and the heap.
huge()
{
	local thp=/sys/kernel/mm/transparent_hugepage/enabled before
	[ -w $thp ] || { skip "no huge pages"; return; }
	before=$(sed 's/.*\[\(.*\)\].*/\1/' $thp)
	echo always >$thp
	load pie -b 2 -z 20
	cycle
	tell park
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0 --consistency heap
	tell resume
	tell clear
	cycle
	echo "$before" >$thp
	unharmed
	clean
}

cases \
	hotplug "CPUs go offline and come back" \
	frozen "frozen in a control group" \
	frozen_fork "frozen while it forks" \
	limited "short of memory in a control group" \
	out_of_memory "killed for want of memory" \
	swapped "pages that are swapped out" \
	probed "uprobes that are set and removed" \
	probed_below "return probes below an old function" \
	stalled "--all, and files that nobody serves" \
	served "a program that a process serves" \
	unread "a program that can't be read now" \
	reloaded "the module is loaded anew" \
	huge "huge pages"
