#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What scripts rely on: exit statuses, JSON, dry runs, events.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

# valid KEY...: the last output is one JSON document with these keys, each
# given by its way from the top, as in targets.0.status. All documents of a case
# are looked at by `validate`, for to start Python takes long.
documents=0
valid()
{
	documents=$((documents + 1))
	cp "$tmp/out" "$tmp/document.$documents"
	echo "$tmp/document.$documents $*" >>"$tmp/documents"
}

validate()
{
	command -v python3 >/dev/null || return 0
	check "JSON" python3 - "$tmp/documents" <<-'END'
		import json, sys
		for line in open(sys.argv[1]):
		    file, *ways = line.split()
		    document = json.load(open(file))
		    for way in ways:
		        at = document
		        for step in way.split("."):
		            at = at[int(step) if step.isdigit() else step]
	END
}

# shellcheck disable=SC2120 # they are, by way of status
apply() { hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience" "$@"; }
# shellcheck disable=SC2120
revert() { hpkm-revert v2 --pid "$pid" --wait "$patience" "$@"; }

successes()
{
	load pie -b 1
	status 0 apply --json
	valid patch version pause_ns targets.0.pid targets.0.comm \
		targets.0.status targets.0.threads targets.0.attempts \
		targets.0.blocked_by targets.0.error
	json '"patch":"v2"'
	json "{\"pid\":$pid,\"comm\":\"load\",\"status\":\"applied\",\"threads\":2,"
	status 0 hpkm-list --json
	valid patches.0.name patches.0.version targets.0.pid \
		targets.0.patches.0.name targets.0.patches.0.order \
		targets.0.patches.0.objects.0.build_id \
		targets.0.patches.0.funcs.0.old \
		targets.0.patches.0.funcs.0.new
	json '"module_in_use":true'
	status 0 revert --json
	valid patch version pause_ns targets.0.status
	json '"status":"reverted"'
	status 0 hpkm-inspect "$bin/pie/v2.hpkm" --json
	valid
	json '"v2"'
	validate
	clean
}

failures()
{
	local tid
	start sleep 1000
	status 5 apply --json
	valid patch targets.0.status targets.0.error
	end "$pid"
	status 3 apply --json
	valid patch targets.0.status error
	load pie -b 0
	sleeper slow
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0 --json
	valid targets.0.blocked_by.0.tid targets.0.blocked_by.0.func \
		targets.0.blocked_by.0.ip
	tell let
	validate
	clean
}

already()
{
	load pie -b 1
	status 0 apply
	status 0 apply --json
	json '"status":"already"'
	runs 2
	status 0 revert
	status 0 revert --json
	json '"status":"already"'
	runs 1
	clean
}

dry_run()
{
	local maps text at
	load pie -b 1
	runs 1
	at=$(address pie tell)
	maps=$(mapped "$pid") text=$(peek "$at" 160)
	status 0 apply --dry-run --json
	json '"status":"dry-run"'
	is "code" "$(peek "$at" 160)" "$text"
	is "mappings" "$(mapped "$pid")" "$maps"
	runs 1
	clean
	poke $((at + 4)) cc cc
	status 5 apply --dry-run
	clean
}

lists()
{
	local first
	load pie -b 1
	first=$pid
	apply >/dev/null
	load pie -b 1
	status 0 apply
	status 0 hpkm-list
	says "$first load"
	says "$pid load"
	status 0 hpkm-list --pid "$first"
	says "$first load"
	grep -q "^  $pid " "$tmp/out" && fail "the other process is shown"
	says "answer"
	status 0 hpkm-list --pid "$first" --json
	json "\"pid\":$first"
	start sleep 1000
	status 0 hpkm-list --pid "$pid" --json
	json '"targets":[]'
	end "$pid"
	status 3 hpkm-list --pid "$pid"
	status 0 hpkm-revert v2 --all --wait "$patience"
	clean
}

several_pids()
{
	local first
	load pie -b 1
	first=$pid
	load pie -b 1
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$first" "$pid" --wait "$patience"
	says "2 applied"
	status 0 hpkm-revert v2 --pid "$first,$pid" --wait "$patience"
	says "2 reverted"
	clean
}

# event WORDS: the monitor shows them, soon.
event() { soon grep -q "$1" "$tmp/events" || fail "no event '$1': $(<"$tmp/events")"; }

monitor()
{
	local monitor tid
	load pie -b 1
	hpkm monitor >"$tmp/events" 2>&1 &
	monitor=$!
	started+=("$monitor")
	hpkm monitor --json >"$tmp/events.json" 2>&1 &
	started+=($!)
	# They say nothing when they have begun to listen.
	soon heard || fail "a monitor does not hear anything"
	event "applied v2 in $pid load"
	event "reverted v2 in $pid load"
	sleeper slow
	status 6 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait 0
	event "blocked v2 in $pid load"
	tell let
	start sleep 1000
	status 5 apply
	event "refused v2 in $pid"
	soon grep -q refused "$tmp/events.json"
	grep applied "$tmp/events.json" | head -n 1 >"$tmp/out"
	valid time event patch target.pid target.status
	json '"event":"applied"'
	kill "$monitor"
	wait "$monitor"
	is "status of the monitor" $? 0
	validate
	clean
}

# heard: something happened, and both monitors have seen an application.
heard()
{
	apply >/dev/null 2>&1
	revert >/dev/null 2>&1
	grep -q applied "$tmp/events" && grep -q applied "$tmp/events.json"
}

cases \
	successes "JSON of what succeeds" \
	failures "JSON of what does not" \
	already "what is done already is done" \
	dry_run "--dry-run changes nothing" \
	lists "hpkm-list and its --pid" \
	several_pids "several pids" \
	monitor "hpkm monitor shows events"
