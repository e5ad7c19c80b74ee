"""Operation: the state, confirmation, the way back. Real processes in a network namespace.

    run.py FWC [WORD]

With WORD only cases whose name holds it."""

import sys
import traceback

import store
import world

MODULES = (store,)


def cases():
    for module in MODULES:
        for name, function in vars(module).items():
            if name.startswith("case_"):
                yield f"{module.__name__}: {name[5:].replace('_', ' ')}", function


def main():
    world.enter()
    place = world.World(sys.argv[1])
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    try:
        for name, function in cases():
            if wanted not in name:
                continue
            place.begin(name)
            try:
                function(place)
            except Exception:  # a case that breaks is a failed case; the others still run
                place.check(False, traceback.format_exc())
    finally:
        place.close()
    sys.exit(1 if place.failed else 0)


if __name__ == "__main__":
    main()
