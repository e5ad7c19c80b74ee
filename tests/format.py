"""The format that every file keeps: no trailing blanks, lines of at most 116 columns,
a last newline, and files of at most 1,000 lines."""

import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CODE = (".c", ".h", ".l", ".y", ".py", ".sh", ".build")
COLUMNS = 116
LINES = 1000


def files():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, check=True,
                            capture_output=True, text=True).stdout
    return [path for path in listed.splitlines()
            if path.endswith(CODE) and os.path.isfile(os.path.join(TOP, path))]


def width(line):
    return len(line.expandtabs(8))


def problems_of(path, text):
    lines = text.split("\n")
    if text and not text.endswith("\n"):
        yield f"{path}: no newline at the end"
    if len(lines) > LINES + 1:
        yield f"{path}: {len(lines) - 1} lines; split it by subject"
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield f"{path}:{number}: blanks at the end"
        if width(line) > COLUMNS:
            yield f"{path}:{number}: {width(line)} columns"


def main():
    passed = failed = 0
    for path in files():
        with open(os.path.join(TOP, path), encoding="utf-8") as file:
            problems = list(problems_of(path, file.read()))
        for problem in problems[:10]:
            print(problem)
        failed += bool(problems)
        passed += not problems
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
