"""Includes go down the rooms' order only; the library neither prints nor exits."""

import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NFT = ["model", "text", "report", "emit", "split", "lower", "batch", "read", "load", "walk", "prove"]
CISCO = ["model", "text", "read", "minimise", "terms", "replies", "lower", "device", "edit", "prove"]
ORDER = ["base", "diag", "net", "ast", "parse", "services", "resolve", "rules", "expand", "optimise", "analyse",
         "target/nft", *(f"target/nft/{room}" for room in NFT),
         "target/cisco", *(f"target/cisco/{room}" for room in CISCO),
         "monitor", "operate", "import", "cmd"]
# A target's door: what the rooms of other folders ask of it. All of its rooms may see it, and it sees their types.
DOORS = ("target/nft/nft.h", "target/cisco/cisco.h")
# What proves shares no code with what writes: these see themselves, the rooms below targets, and the doors.
PROVING = {"target/nft/read", "target/nft/walk", "target/nft/prove", "target/cisco/read", "target/cisco/prove"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
PRINTS = re.compile(r"\b(printf|puts|fprintf|exit|_exit|perror)\s*\(")


def room_of(path):
    """The room that a path below src/ lies in; main.c belongs to cmd."""
    for room in sorted(ORDER, key=len, reverse=True):
        if path.startswith(room + "/"):
            return room
    return "cmd" if path == "main.c" else None


def target_of(room):
    return "/".join(room.split("/")[:2])


def sources():
    for folder, _, names in os.walk(os.path.join(TOP, "src")):
        for name in sorted(names):
            if name.endswith((".c", ".h", ".def")):
                full = os.path.join(folder, name)
                yield os.path.relpath(full, os.path.join(TOP, "src")), full


def without_comments(text):
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def problems_of(path, text):
    room = room_of(path)
    if room is None:
        yield f"src/{path}: in no room"
        return
    for included in INCLUDE.findall(text):
        other = room_of(included)
        if other is None:
            continue
        if ORDER.index(other) > ORDER.index(room) and path not in DOORS:
            yield f"src/{path}: includes {included}, of a later room"
        if room.startswith("target/") and other.startswith("target/") and target_of(other) != target_of(room):
            yield f"src/{path}: includes {included}, of another target"
        if room in PROVING and other.startswith("target/") and other not in PROVING and included not in DOORS:
            yield f"src/{path}: what proves includes {included}, of what writes"
        if room.startswith("target/") and other in ("ast", "parse"):
            yield f"src/{path}: a target sees the syntax tree through {included}"
    build_tool = path == "services/embed.c"
    if room != "cmd" and not build_tool and PRINTS.search(without_comments(text)):
        yield f"src/{path}: prints or exits, which only commands do"


def main():
    passed = failed = 0
    for path, full in sources():
        with open(full, encoding="utf-8") as file:
            problems = list(problems_of(path, file.read()))
        for problem in problems:
            print(problem)
        failed += len(problems)
        passed += not problems
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
