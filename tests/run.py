"""Runs every test of the project, stage by stage, and counts.

Each test program prints its own details; this runner reads its closing line ("N passed,
N failed[, N skipped]", or Check's "100%: Checks: N, Failures: N, Errors: N"), adds them up,
and ends with one such line for all. A program that fails without a closing line counts as
one failure. A kernel test that was skipped where FWC_REQUIRE_KERNEL is set counts as failed.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time

PROCESSORS = os.cpu_count() or 1
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLOSING = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$")
CHECK = re.compile(r"Checks: (\d+), Failures: (\d+), Errors: (\d+)")
SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=0:detect_leaks=1:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
}


class Tally:
    """Sums of passed, failed and skipped tests, and the names of what failed."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def add(self, name, passed, failed, skipped):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        if failed:
            self.failures.append(f"{name} ({failed})")

    def closing_line(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def counts_of(output, status):
    """(passed, failed, skipped) from a program's output, or from its status alone."""
    for line in reversed(output.splitlines()):
        match = CLOSING.search(line)
        if match:
            passed, failed, skipped = (int(text or 0) for text in match.groups())
            break
        match = CHECK.search(line)
        if match:
            checks, failures, errors = map(int, match.groups())
            passed, failed, skipped = checks - failures - errors, failures + errors, 0
            break
    else:
        passed, failed, skipped = (1, 0, 0) if status == 0 else (0, 1, 0)
    if status != 0 and failed == 0:
        failed = 1
    return passed, failed, skipped


def output_of(command, environment, timeout=1800):
    """(output, status, seconds) of one test program."""
    start = time.monotonic()
    try:
        done = subprocess.run(command, cwd=TOP, text=True, errors="replace", timeout=timeout,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})})
        output, status = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace") + f"\ntimed out after {timeout} s\n"
        status = 1
    return output, status, time.monotonic() - start


# What takes longest begins first, so that nothing runs alone at the end.
LONG = ("cisco/proof_test.py", "kernel/proof.py", "bad/run.py", "kernel/run.py", "unit-lower",
        "packets/examples_test.py", "cisco/import_test.py", "cisco/hostile_test.py")


def is_short(job):
    return not job[0].endswith(LONG)


class Runner:
    """Runs commands side by side, three for two processors, for many wait for the kernel. What is begun waits
    behind what was begun before, be it a test or a build: while one folder is built, tests of another run."""

    def __init__(self, tally):
        self.tally = tally
        self.workers = concurrent.futures.ThreadPoolExecutor(PROCESSORS * 3 // 2)

    def begin(self, jobs):
        """Jobs are (name, command, environment); gives (name, future) of each, in their order."""
        begun = {job[0]: self.workers.submit(output_of, job[1], job[2]) for job in sorted(jobs, key=is_short)}
        return [(name, begun[name]) for name, _, _ in jobs]

    def begin_build(self, name, folder, jobs_of):
        """A build on half of the processors, and when it is done, the jobs that jobs_of(folder) names."""
        return self.workers.submit(self.build, name, folder, jobs_of, PROCESSORS // 2)

    def build(self, name, folder, jobs_of, processes):
        """Sets up and builds one folder, each step a test of its own; gives what tell() takes."""
        options, environment, targets = BUILDS[name]
        steps = [("setup", ["meson", "setup", folder, *options])]
        if os.path.exists(os.path.join(folder, "build.ninja")):
            steps = []
        steps.append(("build", ["ninja", "-C", folder, "-j", str(max(1, processes)), *targets]))
        done = []
        for step, command in steps:
            done.append((f"{name}: {step}", concurrent.futures.Future()))
            outcome = output_of(command, environment)
            done[-1][1].set_result(outcome)
            if outcome[1] != 0:
                return done
        return done + self.begin(jobs_of(folder))

    def tell(self, begun):
        """Waits for what was begun, and tells of it in its order, with the output of what failed."""
        for name, future in begun:
            output, status, seconds = future.result()
            passed, failed, skipped = counts_of(output, status)
            self.tally.add(name, passed, failed, skipped)
            print(f"{name}: {passed} passed, {failed} failed, {skipped} skipped"
                  f" ({seconds:.1f} s)", flush=True)
            if failed:
                print(output[-20000:], flush=True)
            elif skipped:
                print("\n".join(line for line in output.splitlines() if "skipped" in line), flush=True)


# Options of meson, its environment, and what is built. clang builds all with the sanitizers, in less time than gcc.
SANITIZED = ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dc_args=-gline-tables-only"]
BUILDS = {
    "gcc": ([], None, []),
    "sanitized": (SANITIZED, {"CC": "clang"}, []),
    "fuzz": ([*SANITIZED, "-Dfuzz=true", "-Doptimization=1"], {"CC": "clang"}, ["fuzzers"]),
}


def unit_programs(folder):
    """The Check programs of a build, in order of name."""
    place = os.path.join(folder, "tests", "unit")
    return sorted(os.path.join(place, name) for name in os.listdir(place)
                  if name.startswith("unit-") and os.access(os.path.join(place, name), os.X_OK)
                  and os.path.isfile(os.path.join(place, name)))


def unit_jobs(label, folder, environment=None):
    return [(f"{label}: {os.path.basename(program)}", [program], environment)
            for program in unit_programs(folder)]


def program_jobs(label, folder, environment=None, fewer=None):
    """Everything that drives the built fwc from outside; `fewer`: options by name of the script."""
    fwc = os.path.join(folder, "src", "cmd", "fwc")
    return [(f"{label}: {script[0]}",
             [sys.executable, os.path.join(TOP, "tests", script[0]), fwc, *script[1:],
              *(fewer or {}).get(script[0], ())], environment) for script in PROGRAMS]


# Random comparisons of meaning, which the plain build has made: here it is memory that is looked at.
FEWER = {
    "engines/corners_test.py": ("--packets", "200"),
    "engines/explain_test.py": ("--policies", "4"),
    "engines/chains_test.py": ("--sizes", "1000", "--zones", "300", "--offices", "340"),
    "cisco/lists_test.py": ("--lists", "2", "--devices", "1", "--mutants", "1"),
    "cisco/edit_test.py": ("--pairs", "3"),
    "cisco/proof_test.py": ("--mutants", "2"),
    "cisco/diff_test.py": ("--pairs", "30"),
    "cisco/explain_test.py": ("--questions", "5"),
    "cisco/groups_test.py": ("--policies", "6"),
    "cisco/import_test.py": ("--lists", "40"),
    "cisco/import_real_test.py": ("--packets", "40"),
    "cisco/outside_test.py": ("--policies", "4", "--entries", "40"),
    "cisco/minimise_test.py": ("--lists", "6", "--packets", "40"),
    "cisco/kernel_test.py": ("--policies", "6"),
    "cisco/report_test.py": ("--policies", "6"),
    "cisco/refuse_test.py": ("--lines", "10000"),
    "kernel/run.py": ("--rulesets", "12"),
    "kernel/proof.py": ("--mutants", "40", "--policies", "16"),
    "iptables/import_test.py": ("--files", "12"),
    "import_nft/random_test.py": ("--rulesets", "5"),
    "packets/examples_test.py": ("--levels", "2"),
    "packets/random_test.py": ("--policies", "30"),
    "packets/translated_test.py": ("--policies", "6"),
    "packets/applies_test.py": ("--applies", "10"),
}


PROGRAMS = [
    ("db/db_test.py",),
    ("db/commands_test.py",),
    ("cases/run.py",),
    ("bad/run.py",),
    ("docs/run.py",),
    ("reports/reports_test.py",),
    ("engines/corners_test.py",),
    ("engines/explain_test.py",),
    ("engines/chains_test.py",),
    ("engines/lines_test.py",),
    ("git/git_test.py",),
    ("kernel/run.py",),
    ("kernel/proof.py",),
    ("kernel/differ.py",),
    ("boot/boot_test.py",),
    ("monitor/log_test.py",),
    ("operate/run.py",),
    ("operate/flows_test.py",),
    ("operate/translated_test.py",),
    ("monitor/trace_test.py",),
    ("monitor/hits_test.py",),
    ("iptables/import_test.py",),
    ("iptables/packets_test.py",),
    ("import_nft/kernel_test.py",),
    ("import_nft/bad_test.py",),
    ("import_nft/random_test.py", "--rulesets", "12"),
    ("cisco/acl_eval_test.py",),
    ("cisco/import_test.py",),
    ("cisco/import_real_test.py",),
    ("cisco/minimise_test.py",),
    ("cisco/lists_test.py", "--lists", "5", "--devices", "3", "--replies"),
    ("cisco/edit_test.py", "--pairs", "10"),
    ("cisco/peers_test.py",),
    ("cisco/refuse_test.py",),
    ("cisco/proof_test.py", "--mutants", "20"),
    ("cisco/explain_test.py",),
    ("cisco/diff_test.py",),
    ("cisco/groups_test.py",),
    ("cisco/report_test.py",),
    ("cisco/hostile_test.py",),
    ("cisco/kernel_test.py",),
    ("cisco/outside_test.py", "--policies", "12", "--entries", "100"),
    ("cisco/devices_test.py",),
    ("cisco/site_to_site_test.py",),
    ("packets/examples_test.py",),
    ("packets/peers_test.py",),
    ("packets/random_test.py",),
    ("packets/translated_test.py", "--policies", "40", "--packets", "80"),
    ("packets/applies_test.py", "--applies", "40"),
]


def fuzz_jobs(folder, seconds):
    """Each fuzz target from its corpus, for its share of the time; findings fail."""
    place = os.path.join(folder, "tests", "fuzz")
    targets = sorted(name for name in os.listdir(place) if name.startswith("fuzz_")
                     and os.access(os.path.join(place, name), os.X_OK)
                     and os.path.isfile(os.path.join(place, name)))
    jobs = []
    for name in targets:
        scratch = os.path.join(place, name + ".corpus")
        os.makedirs(scratch, exist_ok=True)
        jobs.append((f"fuzz: {name}",
                     [os.path.join(place, name), f"-max_total_time={seconds // len(targets)}",
                      "-max_len=4096", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
                      f"-artifact_prefix={place}/", scratch, os.path.join(TOP, "tests/fuzz/corpus")],
                     SANITIZERS))
    return jobs


# What is fast enough for memcheck; the sanitizers see everything.
FAST_UNITS = ("unit-base", "unit-diag", "unit-expand", "unit-resolve", "unit-rules", "unit-services")
MEMCHECK = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
            "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"]


def valgrind_jobs(folder):
    """Fast unit tests, each of them a child, and the compiler over every example."""
    jobs = [(f"valgrind: {os.path.basename(program)}", [*MEMCHECK, program],
             {"CK_DEFAULT_TIMEOUT": "300"})
            for program in unit_programs(folder) if os.path.basename(program) in FAST_UNITS]
    fwc = os.path.join(folder, "src", "cmd", "fwc")
    examples = os.path.join(TOP, "examples")
    jobs += [(f"valgrind: compile {name}",
              [*MEMCHECK, fwc, "compile", "-o", os.devnull, os.path.join(examples, name)],
              {"PARIS_LYON_PSK": "a-key-for-this-test-alone"})
             for name in sorted(os.listdir(examples)) if name.endswith(".fw")]
    return jobs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true",
                        help="one build with gcc, no sanitizers, fuzzers, valgrind")
    parser.add_argument("--build", default=os.path.join(TOP, "build-tests"), help="build folders")
    parser.add_argument("--fuzz-seconds", type=int, default=60)
    arguments = parser.parse_args()
    tally = Tally()

    runner = Runner(tally)
    runner.tell(runner.begin([(script, [sys.executable, os.path.join(TOP, "tests", script)], None)
                              for script in ("layers.py", "format.py")]))
    if arguments.quick:
        runner.tell(runner.build("gcc", arguments.build + "/gcc", plain_jobs, PROCESSORS))
    else:
        run_everything(runner, arguments)
    finish(tally)


def plain_jobs(folder):
    return unit_jobs("gcc", folder) + program_jobs("gcc", folder)


def plain_and_valgrind_jobs(folder):
    return plain_jobs(folder) + (valgrind_jobs(folder) if shutil.which("valgrind") else [])


def sanitized_jobs(folder):
    return (unit_jobs("sanitized", folder, SANITIZERS) +
            program_jobs("sanitized", folder, SANITIZERS, FEWER))


def run_everything(runner, arguments):
    """The plain build has the machine for itself; then the tests of one build run while the next is made."""
    gcc = runner.build("gcc", arguments.build + "/gcc", lambda folder: [], PROCESSORS)
    sanitized = runner.begin_build("sanitized", arguments.build + "/sanitized-clang", sanitized_jobs)
    if all(future.result()[1] == 0 for _, future in gcc):
        gcc += runner.begin(plain_and_valgrind_jobs(arguments.build + "/gcc"))
    fuzz = runner.begin_build("fuzz", arguments.build + "/fuzz",
                              lambda folder: fuzz_jobs(folder, arguments.fuzz_seconds))
    runner.tell(gcc)
    runner.tell(sanitized.result())
    runner.tell(fuzz.result())


def finish(tally):
    for failure in tally.failures:
        print(f"failed: {failure}")
    print(tally.closing_line())
    sys.exit(1 if tally.failed or tally.passed == 0 else 0)


if __name__ == "__main__":
    main()
