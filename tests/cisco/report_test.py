"""What `--report` says that lists cost, against the text of the lists.

usage: report_test.py FWC [--policies N] [--seed N]

The lists of every example that compiles for a router, and of random policies, with groups and without,
are read by acl_read.py. Here their entries are counted; each is expanded to what hardware compares
(prefixes of addresses and ports, single types), by bisection; the different operations on ports that need
a register are gathered from the words of the text; and the rules are counted by the evaluator's reader.
No entry with groups stands twice, but where its rule logs or counts.
"""

import argparse
import glob
import os
import re

import compiled
import examples
import policies
from acl_eval import TOP, Evaluate, Span
from acl_read import Configuration, Line, devices_of
from compiled import Tally
from spec import RouterPolicy

PORTS = 2 ** 16
OPERATION = r"(?:range \S+ \S+|(?:gt|lt|neq) \S+|eq(?: \d+)+|eq \S+)"
MEMBER = re.compile(rf" \S+(?: source ({OPERATION}))?(?: ({OPERATION}))?| icmp \d+")
HALVES = {"range": 2, "gt": 1, "lt": 1, "neq": 1}
ROW = re.compile(r"(?:(\S+) )?(\S+): (\d+) rules, (\d+) entries, (\d+) in hardware, (\d+(?:\.5)?) range registers")
PROPERTIES = ((), ("object-groups ios-xe;", "multi-port-eq yes;"), ("object-groups ios-xe;",))
MAKERS = (policies.ListMaker, policies.DeviceMaker, policies.TwoDeviceMaker)
LINES_MOST = 3000


class Written(Configuration):
    """Every entry of a text: a router ignores those that are there already."""

    def list_line(self, acl, line):
        reader = Line(self, acl.family, acl.name.isdigit(), line)
        if not reader.is_remark():
            acl.entries.append(reader.entry())


def pieces(low, high, start, size):
    """How many aligned blocks of a power of two make up low..high, of those within start..start+size-1."""
    if high < start or low >= start + size:
        return 0
    if low <= start and start + size - 1 <= high:
        return 1
    return pieces(low, high, start, size // 2) + pieces(low, high, start + size // 2, size // 2)


def places(place, family):
    members = getattr(place, "members", (place,))
    return sum(pieces(member.low, member.high, 0, TOP[family] + 1) if isinstance(member, Span) else 1
               for member in members)


def ports(wanted):
    return 1 if wanted is None else sum(pieces(low, high, 0, PORTS) for low, high in wanted.intervals)


def hardware(entry):
    services = sum(ports(transport.source_ports) * ports(transport.ports) for transport in entry.transports)
    return services * places(entry.source, entry.family) * places(entry.destination, entry.family)


def members(text):
    """{service group: lines of its members}."""
    return {found[1]: found[2].splitlines() for found in
            re.finditer(r"^object-group (?:v6-)?service (\S+)\n((?: .*\n)*)", text, flags=re.M)}


def of_entry(entry, groups):
    """{(field, operation's words)} of an entry."""
    name = re.search(r"(?:permit|deny) object-group (\S+)", entry.text)
    if name:
        found = [MEMBER.fullmatch(line) for line in groups[name[1]]]
        return {(field, match[field]) for match in found for field in (1, 2)}
    transport = entry.transports[0]
    fields = [1] * (transport.source_ports is not None) + [2] * (transport.ports is not None)
    return set(zip(fields, re.findall(rf"\b{OPERATION}", entry.text)))


def costs(acl, groups):
    """(entries, those of hardware, registers)."""
    entries = [entry for entry in acl.entries if not isinstance(entry, Evaluate)]
    used = set().union(*(of_entry(entry, groups) for entry in entries))
    halves = sum(HALVES.get(words.split()[0], 0) for _, words in used if words)
    return len(entries), sum(map(hardware, entries)), halves / 2


def rows(text):
    """{(device or None, list): figures}."""
    found = [ROW.fullmatch(line) for line in text.splitlines()]
    return {(row[1], row[2]): (int(row[3]), int(row[4]), int(row[5]), float(row[6])) for row in found}


def check(tally, fwc, title, policy, rules, *options, environment=None):
    """Gives how many lists were compared; rules: how many the policy has, None: not counted."""
    options = (*options, "--no-proof")
    done = compiled.run(fwc, policy, *options, environment=environment)
    report = compiled.run(fwc, policy, *options, "--report", environment=environment)
    if done.status != 0 or len(done.text.splitlines()) > LINES_MOST:
        tally.check(done.status == 0 or report.status == done.status and not report.text, f"{title}: a report")
        return 0
    told, seen = rows(report.text), 0
    for device, text in devices_of(done.text).items():
        groups = members(text)
        for (_, name), acl in Written(text).lists.items():
            figures = told.pop((device, name), None)
            if not tally.check(figures, f"{title}: nothing of {device} {name}"):
                continue
            seen += 1
            tally.check(figures[1:] == costs(acl, groups),
                        f"{title}: {device} {name}: told {figures[1:]}, found {costs(acl, groups)}")
            twice = [entry.text for at, entry in enumerate(acl.entries)
                     if " object-group " in entry.text and not entry.is_logged and entry in acl.entries[:at]]
            tally.check(" count" in policy or not twice, f"{title}: {device} {name}: twice: {twice[:1]}")
            is_made_of_rules = not acl.name.isdigit() and not acl.name.startswith("VPN-")
            tally.check(rules is None or figures[0] == rules * is_made_of_rules,
                        f"{title}: {device} {name}: told {figures[0]} rules, found {rules}")
    tally.check(not told, f"{title}: told of lists that are not there: {list(told)}")
    return seen


def entering(text):
    """How many rules speak of what enters."""
    policy = RouterPolicy(text)
    return sum(any(source.families() & destination.families() & rule.families
                   for hook in ("input", "forward") for source, destination in policy.pairs_of(rule, hook))
               for rule in policy.rules)


def run_examples(tally, fwc):
    seen = 0
    for path in sorted(glob.glob(os.path.join(compiled.TOP, "examples", "*.fw"))):
        name = os.path.basename(path)
        keys = re.findall(r'key env "([^"]+)"', examples.read(path))
        if name in examples.FITTED:
            text, device = examples.fitted(path)
            device.properties = ("degrade limit;",)
            seen += check(tally, fwc, name, text + device.text("none"), None)
        else:
            seen += check(tally, fwc, name, path, None, environment={key: "Sesam" for key in keys})
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fwc")
    parser.add_argument("--policies", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally, fwc = Tally(), os.path.abspath(options.fwc)
    seen = run_examples(tally, fwc)
    for seed in range(options.seed, options.seed + options.policies):
        maker = MAKERS[seed % len(MAKERS)](seed)
        text = maker.make()
        devices = getattr(maker, "devices", [])
        for device in devices:
            device.properties = PROPERTIES[seed // len(MAKERS) % len(PROPERTIES)]
        seen += check(tally, fwc, f"seed {seed}", text + "".join(device.text("none") for device in devices),
                      None if devices else entering(text), *(() if devices else ("--ipv6",)))
    print(f"{seen} lists")
    tally.check(seen >= options.policies, f"only {seen} lists")
    tally.close()


if __name__ == "__main__":
    main()
