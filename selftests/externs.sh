#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Patches that call what the program did not import.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

one()
{
	load "$1" -b 1 -z 4
	runs 1
	for _ in 1 2; do
		status 0 hpkm-apply "$bin/$1/imports.hpkm" --pid "$pid" --wait "$patience"
		runs 7
		status 0 hpkm-revert imports --pid "$pid" --wait "$patience"
		runs 1
	done
	unharmed
	clean
}

pie() { one pie; }
nopie() { one nopie; }
lib() { one lib; }

# started_with VARIABLE=VALUE KIND: as load, with this in its environment.
started_with()
{
	export "$1"
	load "$2" -b 1 -z 4
	export -n "${1%%=*}"
}

all()
{
	local first
	load pie -b 1 -z 2
	first=$stats
	load pie -b 1 -z 2
	status 0 hpkm-apply "$bin/pie/imports.hpkm" --all --wait "$patience"
	runs 7
	stats=$first
	runs 7
	status 0 hpkm-revert imports --all --wait "$patience"
	runs 1
	clean
}

# What the dynamic linker finds first counts.
preload()
{
	started_with "LD_PRELOAD=$bin/pie/preload.so" pie
	status 0 hpkm-apply "$bin/pie/imports.hpkm" --pid "$pid" --wait "$patience"
	runs 6
	status 0 hpkm-revert imports --pid "$pid" --wait "$patience"
	clean
}

# One name, two places that fit the same process: refused, in both.
two_places()
{
	load pie -b 1 -z 2
	started_with "LD_PRELOAD=$bin/pie/preload.so" pie
	status 5 hpkm-apply "$bin/pie/imports.hpkm" --all --wait "$patience"
	says "ffsll: bound to two places"
	runs 1
	clean
}

missing()
{
	load pie -b 1 -z 2
	status 5 hpkm-apply "$bin/pie/missing.hpkm" --pid "$pid"
	says "somebody_should_have_this: no library that the process has loaded has it"
	status 5 hpkm-apply "$bin/pie/missing.hpkm" --all --json
	says "somebody_should_have_this"
	json '"status":"refused"'
	runs 1
	unharmed
	clean
}

# Other implementations were chosen there than here, and of strstr() no slot
# shows which one.
tunables()
{
	started_with GLIBC_TUNABLES=glibc.cpu.hwcaps=-SSSE3,-SSE4_1,-SSE4_2 pie
	status 5 hpkm-apply "$bin/pie/imports.hpkm" --pid "$pid" --wait "$patience"
	says "nothing in the process shows which implementation was chosen"
	runs 1
	unharmed
	clean
}

cases \
	pie "in a program, by IFUNC, vdso, data and weakly" \
	nopie "in a program at a fixed address" \
	lib "in a library" \
	all "all processes" \
	preload "a library that was preloaded comes first" \
	two_places "two processes that differ" \
	missing "nobody has it" \
	tunables "other CPU features, and nothing shows a choice"
