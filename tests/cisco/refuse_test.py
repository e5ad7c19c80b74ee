"""What a router's text is not made of: bad input, and very much of it.

usage: refuse_test.py FWC [--lines N]

Each kind of bad input is compiled as its case (tests/cases) has it, into a file that is there already:
an error at the place that the case names, and the file stays what it was; into one that is not there:
it is not made. Then a policy and a configuration of 100,000 lines: read whole, a mistake far inside is
told at its line, and one cut short is refused.
"""

import argparse
import os
import re
import subprocess
import tempfile

from compiled import TOP, Tally

CASES = os.path.join(TOP, "tests", "cases")
# the case and what its first error has to speak of: a regular expression
BAD = {
    "a-rule-of-ipv6-needs-a-device-with-ipv6": r"policy\.fw:10:1: error: .*IPv6.*'R'",
    "a-zone-without-interface-on-a-device-is-told-where-a-rule-names-it":
        r"policy\.fw:9:5: error: .*'SITE1'.*'dmz'",
    "an-interface-is-in-one-zone": r"policy\.fw:7:37: error: 'zone'",
    "a-number-of-a-list-is-in-range": r"fwc compile: '200'",
    "networks-of-a-device-are-strict": r"policy\.fw:7:45: error: .*network",
    "the-sides-of-carry-are-not-swapped": r"policy\.fw:17:5: error: 192\.168\.0\.0/24",
    "the-key-of-a-tunnel-stands-in-the-environment": r"policy\.fw:20:5: error: .*'FWC_NO_SUCH_VARIABLE'",
    "a-configuration-cut-short-changes-nothing": r"show-run\.txt:1:1: error: .*no 'end'",
    "a-configuration-cut-short-is-refused": r"router\.ios:1:1: error: .*no 'end'",
    "a-name-of-a-list-is-not-too-long": r"fwc compile: 'perimeter-.*at most 59",
    "names-that-a-router-does-not-take-are-told": r"policy\.fw:3:8: error: .*'site 1'",
}


def arguments_of(case):
    """The command line of a case, without the program."""
    for name in ("command", "args"):
        path = os.path.join(CASES, case, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                words = file.read().split("\n")[:-1]
            return words if name == "command" else ["compile", "policy.fw", *words]
    return ["compile", "policy.fw"]


def run(fwc, words, folder=None):
    return subprocess.run([fwc, *words], cwd=folder, capture_output=True, text=True, errors="replace",
                          check=False, timeout=120, env={key: value for key, value in os.environ.items()
                                            if key != "FWC_NO_SUCH_VARIABLE"})


def check_case(tally, fwc, case, wanted, folder):
    words = arguments_of(case)
    there, new = os.path.join(folder, "there"), os.path.join(folder, "new")
    with open(there, "w", encoding="utf-8") as file:
        file.write("as it was\n")
    for output in (there, new):
        done = run(fwc, [*words, "-o", output] if words[0] == "compile" else words, os.path.join(CASES, case))
        first = next((line for line in done.stderr.split("\n")
                      if "error: " in line or line.startswith("fwc ")), "")
        tally.check(done.returncode in (1, 2) and done.stdout == "", f"{case}: status {done.returncode}")
        tally.check(re.search(wanted, first), f"{case}: {first!r}")
    with open(there, encoding="utf-8") as file:
        tally.check(file.read() == "as it was\n", f"{case}: the output that was there is changed")
    tally.check(sorted(os.listdir(folder)) == ["there"], f"{case}: something is written: {os.listdir(folder)}")


# --- very much of it --------------------------------------------------------------------------------------


def rule(index):
    """(verdict, protocol, source, destination, port): no two share packets."""
    source = f"10.{index >> 16 & 255}.{index >> 8 & 255}.{index & 255}"
    return (index % 3 != 0, "tcp" if index % 2 else "udp", source, f"172.16.{index % 256}.0",
            1 + index % 60000)


def policy_lines(count):
    for verdict, protocol, source, destination, port in map(rule, range(count)):
        yield f"{'allow' if verdict else 'deny'} {port}/{protocol} from {source} to {destination}/24;"


def entries(count):
    """What IOS prints for these rules and the final denial."""
    for verdict, protocol, source, destination, port in map(rule, range(count)):
        yield f"{'permit' if verdict else 'deny'} {protocol} host {source} {destination} 0.0.0.255 eq {port}"
    yield "deny ip any any"


def written(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path


def configuration(lines):
    return ["version 15.2", "ip access-list extended FWC",
            *(f" {10 * number} {line}" for number, line in enumerate(lines, 1)),
            "interface Serial0/0", " ip access-group FWC in", "end"]


def check_policy(tally, fwc, folder, count):
    lines = list(policy_lines(count))
    policy = written(os.path.join(folder, "policy.fw"), lines)
    done = run(fwc, ["compile", policy, "--target", "cisco"])
    found = [line.split(" ", 2)[2] for line in done.stdout.split("\n")[1:]
             if line.startswith(" ") and " remark " not in line]
    tally.check(done.returncode == 0 and found == list(entries(count)),
                f"{count} rules: {len(found)} entries, {done.stderr[:200]}")
    far = count * 7 // 10
    lines[far] = lines[far].replace("/24;", "/8;")
    bad = written(os.path.join(folder, "bad.fw"), lines)
    done = run(fwc, ["compile", bad, "--target", "cisco", "-o", os.path.join(folder, "out")])
    tally.check(done.returncode == 1 and f"bad.fw:{far + 1}:" in done.stderr.split("\n")[0] and
                done.stderr.endswith("\n1 error\n") and "out" not in os.listdir(folder),
                f"a mistake in line {far + 1}: {done.stderr[:200]}")
    return policy


def check_configuration(tally, fwc, folder, count, policy):
    lines = configuration(entries(count))
    router = written(os.path.join(folder, "router.ios"), lines)
    edit = ["compile", policy, "--target", "cisco", "--mode", "edit", "--from"]
    done = run(fwc, ["import", "cisco", router])
    rules = [line for line in done.stdout.split("\n") if re.match("(allow|deny) .* from ", line)]
    tally.check(done.returncode == 0 and len(rules) == count, f"{count} entries read: {len(rules)} rules")
    done = run(fwc, [*edit, router])
    tally.check(done.returncode == 0 and done.stdout == "", f"the same list: {done.stdout[:200]!r}")
    far = count * 7 // 10
    edit[1] = written(os.path.join(folder, "short.fw"), ["allow ssh;"])
    lines[far] = lines[far].replace(" eq ", " equals ")
    bad = written(os.path.join(folder, "bad.ios"), lines)
    for words in (["import", "cisco", bad], [*edit, bad]):
        done = run(fwc, words)
        tally.check(done.returncode == 1 and done.stdout == "" and f"bad.ios:{far + 1}:" in done.stderr,
                    f"a mistake in line {far + 1}: {words[0]}: {done.stderr[:200]}")
    cut = written(os.path.join(folder, "cut.ios"), lines[:far])
    for words in (["import", "cisco", cut], [*edit, cut]):
        done = run(fwc, words)
        tally.check(done.returncode == 1 and done.stdout == "" and "cut.ios:1:1: error: " in done.stderr,
                    f"cut behind line {far}: {words[0]}: {done.stderr[:200]}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("fwc")
    parser.add_argument("--lines", type=int, default=100000)
    options = parser.parse_args()
    tally, fwc = Tally(), os.path.abspath(options.fwc)
    for case, wanted in BAD.items():
        with tempfile.TemporaryDirectory() as folder:
            check_case(tally, fwc, case, wanted, folder)
    with tempfile.TemporaryDirectory() as folder:
        policy = check_policy(tally, fwc, folder, options.lines)
        check_configuration(tally, fwc, folder, options.lines, policy)
    tally.close()


if __name__ == "__main__":
    main()
