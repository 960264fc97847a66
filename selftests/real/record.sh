# shellcheck shell=bash disable=SC2154
# What became of each fix, and the table of it. Sourced by run.
#
#	$real/NAME/record.json			a fix that is tested
#	$real/NAME/live.json			its test in the machine, and with which image
#	$real/survey/PROGRAM/PATCH.json		any patch of a package, built only
#
# A patch that is refused is looked at by a person: `verdicts` says for it whether
# that is right, and why, or what is missing in hpkm.

# image_digest: of what is loaded; the rest of a patch object is for people.
image_digest()
{
	[ -e "$work/FIX.hpkm" ] || return
	objcopy --dump-section ".hpkm.image=$work/image" "$work/FIX.hpkm" \
		"$work/image.object" && sha256sum <"$work/image" | cut -d ' ' -f 1
	rm -f "$work"/image{,.object}
}

# record_build STATUS: of hpkm-build, in the context of a fix. Why there was nothing
# that it could have been given is in $work/why.
record_build()
{
	local outcome=error
	case $1 in
	0) outcome=built ;;
	3) outcome=unchanged ;;
	5) outcome=refused ;;
	esac
	jq -n --arg program "$package" --arg fix "$patches" --arg name "$name" \
		--arg version "$(cat "$real/$package/source/version")" \
		--arg outcome "$outcome" --arg image "$(image_digest)" \
		--arg why "$(cat "$work/why" 2>/dev/null)" \
		--slurpfile report <(cat "$work/FIX.json" 2>/dev/null) '
		($report[0] // {}) as $r |
		{program: $program, version: $version, fix: $fix, name: $name,
		 outcome: $outcome, image: $image, functions: ($r.functions // [] | length),
		 new: ($r.new_functions // [] | length),
		 refused: [if $why != "" then $why else empty end,
			($r.refused // [] | .[] | "\(.symbol): \(.reason)")]}' \
		>"$work/record.json"
}

# record_live NAME PAUSE_US ATTEMPTS: every point passed in the machine.
record_live()
{
	jq --argjson pause "$2" --argjson attempts "$3" \
		'{image: .image, pause: $pause, attempts: $attempts}' \
		"$real/$1/record.json" >"$real/$1/live.json"
}

# record_drop NAME: as a run of it begins. What was seen in the machine stays when
# this run has no such part, and holds as long as the image is the same.
record_drop()
{
	rm -f "$real/$1/record.json"
	[ -n "$build_only" ] || rm -f "$real/$1/live.json"
}

# records: of those tested, with what the machine showed, and of those surveyed.
records()
{
	local file live
	for file in "$real"/*/record.json; do
		live=${file%record.json}live.json
		[ -e "$file" ] || continue
		[ -e "$live" ] || live=
		jq -s '.[0] + if .[1].image == .[0].image then
				.[1] + {outcome: "applied"} else {} end' \
			"$file" ${live:+"$live"}
	done
	for file in "$real"/survey/*/*.json; do
		[ ! -e "$file" ] || cat "$file"
	done
}

# verdict PROGRAM FIX: "right TEXT" or "possible TEXT"
verdict()
{
	awk -v program="$1" -v fix="$2" '
		$1 == program && index(" " fix " ", " " $2 " ") {
			sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+/, ""); print; exit
		}' "$here/verdicts"
}

# Those surveyed, unless they are tested: one object a line.
all_records()
{
	jq -sc '
		(map(select(.name) | .program as $p | .fix | split(" ")[] | [$p, .])) as
			$tested |
		map(select(.name or ([.program, .fix] | IN($tested[]) | not))) |
		sort_by([.program, .fix])[]' \
		< <(records)
}

# Text in which nothing is markup.
plain() { sed 's/[*`|_\\]/\\&/g'; }

record_table()
{
	local r program fix outcome said rows=
	local n=0 applied=0 built=0 right=0 possible=0 errors=0 elsewhere=0
	while read -r r; do
		IFS=$'\t' read -r program fix outcome said < <(jq -r '
			[.program, .fix, .outcome,
			 (if .outcome == "applied" then
				"\(.functions) functions, \(.new) new; pause \(.pause) us, attempts \(.attempts)"
			  elif .outcome == "built" then
				"\(.functions) functions, \(.new) new"
			  else (.refused | .[0] // "") end)] | @tsv' <<<"$r")
		case $outcome in
		unchanged)
			elsewhere=$((elsewhere + 1))
			continue ;;
		applied) applied=$((applied + 1)) ;;
		built) built=$((built + 1)) ;;
		error) errors=$((errors + 1)) ;;
		refused)
			local v
			v=$(verdict "$program" "$fix")
			case $v in
			right*) right=$((right + 1)) ;;
			*) possible=$((possible + 1)) ;;
			esac
			said="$said${v:+ -- $v}" ;;
		esac
		n=$((n + 1))
		rows+="   * - $program"$'\n'"     - $(plain <<<"$fix")"$'\n'
		rows+="     - $outcome"$'\n'"     - $(plain <<<"$said")"$'\n'
	done < <(all_records)
	cat <<-EOF
	.. SPDX-License-Identifier: GPL-2.0
	.. Written by selftests/real/run --table.

	===================================
	Real fixes, and what became of them
	===================================

	EOF
	cat "$here/table.rst"
	cat <<-EOF

	$n fixes: $applied applied in a live daemon, $built more made into a patch
	object, $right refused and right so, $possible refused though possible,
	$errors that could not be built: hpkm takes $(((applied + built) * 100 / n)) of 100.
	Not counted: $elsewhere patches that change nothing in the program that is looked at.

	.. list-table::
	   :header-rows: 1
	   :widths: 25 35 10 10 10 10

	   * - program
	     - Debian's version
	     - fixes
	     - applied
	     - built
	     - refused
	EOF
	all_records | jq -rs '
		map(select(.outcome != "unchanged")) | group_by(.program)[] |
		def n(f): map(select(.outcome == f)) | length;
		"   * - \(.[0].program)\n     - \(.[0].version)\n     - \(length)",
		"     - \(n("applied"))\n     - \(n("built"))\n     - \(n("refused"))"'
	cat <<-EOF

	.. list-table::
	   :header-rows: 1
	   :widths: 15 35 10 40

	   * - program
	     - fix
	     - outcome
	     - figures, or reason
	EOF
	printf '%s' "$rows"
}
