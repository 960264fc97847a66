# shellcheck shell=bash disable=SC2154
# hpkm-build for all C patches that Debian has for a program, in turn, each on the
# source that has those before it. Sourced by run.
#
#	$real/survey/PROGRAM/PATCH.json	what became of a patch (record.sh)
#	$real/survey/PROGRAM/PATCH/	what hpkm-build was given, to ask it again: the
#				target, objects, and in `pairs` which are old and new
#	$work/tree/		the source with the patches up to one of them, built
#	$work/new/		its objects, compiled once more for hpkm-build
#	$work/old/		the same before that patch
#	$work/run/1/		the target before it
#
# One tree takes all the patches, and make builds what each of them changes. So
# hpkm-build is given objects, not the source: the same that source mode would
# compile, in a fraction of the time.

# files PATCH: those it changes.
files() { sed -n 's,^+++ [^/]*/\([^[:space:]]*\).*,\1,p' "$1"; }

# touches_program PATCH: whether it changes C sources other than tests.
touches_program()
{
	files "$1" | grep -vE '(^|/)(tests?|testcode|unit_tests|doc|debian)/' |
		grep -qE '\.[chyl]$'
}

# touches_build PATCH: whether the program has to be configured again.
touches_build()
{
	files "$1" | grep -qE -e "${whole:-^$}" \
		-e '(^|/)([Mm]akefile[^/]*|configure[^/]*|auto/.*)$' \
		-e '\.(am|ac|in|m4|mk|cmake)$'
}

# rebuild: the tree as its patches have it.
rebuild()
{
	local command=$remake
	[ -z "$reconfigure" ] || command=$build
	reconfigure=''
	HPKM_TREE_ROOT=$(realpath "$work/tree") HPKM_MIRROR=$work/new \
	PATH=$work/bin:$PATH \
		build_command "$work/tree" "$command" && [ -e "$work/tree/$target" ]
}

# readers HEADER: the sources that were compiled with it; all when none is known.
readers()
{
	grep -rlE --include='*.d' "[ /]${1##*/}( |:|\$)" "$work/new" |
		xargs -r sed -sn '1s/^# //p' | grep . || find "$work/tree" -name '*.c'
}

# put_patch PATCH: into the tree. Some makefiles do not know what includes a header,
# and to others everything does: so make is not to see it, but its readers.
put_patch()
{
	local h
	local -a headers
	mapfile -t headers < <(files "$debian/$1" | grep '\.h$')
	for h in "${headers[@]}"; do
		[ ! -e "$work/tree/$h" ] || cp -p "$work/tree/$h" "$work/tree/$h.before"
	done
	! touches_build "$debian/$1" || reconfigure=1
	quietly "$work/patch.log" patch -s -f -p1 -d "$work/tree" -i "$debian/$1" ||
		return 1
	for h in "${headers[@]}"; do
		[ -e "$work/tree/$h.before" ] || continue
		readers "$h" | tr '\n' '\0' | xargs -0 touch -c
		touch -r "$work/tree/$h.before" "$work/tree/$h"
		rm "$work/tree/$h.before"
	done
}

# go_before N: the tree has the first N patches of the series, and is built.
go_before()
{
	local from=$at
	at=
	if [ -z "$from" ] || [ "$from" -gt "$1" ]; then
		rm -rf "$work/new"
		source_unpack "$real/$package/source" "$work/tree" "${series[$1]}" ||
			return 1
		say "building $package as before ${series[$1]}"
		reconfigure=1
		rebuild || return 1
	elif [ "$from" -lt "$1" ]; then
		for ((; from < $1; from++)); do
			put_patch "${series[from]}" || return 1
		done
		rebuild || return 1
	fi
	at=$1
}

# objects: by their names in the tree.
objects() { find "$work/new" -name '*.o' -printf '%P\n' | sort; }

# units FILE...: the sources that were compiled into these.
units()
{
	local file
	for file; do
		readelf --debug-dump=info --dwarf-depth=1 "$file" 2>/dev/null
	done | awk '
		function value() { sub(/^.*DW_AT_[a-z_]+ *: (\([^)]*\): )?/, ""); return $0 }
		/DW_AT_name/ { name = value() }
		/DW_AT_comp_dir/ { print value() "/" name }' | sort -u
}

# passed_over OBJECT: libtool makes two of many sources; which one is linked
# depends on what the target is.
passed_over()
{
	local dir=${1%/*} file=${1##*/}
	if [ -n "$(soname "$work/tree/$target")" ]; then
		[ -e "$work/new/$dir/.libs/$file" ]
	else
		[[ $dir == *.libs ]] && [ -e "$work/new/${dir%.libs}$file" ]
	fi
}

# survey_objects: OLD NEW, a pair a line, of those in the target that differ.
survey_objects()
{
	local o old all
	all=$(units "$work/run/1/${target##*/}" "$work/tree/$target")
	objects | while read -r o; do
		old=$work/old/$o
		! cmp -s "$old" "$work/new/$o" || continue
		! passed_over "$o" || continue
		[ -n "$(comm -12 <(echo "$all") <(units "$work/new/$o"))" ] || continue
		[ -e "$old" ] || old=$work/empty.o
		echo "$old"
		echo "$work/new/$o"
	done
}

# keep_objects OLD NEW...: what hpkm-build is given for this patch.
keep_objects()
{
	local i=0 file
	rm -rf "$kept"
	mkdir -p "$kept/new" || return 1
	for file in "$work/run/1/${target##*/}" "$@"; do
		i=$((i + 1))
		cp "$file" "$kept/new/$i-${file##*/}" &&
		echo "$i-${file##*/}" >>"$kept/new/pairs" || return 1
	done
	mv "$kept/new"/* "$kept/" && rmdir "$kept/new"
}

# call_kept: hpkm-build, with what is kept; the target comes first.
call_kept()
{
	local rc
	local -a inputs
	mapfile -t inputs < <(sed "s,^,$kept/," "$kept/pairs")
	rm -f "$work"/{FIX.*,why}
	call_build "${inputs[@]}"
	rc=$?
	[ $rc -ne 1 ] || tail -n 1 "$work/FIX.err" >"$work/why"
	return $rc
}

# The result is hpkm-build's exit status.
survey_build()
{
	local n=$1
	local -a pairs
	if [ -n "$quick" ] && [ -e "$kept/pairs" ]; then
		call_kept
		return
	fi
	rm -rf "$work"/{FIX.*,old,why} "$kept"
	go_before "$n" || { echo "does not build without the fix" >"$work/why"; return 1; }
	build_run || return 1
	cp -r "$work/new" "$work/old" || return 1
	at=
	put_patch "${series[n]}" && rebuild ||
		{ echo "does not build with the fix" >"$work/why"; return 1; }
	at=$((n + 1))
	mapfile -t pairs < <(survey_objects)
	[ ${#pairs[@]} -gt 0 ] || return 3
	keep_objects "${pairs[@]}" || return 1
	call_kept
}

# survey_one N: the Nth patch of the series.
survey_one()
{
	local file=$real/survey/$program/${series[$1]//\//_}.json kept
	kept=${file%.json}
	patches=${series[$1]}
	name=survey-$(tr -c 'A-Za-z0-9_.+\n-' - <<<"$program-${patches%.patch}" | cut -c 1-50)
	about=$patches
	survey_build "$1"
	record_build $?
	jq 'del(.name)' "$work/record.json" >"$file"
	printf '%-60s %s\n' "$patches" \
		"$(jq -r '"\(.outcome) \(.functions) + \(.new) \(.refused[0] // "")"' "$file")"
}

# survey_due N: what was done is not done again; with $quick, only hpkm-build's part.
survey_due()
{
	local done=$real/survey/$program/${series[$1]//\//_}
	touches_program "$debian/${series[$1]}" || return 1
	[ ! -e "$done.json" ] || { [ -n "$quick" ] && [ -e "$done/pairs" ]; }
}

# survey PROGRAM [PATCH...]: all that are due, or those that are named.
survey()
(
	local n key reconfigure='' at='' debian
	local -a series
	program=$1
	shift
	# shellcheck source-path=SCRIPTDIR
	. "$here/defaults.sh"
	# shellcheck source=/dev/null
	. "$here/programs/$program" || exit 1
	build=${survey_build:-$build} target=${survey_target:-$target}
	: "${remake:=${build##*&& }}"
	# shellcheck disable=SC2086
	"$vm/setup" $packages $survey_packages binutils dpkg-dev gcc make jq patch ||
		exit 96
	# In a shell of its own: its lock ends with that.
	(source_fetch "$package") >/dev/null || exit 1
	# Of another version, or built otherwise, it is another survey.
	key=$(cat "$real/$package/source/version"; echo "$build $target")
	if [ "$(cat "$real/survey/$program/key" 2>/dev/null)" != "$key" ]; then
		rm -rf "$real/survey/$program"
		mkdir -p "$real/survey/$program"
		echo "$key" >"$real/survey/$program/key"
	fi
	work=$real/survey/$program/work
	debian=$real/survey/$program/debian/patches
	mkdir -p "$work" "${debian%/patches}"
	tar -xf "$real/$package/source/"*.debian.tar.* -C "${debian%/patches}" \
		--strip-components=1 debian/patches || exit 1
	gcc -g -c -x c /dev/null -o "$work/empty.o" || exit 1
	mkdir -p "$work/bin"
	for n in gcc cc; do
		ln -sf "$here/compile" "$work/bin/$n"
	done
	mapfile -t series < <(source_series "${debian%/debian/patches}")
	for ((n = 0; n < ${#series[@]}; n++)); do
		if [ $# -gt 0 ]; then
			[[ " $* " == *" ${series[n]} "* ]] || continue
		else
			survey_due "$n" || continue
		fi
		survey_one "$n"
	done
	rm -rf "$work"
)
