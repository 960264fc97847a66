#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tools where the module is not loaded. Not among the tests that run with
# it; to be run by itself.

# shellcheck disable=SC2034 # for lib.sh
without_module=1
# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

[ ! -d /sys/module/hpkm ] || skip_all "the module is loaded"

apply()
{
	status 1 hpkm-apply "$bin/pie/v2.hpkm" --pid $$
	says "not loaded"
	says "modprobe hpkm"
	status 1 hpkm-apply "$bin/pie/v2.hpkm" --pid $$ --json
	json '"patch":"v2"'
	json 'notloaded'
	status 1 hpkm-apply "$bin/pie/v2.hpkm" --all
}

revert()
{
	status 1 hpkm-revert v2 --all
	says "not loaded"
}

list()
{
	status 1 hpkm-list
	says "not loaded"
	status 1 hpkm-list --json
	json 'notloaded'
}

monitor()
{
	status 1 hpkm monitor
	says "not loaded"
}

inspect()
{
	status 0 hpkm-inspect "$bin/pie/v2.hpkm"
	says answer
}

cases \
	apply "apply says what is missing" \
	revert "revert says what is missing" \
	list "list says what is missing" \
	monitor "monitor says what is missing" \
	inspect "inspect needs no module"
