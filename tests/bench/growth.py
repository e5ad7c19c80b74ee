"""How `fwc`'s time and memory grow from 1,000 to 1,000,000: a table, and an SVG of both.

usage: growth.py FWC [SVG]

Policies of the kind that generators are compared on (source network, destination network, one to five
services a rule), as an nft table and as access lists, not proved, and lists of prefixes. The exponent is
that of the growth from the size before: 1 is linear. FWC_BENCH=full in the environment: a million rules too
(some gigabytes)."""

import math
import os
import subprocess
import sys
import tempfile

import compile as single

FULL = os.environ.get("FWC_BENCH") == "full"
RULES = (1_000, 3_000, 10_000, 30_000, 100_000) + ((300_000, 1_000_000) if FULL else ())
PREFIXES = (1_000, 10_000, 100_000, 1_000_000)
SERIES = (("rules, nft", RULES, "rules{}.fw", ()), ("rules, access lists", RULES[:5], "rules{}.fw",
                                                    ("--target", "cisco-ios")),
          ("prefixes, nft", PREFIXES, "list{}.fw", ()))
COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57")
WIDTH, HEIGHT, LEFT, TOP, GAP = 380, 300, 70, 40, 110


def make_data(folder):
    """In a process of its own: a child's peak begins with what its parent has."""
    for count in RULES:
        single.write(os.path.join(folder, f"rules{count}.fw"), single.rules_policy(count))
    for count in PREFIXES:
        single.write(os.path.join(folder, f"list{count}.txt"), single.blocklist(count))
        single.write(os.path.join(folder, f"list{count}.fw"),
                     f'network blocked = file "list{count}.txt";\ndeny any from blocked;\n')


def measured(binary, folder):
    """{series: [(size, CPU seconds, peak MB)]}, printed while it goes."""
    found = {}
    print(f"{'':<24} {'size':>10} {'CPU s':>9} {'exponent':>9} {'peak MB':>9} {'exponent':>9}")
    for name, sizes, file, options in SERIES:
        points = found.setdefault(name, [])
        for size in sizes:
            cpu, _, peak = single.measure([binary, "compile", "--no-proof", *options,
                                           os.path.join(folder, file.format(size))], 3)
            points.append((size, cpu, peak / 1024))
            exponents = [f"{exponent(points, column):9.2f}" if len(points) > 1 else f"{'-':>9}"
                         for column in (1, 2)]
            print(f"{name:<24} {size:>10,} {cpu:9.3f} {exponents[0]} {peak / 1024:9.1f} {exponents[1]}",
                  flush=True)
    print("(peaks below about 15 MB are those of the process that measures; smaller policies are also searched "
          "for rules that others make void)")
    return found


def targets(binary, folder, series):
    """What must hold, and the figures of this run. The limits: a third of the time of the fastest other
    compiler, and no more memory."""
    def at(name, size):
        return next((cpu, peak) for count, cpu, peak in series[name] if count == size)
    proved = single.measure([binary, "compile", os.path.join(folder, "rules10000.fw")], 3)
    rows = [("10,000 rules as nft: 0.1 s, 45 MB", at("rules, nft", 10_000), (0.1, 45)),
            ("100,000 rules as access lists: 1 s, 377 MB", at("rules, access lists", 100_000), (1, 377)),
            ("10,000 rules as nft, proved: 2 s", (proved[0], proved[2] / 1024), (2, math.inf)),
            ("100,000 rules as nft, not proved: 1 s", at("rules, nft", 100_000), (1, math.inf)),
            ("1,000,000 prefixes: 2 s, 300 MB", at("prefixes, nft", 1_000_000), (2, 300))]
    print("\ntargets")
    for words, got, limits in rows:
        reached = all(value <= limit for value, limit in zip(got, limits))
        print(f"  {'reached' if reached else 'NOT reached':<12} {words}: {got[0]:.2f} s CPU, {got[1]:.0f} MB")


def exponent(points, column):
    (size, *_), (before, *_) = points[-1], points[-2]
    return math.log(points[-1][column] / points[-2][column]) / math.log(size / before)


class Panel:
    """One log-log diagram at X, of one column of the points."""

    def __init__(self, x, title, column, series):
        self.x, self.title, self.column, self.series = x, title, column, series
        values = [point[column] for points in series.values() for point in points]
        self.low, self.high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        self.first, self.last = 3, max(6, math.log10(max(size for size, *_ in sum(series.values(), []))))

    def place(self, size, value):
        across = (math.log10(size) - self.first) / (self.last - self.first)
        up = (math.log10(value) - self.low) / max(1, self.high - self.low)
        return self.x + across * WIDTH, TOP + HEIGHT - up * HEIGHT

    def lines(self):
        yield f'<text x="{self.x}" y="{TOP - 14}" font-weight="bold">{self.title}</text>'
        for decade in range(self.low, self.high + 1):
            _, y = self.place(1000, 10 ** decade)
            yield f'<path d="M{self.x} {y:.1f}h{WIDTH}" stroke="#ddd"/>'
            yield f'<text x="{self.x - 8}" y="{y + 4:.1f}" text-anchor="end">{10 ** decade:g}</text>'
        for decade in range(self.first, int(self.last) + 1):
            x, y = self.place(10 ** decade, 10 ** self.low)
            yield f'<path d="M{x:.1f} {TOP}v{HEIGHT}" stroke="#ddd"/>'
            yield f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{10 ** decade:,}</text>'
        for colour, points in zip(COLOURS, self.series.values()):
            places = [self.place(point[0], point[self.column]) for point in points]
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
            yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)


def drawing(series):
    panels = [Panel(LEFT, "CPU seconds", 1, series), Panel(LEFT + WIDTH + GAP, "peak memory, MB", 2, series)]
    legend = [f'<text x="{LEFT + index * 200}" y="{TOP + HEIGHT + 48}" fill="{colour}">{name}</text>'
              for index, (colour, name) in enumerate(zip(COLOURS, series))]
    width, height = LEFT + 2 * WIDTH + GAP + 50, TOP + HEIGHT + 70
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
                      f'height="{height}" font-family="sans-serif" font-size="12">',
                      f'<rect width="{width}" height="{height}" fill="#fff"/>',
                      *(line for panel in panels for line in panel.lines()), *legend, "</svg>", ""])


def main():
    if sys.argv[1] == "--data":
        make_data(sys.argv[2])
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "--data", folder], check=True)
        series = measured(sys.argv[1], folder)
        targets(sys.argv[1], folder, series)
    if len(sys.argv) > 2:
        single.write(sys.argv[2], drawing(series))
        print(f"drawn in {sys.argv[2]}")


if __name__ == "__main__":
    main()
