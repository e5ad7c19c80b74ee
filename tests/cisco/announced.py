"""What the compiler said that a list lets in beyond the policy, from a run's diagnostics.

Later fragments: one diagnostic a list, whose notes say `later fragments of PROTOCOLS from PLACES to
PLACES (LINE)`; beyond a number of them only how many more there are. Answers: one diagnostic for each
rule, whose notes say `LIST: PROTOCOL … from PLACES … to PLACES …`. Places and numbers are lists, or
`any except` what a list leaves out.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass

import words
from acl_eval import TOP, Span
from planes import Layer

FRAGMENTS = "FW0920"
FRAGMENT = re.compile(r"later fragments of (\S+(?:, \S+)*) from (\S+) to (\S+)(?: \(\S+:\d+\))?")
NEIGHBOURS = "FW0928"
PROTOCOLS = {**words.PROTOCOLS_V6, **words.PROTOCOLS_V4, "icmp6": words.ICMP6, "ipv6-icmp": words.ICMP6,
             "icmpv6": words.ICMP6}


@dataclass
class Told:
    """One note about later fragments."""

    protocols: set
    source: object
    destination: object

    def holds(self, packet):
        return packet.protocol in self.protocols and self.source(packet.source) \
            and self.destination(packet.destination)


def of_list(diagnostics, code, acl):
    return [row for row in diagnostics if row["code"] == code and f"'{acl.name}'" in row["message"]]


def fragments(diagnostics, acl):
    """What was told of a list's later fragments; None where not all of it could be told. Answers of
    whole protocols hold theirs."""
    result = whole_answers(diagnostics, acl)
    for row in of_list(diagnostics, FRAGMENTS, acl):
        for note in row["notes"]:
            found = FRAGMENT.fullmatch(note["message"])
            if not found:
                return None
            # written as the family's own protocol: icmp is that of IPv6 in its lists
            protocols = {PROTOCOLS[word] for word in found[1].split(", ")}
            if acl.family == 6 and words.ICMP in protocols:
                protocols = protocols - {words.ICMP} | {words.ICMP6}
            result.append(Told(protocols, place(found[2], acl.family), place(found[3], acl.family)))
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
NUMBERS = r"(?:any except )?[0-9,-]+"
PLACES = r"(?:any except )?\S+"
ANSWER = re.compile(r"(?P<list>\S+): (?P<protocol>protocol [0-9-]+|\S+)"
                    rf"(?: type (?P<kinds>{NUMBERS}))?(?: code (?P<codes>{NUMBERS}))?(?P<flags> with ACK or RST)?"
                    rf" from (?P<source>{PLACES})(?: port (?P<sports>{NUMBERS}))?"
                    rf" to (?P<destination>{PLACES})(?: port (?P<ports>{NUMBERS}))?")


CONDITIONS = ("kinds", "codes", "flags", "sports", "ports")


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


def kinds(diagnostics, acl):
    """The intervals of ICMP types that the notes of a list name, for cells to be cut there."""
    found = (ANSWER.fullmatch(note["message"])
             for row in of_list(diagnostics, ANSWERS, acl) for note in row["notes"])
    return [pair for one in found if one and one["list"] == acl.name and one["kinds"]
            for pair in pairs_of(one["kinds"])]


def layer_of(found, family):
    low, high = protocols_of(found["protocol"], family)
    firsts, codes, sports = (intervals(found[name]) for name in
                             ("kinds" if found["kinds"] else "ports", "codes", "sports"))

    def holds(point):
        if point.is_fragment or not low <= point.protocol <= high:
            return False
        if found["flags"] and not point.flags & 20:
            return False
        return firsts(point.port) and codes(point.code) and sports(point.source_port)
    return Layer(True, place(found["source"], family), place(found["destination"], family), holds, found[0])


def whole_answers(diagnostics, acl):
    """Answers of whole protocols, as those of later fragments are told."""
    result = []
    for row in of_list(diagnostics, ANSWERS, acl):
        for found in filter(None, (ANSWER.fullmatch(note["message"]) for note in row["notes"])):
            if found["list"] == acl.name and not any(found[name] for name in CONDITIONS):
                low, high = protocols_of(found["protocol"], acl.family)
                result.append(Told(set(range(low, high + 1)), place(found["source"], acl.family),
                                   place(found["destination"], acl.family)))
    return result


def protocols_of(text, family):
    if text.startswith("protocol "):
        first, _, last = text[len("protocol "):].partition("-")
        return int(first), int(last or first)
    number = PROTOCOLS[text] if text in PROTOCOLS else socket.getprotobyname(text)
    if family == 6 and number == words.ICMP and text == "icmp":
        number = words.ICMP6
    return number, number


EXCEPT = "any except "


def pairs_of(text):
    pairs = [part.partition("-") for part in text.removeprefix(EXCEPT).split(",")]
    return [(int(first), int(last or first)) for first, _, last in pairs]


def intervals(text):
    """`3,11-12` as a question; nothing said holds every number."""
    if text is None:
        return lambda number: True
    pairs = pairs_of(text)
    is_held = not text.startswith(EXCEPT)
    return lambda number: any(low <= number <= high for low, high in pairs) == is_held


def place(text, family):
    spans = [span(part, family) for part in text.removeprefix(EXCEPT).split(",")]
    is_held = not text.startswith(EXCEPT)
    return lambda address: any(one.holds(address) for one in spans) == is_held
