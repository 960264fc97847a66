# shellcheck shell=bash disable=SC2154
# From a source package to FIX.hpkm. Sourced by run, in the context of one fix.
#
#	$real/PACKAGE/source/	what apt fetched
#	$real/NAME/tree/	the program, built without the fix
#	$real/NAME/commands	how each file was compiled
#	$real/NAME/tools/	the load client
#	$real/NAME/objects/	the touched files, before and after
#	$real/NAME/FIX.hpkm	the patch object, FIX.json hpkm-build's report

# build_tree: the program without the fix. It is built again when the key changes.
build_tree()
{
	local key dir=$real/$name
	key=$({
		echo "$patches ${without:-}"
		declare -f fix_build
		cat "$real/$package/source/version" "$here/cc" "$here/build.sh"
	} | cksum)
	[ "$(cat "$dir/built" 2>/dev/null)" != "$key" ] || return 0
	rm -rf "${dir:?}"/{built,built.aside,tree,objects,commands,bin}
	mkdir -p "$dir/bin" || return 1
	# shellcheck disable=SC2086
	source_unpack "$real/$package/source" "$dir/tree" $patches ${without:-} ||
		return 1
	for c in cc gcc c99 x86_64-linux-gnu-gcc; do
		! command -v "$c" >/dev/null || cp "$here/cc" "$dir/bin/$c"
	done
	say "$name: building $package $(cat "$real/$package/source/version") without $patches"
	(
		cd "$dir/tree" || exit
		export HPKM_CC_LOG=$dir/commands
		export PATH=$dir/bin:$PATH
		unset CFLAGS CPPFLAGS LDFLAGS CC MAKEFLAGS
		quietly "$dir/build.log" fix_build
	) || return 1
	echo "$key" >"$dir/built"
}

# build_tools: the load client; quick, and it may be under work.
build_tools()
{
	mkdir -p "$real/$name/tools"
	quietly "$real/$name/tools.log" fix_tools "$real/$name/tools"
}

# commands_for FILE...: the commands whose source or header is one of FILEs, each
# once. Headers are looked for in what the compiler says it reads.
commands_for()
{
	local line file deps
	local -a words
	while read -r line; do
		eval "words=($line)"
		grep -qE "${objects:-.}" <<<"$(output_of "${words[@]}")" || continue
		deps=
		for file; do
			case $file in
			*.h)
				[ -n "$deps" ] || deps=$(cd "${words[0]}" &&
					"${words[@]:1}" -M -MF- -o /dev/null 2>/dev/null)
				grep -qE "(^|[ /])${file//./\\.}( |\$)" <<<"$deps" ;;
			*)
				[[ " ${words[*]} " == *[\ /]"$file "* ]] ;;
			esac || continue
			echo "$line"
			break
		done
	done <"$real/$name/commands"
}

output_of()
{
	while [ $# -gt 1 ]; do
		[ "$1" != -o ] || { echo "$2"; return; }
		shift
	done
}

# compile OUT DIR COMMAND...: that command again, but to OUT, and with each
# function and variable in a section of its own.
compile()
{
	local out=$1 dir=$2
	local -a words=()
	shift 2
	while [ $# -gt 0 ]; do
		case $1 in
		-o|-MT|-MF|-MQ) shift ;;
		-MD|-MMD|-MP) ;;
		*) words+=("$1") ;;
		esac
		shift
	done
	(cd "$dir" && "${words[@]}" -ffunction-sections -fdata-sections -o "$out")
}

compile_all()
{
	local suffix=$1 line i=0
	local -a words
	while read -r line; do
		eval "words=($line)"
		i=$((i + 1))
		quietly "$real/$name/compile.log" compile \
			"$real/$name/objects/$i.$suffix.o" "${words[@]}" || return 1
	done <"$real/$name/touched"
}

# The fix goes in and out again where the program was built: its name for itself
# (__FILE__, debug information) is the same before and after.
apply_fix()
{
	local p
	for p in $patches; do
		quietly "$real/$name/patch.log" patch -s -f -p1 "$@" \
			-d "$real/$name/tree" \
			-i "$real/$name/tree/debian/patches/$p" || return 1
	done
}

build_objects()
{
	local dir=$real/$name
	[ ! -e "$dir/objects/done" ] || return 0
	rm -rf "$dir/objects"
	mkdir -p "$dir/objects"
	# shellcheck disable=SC2046
	commands_for $(for p in $patches; do
		sed -n 's,^+++ [^/]*/\([^[:space:]]*\).*,\1,p' \
			"$dir/tree/debian/patches/$p"
	done | grep -E '\.[ch]$' | sort -u) >"$dir/touched"
	[ -s "$dir/touched" ] || { say "$name: no file that is compiled is touched"; return 1; }
	# Should this be interrupted, the tree is built again.
	mv "$dir/built" "$dir/built.aside"
	compile_all old && apply_fix && compile_all new && apply_fix -R || return 1
	mv "$dir/built.aside" "$dir/built"
	: >"$dir/objects/done"
}

# build_patch: hpkm-build's exit status is the result.
build_patch()
{
	local dir=$real/$name i n
	local -a pairs=()
	n=$(wc -l <"$dir/touched")
	for ((i = 1; i <= n; i++)); do
		pairs+=("objects/$i.old.o" "objects/$i.new.o")
	done
	rm -f "$dir/FIX.hpkm"
	# shellcheck disable=SC2154
	(cd "$dir" && hpkm-build -t "tree/$target" -o FIX.hpkm --name "$name" \
		--version "$(cat "$real/$package/source/version")" \
		--description "$about" --json "${pairs[@]}" >FIX.json)
}
