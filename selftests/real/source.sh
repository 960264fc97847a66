# shellcheck shell=bash disable=SC2154
# Debian source packages, from the `source` set of ../vm/packages.sh. Sourced
# after common.sh and packages.sh of ../vm.

# source_complete DIR: all is there but, perhaps, upstream's own signature, which
# some mirrors lack; apt has checked the archive's.
source_complete()
{
	local f
	[ -n "$(find "$1" -name '*.dsc')" ] || return 1
	for f in $(sed -n '/^Files:/,/^[^ ]/s/^ .* //p' "$1"/*.dsc); do
		[ -e "$1/$f" ] || [[ $f == *.asc ]] || return 1
	done
}

# source_fetch PACKAGE: its newest version's files in a directory, whose name is
# printed. What is there is used as it is, with no network. An index can name a
# version whose files the mirror no longer has: then an older one is taken.
source_fetch()
{
	local package=$1 dir=$real/$1/source tmp version got=
	# Several fixes may be for one package.
	mkdir -p "$real/$package" || return 1
	exec 6>"$real/.$package.source.lock"
	flock 6
	if [ ! -e "$dir/version" ]; then
		need apt-get dpkg-source
		rm -rf "$real/$package"/.source.*
		tmp=$(mktemp -d "$real/$package/.source.XXXXXX") || return 1
		apt_use source
		say "$package: downloading the source package"
		for version in $(apt-cache --only-source showsrc "$package" |
				 sed -n 's/^Version: //p' | sort -rV); do
			(cd "$tmp" && apt-get -q --download-only --only-source \
				source "$package=$version") \
				>"$tmp/download.log" 2>&1 </dev/null ||
				source_complete "$tmp" || continue
			got=$version
			break
		done
		if [ -z "$got" ]; then
			say "$package: no version could be downloaded"
			tail -n 20 "$tmp/download.log" >&2
			return 1
		fi
		echo "$got" >"$tmp/version"
		rm -rf "$dir"
		mv "$tmp" "$dir" || return 1
	fi
	echo "$dir"
}

# source_series TREE: the names in debian/patches/series, in order.
source_series() { sed -E 's/#.*//; s/[[:space:]].*//; /^$/d' "$1/debian/patches/series"; }

# source_unpack SOURCE TREE FIRST: the source as it was before the patch FIRST:
# with those of Debian's patches that come before it.
source_unpack()
{
	local dir=$1 out=$2 first=$3 p
	rm -rf "$out"
	# The archive's signature covers these files: apt has checked it.
	quietly "$out.log" dpkg-source --no-check --skip-patches \
		-x "$dir"/*.dsc "$out" || return 1
	if ! source_series "$out" | grep -qxF "$first"; then
		say "debian/patches has no $first in $(cat "$dir/version")"
		return 1
	fi
	while read -r p; do
		[ "$p" != "$first" ] || break
		quietly "$out.log" patch -s -f -p1 -d "$out" \
			-i "$out/debian/patches/$p" || return 1
	done < <(source_series "$out")
}

# borrow PACKAGE: a Debian package's files in a directory, which is printed, with
# those of the libraries that it needs: nothing is installed, and no service
# started. The C library is the machine's own.
borrow()
{
	local package=$1 dir=$real/borrowed/$1
	mkdir -p "$real/borrowed" || return 1
	exec 6>"$real/.$package.borrowed.lock"
	flock 6
	if [ ! -e "$dir" ]; then
		rm -rf "$dir".new*
		(
			apt_use bookworm
			say "$package: downloading it, to be borrowed from"
			# shellcheck disable=SC2046
			pkg_unpack "$dir.new" $(pkg_closure '^lib' "$package" |
				grep -vxE 'libc6|libgcc-s1|libcrypt1')
		) || return 1
		mv "$dir.new" "$dir" || return 1
	fi
	echo "$dir"
}
