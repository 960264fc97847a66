# shellcheck shell=bash
# What the scripts of this directory share: where things are, and how they
# speak. Sourced, never run.
#
# Results go to standard output, everything else to standard error.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

# HPKM_TREE lets another source tree use this harness.
# shellcheck disable=SC2034
tree=$(cd "${HPKM_TREE:-$here/../..}" && pwd -P) || exit 2
cache=${HPKM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hpkm}
# shellcheck disable=SC2034
kernels=$cache/kernels

# Every kernel the harness knows, the default first.
# shellcheck disable=SC2034
kernel_names="6.1 6.12 newest rt debug"

prog=${0##*/}

# depmod and debootstrap live in sbin, which a user's PATH may lack.
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C.UTF-8

say() { printf '%s: %s\n' "$prog" "$*" >&2; }

die() { say "$*"; exit 1; }

is_kernel_name()
{
	case " $kernel_names " in
	*" $1 "*) [ -n "$1" ] ;;
	*) return 1 ;;
	esac
}

# need PROGRAM...: fail with a message that says what to do.
need()
{
	local p missing=
	for p; do
		command -v "$p" >/dev/null || missing="$missing $p"
	done
	[ -z "$missing" ] ||
		die "missing:$missing (selftests/vm/setup installs what is needed)"
}

# quietly LOG COMMAND...: COMMAND's output is only worth reading when it fails.
quietly()
{
	local log=$1 rc=0
	shift
	"$@" >"$log" 2>&1 </dev/null || rc=$?
	if [ $rc -ne 0 ]; then
		say "failed ($rc): $*"
		tail -n 40 "$log" >&2
	fi
	return $rc
}
