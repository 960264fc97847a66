#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Processes come and go: fork, exec, exit, and --all among them.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

apply() { status 0 hpkm-apply "$bin/pie/${1:-v2}.hpkm" --pid "$pid" --wait "$patience"; }
revert() { status 0 hpkm-revert "${1:-v2}" --pid "$pid" --wait "$patience"; }

# patched: how many processes are.
patched() { hpkm-list | grep -c '^  [0-9][0-9]* '; }

fork_after()
{
	local parent child
	load pie -b 2 -z 5
	apply
	tell fork
	runs 2
	runs 2 1
	is "patched processes" "$(patched)" 2
	parent=$pid child=$(stat_of child-pid)
	revert
	runs 1
	runs 2 1
	is "patched processes" "$(patched)" 1
	pid=$child
	apply v3
	runs 3 1
	runs 1
	revert v2
	revert v3
	runs 1 1
	pid=$parent
	unharmed
	is "wrong answers of the child" "$(stat_of child-wrong)" 0
	clean
}

fork_before()
{
	local parent
	load pie -b 2 -z 5
	tell fork
	parent=$pid
	apply
	runs 2
	runs 1 1
	pid=$(stat_of child-pid)
	apply
	runs 2 1
	pid=$parent
	revert
	runs 1
	runs 2 1
	end "$(stat_of child-pid)"
	clean
}

shared_memory()
{
	load pie -b 2 -z 5
	tell spawn
	runs 1 1
	apply
	runs 2
	runs 2 1
	pid=$(stat_of child-pid)
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --json
	json '"status":"already"'
	revert
	runs 1
	runs 1 1
	end "$pid"
	clean
}

exec_drops()
{
	load pie -b 2 -z 5
	apply
	runs 2
	echo exec >"$fifo"
	soon is_sleep || fail "it does not exec"
	clean
	status 5 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid"
	status 0 hpkm-revert v2 --pid "$pid" --json
	json '"status":"already"'
	clean
}

is_sleep() { [ "$(<"/proc/$pid/comm")" = sleep ]; }

exit_drops()
{
	load pie -b 2 -z 5
	apply
	apply v3
	status 1 rmmod hpkm
	end "$pid"
	clean
	check "the module can't be unloaded" reload_module
}

# copy NAME: of the program, which the machine can't know.
copy()
{
	mkdir -p "$tmp/pie"
	cp "$bin/pie/load" "$tmp/pie/$1"
	load_program=$tmp/pie/$1
}

everywhere()
{
	local load_program n
	local -a all=()
	load pie -b 1
	all+=("$stats")
	copy deleted
	load pie -b 1
	all+=("$stats")
	rm "$load_program"
	copy upgraded
	load pie -b 1
	all+=("$stats")
	cp "$bin/other-build/load" "$tmp/pie/new"
	mv "$tmp/pie/new" "$load_program"
	copy elsewhere
	stats=$tmp/elsewhere.stats
	start unshare --mount sh -c 'cp "$1" /mnt/load 2>/dev/null ||
		{ mount -t tmpfs none /mnt && cp "$1" /mnt/load; }
		exec /mnt/load -s "$2" -b 1' sh "$load_program" "$stats"
	soon test -s "$stats"
	"$bin/stats" "$stats" wait ready 2
	all+=("$stats")
	# Not of that build.
	load_program=$bin/other-build/load
	load other-build -b 1

	status 0 hpkm-apply "$bin/pie/v2.hpkm" --all --wait "$patience"
	says "4 applied"
	is "patched processes" "$(patched)" 4
	runs 1
	for stats in "${all[@]}"; do
		runs 2
	done
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --all --wait "$patience"
	says "4 already"
	status 0 hpkm-revert v2 --all --wait "$patience"
	for stats in "${all[@]}"; do
		runs 1
	done
	clean
}

# Children that are forked meanwhile have what their parent had, or are found.
fork_storm()
{
	local n tool
	load pie -b 1
	hpkm-apply "$bin/pie/v2.hpkm" --all --wait "$patience" >"$tmp/out" 2>&1 &
	tool=$!
	for ((n = 1; n <= 12; n++)); do
		tell fork
	done
	wait $tool || fail "apply: $(<"$tmp/out")"
	runs 2
	for ((n = 1; n <= 12; n++)); do
		runs 2 "$n"
	done
	status 0 hpkm-revert v2 --all --wait "$patience"
	runs 1
	for ((n = 1; n <= 12; n++)); do
		runs 1 "$n"
	done
	clean
}

# The process that was named ends, and another one shares its memory still.
sharer_left()
{
	local sharer tool other
	load pie -b 1
	tell orphan
	runs 1 1
	sharer=$(stat_of child-pid)
	started+=("$sharer")
	apply
	runs 2 1
	# A thread in the way of one request, for which the other one waits.
	sleeper within
	hpkm-apply "$bin/pie/v3.hpkm" --pid "$pid" --wait "$patience" \
		>"$tmp/a" 2>&1 &
	tool=$!
	soon grep -q hpkm:v3 "/proc/$pid/maps" || fail "v3 is not tried"
	hpkm-revert v2 --pid "$pid" --wait "$patience" >"$tmp/b" 2>&1 &
	other=$!
	sleep "$moment"
	end "$pid"
	wait $tool || fail "apply: $(<"$tmp/a")"
	wait $other
	pid=$sharer
	runs 3 1
	kill -0 "$pid" 2>/dev/null || fail "who shared its memory has ended"
	revert v3
	revert
	runs 1 1
	end "$pid"
	clean
}

# The target ends, or runs something else, while it is being patched.
midway()
{
	local n tool how
	# The shell's own words on who was killed are of no interest.
	for ((n = 0; n < 12; n++)); do
		how=$((n % 3))
		load pie -b 1 -z 20
		hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience" \
			>"$tmp/out" 2>&1 &
		tool=$!
		# By now or a little later.
		for ((how = n / 3; how > 0; how--)); do nap; done
		case $((n % 3)) in
		0) kill -KILL "$pid" ;;
		1) echo exec >"$fifo" ;;
		2) kill -TERM "$pid" ;;
		esac
		wait $tool
		case $? in
		0|3|5) ;;
		*) fail "status of apply: $(<"$tmp/out")" ;;
		esac
		end "$pid"
	done 2>/dev/null
	clean
}

two_tools()
{
	local n a b
	load pie -b 2 -z 10
	for ((n = 0; n < 3; n++)); do
		hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience" >"$tmp/a" 2>&1 &
		a=$!
		hpkm-apply "$bin/pie/v3.hpkm" --pid "$pid" --wait "$patience" >"$tmp/b" 2>&1 &
		b=$!
		wait $a || fail "one: $(<"$tmp/a")"
		wait $b || fail "the other: $(<"$tmp/b")"
		is "patches" "$(hpkm-list | grep -c '^    patch')" 2
		hpkm-revert v2 --pid "$pid" --wait "$patience" >"$tmp/a" 2>&1 &
		a=$!
		hpkm-revert v3 --pid "$pid" --wait "$patience" >"$tmp/b" 2>&1 &
		b=$!
		wait $a || fail "one: $(<"$tmp/a")"
		wait $b || fail "the other: $(<"$tmp/b")"
		runs 1
	done
	unharmed
	clean
}

cases \
	fork_after "a child inherits what its parent has, and is then its own" \
	fork_before "a child that was there before is left alone" \
	shared_memory "processes that share their memory are one target" \
	exec_drops "exec drops it" \
	exit_drops "exit drops it, and rmmod works again" \
	everywhere "--all: deleted and upgraded programs, other mount namespaces" \
	fork_storm "--all while the target forks" \
	sharer_left "a process ends that shares its memory" \
	midway "the target ends or calls exec midway" \
	two_tools "two tools at once"
