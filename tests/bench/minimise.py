"""How short lists become: `fwc compile --minimise` and `fwc minimise cisco`, in one table.

usage: minimise.py FWC

The largest policies, medians and the default beside its own aim take minutes: only with FWC_BENCH=full.
Policies of the kind that generators of lists are compared with (a source network, a destination network and 1 to 5
services a rule), without denials and with one rule in ten denied; the examples; and the lists of real devices in
FWC_DATA (else ../shared/data beside the checkout; left out with a word where it is missing). Every list was proven
by the compiler: it prints none else. Nothing here passes or fails: figures are for comparing within one run."""

import glob
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

from compile import TOP, rules_policy

LIST = re.compile(r"(\d+) rules, (\d+) entries, (\d+) in hardware, ([\d.]+) range registers")
BOTH = re.compile(r"(\d+) entries, (\d+) in hardware, ([\d.]+) range registers; "
                  r"now (\d+) entries, (\d+) in hardware, ([\d.]+) range registers")


def run(command):
    environment = {**os.environ, "PARIS_LYON_PSK": "bench"}
    return subprocess.run(command, text=True, capture_output=True, env=environment, check=False)


def seconds(command):
    """CPU, median; of what takes long, and where all of it is quick, once."""
    spent = []
    for _ in range(3 if IS_FULL else 1):
        with open(os.devnull, "w", encoding="ascii") as null:
            process = subprocess.Popen(command, stdout=null, stderr=null)
            usage = os.wait4(process.pid, 0)[2]
        spent.append(usage.ru_utime + usage.ru_stime)
        if spent[0] > 1:
            break
    return statistics.median(spent)


def sums(report):
    """(entries, hardware, registers) of all lists."""
    rows = LIST.findall(report)
    return tuple(sum(float(row[place]) for row in rows) for place in (1, 2, 3)) if rows else None


def row(*cells):
    print(f"{cells[0]:34}" + "".join(f"{cell:>12}" for cell in cells[1:]), flush=True)


IS_FULL = os.environ.get("FWC_BENCH") == "full"
AIMS = ((), ("--minimise", "none"), ("--minimise", "entries"), ("--minimise", "tcam"))


def compile_rows(fwc, name, path, options=()):
    for aim in AIMS if IS_FULL else AIMS[1:]:
        command = [fwc, "compile", "--target", "cisco-ios", *options, *aim, path]
        found = sums(run([*command, "--report"]).stdout)
        if found is None:
            row(name, "refused")
            return
        row(f"{name} {' '.join(options)}", aim[1] if aim else "default", *(f"{value:g}" for value in found),
            f"{seconds([*command, '--no-proof']):.2f}")


def peer_policies(folder):
    for count in (1000, 10000, 100000) if IS_FULL else (1000, 10000):
        for kind in ("allowed", "mixed"):
            text = rules_policy(count)
            if kind == "allowed":
                text = re.sub(r"^deny", "allow", text, flags=re.M)
            path = os.path.join(folder, f"{count} rules, {kind}")
            with open(path, "w", encoding="ascii") as stream:
                stream.write(text)
            yield f"{count} rules, {kind}", path


def real_rows(fwc):
    folder = os.environ.get("FWC_DATA") or os.path.join(os.path.dirname(TOP), "shared", "data")
    paths = [path for path in sorted(glob.glob(os.path.join(folder, "**", "*"), recursive=True))
             if os.path.isfile(path) and not path.endswith((".yml", "LICENSE"))]
    if not paths:
        print("real lists are left out: FWC_DATA is not there")
        return
    for aim in ("entries", "tcam"):
        total, lists = [0.0] * 6, 0
        for path in paths:
            for found in BOTH.findall(run([fwc, "minimise", "cisco", path, "--minimise", aim, "--report"]).stdout):
                total = [sum(pair) for pair in zip(total, map(float, found))]
                lists += 1
        row(f"{lists} real lists", "before", *(f"{value:g}" for value in total[:3]))
        row(f"{lists} real lists", aim, *(f"{value:g}" for value in total[3:]))


def main():
    fwc, start = os.path.abspath(sys.argv[1]), time.monotonic()
    row("list", "minimise", "entries", "hardware", "registers", "CPU s")
    with tempfile.TemporaryDirectory() as folder:
        for name, path in peer_policies(folder):
            compile_rows(fwc, name, path)
            compile_rows(fwc, name, path, ("--multi-port-eq",))
    for path in sorted(glob.glob(os.path.join(TOP, "examples", "*.fw"))):
        compile_rows(fwc, os.path.basename(path), path)
    real_rows(fwc)
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
