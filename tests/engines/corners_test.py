"""Every example's packets: both engines of the analysis, the evaluator in C, and one that shares no code.

usage: corners_test.py FWC [--packets N]

Packets lie below, at and above every end of every rule's sources, destinations, interfaces, services and
addresses before translation, in both families and every hook: once as tests/packets/evaluator.py works the
rules out, once as the boxes of the compiler have them; and N at random, each field from another rule's ends.
engine_tool, in FWC's build, asks the diagrams in every order of fields, the box cover and the evaluator in C
which statement decides each, and they have to say what the plain reading of the text says.
"""

import argparse
import ipaddress
import os
import random
import subprocess
import sys
from dataclasses import dataclass, replace

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tests", "cisco"), os.path.join(TOP, "tests", "packets")]

# pylint: disable=wrong-import-position
import evaluator
import examples
import profiles
from compiled import Tally
from evaluator import HOOKS, TOP as HIGHEST, Packet, Policy, Region
from policies import device_policy
from translations import DeviceReader

WITH_PORTS = (6, 17, 33, 132, 136)
NAMELESS = 253
WHERE = {"input": (True, False), "forward": (True, True), "output": (False, True)}


@dataclass
class Sent(Packet):
    """A first packet, and where it was sent to before its destination was translated, if it was."""

    original: int = None
    original_port: int = 0


class HostPolicy(Policy):
    """The evaluator's policy with `forward`, which speaks of what was translated."""

    def __init__(self, text, interfaces):
        self.hidings = []
        self.schedules = {}
        super().__init__(text, interfaces)

    @staticmethod
    def reader(policy, text):
        return DeviceReader(policy, text)

    def matches(self, rule, packet):
        if rule.forward is None:
            return super().matches(rule, packet)
        if packet.original is None:
            return False
        before = replace(packet, port=packet.original_port)
        return ((rule.forward.at is None or rule.forward.at.holds(packet.family, packet.original))
                and packet.port == (rule.forward.port or packet.original_port)
                and super().matches(rule, before))


def decision(policy, packet):
    """(index of the rule, verdict) by the rules alone, without what always passes. On a router `to ZONE` is
    known by its networks, whatever interface they are behind."""
    if hasattr(policy, "by_name"):
        packet = replace(packet, out_interface="")
    for index, rule in enumerate(policy.rules):
        if policy.matches(rule, packet):
            return index, rule.verdict
    return len(policy.rules), policy.defaults[packet.hook]


def can_be(policy, packet):
    """Whether a translation makes such a packet: one that changes no port leaves it."""
    return packet.original is None or any(
        rule.forward and rule.forward.real(packet.family) == packet.destination
        and packet.port == (rule.forward.port or packet.original_port) for rule in policy.rules)


# --- corners of the text --------------------------------------------------------------------------------


def around(intervals, highest):
    """Below, at and above both ends of each."""
    return sorted({value for low, high in intervals for value in (low - 1, low, high, high + 1)
                   if 0 <= value <= highest})


def settled(packet):
    """The packet without what its protocol does not have; None: not of its family."""
    if packet.protocol == {4: 58, 6: 1}[packet.family]:
        return None
    if packet.protocol in (1, 58):
        return replace(packet, port=packet.port & 255, original_port=packet.original_port & 255,
                       source_port=0, code=packet.code & 255)
    if packet.protocol in WITH_PORTS:
        return replace(packet, code=0)
    return replace(packet, port=0, source_port=0, code=0, original_port=0)


class Ends:
    """Where the rules of a policy begin and end, by field."""

    def __init__(self, policy):
        self.policy = policy
        self.interfaces = list(policy.interfaces)
        self.services = {id(rule): service_points(rule.service) for rule in policy.rules}

    def of_rule(self, rule, hook):
        """Packets around every corner of a rule in a hook."""
        for source, destination in self.policy.cached_pairs(rule, hook):
            for family in sorted(rule.families & source.families() & destination.families()):
                yield from self.of_pair(rule, hook, family, source, destination)

    def of_pair(self, rule, hook, family, source, destination):
        froms, tos = sides(source, family, WHERE[hook][0]), sides(destination, family, WHERE[hook][1])
        points = self.services[id(rule)]
        held = [point for point in points if rule.service.holds(point)]
        for at in (0, -1):
            base = packet_of(hook, family, froms[at], tos[at], held[at], rule)
            yield base
            yield from (with_service(base, point, rule) for point in points)
            for interface, address in around_region(source, family, WHERE[hook][0], self.interfaces):
                yield replace(base, in_interface=interface, source=address)
            for interface, address in around_region(destination, family, WHERE[hook][1], self.interfaces):
                yield replace(base, out_interface=interface, destination=address)
            yield from around_original(base, rule)

    def values(self, hook, family):
        """Every end that a rule has in a hook: sources, destinations, services."""
        edges = [(name, value) for name in self.interfaces for value in (0, HIGHEST[family])]
        froms = {(name * WHERE[hook][0], value) for name, value in edges}
        tos = {(name * WHERE[hook][1], value) for name, value in edges}
        points = set()
        for rule in self.policy.rules:
            points |= set(self.services[id(rule)])
            for source, destination in self.policy.cached_pairs(rule, hook):
                froms |= set(around_region(source, family, WHERE[hook][0], self.interfaces))
                tos |= set(around_region(destination, family, WHERE[hook][1], self.interfaces))
        return sorted(froms), sorted(tos), sorted(points)


def sides(region, family, has_interface):
    """(interface, address): the first and the last that the region holds."""
    names = sorted(name for name in region.of if region.of[name].of[family])
    return [(name if has_interface else "", edge) for name in (names[0], names[-1])
            for edge in (region.of[name].of[family][0][0], region.of[name].of[family][-1][1])]


def around_region(region, family, has_interface, interfaces):
    for name in interfaces if has_interface else ("",):
        known = [region.of[name]] if name in region.of else list(region.of.values())
        for value in around([pair for addresses in known for pair in addresses.of[family]], HIGHEST[family]):
            yield name, value


def service_points(service):
    """(protocol, port, source port, code) around every pair's corners."""
    points = set()
    for pair in service.pairs():
        protocol = NAMELESS if pair.protocol is None else pair.protocol
        low, high = pair.ports
        for port in around([pair.ports], 65535):
            points |= {(protocol, port, source, code) for source in (pair.source_ports[0], pair.source_ports[1])
                       for code in (pair.codes[0], pair.codes[1])}
        points |= {(protocol, low, source, pair.codes[0]) for source in around([pair.source_ports], 65535)}
        points |= {(protocol, low, pair.source_ports[0], code) for code in around([pair.codes], 255)}
        points |= {(other, high, pair.source_ports[0], pair.codes[1])
                   for other in (1, 6, 17, 47, 58, 132, NAMELESS, max(protocol - 1, 0), min(protocol + 1, 255))}
    return sorted(points)


def packet_of(hook, family, whence, where, point, rule):
    packet = Sent(hook, whence[0], where[0], family, whence[1], where[1], point[0])
    if rule.forward:
        packet = replace(packet, original=rule.forward.at.of[family][0][0] if rule.forward.at else 1)
    return with_service(packet, point, rule)


def with_service(packet, point, rule):
    """Of a forward the point is what was there before its port was translated."""
    protocol, port, source_port, code = point
    real = rule.forward.port or port if rule.forward else port
    return replace(packet, protocol=protocol, port=real, source_port=source_port, code=code,
                   original_port=port if rule.forward else 0)


def around_original(base, rule):
    if rule.forward is None:
        return
    yield replace(base, original=None, original_port=0)
    yield replace(base, port=(base.port + 1) & 65535)
    at = rule.forward.at.of[base.family] if rule.forward.at else [(0, HIGHEST[base.family])]
    for value in around(at, HIGHEST[base.family]):
        yield replace(base, original=value)


def text_corners(policy):
    ends = Ends(policy)
    for rule in policy.rules:
        for hook in HOOKS:
            yield from ends.of_rule(rule, hook)


def mixed(policy, count, seed):
    """Each field as some rule or other has it."""
    chooser = random.Random(seed)
    ends = Ends(policy)
    known = {(hook, family): ends.values(hook, family) for hook in HOOKS for family in (4, 6)}
    for _ in range(count):
        (hook, family), (froms, tos, points) = chooser.choice(sorted(known.items()))
        whence, where, point = chooser.choice(froms), chooser.choice(tos), chooser.choice(points)
        yield Sent(hook, whence[0], where[0], family, whence[1], where[1], *point)


# --- asking -----------------------------------------------------------------------------------------------


def address_text(family, value):
    return str((ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address)(value))


def line_of(packet):
    second = packet.code if packet.protocol in (1, 58) else packet.source_port
    interfaces = [(name or "-").replace(Region.OTHER, "other0") for name in (packet.in_interface,
                                                                           packet.out_interface)]
    original = "-" if packet.original is None else address_text(packet.family, packet.original)
    return " ".join(map(str, (packet.hook, *interfaces, address_text(packet.family, packet.source),
                              address_text(packet.family, packet.destination), packet.protocol, packet.port,
                              second, original, packet.original_port)))


def packet_of_line(line, interfaces):
    hook, came, left, source, destination, *rest = line.split()
    protocol, first, second = map(int, rest[:3])
    one, other = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    named = ["" if name == "-" else name if name in interfaces else Region.OTHER for name in (came, left)]
    is_icmp = protocol in (1, 58)
    return Sent(hook, *named, one.version, int(one), int(other), protocol, first, 0 if is_icmp else second,
                second if is_icmp else 0, 64, None if rest[3] == "-" else int(ipaddress.ip_address(rest[3])),
                int(rest[4]))


@dataclass
class Subject:
    """An example as somebody sees it: this host, or a device."""

    title: str
    path: str
    policy: Policy
    device: str = None

    def command(self, tool):
        return [tool, self.path] + ([self.device] if self.device else [])


def subjects():
    folder = os.path.join(TOP, "examples")
    for name in sorted(name for name in os.listdir(folder) if name.endswith(".fw")):
        path = os.path.join(folder, name)
        text = examples.flattened(path)
        if "\ndevice " not in text:
            names = [word for line in text.splitlines() if line.startswith("zone ") and "interface " in line
                     for word in line.partition("interface ")[2].partition(";")[0].split(", ")]
            yield Subject(name, path, HostPolicy(text, names))
            continue
        devices, sites = examples.sites(text)
        for site in sites:
            yield Subject(f"{name}, {site.device.name}", path, device_policy(site.outside, devices, site.device),
                          site.device.name)


def ask(tally, tool, subject, lines):
    done = subprocess.run(subject.command(tool), input="\n".join(lines) + "\n", capture_output=True, text=True,
                          check=False, timeout=60)
    answers = done.stdout.splitlines()
    is_whole = done.returncode == 0 and len(answers) == len(lines)
    return answers if tally.check(is_whole, f"{subject.title}: {done.stderr[-500:]}") else None


def judge(tally, tool, subject, lines):
    """All of them, by everyone: what the text says is what they have to say."""
    answers = ask(tally, tool, subject, lines)
    if answers is None:
        return
    wrong = []
    for line, answer in zip(lines, answers):
        packet = packet_of_line(line, subject.policy.interfaces)
        index, verdict = decision(subject.policy, packet)
        if not can_be(subject.policy, packet):
            wrong += [f"{line}: {answer}"] if answer.startswith("apart") else []
        elif answer != f"{index} {verdict}":
            wrong.append(f"{line}: {answer}; by the text {index} {verdict}")
    tally.check(not wrong, f"{subject.title}: {len(wrong)} of {len(lines)} differ:\n  " + "\n  ".join(wrong[:5]))


def text_lines(packets):
    return list(dict.fromkeys(line_of(packet) for packet in map(settled, packets) if packet is not None))


def check_subject(tally, tool, subject, count):
    corners = text_lines(text_corners(subject.policy))
    done = subprocess.run([*subject.command(tool), "corners"], capture_output=True, text=True,
                          check=False, timeout=60)
    boxes = list(dict.fromkeys(done.stdout.splitlines()))
    others = text_lines(mixed(subject.policy, count, subject.title))
    tally.check(done.returncode == 0 and len(boxes) > 100 and len(corners) > 100, f"{subject.title}: no corners")
    for lines in (corners, boxes, others):
        judge(tally, tool, subject, lines)
    hooks = {line.split()[0] for line in corners + boxes + others}
    families = {":" in line.split()[3] for line in corners + boxes + others}
    print(f"{subject.title}: {len(subject.policy.rules)} rules, {len(corners)} corners of the text,"
          f" {len(boxes)} of the compiler's boxes, {len(others)} packets at random; {' '.join(sorted(hooks))},"
          f" {len(families)} {'families' if len(families) > 1 else 'family'}")
    return len(corners) + len(boxes) + len(others)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("--packets", type=int, default=1500)
    options = parser.parse_args()
    build = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(options.fwc))))
    tool = os.path.join(build, "tests", "engines", "engine_tool")
    evaluator.KNOWN.update({**profiles.known(), **evaluator.KNOWN})
    tally = Tally()
    total = sum(check_subject(tally, tool, subject, options.packets) for subject in subjects())
    print(f"{total} packets, {'none differing' if not tally.failed else 'SOME DIFFERING'}")
    tally.close()


if __name__ == "__main__":
    main()
