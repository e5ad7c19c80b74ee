"""Operation: the state, confirmation, the way back. Real processes in a network namespace.

    run.py FWC [WORD] [--times]

With WORD only cases whose name holds it; without, the files run side by side."""

import re
import subprocess
import sys
import time
import traceback

import booted
import kept
import lockout
import odd
import plan
import rights
import stalled
import store
import timer
import world

MODULES = (store, timer, stalled, booted, lockout, plan, kept, rights, odd)
CLOSING = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped\n$")


def cases():
    for module in MODULES:
        for name, function in list(vars(module).items()):
            if name.startswith("case_"):
                yield f"{module.__name__}: {name[5:].replace('_', ' ')}", function


def run_cases(fwc, wanted):
    world.enter()
    place = world.World(fwc)
    blocked = timer.Blocked(place) if wanted == "timer" else None
    try:
        for name, function in cases():
            if wanted not in name:
                continue
            place.begin(name)
            start = time.monotonic()
            try:
                function(place)
            except Exception:  # a case that breaks is a failed case; the others still run
                place.check(False, traceback.format_exc())
            if "--times" in sys.argv:
                print(f"{name}: {time.monotonic() - start:.1f} s")
        if blocked is not None:
            blocked.check(place)
    finally:
        place.close()
    return place.failed == 0


def run_modules(fwc):
    """Each waits most of its time."""
    totals, options = [0, 0, 0], [word for word in sys.argv[2:] if word.startswith("-")]
    processes = [subprocess.Popen([sys.executable, __file__, fwc, module.__name__, *options], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for module in MODULES]
    for process in processes:
        printed = process.communicate()[0]
        closing = CLOSING.search(printed)
        print(CLOSING.sub("", printed), end="")
        counts = [int(text) for text in closing.groups()] if closing else [0, 1, 0]
        totals = [total + count for total, count in zip(totals, counts)]
    print("{} passed, {} failed, {} skipped".format(*totals))
    return totals[1] == 0


def main():
    words = [word for word in sys.argv[2:] if not word.startswith("-")]
    is_good = run_cases(sys.argv[1], words[0]) if words else run_modules(sys.argv[1])
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
