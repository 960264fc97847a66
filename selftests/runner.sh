#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runner.sh TEST...: run tests one after the other. Those of a kernel tree are
# run by kselftest's own runner; this one is for a tree of hpkm.
#
# Exit status: 1 when a case of any of them failed, or a test died.

here=$(cd "$(dirname "$0")" && pwd)
export HPKM_SELFTESTS=${HPKM_SELFTESTS:-$here/../build/selftests}
case ${HPKM_KERNEL:-} in
debug) export HPKM_PATIENCE=${HPKM_PATIENCE:-300} ;;
rt) export HPKM_PATIENCE=${HPKM_PATIENCE:-120} ;;
esac
passed=0 failed=0 skipped=0
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT

for test; do
	echo "# selftests: hpkm: $test"
	program=$here/$test
	[ -e "$program" ] || program=$HPKM_SELFTESTS/$test
	begin=$SECONDS
	"$program" | tee "$output"
	status=${PIPESTATUS[0]}
	p=$(grep -c '^ok ' "$output")
	f=$(grep -c '^not ok ' "$output")
	s=$(grep -c '^ok .*# SKIP' "$output")
	planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$output")
	if [ "$planned" = 0 ]; then
		s=1 p=1
	elif [ "$planned" != $((p + f)) ]; then
		echo "not ok $((p + f + 1)) $test: ${planned:-nothing} planned, $((p + f)) run, status $status"
		f=$((f + 1))
	fi
	passed=$((passed + p - s)) failed=$((failed + f)) skipped=$((skipped + s))
	echo "# $test: $((SECONDS - begin)) s"
done
echo "# selftests: hpkm: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
