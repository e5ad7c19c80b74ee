"""Real packets through rulesets of nft and through the policies that were made of them.

usage: kernel_test.py FWC [FILE...]

The router with four segments of tests/iptables: each file is loaded with nft, every probe is sent; then the
imported policy is applied in its place and the same probes are sent again. Each has to end in the same way, at
the same machine, which sees the same source. Half of the files are read as scripts, half from the kernel.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "packets"))
sys.path.insert(0, os.path.join(HERE, "..", "iptables"))

# pylint: disable=wrong-import-position
import lab
import packets_test as router
from prober import Prober

# what they ask that no policy can say
REFUSED = {"marks-of-time.nft": ("meta mark", "its chain is of type filter")}


def options_of(text):
    found = re.search(r"^# options: (.*)$", text, re.M)
    return found.group(1).split() if found else []


def made_of(laboratory, fwc, path, is_kernel):
    """Runs the import beside the kernel's rules that were loaded, or of the script."""
    with open(path, encoding="utf-8") as file:
        options = options_of(file.read())
    command = [fwc, "import", "nft", "kernel:" if is_kernel else path, *options]
    if is_kernel:
        return laboratory.fw.run(command)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def check_file(tally, prober, fwc, path, probes, is_kernel):
    laboratory, name = prober.lab, os.path.basename(path)
    laboratory.fw.must(["nft", "-f", path])
    theirs = router.outcomes(prober, probes)
    done = made_of(laboratory, fwc, path, is_kernel)
    laboratory.fw.must(["nft", "flush", "ruleset"])
    if name in REFUSED:
        tally.check(done.returncode == 1 and done.stdout == "" and
                    all(word in done.stderr for word in REFUSED[name]), f"{name}: {done.returncode} {done.stderr}")
        return
    if not tally.check(done.returncode == 0 and "proved: this policy equals the ruleset" in done.stderr,
                       f"{name}: {done.returncode} {done.stderr}"):
        return
    laboratory.apply(done.stdout)
    mine = router.outcomes(prober, probes)
    laboratory.clear()
    for probe, one, other in zip(probes, theirs, mine):
        tally.check(one == other, f"{name}: {probe}: {one} by nft, {other} by the policy")
    kinds = {kind: sum(one[0] == kind for one in theirs) for kind in ("allow", "deny", "refused")}
    tally.check(kinds["allow"] > 5 and kinds["deny"] + kinds["refused"] > 5, f"{name}: {kinds}")
    print(f"{name}: {len(probes)} probes, {kinds}{', from the kernel' if is_kernel else ''}")


def main():
    fwc = os.path.abspath(sys.argv[1])
    files = [os.path.abspath(path) for path in sys.argv[2:]]
    files = files or sorted(glob.glob(os.path.join(HERE, "files", "*.nft")))
    if shutil.which("nft") is None:
        print("skipped: nft is missing\n0 passed, 0 failed, 1 skipped")
        return
    lab.enter("rulesets of nft and policies")
    tally = lab.Tally()
    laboratory = router.build(fwc)
    probes = list(router.attempts())
    prober = Prober(laboratory)
    for number, path in enumerate(files):
        check_file(tally, prober, fwc, path, probes, number % 2 == 1)
    laboratory.close()
    tally.close()


if __name__ == "__main__":
    sys.exit(main())
