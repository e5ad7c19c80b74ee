"""Access lists with one thing wrong, to see that a comparison notices."""

import copy
import re

from acl_eval import TOP, AclError
from acl_read import Configuration
from planes import Space, differences, layers_of, space_of_lists

PORT = re.compile(r"(?<= eq )\d+|(?<= gt )\d+|(?<= lt )\d+|(?<= range )\d+|(?<= range \d\d )\d+")
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
PREFIX = re.compile(r"(?<= )[0-9a-f:]+:[0-9a-f:]*/\d+")


def entries_of(lines):
    """Indexes of the lines that are entries, list by list."""
    runs, run = [], []
    for index, line in enumerate(lines):
        if re.match(r"( |access-list \d+ ).*\b(permit|deny)\b", line):
            run.append(index)
        elif run and not re.match(r" ?remark|access-list \d+ remark|!", line.strip()):
            runs.append(run)
            run = []
    return runs + ([run] if run else [])


def mutant(text, chooser):
    """(what was done, the text with it), or None where this draw cannot be done."""
    lines = text.splitlines()
    runs = entries_of(lines)
    if not runs:
        return None
    kind = chooser.choice(("port", "verdict", "drop", "swap", "address", "protocol"))
    run = chooser.choice(runs)
    at = chooser.choice(run)
    if kind == "drop":
        return "line dropped: " + lines.pop(at).strip(), "\n".join(lines) + "\n"
    if kind == "swap":
        other = chooser.choice(run)
        if other == at:
            return None
        lines[at], lines[other] = unnumbered(lines[other]), unnumbered(lines[at])
        done = f"swapped: {lines[at].strip()} | {lines[other].strip()}"
    else:
        line = {"port": port, "verdict": verdict, "address": address, "protocol": protocol}[kind](lines[at],
            chooser)
        if line is None:
            return None
        done = f"{lines[at].strip()} became {line.strip()}"
        lines[at] = line
    return done, "\n".join(lines) + "\n"


def unnumbered(line):
    return re.sub(r"^ \d+ ", " ", line)


def replaced(pattern, line, chooser, change):
    found = list(pattern.finditer(line))
    if not found:
        return None
    match = chooser.choice(found)
    value = change(match[0])
    return None if value is None else line[:match.start()] + value + line[match.end():]


def port(line, chooser):
    return replaced(PORT, line, chooser, lambda text: str(max(0, min(65535, int(text) + chooser.choice((-1,
        1))))))


def verdict(line, _):
    return re.sub(r"\b(permit|deny)\b", lambda word: "deny" if word[0] == "permit" else "permit", line, count=1)


def address(line, chooser):
    def flip(text):
        if "/" in text:
            length = int(text.split("/")[1])
            return text.split("/")[0] + f"/{length + chooser.choice((-1, 1)) if 0 < length < 128 else 64}"
        parts = [int(part) for part in text.split(".")]
        parts[chooser.randrange(4)] ^= 1 << chooser.randrange(8)
        return ".".join(str(part) for part in parts)
    return replaced(PREFIX if ":" in line else ADDRESS, line, chooser, flip)


def protocol(line, chooser):
    others = {"tcp": ("udp", "sctp"), "udp": ("tcp",), "ip": ("tcp", "gre"), "ipv6": ("tcp", "esp"),
              "icmp": ("gre",)}
    return replaced(re.compile(r"(?<=permit )\w+|(?<=deny )\w+"), line, chooser,
                    lambda word: chooser.choice(others[word]) if word in others else None)


def changed_entries(left, right):
    """Entries of which one at least holds every packet that the two lists can differ on."""
    ours, theirs = list(left.entries), list(right.entries)
    while ours and theirs and ours[0] == theirs[0]:
        ours, theirs = ours[1:], theirs[1:]
    while ours and theirs and ours[-1] == theirs[-1]:
        ours, theirs = ours[:-1], theirs[:-1]
    if len(ours) == len(theirs):
        return [entry for one, two in zip(ours, theirs) if one != two for entry in (one, two)]
    return ours + theirs


def is_end(family, entry):
    """A denial of everything, which every list ends in anyway; of IPv6 but for neighbour discovery."""
    return family == 4 and not entry.is_permit and not entry.time_range and \
        all(transport.protocol is None for transport in entry.transports) and \
        entry.source.holds(0) and entry.source.holds(TOP[4]) and entry.destination.holds(0) and \
        entry.destination.holds(TOP[4])


def narrowed(space, entries, family):
    """What of the space the entries may hold, axis by axis."""
    entries = [entry for entry in entries if hasattr(entry, "transports")]
    return Space(family, [address for address in space.sources if any(entry.source.holds(address)
                                                                      for entry in entries)],
                 [address for address in space.destinations if any(entry.destination.holds(address)
                                                                   for entry in entries)],
                 [point for point in space.services if any(entry.holds_transport(point) for entry in entries)])


def without_end(acl):
    """The list without the denials of everything that it ends in."""
    result = copy.copy(acl)
    result.entries = list(acl.entries)
    while len(result.entries) > 1 and hasattr(result.entries[-1], "transports") and \
            is_end(acl.family, result.entries[-1]):
        result.entries.pop()
    return result


def is_error(point):
    """Of ICMP, about a connection: translated as that is, whatever lists say."""
    return point.protocol == 1 and point.port in (3, 11, 12)


def same_lists(left, right, with_later=True, is_meant=None, gates=()):
    """Whether two lists mean the same, by every cell of the space of both that a changed entry may
    hold; and a packet. with_later: later fragments count. is_meant: of destinations, where not all are.
    gates: lists of which one has to permit a packet, for it to be asked about."""
    left, right = without_end(left), without_end(right)
    changed = changed_entries(left, right)
    if not changed:
        return True, None
    space = narrowed(space_of_lists([left, right, *gates]), changed, left.family)
    if gates:
        space = Space(left.family, space.sources, space.destinations,
                      [point for point in space.services if not is_error(point)])
    if is_meant:
        space = Space(left.family, space.sources, list(filter(is_meant, space.destinations)), space.services)
    if not with_later:
        space = Space(left.family, space.sources, space.destinations,
                      [point for point in space.services if not point.is_fragment])
    one, two = space.permitted(layers_of(left)), space.permitted(layers_of(right))
    if gates:
        passed = [0] * len(space.sources)
        for gate in gates:
            passed = [old | new for old, new in zip(passed, space.permitted(layers_of(gate)))]
        one, two = ([bits & mask for bits, mask in zip(side, passed)] for side in (one, two))
    found = differences(space, one, two, 1)
    return not found, found[0] if found else None


def same_meaning(text, other, key, with_later=True):
    """The same of a list of two texts."""
    left, right = Configuration(text).lists[key], Configuration(other).lists.get(key)
    return (False, None) if right is None else same_lists(left, right, with_later)


def read(text):
    """The configuration, or None where it is none."""
    try:
        return Configuration(text)
    except AclError:
        return None


def is_refused(text):
    return read(text) is None
