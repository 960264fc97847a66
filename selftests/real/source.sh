# shellcheck shell=bash disable=SC2154
# Debian source packages, by an apt root of their own in the cache, like the one
# that the virtual machines' kernels come from. Sourced after common.sh and
# packages.sh of ../vm.

# source_use: point apt at the private root. An index more than an hour old is
# loaded again.
source_use()
{
	local dir=$cache/apt/source main security
	main=$(apt_mirror main)
	security=$(apt_mirror security)
	[ -n "$main" ] || die "no Debian archive in /etc/apt/sources.list*"
	[ -r "$keyring" ] || die "$keyring is missing (package debian-archive-keyring)"

	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/none"
	[ -e "$dir/status" ] || : >"$dir/status"
	exec 8>"$dir/lock"
	flock 8
	{
		echo "deb-src [signed-by=$keyring] $main bookworm main"
		[ -z "$security" ] ||
			echo "deb-src [signed-by=$keyring] $security bookworm-security main"
	} >"$dir/sources.new"
	# As in apt_use: the machine's apt.conf stays in force, its sources and
	# hooks do not.
	cat >"$dir/apt.conf" <<-EOF
	Dir::Etc::sourcelist "$dir/sources.list";
	Dir::Etc::sourceparts "$dir/none";
	Dir::Etc::preferences "/dev/null";
	Dir::Etc::preferencesparts "$dir/none";
	Dir::State::lists "$dir/lists";
	Dir::State::status "$dir/status";
	Dir::Cache "$dir/cache";
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Retries "3";
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	#clear Acquire::IndexTargets::deb::DEP-11;
	EOF
	export APT_CONFIG=$dir/apt.conf
	if [ -z "$(find "$dir/loaded" -mmin -60 2>/dev/null)" ] ||
	   ! cmp -s "$dir/sources.new" "$dir/sources.list"; then
		rm -f "$dir/loaded"
		mv "$dir/sources.new" "$dir/sources.list"
		say "loading the index of source packages"
		quietly "$dir/update.log" apt-get -q update ||
			die "the index of source packages could not be loaded"
		: >"$dir/loaded"
	fi
	flock -u 8
}

# source_fetch PACKAGE: its newest version's files in a directory, whose name is
# printed. What is there is used as it is, with no network.
source_fetch()
{
	local package=$1 dir=$real/$1/source tmp
	# Several fixes may be for one package.
	exec 6>"$real/.$package.source.lock"
	flock 6
	if [ ! -e "$dir/version" ]; then
		need apt-get dpkg-source
		mkdir -p "$real/$package"
		rm -rf "$real/$package"/.source.*
		tmp=$(mktemp -d "$real/$package/.source.XXXXXX") || return 1
		source_use
		say "$package: downloading the source package"
		(cd "$tmp" && quietly download.log \
			apt-get -q --download-only source "$package") || return 1
		sed -n 's/^Version: //p' "$tmp"/*.dsc | head -n 1 >"$tmp/version"
		rm -rf "$dir"
		mv "$tmp" "$dir" || return 1
	fi
	echo "$dir"
}

# source_unpack SOURCE TREE SKIP...: with Debian's patches but those named.
source_unpack()
{
	local dir=$1 out=$2 p skip
	shift 2
	skip=" $* "
	rm -rf "$out"
	# The archive's signature covers these files: apt has checked it.
	quietly "$out.log" dpkg-source --no-check --skip-patches \
		-x "$dir"/*.dsc "$out" || return 1
	for p; do
		if [ ! -e "$out/debian/patches/$p" ]; then
			say "debian/patches has no $p in $(cat "$dir/version")"
			return 1
		fi
	done
	while read -r p _; do
		case $p in ''|'#'*) continue ;; esac
		case $skip in *" $p "*) continue ;; esac
		quietly "$out.log" patch -s -f -p1 -d "$out" \
			-i "$out/debian/patches/$p" || return 1
	done <"$out/debian/patches/series"
}
