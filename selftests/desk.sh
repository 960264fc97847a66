# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For tests with targets/desk.c: commands and answers.

child=''	# commands are for its child

# desk: start one; sets pid.
desk_number=0
desk()
{
	desk_number=$((desk_number + 1))
	pipe=$tmp/pipe.$desk_number
	mkfifo "$pipe" "$pipe.child"
	child=''
	: >"$pipe.out"
	# shellcheck disable=SC2154 # dir is set by the test
	nice -n 19 "$dir/desk" "$pipe" <>"$pipe.child" >>"$pipe.out" 2>&1 &
	pid=$!
	started+=("$pid")
	lines=0
	soon has_line || fail "the target does not start"
	lines=1
}

has_line() { [ "$(wc -l <"$pipe.out")" -gt "$lines" ]; }

# ask WORD [NUMBER]: sets got to the answer.
ask()
{
	echo "$*" >"$pipe${child:+.child}"
	if ! soon has_line; then
		fail "no answer to '$*'"
		got=none
		return
	fi
	lines=$((lines + 1))
	read -r _ got < <(sed -n "${lines}p" "$pipe.out")
}

# answer WORD [NUMBER] WANTED
answer()
{
	ask "${@:1:$# - 1}"
	is "answer to '${*:1:$# - 1}'" "$got" "${*: -1}"
}

# answers: the same, as a condition.
answers()
{
	ask "${@:1:$# - 1}"
	[ "$got" = "${*: -1}" ]
}

apply() { status 0 hpkm-apply "$dir/$1.hpkm" --pid "$pid" --wait "$patience"; }
revert() { status 0 hpkm-revert "$1" --pid "$pid" --wait "$patience"; }
