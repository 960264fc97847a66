#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What can't be done is said, with the status that is documented for it.

# shellcheck source-path=SCRIPTDIR disable=SC2317 # cases are called by name
. "$(dirname "$0")/lib.sh"

apply() { hpkm-apply "$bin/pie/v2.hpkm" "$@"; }

# without CAPABILITY: nothing may be done, nor be seen.
without()
{
	local run=(setpriv --bounding-set "-$1")
	load pie -b 1
	status 1 "${run[@]}" hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid"
	says "CAP_SYS_ADMIN and CAP_SYS_PTRACE"
	status 1 "${run[@]}" hpkm-list
	says "CAP_SYS_ADMIN and CAP_SYS_PTRACE"
	status 1 "${run[@]}" hpkm-list --json
	status 0 hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid" --wait "$patience"
	status 1 "${run[@]}" hpkm-revert v2 --pid "$pid"
	runs 2
	status 0 hpkm-revert v2 --pid "$pid" --wait "$patience"
	runs 1
	clean
}

no_ptrace() { without sys_ptrace; }
no_admin() { without sys_admin; }

no_root()
{
	load pie -b 1
	status 1 setpriv --reuid 65534 --regid 65534 --clear-groups \
		hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid"
	runs 1
	clean
}

user_namespace()
{
	load pie -b 1
	if ! unshare --user --map-root-user true 2>/dev/null; then
		skip "no user namespaces here"
		return
	fi
	status 1 unshare --user --map-root-user \
		hpkm-apply "$bin/pie/v2.hpkm" --pid "$pid"
	status 1 unshare --user --map-root-user hpkm-list
	# With a network namespace of its own it does not even see the family.
	status 1 unshare --user --map-root-user --net hpkm-list
	says "network namespace"
	status 1 unshare --net hpkm-list
	says "network namespace"
	runs 1
	clean
}

no_process()
{
	start sleep 0
	wait "$pid"
	status 3 apply --pid "$pid"
	says "no process $pid"
	status 3 apply --pid "$pid" --json
	json '"status":"gone"'
	status 3 hpkm-revert v2 --pid "$pid"
	clean
}

zombie()
{
	watch parent true
	soon is_zombie || fail "there is no zombie"
	status 3 apply --pid "$pid"
	# That it has ended, and the signal of it.
	watched 2
	clean
}

is_zombie() { grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; }

thread_id()
{
	local tid
	load pie -b 2
	for tid in "/proc/$pid/task/"*; do
		tid=${tid##*/}
		[ "$tid" = "$pid" ] || break
	done
	status 1 apply --pid "$tid"
	says "thread of process $pid"
	runs 1
	clean
}

# The first kernel thread there is, whatever its number.
kernel_thread()
{
	status 5 apply --pid 2
	says "kernel thread"
	clean
}

other_program()
{
	start sleep 1000
	# While it is still bash, or the shared objects come, it is another.
	soon grep -q /sleep "/proc/$pid/maps"
	status 5 apply --pid "$pid"
	says "this build is not mapped"
	clean
}

i386()
{
	start "$bin/i386"
	soon grep -q /i386 "/proc/$pid/maps" || {
		skip "32-bit programs do not run here"
		return
	}
	status 5 apply --pid "$pid"
	says "32-bit"
	kill -0 "$pid" || fail "the process has ended"
	clean
}

nobody()
{
	status 3 apply --all
	status 3 apply --all --json
	json '"targets":[]'
	status 3 hpkm-revert v2 --all
	clean
}

usage()
{
	status 2 hpkm-apply
	status 2 apply
	status 2 apply --pid
	status 2 apply --pid 0
	status 2 apply --pid -1
	status 2 apply --pid 1x
	status 2 apply --pid 1 --all
	status 2 apply --all --wait never
	status 2 apply --all --consistency none
	status 2 apply --all --distance -1
	status 2 apply --all --nonsense
	status 2 hpkm-revert --all
	status 2 hpkm-list nonsense
	status 2 hpkm nonsense
	status 0 hpkm-apply --help
	clean
}

bad_file()
{
	load pie -b 1
	status 1 hpkm-apply "$tmp/nothing" --pid "$pid"
	says "$tmp/nothing"
	status 1 hpkm-apply "$bin/pie/load" --pid "$pid"
	status 1 hpkm-apply /dev/null --pid "$pid"
	head -c 1000 "$bin/pie/v2.hpkm" >"$tmp/short"
	hpkm-apply "$tmp/short" --pid "$pid" 2>"$tmp/err"
	case $? in
	1|5) ;;
	*) fail "status of a truncated file" ;;
	esac
	[ -s "$tmp/err" ] || fail "nothing is said of a truncated file"
	# Flipped in the header of the image itself.
	cp "$bin/pie/v2.hpkm" "$tmp/flipped"
	printf 'X' >"$tmp/x"
	cp "$bin/pie/v2.image" "$tmp/image"
	printf '\377' | dd of="$tmp/image" bs=1 seek=12 conv=notrunc 2>/dev/null
	objcopy --update-section .hpkm.image="$tmp/image" "$tmp/flipped" 2>/dev/null
	status 1 hpkm-apply "$tmp/flipped" --pid "$pid"
	says damaged
	# The same without the digest: for the kernel to refuse.
	objcopy --remove-section .hpkm.digest "$tmp/flipped" 2>/dev/null
	hpkm-apply "$tmp/flipped" --pid "$pid" 2>"$tmp/err"
	case $? in
	1|5) ;;
	*) fail "status of a damaged image" ;;
	esac
	[ -s "$tmp/err" ] || fail "nothing is said of a damaged image"
	runs 1
	clean
}

cases \
	no_ptrace "without CAP_SYS_PTRACE" \
	no_admin "without CAP_SYS_ADMIN" \
	no_root "a user who is not root" \
	user_namespace "root of a user namespace" \
	no_process "a pid of no process" \
	zombie "a process that has ended" \
	thread_id "a thread's id" \
	kernel_thread "a kernel thread" \
	other_program "a process of another program" \
	i386 "a 32-bit process" \
	nobody "--all, when there is no process" \
	usage "wrong usage" \
	bad_file "files that are no patch"
