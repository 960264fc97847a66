# shellcheck shell=bash disable=SC2154
# Debian packages without touching the machine's own package configuration: a
# private apt root in the cache for each set of suites. Mirror hosts are those
# that the machine's own /etc/apt names. Sourced after common.sh.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# apt_entries: "URI SUITE COMPONENTS" for each binary entry in the machine's
# sources, classic or deb822.
apt_entries()
{
	local f
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -r "$f" ] || continue
		sed -n -E 's/^[[:space:]]*deb[[:space:]]+(\[[^]]*\][[:space:]]*)?//p' "$f"
	done
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -r "$f" ] || continue
		awk '
		function flush(  i, j, n, m, u, s) {
			if (types ~ /(^| )deb( |$)/ && tolower(enabled) != "no") {
				n = split(uris, u, /[ \t]+/)
				m = split(suites, s, /[ \t]+/)
				for (i = 1; i <= n; i++)
					for (j = 1; j <= m; j++)
						if (u[i] != "" && s[j] != "")
							print u[i], s[j], comps
			}
			types = uris = suites = comps = enabled = field = ""
		}
		/^#/ { next }
		/^[ \t]*$/ { flush(); next }
		/^[ \t]/ { value = $0 }
		/^[^ \t]/ {
			field = tolower($0); sub(/:.*/, "", field)
			value = $0; sub(/^[^:]*:/, "", value)
		}
		{
			sub(/^[ \t]+/, "", value)
			if (field == "types") types = types " " value
			else if (field == "uris") uris = uris " " value
			else if (field == "suites") suites = suites " " value
			else if (field == "components") comps = comps " " value
			else if (field == "enabled") enabled = value
		}
		END { flush() }' "$f"
	done
}

# apt_mirror main|security: the URI of Debian's own archive. Third-party
# repositories may use Debian's suite names too, so the path counts first.
apt_mirror()
{
	apt_entries | awk -v want="$1" '
	{ sec = $2 ~ /-security$|\/updates$/ }
	$0 !~ / main( |$)/ { next }
	want == "security" && sec { print $1; exit }
	want == "main" && !sec && $1 ~ /\/debian\/?$/ { print $1; found = 1; exit }
	want == "main" && !sec && other == "" { other = $1 }
	END { if (want == "main" && !found && other != "") print other }'
}

# apt_use SET: point apt at the private root for a set of suites. An index more
# than an hour old is loaded again: it may name packages that are gone.
apt_use()
{
	local set=$1 main security dir=$cache/apt/$1
	main=$(apt_mirror main)
	security=$(apt_mirror security)
	[ -n "$main" ] || die "no Debian archive in /etc/apt/sources.list*"
	[ -r "$keyring" ] || die "$keyring is missing (package debian-archive-keyring)"

	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/none"
	[ -e "$dir/status" ] || : >"$dir/status"
	exec 8>"$dir/lock"
	flock 8
	case $set in
	bookworm)
		echo "deb [signed-by=$keyring] $main bookworm main"
		[ -z "$security" ] ||
			echo "deb [signed-by=$keyring] $security bookworm-security main"
		;;
	backports)
		echo "deb [signed-by=$keyring] $main trixie main"
		echo "deb [signed-by=$keyring] $main trixie-backports main"
		;;
	source)
		echo "deb-src [signed-by=$keyring] $main bookworm main"
		[ -z "$security" ] ||
			echo "deb-src [signed-by=$keyring] $security bookworm-security main"
		;;
	esac >"$dir/sources.new"
	# The machine's apt.conf stays in force (proxies), its sources,
	# preferences and hooks do not. The status file is empty: nothing is
	# installed as far as this root is concerned.
	cat >"$dir/apt.conf" <<-EOF
	Dir::Etc::sourcelist "$dir/sources.list";
	Dir::Etc::sourceparts "$dir/none";
	Dir::Etc::preferences "/dev/null";
	Dir::Etc::preferencesparts "$dir/none";
	Dir::State::lists "$dir/lists";
	Dir::State::status "$dir/status";
	Dir::Cache "$dir/cache";
	APT::Architecture "amd64";
	APT::Architectures { "amd64"; };
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Retries "3";
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	#clear Acquire::IndexTargets::deb::DEP-11;
	EOF
	export APT_CONFIG=$dir/apt.conf
	if [ -n "${apt_refresh:-}" ] ||
	   [ -z "$(find "$dir/loaded" -mmin -60 2>/dev/null)" ] ||
	   ! cmp -s "$dir/sources.new" "$dir/sources.list"; then
		rm -f "$dir/loaded"
		mv "$dir/sources.new" "$dir/sources.list"
		say "loading the package index ($set)"
		quietly "$dir/update.log" apt-get -q update ||
			die "the package index could not be loaded"
		: >"$dir/loaded"
	fi
	flock -u 8
}

# pkg_field PACKAGE[=VERSION] FIELD: of the newest version that the set has.
pkg_field()
{
	apt-cache show --no-all-versions "$1" 2>/dev/null |
		sed -n "s/^$2: //p" | head -n 1
}

# pkg_newest PACKAGE: its newest version, whatever apt would prefer.
pkg_newest()
{
	apt-cache madison "$1" | awk '{ print $3 }' | sort -V | tail -n 1
}

# pkg_closure REGEX PACKAGE...: the packages and those of their dependencies
# whose names match REGEX, one per line.
pkg_closure()
{
	local re=$1 seen=" " p d
	shift
	while [ $# -gt 0 ]; do
		p=$1
		shift
		case $seen in *" $p "*) continue ;; esac
		seen="$seen$p "
		echo "$p"
		for d in $(pkg_field "$p" Depends | tr ',' '\n' |
			   sed -E 's/\|.*//; s/\([^)]*\)//; s/ //g' | grep -E "$re"); do
			set -- "$@" "$d"
		done
	done
}

# pkg_unpack DIR PACKAGE...: download and unpack, nothing is installed.
pkg_unpack()
{
	local dir=$1 deb
	shift
	mkdir -p "$dir.debs" "$dir"
	(cd "$dir.debs" && quietly download.log apt-get -q download "$@") || return 1
	for deb in "$dir.debs"/*.deb; do
		dpkg -x "$deb" "$dir" || return 1
	done
	rm -rf "$dir.debs"
}
