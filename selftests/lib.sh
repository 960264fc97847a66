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
# Seconds; for machines that are emulated and busy. A moment is too short for
# who is in the way, and long enough to find out why.
export HPKM_PATIENCE=${HPKM_PATIENCE:-60}
patience=$HPKM_PATIENCE
# shellcheck disable=SC2034 # for the tests
moment=$((patience / 30))

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
	[ "$2" != "$3" ] || return 0
	if [[ $2 != *$'\n'* ]]; then
		fail "$1: '$2', not '$3'"
	else
		fail "$1 are not as they were"
		diff <(echo "$3") <(echo "$2") | sed 's/^/#   /' | head -n 20
	fi
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

# says TEXT: the last `status` printed it, in whatever case.
says()
{
	local text
	text=$(<"$tmp/out")$(<"$tmp/err")
	[[ ${text,,} != *"${1,,}"* ]] || return 0
	fail "nothing was said of '$1'"
	printf '%s\n' "$text" | sed 's/^/#   /' | head -n 20
}

# json TEXT: the last `status` printed this JSON, white space apart.
json()
{
	local text
	text=$(<"$tmp/out")
	[[ ${text//[[:space:]]/} != *"$1"* ]] || return 0
	fail "JSON without $1"
	printf '%s\n' "$text" | sed 's/^/#   /' | head -n 40
}

# nap: a twentieth of a second, without a process.
exec 9<> <(:)
nap() { read -rt 0.05 -u 9; }

# soon COMMAND...: it succeeds before patience ends.
soon()
{
	local end=$((SECONDS + patience))
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		nap
	done
	return 0
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
	if ! soon test -s "$stats" ||
	   ! "$bin/stats" "$stats" wait ready $((busy + sleeping + 1)); then
		fail "the target does not start"
	fi
}

# tell COMMAND: to the last target, which has then done it.
tell()
{
	local before
	before=$(stat_of commands)
	echo "$1" >"$fifo"
	"$bin/stats" "$stats" wait commands $((before + 1)) >/dev/null ||
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

# asleep_in TID SYSCALL: by number.
asleep_in()
{
	local call
	read -r call _ <"/proc/$1/syscall" && [ "$call" = "$2" ]
}

# sleeper COMMAND: a thread of the target is made that carries it out and sleeps
# in it, in read(); sets tid.
sleeper()
{
	local tids
	tell "$1"
	tids=("/proc/$pid/task/"*)
	tid=$(printf '%s\n' "${tids[@]##*/}" | sort -n | tail -n 1)
	soon asleep_in "$tid" 0 || fail "the thread is not asleep"
}

# nothing_left: nothing is loaded or patched, and nobody uses the module.
nothing_left()
{
	local text
	[ "$(</sys/module/hpkm/refcnt)" = 0 ] || return
	text=$(hpkm-list --json)
	[ "${text//[[:space:]]/}" = \
		'{"patches":[],"targets":[],"module_in_use":false,"error":""}' ]
}

# clean: what hpkm_list shows is empty, soon (the last reference is dropped by
# a process that is ending).
clean()
{
	soon nothing_left && return 0
	fail "something is left: refcount $(</sys/module/hpkm/refcnt), $(hpkm-list)"
}

# mapped PID: what /proc/PID/maps shows, but for what grows by itself.
mapped() { grep -v -e '\[heap\]' -e '\[stack\]' "/proc/$1/maps"; }

is_mapped() { [ "$(mapped "$pid")" = "$1" ]; }

# mapped_again MAPS: soon, the target's mappings are those. What looks like a
# pointer to it, in a register or on a stack, keeps a patch for a while.
mapped_again() { soon is_mapped "$1" || is "mappings" "$(mapped "$pid")" "$1"; }

# reload_module: out and in again; fails when something holds it.
reload_module()
{
	local file=${HPKM_TREE:-}/build/kmod/${HPKM_KERNEL:-}/hpkm.ko
	[ -f "$file" ] || file=$(modinfo -n hpkm) || return
	rmmod hpkm && insmod "$file"
}

# watch MODE ...: start the watcher (watch.c); a parent's child is then $pid.
watch()
{
	mkfifo "$tmp/watch"
	exec 8<>"$tmp/watch"
	"$bin/watch" "$@" <&8 >"$tmp/watched" 2>&1 &
	watcher=$!
	started+=("$watcher")
	soon grep -q ready "$tmp/watched" || fail "watch: $(<"$tmp/watched")"
	[ "$1" != parent ] || read -r _ pid <"$tmp/watched"
}

# watched: end it; it must have been told of nothing but $1 (0) events.
watched()
{
	local events
	echo >&8
	wait "$watcher"
	exec 8>&-
	events=$(tail -n 1 "$tmp/watched")
	rm -f "$tmp/watch" "$tmp/watched"
	is "events that were seen" "$events" "${1:-0}"
}

# address KIND SYMBOL: where a function of load is in process $pid. The symbols
# were written to a file when it was built.
address()
{
	local value name base=0
	while read -r value _ name; do
		[ "$name" != "$2" ] || break
	done <"$bin/$1/symbols"
	case $1 in
	nopie|static) ;;
	*) read -r base _ < <(grep "/$1/load\( (deleted)\)\?$" "/proc/$pid/maps")
		base=0x${base%%-*} ;;
	esac
	printf '0x%x\n' $((base + 0x$value))
}

# peek ADDRESS COUNT: bytes of process $pid.
peek()
{
	dd if="/proc/$pid/mem" bs=1 skip=$(($1)) count="$2" 2>/dev/null |
		od -An -v -tx1 | tr -d ' \n'
}

# poke ADDRESS BYTE...: write them there, in hexadecimal.
poke() { "$bin/poke" "$pid" "$@" || fail "can't write into the text"; }

# TERM first: load removes its message queue then.
clean_up()
{
	local p n
	exec 8>&-
	for p in "${started[@]}"; do
		kill "$p" 2>/dev/null && kill -CONT "$p" 2>/dev/null
	done
	for ((n = 0; n < 20; n++)); do
		[ -n "$(jobs -pr)" ] || break
		nap
	done
	[ ${#started[@]} -eq 0 ] || end "${started[@]}"
	started=()
	rm -rf "$tmp"
}

# cases FUNCTION TEXT...: the test. HPKM_CASE is a pattern for those to run, or
# several with "|" in between.
shopt -s extglob
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
		@(${HPKM_CASE:-*})) ;;
		*) echo "ok $number $text # SKIP not asked for"; continue ;;
		esac
		tmp=$(mktemp -d) || exit 1
		if declare -F "$fn" >/dev/null; then
			"$fn"
		else
			fail "there is no such case"
		fi
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
for tool in hpkm-apply hpkm-revert hpkm-list; do
	command -v $tool >/dev/null || skip_all "$tool is not on PATH"
done
[ -n "${without_module:-}" ] || [ -d /sys/module/hpkm ] ||
	skip_all "the module is not loaded"
