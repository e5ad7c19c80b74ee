"""No list of rules that has structure becomes a long chain of plain rules, at any size, nor too much to prove.

usage: chains_test.py FWC [--sizes N,N] [--zones N,N] [--offices N,N]

What falls back to plain rules where maps or copies run out would cost packets a thousand times more, at that
size only. Policies of every kind of the packet benchmark are compiled, and in what comes out the longest chain
is counted; policies of two kinds in turn, and of both families, are among them, and policies of zones, hosts
and groups. Which rules those are is the proof's matter: up to some size it has to come to an end; so it has to
of policies of offices, whose rules overlap and have limits, hours and logs, at every level. Where there is
structure, none of their chains and maps says what another says already."""

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench", "packets"))

# pylint: disable=wrong-import-position
import offices
import policies
import renderings
import zones

LONGEST = 50 # level 1 leaves lists of some dozens as they are, where cutting them would copy others much
PROVED = 4000 # rules, up to which all of the benchmark's policies are
ZONES_PROVED = 150
KINDS = ("hosts", "prefixes", "networks", "tuples", "tuples and networks", "tuples, mostly denied",
         "tuples of both families", "ranges")


def rules_of(kind, count, family):
    if kind in policies.FAMILIES:
        return policies.rules_of(kind, count, family)
    if kind == "tuples and networks":
        return (policies.rules_of("tuples", count // 2, family) +
                policies.rules_of("networks", count - count // 2, family))
    if kind == "tuples of both families":
        rules = policies.rules_of("tuples", count // 2, 4) + policies.rules_of("tuples", count - count // 2, 6)
        random.Random(f"{count}").shuffle(rules)
        return rules
    return [rule._replace(allow=index % 3 == 0)
            for index, rule in enumerate(policies.rules_of("tuples", count, family))]


def longest_chain(text):
    """(plain rules in the longest chain, its name)"""
    longest, name, count = (0, ""), "", 0
    for line in text.splitlines():
        begin = re.match(r"\tchain (\S+) \{", line)
        if begin:
            name, count = begin.group(1), 0
        elif line == "\t}":
            longest = max(longest, (count, name))
            name = ""
        elif name and line.startswith("\t\t") and " vmap @" not in line and not line.startswith("\t\ttype "):
            count += 1
    return longest


def written_twice(text):
    """Names of chains and maps whose lines are those of others; what a rule ends with (r_) is the rule's own."""
    names, seen, lines = [], {}, None
    for line in text.splitlines():
        begin = re.match(r"\t(chain|map) (\S+) \{", line)
        if begin:
            name, lines = begin.group(2), [begin.group(1)]
        elif line == "\t}" and lines is not None:
            if not name.startswith("r_") and seen.setdefault(tuple(lines), name) != name:
                names.append(name)
            lines = None
        elif lines is not None:
            lines.append(line)
    return names


def compile_longest(fwc, policy, with_proof):
    with tempfile.NamedTemporaryFile("w", suffix=".fw") as file:
        file.write(policy)
        file.flush()
        done = subprocess.run([fwc, "compile", *([] if with_proof else ["--no-proof"]), file.name], text=True,
                              capture_output=True)
    if done.returncode != 0 or (with_proof and not done.stderr.splitlines()[-1].startswith("proved: ")):
        return 0, done.stderr
    return longest_chain(done.stdout)


def is_proved(fwc, policy, words, level):
    with tempfile.NamedTemporaryFile("w", suffix=".fw") as file:
        file.write(policy)
        file.flush()
        done = subprocess.run([fwc, "compile", "--optimise", str(level), file.name], text=True, capture_output=True)
    is_good = done.returncode == 0 and done.stderr.splitlines()[-1].startswith("proved: ")
    if not is_good:
        print(f"{words}, level {level}: not proved")
    twice = written_twice(done.stdout) if level != 0 else []
    if twice:
        print(f"{words}, level {level}: {' '.join(twice[:8])} say what others do")
    return is_good and not twice


def is_short(fwc, policy, words, with_proof=False):
    longest, name = compile_longest(fwc, policy, with_proof)
    if not 0 < longest <= LONGEST:
        print(f"{words}: {longest} plain rules in the chain {name}")
    return 0 < longest <= LONGEST


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("--sizes", default="1000,4000,10000")
    parser.add_argument("--zones", default="300,3000", help="sizes of policies of zones")
    parser.add_argument("--offices", default="340,1000", help="sizes of policies of offices")
    options = parser.parse_args()
    passed = failed = 0
    for kind in KINDS:
        for family in (4, 6):
            for size in map(int, options.sizes.split(",")):
                if kind == "tuples of both families" and family == 6:
                    continue
                policy = renderings.fwc_policy(rules_of(kind, size, family))
                if is_short(options.fwc, policy, f"{kind}, IPv{family}, {size} rules", size <= PROVED):
                    passed += 1
                else:
                    failed += 1
    for kind in zones.KINDS:
        for size in map(int, options.zones.split(",")):
            if is_short(options.fwc, zones.policy_of(kind, size), f"{kind}, {size} rules"):
                passed += 1
            else:
                failed += 1
        for level in (0, 1, 2):
            if is_proved(options.fwc, zones.policy_of(kind, ZONES_PROVED), f"{kind}, {ZONES_PROVED} rules", level):
                passed += 1
            else:
                failed += 1
    for family in offices.FAMILIES:
        for size in map(int, options.offices.split(",")):
            for level in (0, 1, 2):
                if is_proved(options.fwc, offices.policy_of(family, size, 0.3), f"offices, {family}, {size} rules",
                             level):
                    passed += 1
                else:
                    failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
