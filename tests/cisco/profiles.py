"""The port database's files, read as data: {name, alias or tag: literals}.

Plain reading of the definitions in profiles/: what a name stands for, services of services
resolved. Names with literals that the evaluator does not know (sctp and the like) are left out.
"""

import glob
import os
import re

from compiled import TOP

SERVICE = re.compile(r'^service ("[^"]+"|\S+)(?: "[^"]*")? (?:\{(.*?)^\}|= (.*?);)', re.S | re.M)
LITERAL = re.compile(r"(?:any|\d+(?:-\d+)?)/(?:tcp|udp|tcp\+udp)|\d+/ip|(?:any|\d+)/icmp6?")
KEYS = ("alias", "tag", "status", "source", "helper")


def read():
    """{name: list of literals and names}."""
    result = {}
    for path in sorted(glob.glob(os.path.join(TOP, "profiles", "*.fw"))):
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"^\s*#.*$", "", file.read(), flags=re.M)
        for name, block, parts in SERVICE.findall(text):
            take(result, name.strip('"').lower(), statements(block or parts))
    return result


def statements(body):
    return [part.strip() for part in body.split(";") if part.strip()]


def take(result, name, lines):
    words, others, tags = [], [], []
    for line in lines:
        key, _, rest = line.partition(" ")
        if key in KEYS:
            (others if key == "alias" else tags if key == "tag" else []).extend(
                word.strip(' "').lower() for word in rest.split(","))
        else:
            words += [word.strip().lower() for word in line.split(",")]
    result.setdefault(name, []).extend(words)
    for alias in others:
        result[alias] = [name]
    for tag in tags:
        result.setdefault(tag, []).append(name)


def known():
    """{name: literals in one string}, for the evaluator."""
    parts = read()
    result = {}
    for name in parts:
        literals = resolve(parts, name, 0)
        if literals:
            result[name] = " ".join(literals)
    return result


def resolve(parts, name, depth):
    """All literals below a name, or None where one is not known."""
    result = []
    for word in parts[name] if depth < 8 else ():
        if word.strip('"') in parts and word.strip('"') != name:
            below = resolve(parts, word.strip('"'), depth + 1)
            if below is None:
                return None
            result += below
        elif LITERAL.fullmatch(word):
            result.append(word)
        else:
            return None
    return list(dict.fromkeys(result))
