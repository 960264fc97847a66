# SPDX-License-Identifier: GPL-2.0
"""Tables for people: (title, text, heads, rows) of each part."""

from samples import paired, ratio, select, spread, values

US = 1e-3   # from ns
MS = 1e-6


def number(value):
    """Three figures that say something."""
    if value is None:
        return "-"
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def spread_text(s):
    """Median, and the quartiles when there are several samples."""
    if s is None:
        return "-"
    if number(s.low) == number(s.high):
        return number(s.median)
    return f"{number(s.median)} ({number(s.low)} - {number(s.high)})"


def pause_rows(samples, shapes):
    for shape in shapes:
        group = select(samples, **shape)
        kinds = {k: select(group, what=k)
                 for k in ("nothing", "floor", "apply", "revert", "ptrace")}
        if not kinds["apply"]:
            continue
        to_floor = paired(kinds["apply"], kinds["floor"], "pause_ns", ratio)
        rival = paired(kinds["ptrace"], kinds["apply"], "pause_ns", ratio)
        yield [
            f"{shape['processes']} x {shape['threads']}",
            f"{shape['busy']:,}",
            f"{shape['depth'] // 1024}",
            f"{shape['functions']:,}",
            spread_text(spread(kinds["floor"], "pause_ns", US)),
            spread_text(spread(kinds["apply"], "pause_ns", US)),
            spread_text(spread(kinds["revert"], "pause_ns", US)),
            spread_text(spread(kinds["ptrace"], "pause_ns", US)),
            spread_text(to_floor),
            spread_text(rival),
        ]


def gap_rows(samples, shapes):
    for shape in shapes:
        group = select(samples, **shape)
        row = [f"{shape['processes']} x {shape['threads']}",
               f"{shape['busy']:,}", f"{shape['depth'] // 1024}",
               f"{shape['functions']:,}"]
        for kind in ("nothing", "floor", "apply", "ptrace"):
            row.append(spread_text(
                spread(select(group, what=kind), "gap_ns", US)))
        for kind, key in (("apply", "interrupted"), ("ptrace", "interrupted"),
                          ("apply", "scanned"), ("apply", "attempts")):
            row.append(spread_text(spread(select(group, what=kind), key)))
        yield row


def pause_shapes(samples):
    """The configurations, in the order in which they were run."""
    shapes = []
    for s in select(samples, part="pause", what="apply"):
        shape = {k: s[k] for k in
                 ("processes", "threads", "busy", "depth", "functions")}
        if shape not in shapes:
            shapes.append(shape)
    return shapes


def pause_tables(samples):
    samples = select(samples, part="pause")
    shapes = pause_shapes(samples)
    heads = ["processes x threads", "of them busy", "stack KiB", "functions"]
    yield ("Pause",
           "How long a call stopped everybody, µs; to the floor and from ptrace "
           "as ratios within one repetition.",
           heads + ["empty stop", "apply", "revert", "ptrace",
                    "apply / floor", "ptrace / apply"],
           list(pause_rows(samples, shapes)))
    yield ("Longest gap",
           "What a thread saw that read the clock all the while, µs; how many "
           "system calls of sleeping threads returned; words of stacks that "
           "were looked at inside the stop; stops.",
           heads + ["nothing", "empty stop", "apply", "ptrace",
                    "interrupted by apply", "by ptrace", "words", "attempts"],
           list(gap_rows(samples, shapes)))


def call_tables(samples):
    samples = select(samples, part="call")
    rows = []
    for length, functions in values(samples, "length", "functions"):
        group = select(samples, length=length, functions=functions)
        direct = select(group, what="direct")
        row = [length, f"{functions:,}"]
        for way in ("unpatched", "slot", "direct", "far"):
            row.append(spread_text(spread(select(group, what=way), "ns")))
        row.append(spread_text(paired(select(group, what="slot"), direct,
                                      "ns", lambda a, b: a - b)))
        rows.append(row)
    yield ("Call", "ns per call; medians of runs, each with addresses of its "
           "own.",
           ["function", "functions in turn", "unpatched", "hpkm's slot",
            "direct jump", "14-byte jump", "slot - direct"], rows)


def memory_tables(samples):
    samples = [s for s in select(samples, part="memory") if "private_kb" in s]
    rows = []
    for functions, processes in values(samples, "functions", "processes"):
        group = select(samples, functions=functions, processes=processes)
        row = [f"{functions:,}", f"{processes}"]
        for key in ("private_kb", "shared_kb", "own_private_kb",
                    "own_shared_kb", "all_private_kb", "all_pss_kb",
                    "slab_kb", "vmalloc_kb", "shmem_kb", "tables_kb"):
            row.append(spread_text(spread(group, key)))
        row.append(number(group[0]["image_bytes"] / 1024))
        rows.append(row)
    yield ("Memory", "Growth by a patch that runs, kB: of the first process; of "
           "that the patch's own mappings; of all processes; of the kernel.",
           ["functions", "processes", "private", "shared", "own private",
            "own shared", "all private", "all pss", "slab", "vmalloc",
            "shmem", "page tables", "image"], rows)


def scale_tables(samples):
    samples = select(samples, part="scale")
    rows = []
    for count in values(select(samples, what="processes-apply"), "count"):
        apply = select(samples, what="processes-apply", count=count)
        revert = select(samples, what="processes-revert", count=count)
        rows.append([f"{count:,}", spread_text(spread(apply, "time_ns", MS)),
                     spread_text(spread(revert, "time_ns", MS)),
                     spread_text(spread(apply, "pause_ns", MS)),
                     spread_text(spread(apply, "time_ns", MS / count))])
    yield ("Many processes", "From the upload to the last report, ms.",
           ["processes", "apply", "revert", "pause", "apply, for each"], rows)

    rows = []
    stack = select(samples, what="stack-apply")
    back = select(samples, what="stack-revert")
    if stack:
        most = stack[0]["count"]
        for end in [n for n in (1, 10, 100, 300, 1000) if n <= most]:
            # Nine tenths of the way to it, for single samples say little.
            near = [n for n in range(max(1, end * 9 // 10), end + 1)]
            rows.append([f"{end:,}"] + [
                spread_text(spread([s for s in group if s["number"] in near],
                                   key, MS))
                for group, key in ((stack, "time_ns"), (back, "time_ns"),
                                   (stack, "pause_ns"))])
    yield ("Stacked patches", "The one that makes it so many on one process, ms.",
           ["patches", "apply", "revert", "pause"], rows)

    rows = []
    for s in [spread(select(samples, what="rate"), "time_ns", MS)]:
        if s:
            rows.append(["apply and revert", spread_text(s),
                         number(1000 / s.median)])
    yield ("Rate", "One process, to and fro.",
           ["", "ms for both", "times a second"], rows)

    rows = []
    none = select(samples, what="untouched-none")
    for what in ("untouched-none", "untouched-patched", "untouched-switching"):
        group = select(samples, what=what)
        if group and none:
            each = [dict(s, speed=s["calls"] / s["time_ns"] * 1e6)
                    for s in group]
            base = [dict(s, speed=s["calls"] / s["time_ns"] * 1e6)
                    for s in none]
            rows.append([what.split("-")[1],
                         spread_text(spread(each, "speed")),
                         spread_text(paired(each, base, "speed", ratio)),
                         spread_text(spread(group, "switches"))])
    yield ("A process that is not patched", "While another one is what the "
           "first column says; ratios within one repetition.",
           ["the other one", "calls a ms", "to none", "switches"], rows)

    rows = []
    quiet = select(samples, what="traffic-before")
    for what in ("before", "apply", "patched", "revert", "after"):
        group = select(samples, what=f"traffic-{what}")
        if group and quiet:
            each = [dict(s, speed=s["requests"] / s["time_ns"] * 1e9)
                    for s in group]
            base = [dict(s, speed=s["requests"] / s["time_ns"] * 1e9)
                    for s in quiet]
            rows.append([what, spread_text(spread(each, "time_ns", MS)),
                         spread_text(spread(each, "speed")),
                         spread_text(paired(each, base, "speed", ratio)),
                         spread_text(spread(each, "longest_ns", MS)),
                         spread_text(spread(each, "pause_ns", MS))])
    yield ("memcached under load", "Two worker threads, four connections; every "
           "function of its request parser is replaced.",
           ["", "ms", "requests a second", "to before", "slowest pair, ms",
            "pause, ms"], rows)


def build_tables(samples):
    samples = [s for s in select(samples, part="build") if "objects" in s]
    rows = []
    for objects, what in values(samples, "objects", "what"):
        group = select(samples, objects=objects, what=what)
        rows.append([f"{objects:,}", what,
                     spread_text(spread(group, "seconds")),
                     spread_text(spread(group, "ld_seconds")),
                     spread_text(spread(group, "rss_kb", 1 / 1024)),
                     spread_text(spread(group, "ld_rss_kb", 1 / 1024)),
                     number(group[0]["patch_bytes"] / 1024)])
    yield ("Build", "hpkm-build on pairs of objects, ten functions each.",
           ["objects", "changed", "seconds", "of that ld", "memory, MiB",
            "ld's memory, MiB", "patch, KiB"], rows)


def all_tables(samples):
    for make in (pause_tables, call_tables, memory_tables, scale_tables,
                 build_tables):
        for table in make(samples):
            if table[3]:
                yield table


def as_text(table):
    title, text, heads, rows = table
    lines = [title, "", text, ""]
    widths = [max(len(str(row[i])) for row in [heads] + rows)
              for i in range(len(heads))]
    for row in [heads] + rows:
        lines.append("  ".join(f"{cell:>{w}}" for cell, w in zip(row, widths)))
    return "\n".join(lines) + "\n"


def as_rst(table):
    title, text, heads, rows = table
    lines = [title, "-" * len(title), "", text, "", ".. list-table::",
             "   :header-rows: 1", ""]
    for row in [heads] + rows:
        for i, cell in enumerate(row):
            lines.append(("   * - " if i == 0 else "     - ") + str(cell))
    return "\n".join(lines).replace("- \n", "-\n") + "\n"
