"""Runs the examples of docs/*.md and README.md.

A fenced block marked `fw` is a whole policy or a part of one: it must compile. `fw error FW0301`
must fail with that code; `fw part` is put behind the preamble docs/preamble.fw, whose places
and schedules the reference uses throughout. A block `console` that starts with `$ fwc …` must
print what stands below it."""

import glob
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FENCE = re.compile(r"^```([a-z]+)([^\n]*)\n(.*?)^```$", re.M | re.S)


def blocks_of(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{os.path.relpath(path, TOP)}:{line}", match[1], match[2].split(), match[3]


def compile_text(binary, text):
    done = subprocess.run([binary, "check", "--date", "2026-11-21", "-"], input=text, text=True,
                          capture_output=True, cwd=os.path.join(TOP, "docs"), timeout=60)
    return done.returncode, done.stderr


def problem_of_policy(binary, words, text):
    if words[:1] == ["part"]:
        with open(os.path.join(TOP, "docs", "preamble.fw"), encoding="utf-8") as file:
            text = file.read() + text
    status, errors = compile_text(binary, text)
    if words[:1] == ["error"]:
        return None if status == 1 and f"[{words[1]}]" in errors else f"wanted {words[1]}:\n{errors}"
    return None if status == 0 else errors


def problem_of_console(binary, text):
    command, _, expected = text.partition("\n")
    done = subprocess.run(["bash", "-c", command.removeprefix("$ ")], text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=TOP,
                          env={**os.environ, "NO_COLOR": "1",
                               "PATH": os.path.dirname(binary) + ":" + os.environ["PATH"]})
    printed = re.sub(r"sha256 [0-9a-f]{64}$", "sha256 …", done.stdout, flags=re.M)
    return None if printed == expected else f"{command} printed:\n{printed}"


def main():
    binary = os.path.abspath(sys.argv[1])
    passed = failed = 0
    for path in sorted(glob.glob(os.path.join(TOP, "docs", "*.md"))) + [os.path.join(TOP, "README.md")]:
        for place, kind, words, text in blocks_of(path):
            if kind == "fw":
                problem = problem_of_policy(binary, words, text)
            elif kind == "console" and text.startswith("$ "):
                problem = problem_of_console(binary, text)
            else:
                continue
            passed += problem is None
            failed += problem is not None
            if problem is not None:
                print(f"{place}: {problem}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
