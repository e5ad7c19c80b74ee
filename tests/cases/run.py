"""Runs the cases: a folder a fact, named after it.

    policy.fw     the input (only with `command` another file may take its place)
    args          more arguments of `fwc compile`, one a line (optional)
    command       the arguments of another command instead, one a line (optional)
    stdout        what it prints (optional)
    status        the exit status, when it is not 0 (optional)
    stderr        what stands on stderr, word for word (optional)
    ast, policy, rules, nft, bytecode
                  what --show=NAME prints (each optional)
    fmt           the canonical form of policy.fw (optional)

A golden text shows change; that it is true is shown elsewhere (packets, kernel, evaluator).
With UPDATE=1 in the environment the files that exist are written anew. Every code of
`fwc explain` must be seen in some case, in tests/bad, or stand in WITHOUT_CASE with a reason.
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# What `compile` says once its product is proved; the digits are those of the text, which is golden itself.
PROVED = re.compile(r"^proved: (?:this table equals the policy, \d+ hooks?, \d+ rules|these lists equal the policy"
                    r"(?: and the answers that were told)?, \d+ lists, \d+ entries), sha256 [0-9a-f]{64}\n", re.M)
STAGES = ("ast", "policy", "rules", "nft", "bytecode")

# Codes that need a machine in a state that a case cannot make; tests that make it are named.
WITHOUT_CASE = {
    "FW0204": "a file of 255 MiB: tests/unit/test_parse.c reads one that says it is so large",
    "FW0904": "more levels of chains than any policy has needed: tests/unit/test_lower.c makes them",
    "FW0906": "a table that somebody changed: tests/kernel/proof.py",
    "FW0907": "a proof beyond its budget: tests/unit/test_prove.c, tests/cisco/proof_test.py",
    "FW0908": "a table that makes no sense: tests/kernel/proof.py",
    "FW0937": "commands that do not make their list, a mistake of fwc: tests/cisco/edit_test.py looks for one",
    "FW0950": "a list beyond the budget of steps: tests/cisco/minimise_test.py makes one",
    "FW0952": "a shorter list that is another one, a mistake of fwc: tests/cisco/minimise_test.py looks for one",
    "FW1001": "a refusal of the kernel: tests/kernel/run.py",
    "FW1329": "tables of iptables-legacy in the kernel: tests/kernel/run.py",
    "FW1003": "a kernel without nf_tables: tests/kernel/run.py plays one",
    "FW1005": "twenty foreign changes in a row: tests/kernel/run.py makes them",
    "FW1006": "another program's chains: tests/kernel/run.py",
    "FW1030": "a boot whose files cannot be used: tests/boot/boot_test.py",
    "FW1407": "a disk that fails: tests/operate/store.py",
    "FW0808": "a policy past the engine's budget: tests/unit/test_meaning.c",
    "FW1112": "a policy past the engine's budget: tests/unit/test_anomalies.c",
    "FW1113": "a policy of thousands of rules: tests/reports/reports_test.py",
    "FW1152": "a policy past the engine's budget: tests/unit/test_meaning.c",
    "FW1205": "a log that cannot be read: tests/monitor/log_test.py",
    "FW1190": "packets that are not said well: tests/monitor/trace_test.py",
    "FW1207": "counters of the kernel: tests/monitor/hits_test.py",
    "FW1208": "counters of the kernel: tests/monitor/hits_test.py",
    "FW1209": "a machine without nft or namespaces: tests/import_nft/bad_test.py",
    "FW1330": "a script that nft refuses: tests/import_nft/bad_test.py",
    "FW1203": "a memory limit: tests/bad/machine.py",
    "FW1401": "a folder that others may write to: tests/operate/store.py",
    "FW1402": "a disk that is full: tests/operate/store.py",
    "FW1403": "a file that was changed: tests/operate/store.py",
    "FW1404": "another process at work: tests/operate/timer.py",
    "FW1405": "a machine without processes: tests/operate/timer.py",
    "FW1406": "a kernel that refuses its own table: tests/operate/timer.py plays one",
    "FW1422": "two applies at once: tests/operate/timer.py",
    "FW1423": "a confirmation too late: tests/operate/timer.py",
    "FW1424": "a confirmation from the same connection: tests/operate/lockout.py",
    "FW1425": "nothing to go back to: tests/operate/timer.py",
    "FW1411": "a table that options shaped: tests/operate/plan.py",
    "FW1410": "a kernel that ends no connection: tests/operate/translated_test.py",
    "FW1409": "a kernel that ends no connection: tests/operate/flows_test.py",
    "FW1408": "tables of two names in the kernel: tests/operate/odd.py",
    "FW1428": "a table that somebody flushed: tests/operate/odd.py",
    "FW1426": "a connection over SSH: tests/operate/lockout.py",
    "FW1427": "a remote session: tests/operate/lockout.py",
    "FW1421": "a foreign change while it is loaded: tests/operate/timer.py",
}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def fwc(binary, folder, arguments):
    done = subprocess.run([os.path.abspath(binary), *arguments], cwd=folder, text=True,
                          errors="replace", capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1"})
    return done.returncode, done.stdout, done.stderr


def is_proved(arguments):
    """Does this command make a table or lists, and say so in words?"""
    return arguments[0] == "compile" and not {"--no-proof", "--json"} & set(arguments) and \
        not any("--show" in word or word == "--report" for word in arguments)


class Case:
    """One folder; `problems` holds what did not come out as its files say."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.problems = []
        self.stderr = ""

    def path(self, name):
        return os.path.join(self.folder, name)

    def has(self, name):
        return os.path.exists(self.path(name))

    def compare(self, name, found):
        if os.environ.get("UPDATE"):
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(found)
        elif read(self.path(name)) != found:
            self.problems.append(f"{name} differs; found:\n{found}")

    def run(self):
        extra = read(self.path("args")).split("\n")[:-1] if self.has("args") else []
        expected = int(read(self.path("status"))) if self.has("status") else 0
        arguments = read(self.path("command")).split("\n")[:-1] if self.has("command") else \
            ["compile", "policy.fw", *extra]
        status, output, self.stderr = fwc(self.binary, self.folder, arguments)
        if status != expected:
            self.problems.append(f"exit status {status}, not {expected}:\n{self.stderr}")
        if self.has("stdout"):
            self.compare("stdout", output)
        elif status != 0 and output:
            self.problems.append(f"failed, and yet printed:\n{output}")
        self.stderr, proofs = PROVED.subn("", self.stderr)
        if proofs != (1 if status == 0 and is_proved(arguments) else 0):
            self.problems.append(f"status {status}, and {proofs} lines say that it is proved")
        if self.has("stderr"):
            self.compare("stderr", self.stderr)
        for stage in STAGES:
            if self.has(stage):
                self.compare(stage, fwc(self.binary, self.folder,
                                        ["compile", "policy.fw", f"--show={stage}", *extra])[1])
        if self.has("fmt"):
            self.compare("fmt", fwc(self.binary, self.folder, ["fmt", "policy.fw"])[1])


def all_codes():
    folder = os.path.join(HERE, "..", "..", "src", "diag", "codes")
    tables = "".join(read(os.path.join(folder, name)) for name in sorted(os.listdir(folder)))
    return {f"FW{int(number):04d}" for number in re.findall(r"^X\((\d+),", tables, re.M)}


def seen_elsewhere():
    """Codes that the table of tests/bad expects."""
    folder = os.path.join(HERE, "..", "bad")
    text = "".join(read(os.path.join(place, name)) for place, _, names in os.walk(folder)
                   for name in sorted(names) if name.endswith((".py", ".tsv", ".txt")))
    return set(re.findall(r"FW\d{4}", text))


def main():
    binary = sys.argv[1]
    passed = failed = 0
    seen = seen_elsewhere()
    for name in sorted(os.listdir(HERE)):
        folder = os.path.join(HERE, name)
        if not any(os.path.exists(os.path.join(folder, name)) for name in ("policy.fw", "command")):
            continue
        case = Case(binary, folder)
        case.run()
        seen |= set(re.findall(r"\[(FW\d{4})\]", case.stderr))
        failed += bool(case.problems)
        passed += not case.problems
        for problem in case.problems:
            print(f"{name}: {problem}")
    for code in sorted(all_codes() - seen - set(WITHOUT_CASE)):
        print(f"{code}: no case shows it")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
