"""A network namespace with fwc, a folder for its state, and the counts."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
INSIDE = "FWC_INSIDE_OPERATE"
# root keeps its own user namespace: who may read /proc matters here
NAMESPACES = "-nm" if os.geteuid() == 0 else "-rnm"
SSH = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")


def enter():
    """Restarts the script inside its namespaces; exits where there is nothing to run on."""
    if os.environ.get(INSIDE):
        return
    probe = subprocess.run(["unshare", NAMESPACES, "nft", "add table inet probe"], capture_output=True, text=True,
                           check=False)
    if probe.returncode != 0:
        print("operate: skipped: no namespaces with nf_tables here")
        print("0 passed, 0 failed, 1 skipped")
        sys.exit(1 if os.environ.get("FWC_REQUIRE_KERNEL") else 0)
    os.environ[INSIDE] = "1"
    for name in SSH:
        os.environ.pop(name, None)
    os.execvp("unshare", ["unshare", NAMESPACES, "--", sys.executable, *sys.argv])


class World:
    """What a case works with: a fresh state folder, an empty kernel."""

    def __init__(self, fwc):
        self.fwc = os.path.abspath(fwc)
        # a disk's syncs take their time, and are not what is looked at
        self.folder = tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.state = os.path.join(self.folder, "state")
        self.passed = self.failed = self.skipped = 0
        self.case = ""
        with open(self.fwc, "rb") as file:
            self.has_sanitizer = b"__asan_init" in file.read()

    def begin(self, case):
        self.case = case
        self.nft("flush ruleset")
        shutil.rmtree(self.state, ignore_errors=True)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")

    def check(self, holds, what):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {self.case}: {what}", flush=True)
        return holds

    def skip(self, what):
        self.skipped += 1
        print(f"{self.case}: skipped: {what}")

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def command(self, name, *arguments):
        return [self.fwc, name, *arguments, "--state", self.state]

    def run(self, name, *arguments, environment=None, **options):
        """fwc NAME …: its CompletedProcess."""
        return subprocess.run(self.command(name, *arguments), capture_output=True, text=True, errors="replace",
                              timeout=30, check=False, cwd=self.folder, stdin=subprocess.DEVNULL,
                              env={**os.environ, **(environment or {})}, **options)

    def start(self, name, *arguments, environment=None, **options):
        """The same, running in a session of its own."""
        return subprocess.Popen(self.command(name, *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, cwd=self.folder, stdin=subprocess.DEVNULL, start_new_session=True,
                                env={**os.environ, **(environment or {})}, **options)

    def must(self, name, *arguments, **options):
        done = self.run(name, *arguments, **options)
        self.check(done.returncode == 0, f"fwc {name} {' '.join(arguments)} ended with {done.returncode}: "
                                         f"{done.stderr[:600]}")
        return done

    def history(self):
        """The entries, the newest first; None where it cannot be read."""
        done = self.run("history", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def marks(self):
        return [entry["mark"] for entry in self.history() or ()]

    @staticmethod
    def nft(command):
        return subprocess.run(["nft", *command.split(" ")], capture_output=True, text=True, check=True).stdout

    def rules(self):
        """The kernel's rules, without what tells which policy they come of."""
        listing = subprocess.run(["nft", "-s", "list", "ruleset"], capture_output=True, text=True,
                                 check=True).stdout
        return self.without_marks(listing)

    @staticmethod
    def without_marks(listing):
        return re.sub(r"\n\tchain applied_(?:\d+|boot)(?:\.s\d+)? \{\n(?:\t\t.*\n)*\t\}\n", "", listing)

    @staticmethod
    def wait(holds, seconds=5.0):
        """Whether it comes to hold."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds():
                return True
            time.sleep(0.02)
        return holds()

    def shim(self, name):
        """A library to be loaded before fwc; None where sanitizers do not let it."""
        library = self.path(name + ".so")
        if self.has_sanitizer:
            return None
        if not os.path.exists(library):
            compiler = os.environ.get("CC", "cc").split()
            subprocess.run([*compiler, "-shared", "-fPIC", "-o", library, os.path.join(HERE, name + ".c"), "-ldl"],
                           check=True)
        return library
