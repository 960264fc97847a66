#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Functions that agree on what they pass each other: no thread ever sees an old
# one meet a new one.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

# cycles KIND COUNT THREADS
cycles()
{
	load "$1" -b "$3" -z 10
	runs 1
	check "cycles" "$bin/cycle" "$pid" "$bin/$1/v2.image" v2 "$2"
	runs 1
	note "answers: $("$bin/stats" "$stats" counts)"
	unharmed
	clean
}

# HPKM_CYCLES and HPKM_THREADS say how often, and how many call.
few() { cycles pie "${HPKM_CYCLES:-40}" 3; }
call() { cycles pie "${HPKM_CYCLES:-20}" "${HPKM_THREADS:-64}"; }
tail_call() { cycles contract "${HPKM_CYCLES:-40}" 3; }
tail_calls() { cycles contract "${HPKM_CYCLES:-20}" "${HPKM_THREADS:-64}"; }

cases \
	few "the caller waits for what it called" \
	call "and 64 threads call" \
	tail_call "the caller jumps, and leaves no return address" \
	tail_calls "and 64 threads call"
