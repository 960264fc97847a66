#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Code that is not what the patch was made from: refused, and left as it is.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

# refused KIND WORDS: status 5, and memory and mappings are as before.
refused()
{
	local at maps text
	at=$(address "$1" tell)
	maps=$(mapped "$pid") text=$(peek "$at" 160)
	status 5 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid"
	says "$2"
	status 5 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --json
	json '"status":"refused"'
	is "code" "$(peek "$at" 160)" "$text"
	is "mappings" "$(mapped "$pid")" "$maps"
	kill -0 "$pid" || fail "the target has ended"
	clean
}

# breakpoint OFFSET: in answer(), which nobody calls.
breakpoint()
{
	local at old
	load pie -b 0 -z 5
	at=$(($(address pie answer) + $1))
	old=$(peek $at 1)
	poke $at cc
	is "the byte" "$(peek $at 1)" cc
	refused pie answer
	poke $at "$old"
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid"
	status 0 hpkm-revert v2 --pid "$pid"
	unharmed
	clean
}

first_byte() { breakpoint 0; }
in_window() { breakpoint 1; }
in_body() { breakpoint 17; }

# Somebody's breakpoint on top of our jump: the revert must not take it out.
on_jump()
{
	local at old
	load pie -b 0 -z 5
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid"
	at=$(address pie answer)
	old=$(peek "$at" 1)
	poke "$at" cc
	status 5 hpkm-revert v2 --pid "$pid"
	says "answer"
	is "the breakpoint" "$(peek "$at" 1)" cc
	poke "$at" "$old"
	status 0 hpkm-revert v2 --pid "$pid"
	unharmed
	clean
}

other_build()
{
	load other-build -b 1
	runs 1
	refused other-build "this build is not mapped"
	runs 1
}

# The second of two targets is refused: then neither is switched.
all_or_none()
{
	local first
	load pie -b 1
	first=$pid first_stats=$stats
	load pie -b 0
	poke "$(address pie answer)" cc
	status 5 hpkm-apply "$bin/pie/v2.hpkm" --pid "$first" "$pid"
	stats=$first_stats
	runs 1
	clean
}

# One that is set when all is prepared, and the request waits for a thread.
while_waiting()
{
	local at old tool tid
	load pie -b 0 -z 5
	at=$(address pie answer)
	old=$(peek "$at" 1)
	sleeper slow
	hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience" \
		>"$tmp/out" 2>"$tmp/err" &
	tool=$!
	started+=("$tool")
	soon grep -q /hpkm:v2 "/proc/$pid/maps" || fail "apply does not wait"
	poke "$at" cc
	tell let
	wait "$tool"
	is "status" $? 5
	says answer
	is "the breakpoint" "$(peek "$at" 1)" cc
	poke "$at" "$old"
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	unharmed
	clean
}

# A uprobe is a breakpoint of the kernel's own.
uprobe()
{
	local tracing=/sys/kernel/tracing program offset got
	[ -w $tracing/uprobe_events ] || { skip "no uprobe events"; return; }
	# Not on a file system of the machine's, which may not have uprobes.
	mkdir "$tmp/pie"
	cp "$bin/pie/load" "$tmp/pie/load"
	program=$tmp/pie/load
	offset=$(($(address_in_file pie answer)))
	load_program=$program load pie -b 1
	runs 1
	if ! printf 'p:hpkm_selftest %s:0x%x\n' "$program" $offset \
		>>$tracing/uprobe_events 2>"$tmp/err"; then
		skip "no uprobe there: $(cat "$tmp/err")"
		return
	fi
	echo 1 >$tracing/events/uprobes/hpkm_selftest/enable
	runs 1
	hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 5 >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got = 5 ] || fail "status $got with a uprobe"
	says answer
	runs 1
	echo 0 >$tracing/events/uprobes/hpkm_selftest/enable
	echo '-:hpkm_selftest' >>$tracing/uprobe_events
	runs 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	runs 2
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	runs 1
	unharmed
	clean
}

# The first segment of a PIE starts at 0, and text is at its own address.
address_in_file() { awk -v s="$2" '$3 == s { print "0x" $1 }' "$bin/$1/symbols"; }

cases \
	first_byte "a breakpoint on the first instruction" \
	in_window "a breakpoint where the jump would be" \
	in_body "a breakpoint further on" \
	on_jump "a breakpoint on the jump, at the revert" \
	while_waiting "a breakpoint that is set while the request waits" \
	other_build "another build of the program" \
	all_or_none "one of two targets has a breakpoint" \
	uprobe "a uprobe"
