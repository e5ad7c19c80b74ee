"""Counting what holds: the closing line that tests/run.py reads."""

import sys


class Checks:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, holds, words):
        self.passed += bool(holds)
        if not holds:
            self.failed += 1
            print("failed:", words)

    def skip(self, words):
        self.skipped += 1
        print("skipped:", words)

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        sys.exit(1 if self.failed else 0)
