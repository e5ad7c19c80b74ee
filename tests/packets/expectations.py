"""Reads a .probes file: a network, and what must become of each packet in it.

    policy  small-office.fw                            # in examples/
    segment lan eth1 192.168.0.1/24 2001:db8:0:1::1/64 # the firewall's addresses there
    extra   wan 80.1.0.3/24                            # another address of the firewall
    host    pc lan 192.168.0.20 2001:db8:0:1::20       # a host of that segment
    pc, admin -> web  tcp 80,443  allow                # both families, where both have addresses
    pc   -> far       udp 53      allow seen 80.1.0.2 ipv4
    far  -> fw:80.1.0.2 tcp 443   dnat web
    pc   -> fw        ping        allow

`fw` is the firewall: as a source any of its addresses, as a destination its address on the
asking host's segment. Verdicts are allow, deny, reject, and `dnat HOST[:PORT]`: allowed, and
answered by that host. Options: `ipv4`, `ipv6`, `sport N`, `seen ADDRESS`, `unasked` (no
positive control: it cannot work without the policy).
"""

import ipaddress
import os
from dataclasses import dataclass, field

from prober import Attempt

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(os.path.dirname(os.path.dirname(HERE)), "examples")


@dataclass
class Host:
    """A named host, or the firewall, with its addresses by family (4, 6)."""

    name: str
    segment: str
    addresses: dict


@dataclass
class Expectation:
    """An attempt and its verdict, with the line that says so."""

    line: int
    attempt: Attempt
    verdict: str
    place: str = ""
    seen: str = ""
    has_control: bool = True


@dataclass
class Network:
    """What a .probes file says."""

    path: str
    policy: str = ""
    segments: dict = field(default_factory=dict)   # name -> (interface, [prefixes])
    extras: list = field(default_factory=list)     # (segment, prefix)
    hosts: dict = field(default_factory=dict)
    expectations: list = field(default_factory=list)


def family_of(address):
    return 6 if ":" in address else 4


def read(path):
    """Reads a whole file; an ill-formed line is a ValueError that names it."""
    network = Network(path)
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#")[0].replace(",", " , ").split()
            try:
                read_line(network, number, words)
            except (ValueError, KeyError, IndexError) as error:
                raise ValueError(f"{path}:{number}: {error!r}") from error
    return network


def read_line(network, number, words):
    if not words:
        return
    if words[0] == "policy":
        network.policy = os.path.join(EXAMPLES, words[1])
    elif words[0] == "segment":
        network.segments[words[1]] = (words[2], words[3:])
    elif words[0] == "extra":
        network.extras.append((words[1], words[2]))
    elif words[0] == "host":
        addresses = {family_of(word): word for word in words[3:]}
        network.hosts[words[1]] = Host(words[1], words[2], addresses)
    else:
        read_probe(network, number, words)


def read_probe(network, number, words):
    """One line of probes: every source, port and family is one expectation."""
    arrow = words.index("->")
    sources = [word for word in words[:arrow] if word != ","]
    destination, service = words[arrow + 1], words[arrow + 2]
    rest = words[arrow + 3:]
    ports = [0]
    if service != "ping":
        ports, rest = read_ports(rest)
    if service == "ip":  # a protocol's number, not ports
        service, ports = str(ports[0]), [0]
    verdict, target, options = read_verdict(rest)
    for source in sources:
        for family in options["families"]:
            for port in ports:
                expect(network, number, (source, destination, service, port, family),
                       (verdict, target, options))


def read_ports(words):
    """Numbers between commas, at the head of a line's rest."""
    ports = [int(words[0])]
    index = 1
    while index < len(words) and words[index] == ",":
        ports.append(int(words[index + 1]))
        index += 2
    return ports, words[index:]


def read_verdict(words):
    verdict, words = words[0], words[1:]
    if verdict not in ("allow", "deny", "reject", "dnat"):
        raise ValueError(f"no verdict '{verdict}'")
    target = ""
    if verdict == "dnat":
        target, words = words[0], words[1:]
    options = {"families": [4, 6], "seen": "", "sport": 0, "unasked": False}
    while words:
        if words[0] in ("ipv4", "ipv6"):
            options["families"] = [int(words[0][3])]
            words = words[1:]
        elif words[0] == "unasked":
            options["unasked"] = True
            words = words[1:]
        else:
            options[words[0]] = type(options[words[0]])(words[1])
            words = words[2:]
    return verdict, target, options


def expect(network, number, question, answer):
    """Adds one expectation, unless a side has no address of the family."""
    source_name, destination_name, service, port, family = question
    verdict, target, options = answer
    source = side(network, source_name, family, None)
    destination = side(network, destination_name, family, source_name)
    if source is None or destination is None:
        return
    attempt = Attempt(source[0], source[1], destination[1], service, port, options["sport"],
                      destination[0], destination[1], port)
    place = destination[0]
    if verdict == "dnat":
        host, _, new_port = target.partition(":")
        attempt.answer_place = place = network.hosts[host].segment
        attempt.answer_address = network.hosts[host].addresses[family]
        attempt.answer_port = int(new_port or port)
    network.expectations.append(
        Expectation(number, attempt, "allow" if verdict == "dnat" else verdict, place,
                    options["seen"], not (verdict == "dnat" or options["unasked"])))


def side(network, name, family, asking):
    """(namespace, address) of a host's name, or None if it lacks the family."""
    if name.startswith("fw:"):
        address = name[3:]
        return ("fw", address) if family_of(address) == family else None
    if name == "fw" and asking is None:
        return ("fw", "") if any(family in host.addresses for host in network.hosts.values()) \
            else None
    if name == "fw":
        segment = network.segments[network.hosts[asking].segment]
        found = [prefix.split("/")[0] for prefix in segment[1] if family_of(prefix) == family]
        return ("fw", found[0]) if found else None
    host = network.hosts[name]
    return (host.segment, host.addresses[family]) if family in host.addresses else None


def build(lab, network):
    """Gives the lab the file's segments, addresses and routes."""
    for name, (interface, prefixes) in network.segments.items():
        lab.add_segment(name, interface)
        lab.fw.ip([f"addr add {prefix} dev {interface}{' nodad' if ':' in prefix else ''}"
                   for prefix in prefixes])
    for segment, prefix in network.extras:
        lab.fw.ip([f"addr add {prefix} dev {network.segments[segment][0]}"
                   f"{' nodad' if ':' in prefix else ''}"])
    for host in network.hosts.values():
        add_host(lab, network, host)
    for name, (_, prefixes) in network.segments.items():
        add_gateways(lab.segments[name], prefixes)


def add_host(lab, network, host):
    interface = network.segments[host.segment][0]
    for family, address in host.addresses.items():
        length, nodad = (32, "") if family == 4 else (128, " nodad")
        lab.segments[host.segment].ip([f"addr add {address}/{length} dev eth0{nodad}"])
        lab.fw.ip([f"route replace {address}/{length} dev {interface}"])


def add_gateways(segment, prefixes):
    """Routes everything over the firewall's addresses, which are on the link."""
    for prefix in prefixes:
        network = ipaddress.ip_interface(prefix)
        gateway = str(network.ip)
        length = network.max_prefixlen
        segment.ip([f"route add {gateway}/{length} dev eth0",
                    f"route add default via {gateway} dev eth0"])
