#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Several patches on the same functions, in any order.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

apply() { status 0 hpkm-apply "$bin/pie/$1.hpkm" --pid "$pid" --wait "$patience"; }
revert() { status 0 hpkm-revert "$1" --pid "$pid" --wait "$patience"; }

# listed NAME...: the patches of the target, oldest first.
listed()
{
	local line word names=''
	# The text has the newest above.
	while read -r word line; do
		[ "$word" != patch ] || names="${line%%,*} $names"
	done < <(hpkm-list --pid "$pid")
	is "patches" "${names% }" "$*"
}

finish()
{
	unharmed
	clean
}

oldest_first()
{
	load pie -b 2 -z 10
	apply v2
	runs 2
	apply v3
	runs 3
	listed v2 v3
	revert v2
	runs 3
	listed v3
	revert v3
	runs 1
	finish
}

newest_first()
{
	load pie -b 2 -z 10
	apply v2
	apply v3
	runs 3
	revert v3
	runs 2
	revert v2
	runs 1
	finish
}

middle()
{
	load pie -b 2 -z 10
	apply v2
	apply v3
	apply v4
	runs 4
	revert v3
	runs 4
	listed v2 v4
	revert v4
	runs 2
	revert v2
	runs 1
	finish
}

# What is reverted may come back, and is then the newest.
again()
{
	load pie -b 2 -z 10
	apply v2
	apply v3
	revert v2
	apply v2
	runs 2
	listed v3 v2
	revert v2
	runs 3
	revert v3
	runs 1
	finish
}

replace()
{
	load pie -b 2 -z 10
	apply v2
	apply v3
	apply other
	soon at_version 2 || fail "other() is not replaced"
	apply v5
	runs 5
	listed v5
	soon at_version 1 || fail "other(), which v5 does not replace, is not original"
	revert v5
	runs 1
	finish
}

at_version() { [ "$(stat_of other)" = "$1" ]; }

depends()
{
	load pie -b 2 -z 10
	status 5 hpkm-apply "$bin/pie/needs-v2.hpkm" --pid "$pid"
	says "depends on patch v2"
	runs 1
	clean
	apply v2
	apply needs-v2
	runs 2
	soon at_version 2 || fail "other() is not replaced"
	status 5 hpkm-revert v2 --pid "$pid"
	says "needs-v2 depends on it"
	runs 2
	revert needs-v2
	revert v2
	runs 1
	finish
}

same_name()
{
	load pie -b 1
	apply v2
	status 5 hpkm-apply "$bin/pie/again/v2.hpkm" --pid "$pid"
	says "another patch of this name is loaded"
	runs 2
	revert v2
	# Nothing has the name now.
	apply again/v2
	runs 6
	revert v2
	runs 1
	finish
}

cases \
	oldest_first "of two patches, the first is reverted first" \
	newest_first "of two patches, the second is reverted first" \
	middle "of three patches, the middle one is reverted" \
	again "a patch that comes back is the newest" \
	replace "a patch built with --replace takes the others out" \
	depends "a patch needs the one that it depends on" \
	same_name "another patch under a name that is loaded is refused"
