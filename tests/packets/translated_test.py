"""Random policies with translations of addresses in the kernel against a plain reading of what they mean.

usage: translated_test.py FWC [--seed N] [--policies N] [--packets N] [--levels 012] [--verbose]

As random_test.py; and of what arrives the addresses and the port are what the first translation that fits makes
of them: a destination before it is routed, a source behind the rules, which speak of what lies between.
"""

import struct
import sys
from dataclasses import dataclass, replace

import frames
import generator
import random_test
from evaluator import LINK_LOCAL, Packet, Policy, PolicyError, Region
from forwards import TranslatingReader, translated

PORTED = (frames.TCP, frames.UDP)
FORWARDED = ("443/tcp", "80/tcp", "53/udp", "dns", "https", "22/tcp+udp", "8080-8090/tcp", "any/tcp", "any/udp",
             "1024-65535/udp", "ping", "80/tcp, 443/tcp")
ONE_PORT = ("443/tcp", "80/tcp", "53/udp", "dns", "https", "22/tcp+udp", "8085/tcp", "ssh", "60000/udp")


@dataclass
class Fate:
    """What becomes of a packet: as its hook sees it, the verdict and its line, the source that it leaves with."""

    after: object
    verdict: str
    line: int
    source: int


class TranslatedPolicy(Policy):
    """The evaluator's policy, and what it translates. A packet that was translated is one with `before`."""

    def __init__(self, text, interfaces):
        self.hidings = []
        super().__init__(text, interfaces)
        for hiding in self.hidings:
            if not any(self.hidden_families(hiding, hook) for hook in ("forward", "output")):
                raise PolicyError("a translation of nothing")
        for rule in self.forwards():
            hooks = ("input", "forward", "output")
            if not any(region.families() & rule.families & rule.service.families()
                       for hook in hooks for region in self.from_regions(rule.froms, hook).values()):
                raise PolicyError("a translation of nothing")

    @staticmethod
    def reader(policy, text):
        return TranslatingReader(policy, text)

    def hidden_families(self, hiding, hook):
        froms, tos = self.hidden_regions(hiding, hook)
        return (hiding.families & set().union(*(region.families() for region in froms))
                & set().union(*(region.families() for region in tos)))

    def hidden_regions(self, hiding, hook):
        return (list(self.from_regions(hiding.froms, hook).values()),
                [self.to_region(hiding.tos, hook, is_open) for is_open in (True, False)])

    def forwards(self):
        return [rule for rule in self.rules if rule.forward]

    def fate(self, packet):
        after = self.with_destination(packet)
        verdict, line = self.verdict(after)
        return Fate(after, verdict, line, self.source_of(after))

    # --- destinations ---

    def with_destination(self, packet):
        for rule in self.forwards():
            if self.takes(rule, packet):
                after = translated(rule, packet)
                if after == packet:
                    return packet   # it was sent to the host directly
                after.before = packet
                is_own = (after.family, after.destination) in generator.OWN
                if packet.hook != "output":
                    after.hook = "input" if is_own else "forward"
                after.out_interface = "" if is_own else generator.route(after.family, after.destination)
                return after
        return packet

    def takes(self, rule, packet):
        """Before the routing decision packets to the firewall and through it look alike."""
        if packet.family not in rule.families or not rule.service.holds(packet.point()):
            return False
        if rule.forward.at is None and (packet.family, packet.destination) not in generator.OWN:
            return False
        if rule.forward.at and not rule.forward.at.holds(packet.family, packet.destination):
            return False
        hooks = ("output",) if packet.hook == "output" else ("input", "forward")
        return any(region.holds(packet.in_interface or Region.OTHER, packet.family, packet.source)
                   for hook in hooks for region in self.from_regions(rule.froms, hook).values())

    def matches(self, rule, packet):
        before = getattr(packet, "before", None)
        if rule.forward is None:
            return super().matches(rule, packet)
        if before is None or not leads(rule, before, packet) or self.is_for_another(rule, before, packet):
            return False
        return super().matches(rule, replace(packet, port=before.port))

    def is_for_another(self, rule, before, packet):
        """Of two that lead the same service to one host, that with `at` admits what was sent to its address."""
        if rule.forward.at:
            return not rule.forward.at.holds(packet.family, before.destination)
        return any(other.forward.at and packet.family in other.families and leads(other, before, packet)
                   and other.forward.at.holds(packet.family, before.destination) for other in self.forwards())

    # --- sources ---

    def source_of(self, packet):
        if packet.hook == "input" or not packet.out_interface:
            return packet.source
        for hiding in self.hidings:
            if packet.family in hiding.families and self.hides(hiding, packet):
                if hiding.behind:
                    return hiding.behind.of[packet.family][0][0]
                return next(address for (family, address), interface in generator.OWN.items()
                            if (family, interface) == (packet.family, packet.out_interface))
        return packet.source

    def hides(self, hiding, packet):
        froms, tos = self.hidden_regions(hiding, packet.hook)
        return (any(region.holds(packet.in_interface or Region.OTHER, packet.family, packet.source)
                    for region in froms)
                and any(region.holds(packet.out_interface, packet.family, packet.destination) for region in tos))


def is_bound_to_link(packet):
    return packet.source == 0 or LINK_LOCAL[1] <= packet.source <= LINK_LOCAL[2]


def leads(rule, before, packet):
    """Whether it is a translation of such a packet to where this one goes."""
    return (rule.forward.real(packet.family) == packet.destination and rule.service.holds(before.point())
            and packet.port == (rule.forward.port or before.port))


class TranslatedMaker(generator.PolicyMaker):
    """Policies of a few rules, and translations of all kinds among them."""

    reader = TranslatedPolicy

    def add_more(self):
        for index in range(self.random.choice((1, 2, 3, 5))):
            lines = []
            self.keep(lines, lambda index=index: self.translation(index))
            self.rules[self.random.randint(0, len(self.rules)):0] = lines

    def translation(self, index):
        draw = self.random.random()
        if draw < 0.65:
            return self.forward(index)
        sides = f"from {self.place_list()} to {self.place_list()}"
        if draw < 0.85:
            return f"masquerade {sides}{self.random.choice(('', '', ' ipv6', ' ipv4'))};"
        return f"snat {sides} as {self.random.choice((self.own(), self.address()))};"

    def own(self):
        return generator.text_of(*self.random.choice(list(generator.OWN)))

    def forward(self, index):
        """The host has a name, as hosts have: it is defined first."""
        has_port = self.random.random() < 0.4
        host = f"target{index}"
        if host not in self.places:
            self.keep(self.definitions, lambda: f"host {host} = {self.host_addresses()};")
            self.places.append(host)
        sources = self.random.choice(("any", "any", "any except self", "self", self.place_list(),
                                      self.place_list()))
        text = f"forward {self.random.choice(ONE_PORT if has_port else FORWARDED)} from {sources}"
        if self.random.random() < 0.6:
            text += f" at {self.random.choice((self.own(), self.own(), self.address()))}"
        text += f" to {self.random.choice(self.hosts())}"
        if has_port:
            text += f" port {self.random.choice((22, 80, 443, 8080))}"
        return text + self.random.choice(("", "", "", " ipv4", " ipv6")) + ";"

    def hosts(self):
        return [name for name in self.places if name.startswith("target")]


class TranslatedPackets(generator.PacketMaker):
    """Many of them to where something is forwarded from."""

    policy = None

    def gather(self, policy):
        super().gather(policy)
        self.policy = policy
        for rule in policy.forwards():
            for addresses in (rule.forward.at, rule.forward.host):
                for family, intervals in addresses.of.items() if addresses else ():
                    self.addresses[family] += [low for low, _ in intervals for _ in range(5)
                                               if generator.is_usable(family, low)]


    def draw(self):
        """What the firewall sends to itself is seen only where it is sent elsewhere."""
        is_aimed = self.policy.forwards() and self.random.random() < 0.6
        packet = self.aimed(self.random.choice(self.policy.forwards())) if is_aimed else super().draw()
        if packet is None or packet.hook != "output" or packet.out_interface or self.policy.fate(
                packet).after.out_interface:
            return packet
        return None

    def aimed(self, rule):
        """A packet to where the forward listens; None if none comes of it."""
        family = self.random.choice(sorted(rule.families))
        ends = [end for low_high in (rule.forward.at.of[family] if rule.forward.at else ()) for end in low_high]
        destination = self.random.choice(ends or [self.own(family)])
        pair = self.random.choice([pair for pair in rule.service.pairs() if pair.protocol is not None])
        if pair.protocol == {4: 58, 6: 1}[family] or not generator.is_usable(family, destination):
            return None
        packet = self.sent(family, destination)
        packet.protocol, packet.port = pair.protocol, max(self.random.choice(pair.ports), 1)
        packet.code = pair.codes[0]
        if pair.protocol in PORTED:
            packet.source_port = self.random.randint(1, 65535)
        else:
            self.add_icmp(packet)
        return None if packet.source == destination else packet

    def sent(self, family, destination):
        is_own = (family, destination) in generator.OWN
        way_out = "" if is_own else generator.route(family, destination)
        if self.random.random() < 0.35:
            return Packet("output", "", way_out, family, self.own(family), destination, frames.UDP)
        source = self.foreign(family)
        return Packet("input" if is_own else "forward", self.likely_interface(family, source), way_out, family,
                      source, destination, frames.UDP)


class TranslatedRound(random_test.Round):
    """What arrives is compared with the packet's fate: its hook, its addresses, its port."""

    def __init__(self, packets, numbers, fates):
        super().__init__(packets, numbers)
        self.fates = dict(zip(numbers, fates))

    def arrival(self, number, where, arrived):
        fate = self.fates[number]
        after, (addresses, body) = fate.after, arrived
        if after.hook not in (where, "output"):
            return f"allow as {where}"
        source = fate.source if where == "forward" else after.source
        wanted = (source, after.destination if addresses[1] is not None else None)
        if tuple(addresses) != wanted:
            return "allow as " + " -> ".join("?" if address is None else generator.text_of(after.family, address)
                                             for address in addresses)
        if after.protocol in PORTED and struct.unpack_from("!H", body, 2)[0] != after.port:
            return f"allow to port {struct.unpack_from('!H', body, 2)[0]}"
        return "allow"


class TranslatedBench(random_test.Bench):
    """The bench of random policies, for those with translations."""

    def policy(self, text):
        return TranslatedPolicy(text, generator.INTERFACES)

    def draw_policy(self, seed):
        return TranslatedMaker(seed).make()

    def packets(self, seed, policy):
        return TranslatedPackets(seed, policy)

    def round(self, policy, packets, numbers):
        return TranslatedRound(packets, numbers, [policy.fate(packet) for packet in packets])

    def may_be_refused(self, error):
        """A rule of output asks for an interface that the kernel does not know yet."""
        return "[FW0607]" in error

    def visible(self, policy, packet):
        fate = policy.fate(packet)
        verdict, sights = fate.verdict, (fate.verdict,)
        is_moved = fate.after is not packet
        if verdict == "reject" and (not random_test.is_answerable(packet) or is_moved and packet.hook == "output"):
            sights = ("deny", "reject")
        if verdict == "allow" and packet.hook == "output" and is_moved and not fate.after.out_interface:
            sights = ("deny", "allow", "reject")   # it stays on loopback, where nobody listens for it
        if verdict != "deny" and is_moved and fate.after.hook == "forward" and is_bound_to_link(packet):
            sights = ("deny", verdict)   # no router sends it on, but for back to its link
        if verdict == "allow" and packet.protocol not in PORTED and fate.source != packet.source:
            sights = ("allow", "deny")   # two connections without ports may become one, which is dropped
        return sights, fate.line


if __name__ == "__main__":
    sys.exit(random_test.main(TranslatedBench))
