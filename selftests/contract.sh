#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Functions that agree on what they pass each other: no thread ever sees an old
# one meet a new one.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

# cycles KIND COUNT
cycles()
{
	load "$1" -b 3 -z 10
	runs 1
	check "cycles" "$bin/cycle" "$pid" "$bin/$1/v2.image" v2 "$2"
	runs 1
	note "answers: $("$bin/stats" "$stats" counts)"
	unharmed
	clean
}

call() { cycles pie 40; }
tail_call() { cycles contract 40; }

cases \
	call "the caller waits for what it called" \
	tail_call "the caller jumps, and leaves no return address"
