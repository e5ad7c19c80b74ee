"""Elements of a map say the policy's line while there are few enough to be read; of more, or at level 2, none does.

usage: lines_test.py FWC"""

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench", "packets"))

# pylint: disable=wrong-import-position
import policies
import renderings

SAID_MOST = 4096


def maps_of(text):
    """{name: (elements, those that say a line)}"""
    found, name = {}, ""
    for line in text.splitlines():
        begin = re.match(r"\tmap (\S+) \{", line)
        if begin:
            name = begin.group(1)
            found[name] = (0, 0)
        elif line == "\t}":
            name = ""
        elif name and re.match(r"\t\t(elements = \{|\t     )", line):
            elements, said = found[name]
            found[name] = (elements + 1, said + (' comment "' in line))
    return found


def compiled(fwc, count, level):
    with tempfile.NamedTemporaryFile("w", suffix=".fw") as file:
        file.write(renderings.fwc_policy(policies.rules_of("networks", count, 4)))
        file.flush()
        return subprocess.run([fwc, "compile", "--no-proof", "--optimise", str(level), file.name], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def main():
    passed = failed = 0
    sizes = set()
    for level in (1, 2):
        for count in (100, 2000):
            for name, (elements, said) in maps_of(compiled(sys.argv[1], count, level)).items():
                wanted = elements if level == 1 and elements <= SAID_MOST else 0
                sizes.add(elements > SAID_MOST)
                passed += said == wanted
                failed += said != wanted
                if said != wanted:
                    print(f"level {level}, map {name}: {said} of {elements} elements say a line, not {wanted}")
    if sizes != {False, True}:
        failed += 1
        print(f"no maps on both sides of {SAID_MOST} elements: nothing was compared")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
