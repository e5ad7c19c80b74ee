"""Loads every example with `fwc apply` and checks it packet by packet.

usage: examples_test.py FWC [--levels 012] [NAME…]

Each is loaded at every level of --optimise, or at those that are said. First the same attempts run with no
rules at all and must all succeed: what is silent later is then denied, not lost. After the probes of each
example come the facts about state, limits, logs and translation (state.py), and replacing rulesets under
traffic (replace.py).
"""

import argparse
import glob
import os

import expectations
import lab
import replace
import state
from prober import Prober


def run_control(tally, laboratory, wanted):
    """Without rules everything gets through, so that silence means denial."""
    asked = [one for one in wanted if one.has_control]
    prober = Prober(laboratory)
    outcomes = prober.run([one.attempt for one in asked], 1.0)
    prober.close()
    works = set()
    for one, outcome in zip(asked, outcomes):
        if tally.check(outcome.verdict == "allow",
                       f"line {one.line}: without rules: {one.attempt}: {outcome}"):
            works.add(id(one))
    return works


def judge(tally, path, expectation, outcome):
    """Compares an outcome with what its line says; gives whether they agree."""
    where = f"{os.path.basename(path)}:{expectation.line}: {expectation.attempt}"
    if not tally.check(outcome.verdict == expectation.verdict,
                       f"{where}: expected {expectation.verdict}, got {outcome}"):
        return
    if expectation.verdict != "allow":
        if outcome.delivered:
            tally.check(False, f"{where}: {expectation.verdict}, and yet delivered")
        return
    if outcome.place != expectation.place:
        tally.check(False, f"{where}: answered by {outcome.place}, not {expectation.place}")
    if expectation.seen and outcome.seen != expectation.seen:
        tally.check(False, f"{where}: seen as {outcome.seen}, not {expectation.seen}")


def run_example(tally, fwc, levels, path):
    """Builds the file's network, loads its policy, and sends its probes."""
    network = expectations.read(path)
    laboratory = lab.Lab(fwc)
    expectations.build(laboratory, network)
    wanted = network.expectations
    works = run_control(tally, laboratory, wanted)
    for level in levels:
        laboratory.clear()
        try:
            laboratory.apply(network.policy, "--optimise", level)
        except lab.ApplyError as error:
            tally.check(False, f"{os.path.basename(path)}, --optimise {level}: {error}")
            continue
        prober = Prober(laboratory)
        outcomes = prober.run([one.attempt for one in wanted])
        prober.close()
        for one, outcome in zip(wanted, outcomes):
            if not one.has_control or id(one) in works:
                judge(tally, f"{path}, --optimise {level}", one, outcome)
    print(f"{os.path.basename(path)}: {len(wanted)} probes, at levels {', '.join(levels)}", flush=True)
    laboratory.close()
    return len(wanted) * len(levels)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("fwc")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--levels", default="012", help="of --optimise: all mean the same")
    asked = parser.parse_intermixed_args()
    lab.enter("packet tests")
    tally = lab.Tally()
    names = asked.names
    paths = sorted(glob.glob(os.path.join(expectations.HERE, "*.probes")))
    total = sum(run_example(tally, asked.fwc, asked.levels, path) for path in paths
                if not names or os.path.basename(path).split(".")[0] in names)
    print(f"{total} probes over {len(paths)} examples")
    if not names or "state" in names:
        state.run(tally, asked.fwc)
    if not names or "replace" in names:
        replace.run(tally, asked.fwc)
    tally.close()


if __name__ == "__main__":
    main()
