"""What the compiler said that a list lets in beyond the policy, from a run's diagnostics.

Later fragments: one diagnostic a list, whose notes say `later fragments of PROTOCOL from PLACE to
PLACE`; beyond a number of them only how many more there are. Answers: one diagnostic for each rule,
whose notes say `LIST: PROTOCOL … from PLACES … to PLACES …`.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass

import words
from acl_eval import TOP, Span
from planes import Layer

FRAGMENTS = "FW0920"
FRAGMENT = re.compile(r"later fragments of (\S+|this protocol) from (\S+) to (\S+)")
PROTOCOLS = {**words.PROTOCOLS_V6, **words.PROTOCOLS_V4, "icmp6": words.ICMP6, "ipv6-icmp": words.ICMP6,
             "icmpv6": words.ICMP6}


@dataclass
class Told:
    """One note about later fragments."""

    protocol: int
    source: Span
    destination: Span

    def holds(self, packet):
        return packet.protocol == self.protocol and self.source.holds(packet.source) \
            and self.destination.holds(packet.destination)


def of_list(diagnostics, code, acl):
    return [row for row in diagnostics if row["code"] == code and f"'{acl.name}'" in row["message"]]


def fragments(diagnostics, acl):
    """What was told of a list's later fragments; None where not all of it could be told."""
    result = []
    for row in of_list(diagnostics, FRAGMENTS, acl):
        for note in row["notes"]:
            found = FRAGMENT.fullmatch(note["message"])
            if not found:
                return None
            # written as the family's own protocol: icmp is that of IPv6 in its lists
            protocol = PROTOCOLS[found[1]]
            if acl.family == 6 and protocol == words.ICMP:
                protocol = words.ICMP6
            result.append(Told(protocol, span(found[2], acl.family), span(found[3], acl.family)))
    return result


def span(text, family):
    """`any`, an address, a prefix or a range."""
    if text == "any":
        return Span(0, TOP[family])
    if "/" in text:
        network = ipaddress.ip_network(text)
        return Span(int(network[0]), int(network[-1]))
    first, _, last = text.partition("-")
    return Span(int(ipaddress.ip_address(first)), int(ipaddress.ip_address(last or first)))


ANSWERS = "FW0931"
NUMBERS = r"[0-9,-]+"
ANSWER = re.compile(r"(?P<list>\S+): (?P<protocol>protocol [0-9-]+|\S+)"
                    rf"(?: type (?P<kinds>{NUMBERS}))?(?: code (?P<codes>{NUMBERS}))?(?P<flags> with ACK or RST)?"
                    rf" from (?P<source>\S+)(?: port (?P<sports>{NUMBERS}))?"
                    rf" to (?P<destination>\S+)(?: port (?P<ports>{NUMBERS}))?")


def layers(diagnostics, acl):
    """Layers of every packet that the notes announce for a list, at whatever time; None where they
    say that there is more."""
    result = []
    for row in of_list(diagnostics, ANSWERS, acl):
        for note in row["notes"]:
            found = ANSWER.fullmatch(note["message"])
            if not found:
                return None
            if found["list"] == acl.name:
                result.append(layer_of(found, acl.family))
    return result


def layer_of(found, family):
    low, high = protocols_of(found["protocol"], family)
    kinds, codes, sports, ports = (intervals(found[name]) for name in ("kinds", "codes", "sports", "ports"))

    def holds(point):
        if point.is_fragment or not low <= point.protocol <= high:
            return False
        if found["flags"] and not point.flags & 20:
            return False
        return inside(kinds or ports, point.port) and inside(codes, point.code) and inside(sports,
            point.source_port)
    return Layer(True, place(found["source"], family), place(found["destination"], family), holds, found[0])


def protocols_of(text, family):
    if text.startswith("protocol "):
        first, _, last = text[len("protocol "):].partition("-")
        return int(first), int(last or first)
    number = PROTOCOLS[text] if text in PROTOCOLS else socket.getprotobyname(text)
    if family == 6 and number == words.ICMP and text == "icmp":
        number = words.ICMP6
    return number, number


def intervals(text):
    """`3,11-12` as pairs; nothing said is None."""
    if text is None:
        return None
    pairs = [part.partition("-") for part in text.split(",")]
    return [(int(first), int(last or first)) for first, _, last in pairs]


def inside(pairs, number):
    return pairs is None or any(low <= number <= high for low, high in pairs)


def place(text, family):
    spans = [span(part, family) for part in text.split(",")]
    return lambda address: any(one.holds(address) for one in spans)
