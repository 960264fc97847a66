# shellcheck shell=bash disable=SC2154
# From a source package to FIX.hpkm. Sourced by run, in the context of one fix.
#
#	$real/PACKAGE/source/	what apt fetched
#	$work/tree/		the program, built without the fix
#	$work/run/1/		the target, to run; a library by its soname, too
#	$work/run/2/		the same stripped, and its debug file apart
#	$work/fixed/		the target as the build with the fix made it
#	$work/FIX.hpkm		the patch object, FIX.json hpkm-build's report
#	$work/stages/		hpkm-build's stages (--keep)
#
# $work is $real/NAME, or $real/PROGRAM/survey. The trees of fixes that start at
# the same patch ($base) of one program are the same: $work/tree is a link then.

# first_patch: Debian's patches up to this one are in the tree.
first_patch()
{
	local p=${base:-$patches}
	echo "${p%% *}"
}

# build_command DIR [COMMAND]: the program's own build, in DIR.
build_command()
(
	cd "$1" || exit
	unset CFLAGS CPPFLAGS LDFLAGS CC MAKEFLAGS MAKELEVEL
	export SOURCE_DATE_EPOCH=0
	quietly "$work/build.log" sh -ec "${2:-$build}"
)

# build_tree: the program without the fix. It is built again when the key changes.
build_tree()
{
	local first key dir
	first=$(first_patch)
	key=$({
		echo "$package $first $build $target"
		cat "$real/$package/source/version"
	} | cksum | cut -d ' ' -f 1)
	dir=$real/$package/tree-$key
	mkdir -p "$work"
	exec 5>"$real/$package/.tree-$key.lock"
	flock 5
	if [ ! -e "$dir/built" ]; then
		rm -rf "$dir"
		mkdir -p "$dir"
		source_unpack "$real/$package/source" "$dir/tree" "$first" || return 1
		say "building $package $(cat "$real/$package/source/version") as before $first"
		build_command "$dir/tree" || return 1
		[ -e "$dir/tree/$target" ] || { say "no $target was built"; return 1; }
		has_debug "$dir/tree/$target" ||
			{ say "$target was built without -g"; return 1; }
		: >"$dir/built"
	fi
	flock -u 5
	ln -sfn "../$package/tree-$key/tree" "$work/tree"
	echo "$key" >"$work/key"
	build_run
}

# has_debug FILE: it has debug information of its own.
has_debug() { [[ $(objdump -hw "$1") == *" .debug_info "* ]]; }

# soname FILE: of a library, nothing else.
soname() { objdump -p "$1" | sed -n 's/^ *SONAME *//p'; }

# build_run: what is run and patched, whole and stripped.
build_run()
{
	local file=${target##*/} name
	rm -rf "$work/run"
	mkdir -p "$work/run/1" "$work/run/2"
	cp -L "$work/tree/$target" "$work/run/1/$file" &&
	objcopy --only-keep-debug "$work/run/1/$file" "$work/run/2/$file.debug" &&
	strip -o "$work/run/2/$file" "$work/run/1/$file" || return 1
	name=$(soname "$work/run/1/$file")
	if [ -n "$name" ] && [ "$name" != "$file" ]; then
		ln -s "$file" "$work/run/1/$name"
		ln -s "$file" "$work/run/2/$name"
	fi
}

# build_patch: hpkm-build's exit status is the result. The same hpkm-build is not
# asked twice. With $quick, one that has changed since is given the objects that the
# last one compiled, where the rest is the same.
build_patch()
{
	local key inputs p rc args=()
	inputs=$({
		cat "$work/key" "$real/$package/source/version"
		echo "$patches $about"
	} | cksum)
	key=$({ echo "$inputs"; cat "$tree/build/bin/hpkm"; } | cksum)
	if [ "$(cat "$work/patched" 2>/dev/null)" = "$key" ]; then
		return "$(cat "$work/status")"
	fi
	rm -rf "$work"/{patched,FIX.hpkm,FIX.json}
	if [ -n "${quick:-}" ] &&
	   [ "$(cat "$work/stages/inputs" 2>/dev/null)" = "$inputs" ]; then
		mapfile -t args < <(changed_objects | tr ' ' '\n')
		call_build "$work/tree/$target" "${args[@]}"
		rc=$?
	else
		rm -rf "$work/stages"
		for p in $patches; do
			args+=(-p "$work/tree/debian/patches/$p")
		done
		say "$name: hpkm-build"
		call_build "$work/tree/$target" --keep "$work/stages" \
			-s "$work/tree/" "${args[@]}" -- sh -ec "$build"
		rc=$?
		# The program built with the fix serves to try a detector. What
		# else was compiled is of use later; the trees are big.
		mkdir -p "$work/fixed"
		cp -L "$work/stages/tree"/*/"$target" "$work/fixed/" 2>/dev/null
		rm -rf "$work/stages/tree" "$work/stages/1-source"
		case $rc in
		0|5) echo "$inputs" >"$work/stages/inputs" ;;
		esac
	fi
	# What failed is tried again.
	case $rc in
	0|3|5)
		echo $rc >"$work/status"
		echo "$key" >"$work/patched" ;;
	esac
	return $rc
}

# call_build TARGET ARGUMENT...: into FIX.hpkm, FIX.json and FIX.err.
call_build()
(
	running=$1
	shift
	unset CFLAGS CPPFLAGS LDFLAGS CC MAKEFLAGS MAKELEVEL
	export SOURCE_DATE_EPOCH=0
	hpkm-build -t "$running" -o "$work/FIX.hpkm" --name "$name" \
		--version "$(cat "$real/$package/source/version")" \
		--description "$about" --json "$@" \
		>"$work/FIX.json" 2>"$work/FIX.err" </dev/null
)

# linked: the objects that the linker was given for the target, as it was last made;
# not those in archives.
linked()
{
	jq -rs --arg file "/${target##*/}" '
		map(select(.kind == "link" and (.output | endswith($file)))) | last //
			empty |
		.directory as $dir | .command[] | select(endswith(".o")) |
		if startswith("/") then . else "\($dir)/\(.)" end' \
		"$work/stages/2-old/steps"
}

# changed_objects: OLD NEW, a pair a line, of the objects that the fix changes. When
# a source is compiled twice, for a library and for an archive, it is the one that
# was linked.
changed_objects()
{
	local output old new all=() direct=()
	local linked
	linked=$(linked)
	while IFS=$'\t' read -r output old new; do
		! cmp -s "$old" "$new" || continue
		all+=("$old $new")
		! grep -qxF "$output" <<<"$linked" || direct+=("$old $new")
	done < <(jq -rn --slurpfile old "$work/stages/2-old/steps" \
		--slurpfile new "$work/stages/4-new/steps" '
		def objects: map(select(.kind == "object") |
			{key: .output, value: .saved}) | from_entries;
		($new | objects) as $after | $old | objects | to_entries[] |
		select($after[.key]) | "\(.key)\t\(.value)\t\($after[.key])"')
	[ ${#direct[@]} -eq 0 ] || all=("${direct[@]}")
	[ ${#all[@]} -eq 0 ] || printf '%s\n' "${all[@]}"
}

# build_stripped: the same patch follows for the stripped target.
build_stripped()
{
	local file=$work/run/2/${target##*/} list='.functions | map(.name) | sort'
	local -a pairs
	mapfile -t pairs < <(changed_objects | tr ' ' '\n')
	hpkm-build -t "$file" -g "$file.debug" -o "$work/stripped.hpkm" --json \
		"${pairs[@]}" >"$work/stripped.json" 2>"$work/stripped.err" || {
		jq -r '.refused[] | "\(.symbol): \(.reason)"' "$work/stripped.json"
		tail -n 1 "$work/stripped.err"
		return 1
	}
	[ "$(jq -c "$list" "$work/stripped.json")" = \
	  "$(jq -c "$list" "$work/FIX.json")" ] ||
		{ echo "other functions than unstripped"; return 1; }
}
