# SPDX-License-Identifier: GPL-2.0
"""What is to be reached: (reached, text) of each goal; None: not measured."""

from samples import paired, ratio, select, spread
from tables import number, spread_text

LINEAR = 1.2    # so much more than linear is noise


def pause(samples, threads, depth=4096):
    return select(samples, part="pause", processes=1, threads=threads, busy=0,
                  depth=depth, functions=1)


def sleepers(threads):
    return f"{threads:,} sleeping thread{'s' if threads > 1 else ''}"


def to_floor(samples, threads, most):
    group = pause(samples, threads)
    s = paired(select(group, what="apply"), select(group, what="floor"),
               "pause_ns", ratio)
    yield (s and s.median <= most,
           f"pause, {sleepers(threads)}: {spread_text(s)} times the floor, at "
           f"most {most}")


def to_ptrace(samples, threads, least):
    group = pause(samples, threads)
    s = paired(select(group, what="ptrace"), select(group, what="apply"),
               "pause_ns", ratio)
    yield (s and s.median >= least,
           f"pause, {sleepers(threads)}: ptrace takes {spread_text(s)} times as "
           f"long, at least {least}")


def for_each_sleeper(samples):
    """Inside the stop no sleeper's stack is read, however many and deep."""
    for depth in (4096, 262144):
        few, many = (select(pause(samples, n, depth), what="apply")
                     for n in (1, 4096))
        if not few or not many:
            yield None, f"pause, stacks of {depth // 1024} KiB: growth"
            continue
        words = [spread(s, "scanned").median for s in (few, many)]
        times = [spread(s, "pause_ns").median for s in (few, many)]
        each = (times[1] - times[0]) / 4095
        yield (words[1] <= 2 * words[0],
               f"pause, stacks of {depth // 1024} KiB: {number(each)} ns for each "
               f"sleeping thread; {number(words[0])} words of stacks read in "
               f"the stop with 1 thread, {number(words[1])} with 4,096")


def undisturbed(samples):
    """Nobody is woken: no system call returns."""
    group = [s for s in select(samples, part="pause")
             if s["what"] in ("apply", "revert")]
    worst = max((s["interrupted"] for s in group), default=None)
    yield (None if worst is None else worst == 0,
           f"pause: {number(worst)} system calls returned in {len(group)} "
           f"transitions, at most 0")


def call(samples):
    samples = select(samples, part="call")
    for length, functions in (("short", 1), ("short", 1000),
                              ("long", 1), ("long", 1000)):
        group = select(samples, length=length, functions=functions)
        direct = select(group, what="direct")
        if not direct:
            yield None, f"call, {length} function, {functions:,} in turn"
            continue
        s = paired(select(group, what="slot"), direct, "ns",
                   lambda a, b: a - b)
        most = max(0.3, 0.1 * spread(direct, "ns").median)
        yield (s.median <= most,
               f"call, {length} function, {functions:,} in turn: the slot takes "
               f"{spread_text(s)} ns more than a direct jump, at most "
               f"{number(most)}")


def memory(samples):
    for processes in (1, 100):
        s = spread(select(samples, part="memory", functions=1,
                          processes=processes), "private_kb", 1 / 4)
        yield (s and s.median <= 3,
               f"memory, one function, processes: {processes}: {spread_text(s)} "
               f"private pages in the first, at most 3")
    for functions in (1, 100, 10000):
        s = spread(select(samples, part="memory", functions=functions,
                          processes=100), "own_shared_kb")
        # The functions themselves take 16 bytes each, at the least.
        least = max(4, functions * 16 // 1024)
        yield (s and s.median >= least,
               f"memory, functions: {functions:,}: {spread_text(s)} kB of the "
               f"patch are shared by 100 processes, at least {least}")


def linear(samples, what, key, few, many, text):
    a, b = (spread([s for s in select(samples, part="scale", what=what)
                    if 0.9 * n <= s[key] <= n], "time_ns", 1e-6)
            for n in (few, many))
    if not a or not b:
        yield None, f"scale, {text}: growth"
    else:
        times = b.median / a.median
        most = LINEAR * many / few
        yield (times <= most,
               f"scale, {text}: {number(b.median)} ms at {many:,} are "
               f"{number(times)} times those at {few}, at most {number(most)}")


def all_goals(samples):
    yield from to_floor(samples, 1, 1.5)
    yield from to_floor(samples, 1024, 3)
    yield from to_ptrace(samples, 1024, 100)
    yield from for_each_sleeper(samples)
    yield from undisturbed(samples)
    yield from call(samples)
    yield from memory(samples)
    yield from linear(samples, "processes-apply", "count", 100, 1000,
                      "processes, apply")
    yield from linear(samples, "processes-revert", "count", 100, 1000,
                      "processes, revert")
    yield from linear(samples, "stack-apply", "number", 100, 1000,
                      "stacked patches, apply")
    yield from linear(samples, "stack-revert", "number", 100, 1000,
                      "stacked patches, revert")
