# SPDX-License-Identifier: GPL-2.0
"""Plots, by gnuplot: NAME.svg, NAME.png, and NAME.gp, which has the data."""

import subprocess

from samples import select, spread, values
from tables import MS, US


def curve(samples, x, y, scale=1.0):
    """(x, median, low, high) for each x."""
    points = []
    for at in values(samples, x):
        s = spread(select(samples, **{x: at}), y, scale)
        points.append((at, s.median, s.low, s.high))
    return points


class Plot:
    """Curves with bars from quartile to quartile, axes as they are told."""

    def __init__(self, name, title, x, y, log="xy", style="yerrorlines"):
        self.name, self.log, self.style = name, log, style
        self.settings = [f"set title '{title}'", f"set xlabel '{x}'",
                         f"set ylabel '{y}'"]
        self.curves = []

    def add(self, title, points):
        points = [p for p in points if "y" not in self.log or p[1] > 0]
        if points:
            self.curves.append((title, points))

    def add_linear(self, points):
        """What would grow with x, from the last point down."""
        if points:
            x, y = points[-1][:2]
            self.curves.append(("linear", [(p[0], y * p[0] / x) for p in points]))

    def script(self):
        lines = []
        for i, (_, points) in enumerate(self.curves):
            lines.append(f"$curve{i} << END")
            lines += [" ".join(f"{v:.6g}" for v in p) for p in points]
            lines.append("END")
        lines += self.settings
        lines += ["set grid", "set key left top", f"set logscale {self.log}"
                  if self.log else ""]
        plots = []
        for i, (title, points) in enumerate(self.curves):
            if len(points[0]) == 2:
                plots.append(f"$curve{i} with lines dt 2 lc 'gray' title '{title}'")
            else:
                plots.append(f"$curve{i} with {self.style} pt 7 ps 0.6 "
                             f"lc {i + 1} title '{title}'")
        for terminal, suffix in (("svg size 800,500 background 'white'", "svg"),
                                 ("pngcairo size 800,500", "png")):
            lines += [f"set terminal {terminal}",
                      f"set output '{self.name}.{suffix}'",
                      "plot " + ", ".join(plots)]
        return "\n".join(lines) + "\n"

    def write(self, directory):
        if not self.curves:
            return None
        script = directory / f"{self.name}.gp"
        script.write_text(self.script())
        subprocess.run(["gnuplot", script.name], cwd=directory, check=True,
                       timeout=60)
        return self.name


def pause_plots(samples):
    pause = select(samples, part="pause", processes=1, functions=1)
    one = Plot("pause-threads", "Pause and number of threads", "threads",
               "µs")
    asleep = select(pause, busy=0, depth=4096)
    busy = [s for s in pause if s["busy"]]
    for title, group, key in (
            ("empty stop", select(asleep, what="floor"), "pause_ns"),
            ("hpkm, asleep, 4 KiB", select(asleep, what="apply"), "pause_ns"),
            ("hpkm, asleep, 256 KiB",
             select(pause, busy=0, depth=262144, what="apply"), "pause_ns"),
            ("hpkm, half busy, 4 KiB",
             select(busy, depth=4096, what="apply"), "pause_ns"),
            ("hpkm, half busy, 256 KiB",
             select(busy, depth=262144, what="apply"), "pause_ns"),
            ("ptrace, asleep", select(asleep, what="ptrace"), "pause_ns")):
        one.add(title, curve(group, "threads", key, US))
    yield one
    for name, x, title, want in (
            ("pause-functions", "functions", "functions",
             {"processes": 1, "threads": 16, "busy": 0, "depth": 4096}),
            ("pause-processes", "processes", "processes of 4 threads",
             {"functions": 1, "threads": 4, "busy": 0, "depth": 4096})):
        plot = Plot(name, f"Pause and number of {title}", title, "µs")
        group = select(samples, part="pause", **want)
        for kind, what in (("empty stop", "floor"), ("hpkm", "apply"),
                           ("ptrace", "ptrace")):
            plot.add(kind, curve(select(group, what=what), x, "pause_ns", US))
        yield plot


def call_plots(samples):
    call = select(samples, part="call")
    plot = Plot("call", "Calls: 1 short, 2 short of 1,000, 3 long, 4 long of 1,000",
                "", "ns per call", log="y", style="yerrorbars")
    plot.settings += ["set xrange [0.5:4.5]", "set xtics 1"]
    cases = [("short", 1), ("short", 1000), ("long", 1), ("long", 1000)]
    for shift, (way, title) in enumerate((
            ("unpatched", "unpatched"), ("slot", "hpkm"),
            ("direct", "direct jump"), ("far", "14-byte jump"))):
        points = []
        for i, (length, functions) in enumerate(cases):
            s = spread(select(call, what=way, length=length,
                              functions=functions), "ns")
            if s:
                points.append((i + 1 + (shift - 1.5) / 10, s.median, s.low,
                               s.high))
        plot.add(title, points)
    yield plot


def memory_plots(samples):
    memory = [s for s in select(samples, part="memory") if "private_kb" in s]
    plot = Plot("memory", "Memory of a patch, 100 processes", "functions", "kB")
    group = select(memory, processes=100)
    for title, key in (("private, one process", "private_kb"),
                       ("shared, one process", "own_shared_kb"),
                       ("kernel, slab", "slab_kb"),
                       ("kernel, vmalloc", "vmalloc_kb")):
        plot.add(title, curve(group, "functions", key))
    yield plot


def scale_plots(samples):
    scale = select(samples, part="scale")
    plot = Plot("scale-processes", "From upload to report", "processes", "ms")
    apply = curve(select(scale, what="processes-apply"), "count", "time_ns", MS)
    plot.add("apply", apply)
    plot.add("revert", curve(select(scale, what="processes-revert"), "count",
                             "time_ns", MS))
    plot.add_linear(apply)
    yield plot
    plot = Plot("scale-stack", "Patches on one process", "patches below", "ms")
    apply = curve(select(scale, what="stack-apply"), "number", "time_ns", MS)
    plot.add("apply", apply)
    plot.add("revert", curve(select(scale, what="stack-revert"), "number",
                             "time_ns", MS))
    plot.add_linear(apply)
    yield plot


def build_plots(samples):
    build = [s for s in select(samples, part="build") if "objects" in s]
    for name, key, factor, y in (("build-time", "seconds", 1, "seconds"),
                                 ("build-memory", "rss_kb", 1 / 1024, "MiB")):
        plot = Plot(name, "hpkm-build", "objects", y)
        for what, title in (("one", "one has changed"),
                            ("all", "all have changed")):
            points = curve(select(build, what=what), "objects", key, factor)
            plot.add(title, points)
        plot.add_linear(points)
        yield plot


def all_plots(samples, directory):
    """Writes them, and gives their names."""
    for make in (pause_plots, call_plots, memory_plots, scale_plots,
                 build_plots):
        for plot in make(samples):
            if plot.write(directory):
                yield plot.name
