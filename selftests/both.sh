#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# One patch over a program and its library: answer() of the one and tell() of
# the other agree on what changes, so an old one never meets a new one.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

switched()
{
	load both -b 4 -z 4
	runs 1
	for _ in 1 2 3; do
		status 0 hpkm-apply "$bin/both/v2.hpkm" --pid "$pid" --wait "$patience"
		runs 2
		status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
		runs 1
	done
	unharmed
	clean
}

listed()
{
	load both -b 1 -z 2
	status 0 hpkm-apply "$bin/both/v2.hpkm" --pid "$pid" --wait "$patience"
	status 0 hpkm-list --json
	json '"name":"load"'
	json '"name":"libtell.so"'
	json '"name":"tell"'
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	clean
}

# The program is there, but its library is another build.
other_library()
{
	load_program=$bin/both/other/load load both -b 1 -z 2
	status 5 hpkm-apply "$bin/both/v2.hpkm" --pid "$pid"
	says "libtell.so: this build is not mapped"
	status 3 hpkm-apply "$bin/both/v2.hpkm" --all
	runs 1
	clean
}

cases \
	switched "both switch in one stop" \
	listed "both are listed" \
	other_library "another build of the library is refused"
