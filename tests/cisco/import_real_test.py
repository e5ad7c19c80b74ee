"""Real access lists made policies, compiled back and compared.

usage: import_real_test.py FWC [--seed N] [--packets N]

Of the IOS files in FWC_DATA (else ../shared/data beside the checkout; skipped with a word where it is
missing) every list is imported, and again with --replies-by-state. What is refused is counted by
reason, and has to name a line. What is imported is compiled for routers, and both lists are asked by
acl_eval.py about first, whole packets at the bounds of each entry. The lists are found, and put into the
form that acl_read.py reads, here: nothing of the compiler's reader is used.
"""

import argparse
import collections
import glob
import itertools
import os
import random
import re
import subprocess

import acl_eval
import compiled
import words
from acl_eval import TOP as HIGHEST, AclError, Packet
from acl_read import Configuration
from compiled import TOP, Tally

SYN = 2
# what a policy lets reach the firewall itself whatever a list says: discovery, listener reports
ALWAYS = {130, 131, 132, 133, 134, 135, 136, 143}

HEADS = [(re.compile(pattern), kind, family) for pattern, kind, family in (
    (r"ip access-list (extended|standard) (\S+)$", None, 4),
    (r"(Extended|Standard) IP access list (\S+)", None, 4),
    (r"(ipv6) access-list (\S+)$", "extended", 6),
    (r"(IPv6) access list (\S+)", "extended", 6),
)]
COUNTED = re.compile(r"\s*\((active|inactive|\d+ match(es)?|[^()]*matches?[^()]*)\)")


# --- lists of a file ----------------------------------------------------------------------------------


def data_folder():
    return os.environ.get("FWC_DATA") or os.path.join(os.path.dirname(TOP), "shared", "data")


def kind_of_number(name):
    if not name.isdigit():
        return None
    number = int(name)
    if number in range(1, 100) or number in range(1300, 2000):
        return "standard"
    return "extended" if number in range(100, 200) or number in range(2000, 2700) else None


class File:
    """`lists`: {(family, name): (kind, lines)}; `groups`: text of the object groups."""

    def __init__(self, text):
        self.lists = {}
        self.groups = []
        self.lines = None
        for line in text.splitlines():
            self.take(line.rstrip())

    def take(self, line):
        bare = COUNTED.sub("", line).strip()
        if not bare or bare.startswith("!"):
            return
        if self.lines is not None and re.match(r"(\d+ |sequence \d+ )?(permit|deny|remark|evaluate)\b", bare):
            self.lines.append(bare)
        elif line[0] == " " and self.lines is None:
            if self.groups and self.is_group:
                self.groups.append(" " + bare)
        else:
            self.head(bare)

    is_group = False

    def head(self, line):
        self.lines, self.is_group = None, False
        for pattern, kind, family in HEADS:
            match = pattern.match(line)
            if match:
                self.open(family, match[2], kind or match[1].lower())
                return
        match = re.match(r"access-list (\d+) ((permit|deny|remark)\b.*)$", line)
        if match and kind_of_number(match[1]):
            self.open(4, match[1], kind_of_number(match[1]))
            self.lines.append(match[2])
            self.lines = None
        elif re.match(r"object-group (network|service|v6-network) \S+$", line):
            self.groups.append(line)
            self.is_group = True

    def open(self, family, name, kind):
        self.lines = self.lists.setdefault((family, name), (kind, []))[1]


# --- the strict form ----------------------------------------------------------------------------------


def strict_entry(line, kind, family):
    """A line as acl_read.py takes it; a log says nothing of the verdict."""
    number, rest = re.match(r"(?:sequence )?(\d+ )?(.*)$", line).groups()
    if family == 6:
        number = f"sequence {number}" if number else ""
    rest = re.sub(r" log(-input)?( (?!time-range)\S+)?(?= time-range|$)", "", " ".join(rest.split()))
    if kind == "standard":
        action, place = rest.split(" ", 1)
        place = place.replace(", wildcard bits", "")
        if re.fullmatch(r"[\d.]+", place):
            place = "host " + place
        rest = f"{action} ip {place} any"
    return f" {number or ''}{rest}\n"


def strict_list(file, family, name):
    """AccessList of acl_eval.py. The list has a name of its own, so that names are no matter."""
    kind, lines = file.lists[family, name]
    head = "ip access-list extended REAL" if family == 4 else "ipv6 access-list REAL"
    body = "".join(strict_entry(line, kind, family) for line in lines
                   if not re.match(r"(sequence )?(\d+ )?remark\b", line))
    return Configuration("\n".join(used_groups(file.groups, body)) + f"\n{head}\n{body}").lists[family, "REAL"]


def used_groups(groups, body):
    """Only those that the list names: others may hold what the evaluator does not read."""
    is_used = False
    for line in groups:
        if line[0] != " ":
            is_used = f"object-group {line.split()[-1]} " in body.replace("\n", " ")
        if is_used:
            yield line


# --- packets at the bounds -----------------------------------------------------------------------------


def around(pairs, highest):
    """Both bounds and what lies beside them."""
    values = {value + step for low, high in pairs for value, step in ((low, 0), (low, -1), (high, 0), (high, 1))}
    return sorted(value for value in values if 0 <= value <= highest)


def points_of(transport):
    """(protocol, port or type, source port, code) at the bounds of what an entry says of them."""
    if transport.protocol is None:
        return [(words.TCP, 80, 40000, 0), (words.UDP, 53, 40000, 0), (47, 0, 0, 0), (1, 8, 0, 0)]
    if transport.protocol in (words.ICMP, words.ICMP6):
        kind, code = (*(transport.icmp or ()), 0, 0)[:2] if transport.icmp else (8, 0)
        return [(transport.protocol, kind + a, 0, code + b) for a, b in ((0, 0), (1, 0), (-1, 0), (0, 1))
                if 0 <= kind + a <= 255 and code + b <= 255]
    if transport.protocol not in words.PORT_WORDS:
        return [(transport.protocol, 0, 0, 0)]
    bounds = [around(ports.intervals, 65535) if ports else [other]
              for ports, other in ((transport.ports, 80), (transport.source_ports, 40000))]
    return [(transport.protocol, port, source, 0) for port, source in itertools.product(*bounds)]


def packet_of(family, source, destination, point):
    protocol, port, source_port, code = point
    flags = SYN if protocol == words.TCP else 0
    return Packet(family, source, destination, protocol, port, source_port, code, flags)


def packets(acl, generator, count):
    """Of each entry its bounds, one field at a time beside the rest inside; then mixtures of all."""
    entries = [entry for entry in acl.entries if isinstance(entry, acl_eval.Entry)]
    highest = HIGHEST[acl.family]
    addresses, points = {0, highest}, set(points_of(acl_eval.Transport()))
    for entry in entries:
        sources, targets = (around(place.edges(), highest) for place in (entry.source, entry.destination))
        near = [point for transport in entry.transports for point in points_of(transport)]
        inside = entry.source.edges()[0][0], entry.destination.edges()[0][0]
        for point in near:
            yield packet_of(acl.family, *inside, point)
        for source, target in itertools.islice(itertools.product(sources, targets), 64):
            yield packet_of(acl.family, source, target, near[0])
        addresses.update(sources, targets)
        points.update(near)
    addresses, points = sorted(addresses), sorted(points)
    for _ in range(count):
        yield packet_of(acl.family, generator.choice(addresses), generator.choice(addresses),
                        generator.choice(points))


def is_always(packet):
    return packet.family == 6 and packet.protocol == words.ICMP6 and packet.port in ALWAYS


# --- one list ------------------------------------------------------------------------------------------


def reason_of(talk):
    """The first error, without what is particular to it."""
    match = re.search(r"error: (.*) \[(FW\d+)\]", talk)
    text = re.sub(r"'[^']*'", "'…'", match[1]) if match else talk.strip()[-200:]
    return f"{match[2] if match else '?'} {text}"


class Runner:
    """Counts what became of lists."""

    def __init__(self, fwc, tally, options):
        self.fwc = os.path.abspath(fwc)
        self.tally = tally
        self.options = options
        self.counts = collections.Counter()
        self.refused = collections.Counter()
        self.unread = collections.Counter()

    def check_list(self, path, file, key, flags):
        family, name = key
        where = f"{os.path.relpath(path, data_folder())}: list {name}{' by state' if flags else ''}"
        done = subprocess.run([self.fwc, "import", "cisco", path, "--list", name, *flags], capture_output=True,
                              text=True, errors="replace", check=False, timeout=60)
        if done.returncode != 0:
            self.refused[reason_of(done.stderr)] += 1
            self.tally.check(done.returncode == 1 and not done.stdout and re.search(r":\d+:\d+: ", done.stderr),
                             f"{where}: refused without a line: {done.stderr[:300]}")
            return
        self.counts["imported"] += 1
        try:
            before = strict_list(file, family, name)
        except AclError as error:
            self.unread[str(error).split(": ", 1)[1]] += 1
            return
        back = compiled.run(self.fwc, done.stdout, *(("--ipv6",) if family == 6 else ()))
        if self.tally.check(back.status == 0, f"{where}: its policy does not compile: {back.first_error()}"):
            self.compare(where, before, back)

    def compare(self, where, before, back):
        after = [acl for (family, _), acl in Configuration(back.text).lists.items() if family == before.family]
        if not self.tally.check(len(after) == 1, f"{where}: compiled to {len(after)} lists"):
            return
        wrong = None
        for packet in packets(before, random.Random(self.options.seed), self.options.packets):
            if is_always(packet):
                continue
            self.counts["packets"] += 1
            self.counts["permitted"] += before.permits(packet)
            if before.permits(packet) != after[0].permits(packet):
                wrong = packet
                break
        self.counts["equal"] += wrong is None
        self.tally.check(wrong is None, f"{where}: {wrong}\n{back.text}")

    def check_file(self, path):
        with open(path, encoding="utf-8", errors="replace") as stream:
            file = File(stream.read())
        for key in file.lists:
            self.counts["lists"] += 1
            for flags in ((), ("--replies-by-state",)):
                self.check_list(path, file, key, flags)

    def report(self):
        counts = self.counts
        print(f"{counts['lists']} real lists, each imported plainly and by state: {counts['imported']} imported, "
              f"{counts['equal']} compiled back and found equal on {counts['packets']} packets "
              f"({counts['permitted']} permitted), {sum(self.refused.values())} refused, "
              f"{sum(self.unread.values())} imported and not read by the evaluator")
        for title, reasons in (("refused", self.refused), ("not read", self.unread)):
            for reason, count in sorted(reasons.items(), key=lambda row: (-row[1], row[0])):
                print(f"  {title} {count}: {reason}")


def files():
    folder = data_folder()
    return sorted(path for path in glob.glob(os.path.join(folder, "**", "*"), recursive=True)
                  if os.path.isfile(path) and os.path.basename(path) != "LICENSE" and not path.endswith(".yml")
                  and os.path.relpath(path, folder).split(os.sep)[0] in ("batfish", "ntc-templates"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--packets", type=int, default=400)
    options = parser.parse_args()
    tally = Tally()
    runner = Runner(options.fwc, tally, options)
    if not files():
        tally.skip("real files to import are not there (FWC_DATA)")
    for path in files():
        runner.check_file(path)
    if files():
        runner.report()
        tally.check(runner.counts["equal"] > 0, "no list was compared")
    tally.close()


if __name__ == "__main__":
    main()
