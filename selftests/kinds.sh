#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Programs of all kinds, and a shared library.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

one()
{
	local maps
	load "$1" -b 2 -z 10
	runs 1
	maps=$(mapped "$pid")
	for _ in 1 2; do
		status 0 hpkm-apply "$bin/$1/v2.hpkm" --pid "$pid" --wait "$patience"
		runs 2
		status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
		runs 1
	done
	# Below a program at a fixed address, any number looks like a pointer.
	mapped_again "$maps"
	unharmed
	clean
}

pie() { one pie; }
nopie() { one nopie; }
static() { one static; }
static_pie() { one static-pie; }
lib() { one lib; }
stripped() { one stripped; }
endbr() { one endbr; }
noid() { one noid; }

cases \
	pie "position-independent" \
	nopie "at a fixed address" \
	static "static" \
	static_pie "static and position-independent" \
	lib "a shared library" \
	stripped "stripped, with a separate debug file" \
	endbr "with landing pads (-fcf-protection=full)" \
	noid "without a build-id"
