#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A hundred times to and fro (or HPKM_CYCLES), under load and with sleepers: every
# answer is old or new, no system call returns, nothing is left.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

# Kernel memory, kB: slab that can't be reclaimed, vmalloc, shared memory.
memory()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|VmallocUsed|Shmem):/ { sum += $2 } END { print sum }' \
		/proc/meminfo
}

files() { cut -f 1 /proc/sys/fs/file-nr; }

# is_back MEMORY FILES MORE: there are no more files and kB now but so many. What
# was freed is given back behind grace periods.
is_back()
{
	grown=$(($(memory) - $1)) left=$(($(files) - $2))
	[ "$grown" -lt "$3" ] && [ "$left" -lt 50 ]
}

cycle() { check "cycles" "$bin/cycle" "$pid" "$bin/pie/v2.image" v2 "$1"; }

a_hundred()
{
	local maps memory files grown left count=${HPKM_CYCLES:-100}
	load pie -b 2 -z 200
	runs 1
	maps=$(mapped "$pid")
	# What is allocated once, on first use, is no leak.
	cycle 5
	memory=$(memory) files=$(files)
	cycle "$count"
	runs 1
	unharmed
	mapped_again "$maps"
	is "threads" "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" 203
	# Of many cycles, less than a page each.
	soon is_back "$memory" "$files" $((1000 + count)) ||
		fail "they leave memory or open files"
	note "kernel memory grew by $grown kB, open files by $left"
	clean
	check "the module can't be unloaded" reload_module
}

with_new()
{
	local maps
	load pie -b 2 -z 20
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	runs 2
	maps=$(mapped "$pid" | grep -c hpkm)
	[ "$maps" -ge 2 ] || fail "$maps mappings are called hpkm"
	status 1 rmmod hpkm
	status 0 hpkm-list
	says "refused until it is reverted"
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	runs 1
	unharmed
	clean
}

cases \
	with_new "the new code runs until it is reverted, and rmmod is refused" \
	a_hundred "${HPKM_CYCLES:-100} cycles with 2 busy and 200 sleeping threads leave nothing"
