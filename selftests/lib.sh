# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For the tests that are shell scripts: cases, checks and targets.
#
# A case is a function. It runs in a directory of its own, $tmp, and what it
# started is ended afterwards. Each check that fails says so and the case goes
# on, but its result is "not ok".

set -u

here=$(cd "$(dirname "$0")" && pwd)
# Where the programs are: beside the tests when they are installed.
if [ -n "${HPKM_SELFTESTS:-}" ]; then
	bin=$HPKM_SELFTESTS
elif [ -e "$here/stats" ]; then
	bin=$here
else
	# shellcheck disable=SC2034 # for the tests
	bin=$here/../build/selftests
fi

skip_status=4		# of kselftests
patience=60		# seconds; for machines that are emulated and busy

started=()		# processes
failed=''
skipped=''

# skip_all WHY: nothing here can be tested.
skip_all()
{
	echo "TAP version 13"
	echo "1..0 # SKIP $*"
	exit $skip_status
}

note() { printf '%s\n' "$*" | sed 's/^/# /'; }

# fail TEXT: this case has failed, and goes on.
fail()
{
	failed=1
	note "line ${BASH_LINENO[*]:0:3}: $*"
}

# check TEXT COMMAND...: the command must succeed.
check()
{
	local text=$1
	shift
	"$@" >"$tmp/.check" 2>&1 && return 0
	fail "$text"
	sed 's/^/#   /' "$tmp/.check" | head -n 20
	return 1
}

# is TEXT GOT WANTED
is()
{
	[ "$2" = "$3" ] || fail "$1: '$2', not '$3'"
}

# status N COMMAND...: what it prints goes to $tmp/out and $tmp/err.
status()
{
	local want=$1 got
	shift
	"$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got -eq "$want" ] && return 0
	fail "status $got, not $want: $*"
	sed 's/^/#   /' "$tmp/out" "$tmp/err" | head -n 20
	return 1
}

# says TEXT: the last `status` printed it.
says()
{
	grep -qiF -- "$1" "$tmp/out" "$tmp/err" && return 0
	fail "nothing was said of '$1'"
	sed 's/^/#   /' "$tmp/out" "$tmp/err" | head -n 20
}

# json EXPRESSION: of what the last `status` printed (d), in Python.
json()
{
	python3 - "$tmp/out" "$1" <<-'END' && return 0
		import json, sys
		d = json.load(open(sys.argv[1]))
		t = d["targets"][0] if d.get("targets") else None
		sys.exit(not eval(sys.argv[2]))
	END
	fail "JSON: not $1"
	sed 's/^/#   /' "$tmp/out" | head -n 40
}

# soon COMMAND...: it succeeds before patience ends.
soon()
{
	local end=$((SECONDS + patience))
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# end PID...: kill and wait.
end()
{
	kill -KILL "$@" 2>/dev/null
	wait "$@" 2>/dev/null
}

# start COMMAND...: in the background, ended with the case; sets pid.
start()
{
	"$@" </dev/null >/dev/null 2>&1 &
	pid=$!
	started+=("$pid")
}

# load KIND [OPTION...]: starts a target; sets pid and stats. Its commands are
# written to descriptor 7 by `tell`.
load_number=0
load()
{
	local kind=$1 busy=1 sleeping=0 i
	local -a options=("${@:2}")
	for ((i = 0; i < ${#options[@]}; i++)); do
		case ${options[i]} in
		-b) busy=${options[i + 1]} ;;
		-z) sleeping=${options[i + 1]} ;;
		esac
	done
	load_number=$((load_number + 1))
	stats=$tmp/stats.$load_number
	fifo=$tmp/fifo.$load_number
	mkfifo "$fifo"
	# Nice: its busy threads take what CPU time nobody else wants.
	nice -n 19 "${load_program:-$bin/$kind/load}" -s "$stats" \
		"${options[@]}" <>"$fifo" >/dev/null 2>&1 &
	pid=$!
	started+=("$pid")
	soon test -s "$stats" && "$bin/stats" "$stats" wait ready \
		$((busy + sleeping + 1)) || fail "the target does not start"
}

# tell COMMAND: to the last target, which has then done it.
tell()
{
	local done
	done=$(stat_of commands)
	echo "$1" >"$fifo"
	"$bin/stats" "$stats" wait commands $((done + 1)) >/dev/null ||
		fail "the target does not obey '$1'"
}

stat_of() { "$bin/stats" "$stats" get "$1"; }

# runs VERSION [CHILD]: every answer is of this version now, and none was wrong.
runs()
{
	local text
	text=$("$bin/stats" "$stats" runs "$@") && return 0
	fail "version $1 does not run: $text"
}

# unharmed: no answer was wrong, no system call returned.
unharmed()
{
	is "wrong answers" "$(stat_of wrong)" 0
	is "system calls that returned (kind $(stat_of early-kind), errno $(stat_of early-errno))" \
		"$(stat_of early)" 0
	kill -0 "$pid" 2>/dev/null || fail "the target has ended"
}

# asleep PID: no thread but the busy ones runs. asleep_in TID SYSCALL
asleep_in() { [ "$(cut -d ' ' -f 1 "/proc/$1/syscall")" = "$2" ]; }

# no_patches: nothing is loaded or patched, and nobody uses the module.
nothing_left()
{
	[ "$(cat /sys/module/hpkm/refcnt)" = 0 ] &&
		[ "$(hpkm-list --json | tr -d ' \n')" = \
		'{"patches":[],"targets":[],"module_in_use":false,"error":""}' ]
}

# clean: what hpkm_list shows is empty, soon (the last reference is dropped by
# a process that is ending).
clean()
{
	soon nothing_left && return 0
	fail "something is left: refcount $(cat /sys/module/hpkm/refcnt), $(hpkm-list)"
}

# mapped PID: what /proc/PID/maps shows, but for what grows by itself.
mapped() { grep -v -e '\[heap\]' -e '\[stack\]' "/proc/$1/maps"; }

# reload_module: out and in again; fails when something holds it. What is not
# below /lib/modules can't be loaded again: then it is only tried.
module_file()
{
	local file
	for file in "${HPKM_MODULE:-}" /run/hpkm-vm/hpkm.ko \
		    "${HPKM_TREE:-/}/build/kmod/${HPKM_KERNEL:-none}/hpkm.ko"; do
		[ -f "$file" ] && echo "$file" && return
	done
	modinfo -n hpkm 2>/dev/null
}

reload_module()
{
	local file
	file=$(module_file) || { note "hpkm.ko is not found"; return 0; }
	rmmod hpkm || return 1
	insmod "$file"
}

# address FILE SYMBOL: where a function is in process $pid.
address()
{
	local file=$1 symbol=$2 value base
	value=$(nm "$file" | awk -v s="$symbol" '$3 == s { print "0x" $1 }')
	base=0
	if [ "$(readelf -h "$file" | awk '$1 == "Type:" { print $2 }')" = DYN ]; then
		base=0x$(awk -v f="$(basename "$file")" \
			'$NF ~ f"$" { split($1, a, "-"); print a[1]; exit }' \
			"/proc/$pid/maps")
	fi
	printf '0x%x\n' $((base + value))
}

# peek ADDRESS COUNT: bytes of process $pid; poke ADDRESS BYTES (as \x..)
peek()
{
	dd if="/proc/$pid/mem" bs=1 skip=$(($1)) count="$2" 2>/dev/null |
		od -An -v -tx1 | tr -d ' \n'
}

poke()
{
	printf '%b' "$2" |
		dd of="/proc/$pid/mem" bs=1 seek=$(($1)) conv=notrunc 2>/dev/null
}

clean_up()
{
	local p
	exec 8>&-
	# TERM first: load removes its message queue.
	for p in "${started[@]}"; do
		kill -CONT "$p" 2>/dev/null
		kill "$p" 2>/dev/null
	done
	for p in "${started[@]}"; do
		soon_gone "$p"
	done
	started=()
	rm -rf "$tmp"
}

soon_gone()
{
	local n
	for ((n = 0; n < 20; n++)); do
		kill -0 "$1" 2>/dev/null || break
		sleep 0.05
	done
	end "$1"
}

# cases FUNCTION TEXT...: the test. HPKM_CASE is a pattern for those to run.
cases()
{
	local number=0 text fn bad=0
	echo "TAP version 13"
	echo "1..$(($# / 2))"
	while [ $# -gt 1 ]; do
		fn=$1 text=$2
		shift 2
		number=$((number + 1))
		failed='' skipped=''
		# shellcheck disable=SC2254
		case $fn in
		${HPKM_CASE:-*}) ;;
		*) echo "ok $number $text # SKIP not asked for"; continue ;;
		esac
		tmp=$(mktemp -d) || exit 1
		"$fn"
		clean_up
		if [ -n "$failed" ]; then
			bad=1
			echo "not ok $number $text"
		elif [ -n "$skipped" ]; then
			echo "ok $number $text # SKIP $skipped"
		else
			echo "ok $number $text"
		fi
	done
	exit $bad
}

# skip WHY: to be followed by return.
# shellcheck disable=SC2034
skip() { skipped=$*; }

[ "$(id -u)" = 0 ] || skip_all "needs root"
for tool in hpkm-apply hpkm-revert hpkm-list python3; do
	command -v $tool >/dev/null || skip_all "$tool is not on PATH"
done
[ -n "${without_module:-}" ] || [ -d /sys/module/hpkm ] ||
	skip_all "the module is not loaded"
