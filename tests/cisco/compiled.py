"""Runs the compiler for routers and keeps what it said; what the tests here share."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field

from acl_read import Configuration, devices_of

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@dataclass
class Compiled:
    """status, standard output and the diagnostics of one run."""

    status: int
    text: str
    diagnostics: list = field(default_factory=list)
    stderr: str = ""
    by_device: dict = field(default_factory=dict)

    def of_device(self, name):
        """What was said of one device: lists of others may have the same names."""
        return self.by_device.get(name, self.diagnostics)

    def codes(self, severity="error"):
        return [row["code"] for row in self.diagnostics if row["severity"] == severity]

    def configurations(self):
        """{device or None: Configuration}, read strictly."""
        return {name: Configuration(text) for name, text in devices_of(self.text).items()}

    def first_error(self):
        lines = [f"{row['code']}: {row['message']}" for row in self.diagnostics if row["severity"] == "error"]
        return lines[0] if lines else self.stderr.strip()[:300]


def run_devices(fwc, policy, *options, environment=None):
    """All devices, and each alone for what is said of it."""
    done = run(fwc, policy, *options, environment=environment)
    names = [name for name in devices_of(done.text) if name] if done.status == 0 else []
    for name in names if len(names) > 1 else ():
        done.by_device[name] = run(fwc, policy, *options, "--device", name, environment=environment).diagnostics
    return done


def run(fwc, policy, *options, environment=None, folder=None):
    """fwc compile --target cisco-ios of a policy's text, or of a file where `policy` ends in .fw."""
    is_file = policy.endswith(".fw")
    command = [fwc, "compile", policy if is_file else "-", "--target", "cisco-ios", "--json", *options]
    done = subprocess.run(command, input=None if is_file else policy, capture_output=True, text=True, cwd=folder,
                          errors="replace", timeout=30, check=False,
                          env={**os.environ, **(environment or {})})
    diagnostics, other = [], []
    for line in done.stderr.split("\n"):
        try:
            diagnostics += json.loads(line)["diagnostics"]
        except (ValueError, KeyError):
            other.append(line)
    return Compiled(done.returncode, done.stdout, diagnostics, "\n".join(other))


class Tally:
    """Counts checks, prints the failed ones, and closes with the line that runners read."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, holds, what):
        self.passed += bool(holds)
        self.failed += not holds
        if not holds:
            print(f"FAILED: {what}", flush=True)
        return bool(holds)

    def skip(self, what):
        self.skipped += 1
        print(f"skipped: {what}", flush=True)

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        sys.exit(1 if self.failed else 0)
