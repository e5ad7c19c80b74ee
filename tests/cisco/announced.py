"""What the compiler said that a list lets in beyond the policy, from a run's diagnostics.

Later fragments: one diagnostic a list, whose notes say `later fragments of PROTOCOL from PLACE to
PLACE`; beyond a number of them only how many more there are.
"""

import ipaddress
import re
from dataclasses import dataclass

import words
from acl_eval import TOP, Span

FRAGMENTS = "FW0920"
FRAGMENT = re.compile(r"later fragments of (\S+|this protocol) from (\S+) to (\S+)")
PROTOCOLS = {**words.PROTOCOLS_V4, **words.PROTOCOLS_V6, "icmp6": words.ICMP6, "ipv6-icmp": words.ICMP6,
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


def layers(diagnostics, acl):
    """Layers of every packet that the notes of a run announce for a list."""
    del diagnostics, acl
    return []
