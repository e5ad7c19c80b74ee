"""Mistakes, hostile input, and machines that refuse.

usage: tests/bad/run.py FWC

Every case must end soon, with the status that is promised, nothing on stdout, a message that
names file and line, a bounded stderr without control characters, and nothing loaded into the
kernel. Where there are namespaces, each case is also applied, inside one of its own.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading

import machine
import monsters
import options
import policies
import tables

TIMEOUT_S = 20
STDERR_MAX = 200_000
UNCLEAN = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]")
PLACE = re.compile(r"^(.*?):(\d+):(\d+): error: .*\[(FW\d{4})\]$", re.M)
CRASHES = ("AddressSanitizer", "runtime error:", "LeakSanitizer", "Assertion", "core dumped")


class Session:
    """The binary under test, a scratch folder, and the counts."""

    def __init__(self, fwc, folder):
        self.fwc = os.path.abspath(fwc)
        self.folder = folder
        self.passed = self.failed = self.skipped = 0
        self.lock = threading.Lock()
        self.can_load = subprocess.run(
            ["unshare", "-rn", "nft", "list", "ruleset"], capture_output=True, check=False
        ).returncode == 0
        if not self.can_load:
            self.skip("apply of every case", "no namespaces with nf_tables here")

    def check(self, holds, what):
        with self.lock:
            if holds:
                self.passed += 1
            else:
                self.failed += 1
                print(f"FAILED: {what}", flush=True)
        return holds

    def skip(self, what, why, of_the_build=False):
        """Not run here: for the machine's sake, which CI takes as a failure, or the build's."""
        if os.environ.get("FWC_REQUIRE_KERNEL") and not of_the_build:
            self.check(False, f"{what}: cannot be skipped here: {why}")
        else:
            self.skipped += 1
            print(f"skipped: {what}: {why}")

    def write(self, name, content):
        """A file in the scratch folder; gives its path."""
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, *arguments, stdin=b"", prefix=(), environment=None):
        """Runs fwc; None if it does not end in time."""
        try:
            return subprocess.run([*prefix, self.fwc, *arguments], input=stdin,
                                  capture_output=True, timeout=TIMEOUT_S, cwd=self.folder,
                                  env={**os.environ, **(environment or {})}, check=False)
        except subprocess.TimeoutExpired:
            return None

    def run_apply(self, path):
        """Applies in a namespace of its own; gives (result, tables left there)."""
        script = ('"$1" apply "$2" --state state --confirm 0; status=$?; echo "=tables"; nft list tables; '
                  'exit $status')
        try:
            done = subprocess.run(["unshare", "-rn", "sh", "-c", script, "sh", self.fwc, path],
                                  capture_output=True, timeout=TIMEOUT_S, cwd=self.folder,
                                  check=False)
        except subprocess.TimeoutExpired:
            return None, b""
        printed, _, tables = done.stdout.partition(b"=tables\n")
        done.stdout = printed
        return done, tables

    def check_refusal(self, name, done, status=1):
        """What holds for every refusal, whatever the mistake is."""
        if not self.check(done is not None, f"{name}: still running after {TIMEOUT_S} s"):
            return False
        stderr = done.stderr.decode(errors="replace")
        show = f"status {done.returncode}, stderr:\n{stderr[:800]}"
        holds = self.check(done.returncode == status, f"{name}: expected {status}, {show}")
        holds &= self.check(done.stdout == b"", f"{name}: stdout has {done.stdout[:100]!r}")
        holds &= self.check(0 < len(done.stderr) <= STDERR_MAX,
                            f"{name}: stderr has {len(done.stderr)} bytes")
        unclean = UNCLEAN.search(done.stderr)
        holds &= self.check(unclean is None, f"{name}: control character in stderr: {unclean}")
        holds &= self.check(not any(word in stderr for word in CRASHES), f"{name}: {show}")
        return holds

    def check_message(self, name, done, code, line, file=None):
        """Some error has the code, at the line, in the file."""
        stderr = done.stderr.decode(errors="replace")
        places = PLACE.findall(stderr)
        found = [place for place in places
                 if place[3].startswith(code) and (line is None or int(place[1]) == line)
                 and (file is None or place[0].endswith(file))]
        self.check(found, f"{name}: expected {code} at line {line}, stderr:\n{stderr[:800]}")


def run_mistake(session, name, path, expected):
    """One bad policy through check, compile and apply."""
    code, line, file = expected
    for command in ("check", "compile"):
        done = session.run(command, path)
        label = f"{name} ({command})"
        if session.check_refusal(label, done):
            session.check_message(label, done, code, line, file)
    if session.can_load:
        done, tables = session.run_apply(path)
        session.check_refusal(f"{name} (apply)", done)
        session.check(tables == b"", f"{name} (apply): loaded {tables!r}")


def run_messages(session):
    """What messages say besides code and line."""
    for index, (name, text, words) in enumerate(policies.MESSAGES):
        path = session.write(f"message{index}/main.fw", text)
        done = session.run("check", path)
        if session.check_refusal(name, done):
            stderr = done.stderr.decode(errors="replace")
            missing = [word for word in words if word not in stderr]
            session.check(not missing, f"{name}: no {missing} in:\n{stderr[:1500]}")


def run_policies(session):
    for index, (name, text, code, line) in enumerate(policies.MISTAKES):
        path = session.write(f"mistake{index}/main.fw", text)
        run_mistake(session, name, path, (code, line, "main.fw"))
    for index, (name, files, code, line, file) in enumerate(policies.FOLDERS):
        for file_name, text in files.items():
            session.write(f"folder{index}/{file_name}", text)
        path = os.path.join(session.folder, f"folder{index}/main.fw")
        run_mistake(session, name, path, (code, line, file))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="fwc-bad-") as folder:
        os.chmod(folder, 0o755)
        session = Session(sys.argv[1], folder)
        run_policies(session)
        run_messages(session)
        monsters.run(session, run_mistake)
        machine.run(session)
        options.run(session)
        tables.run(session)
    print(f"{session.passed} passed, {session.failed} failed, {session.skipped} skipped")
    sys.exit(1 if session.failed else 0)


if __name__ == "__main__":
    main()
