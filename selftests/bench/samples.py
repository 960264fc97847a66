# SPDX-License-Identifier: GPL-2.0
"""Samples: reading them, and what is said of many of them."""

import json
import pathlib
import statistics

PARTS = ("pause", "call", "memory", "scale", "build")


def read(directory):
    """All samples of all parts, in the order in which they were taken."""
    found = []
    for part in PARTS:
        path = pathlib.Path(directory) / f"{part}.jsonl"
        if path.exists():
            for line in path.read_text().splitlines():
                if line.strip():
                    found.append(json.loads(line))
    return found


def select(samples, **want):
    """Those whose fields have these values."""
    return [s for s in samples
            if all(s.get(key) == value for key, value in want.items())]


def values(samples, *keys):
    """Each value that one key, or each tuple that several have, sorted."""
    if len(keys) == 1:
        return sorted({s[keys[0]] for s in samples if keys[0] in s})
    return sorted({tuple(s[k] for k in keys) for s in samples
                   if all(k in s for k in keys)})


class Spread:
    """Median and quartiles of numbers."""

    def __init__(self, numbers):
        self.numbers = sorted(numbers)
        self.count = len(self.numbers)
        self.median = statistics.median(self.numbers)
        if self.count > 1:
            self.low, _, self.high = statistics.quantiles(
                self.numbers, n=4, method="inclusive")
        else:
            self.low = self.high = self.median


def spread(samples, key, scale=1.0):
    """Of one field; None when there is no sample."""
    numbers = [s[key] * scale for s in samples]
    return Spread(numbers) if numbers else None


def paired(above, below, key, operation):
    """Of two kinds of samples of the same repetitions, taken one after the
    other: the spread of what the operation makes of each pair."""
    other = {s["rep"]: s[key] for s in below}
    numbers = [operation(s[key], other[s["rep"]]) for s in above
               if s["rep"] in other]
    return Spread(numbers) if numbers else None


def ratio(a, b):
    """a to b; a clock that is too coarse to see b is no division by zero."""
    return a / b if b else float("inf")
