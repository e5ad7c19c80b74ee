"""Both ends of examples/site-to-site.fw against what its document configures by hand.

usage: site_to_site_test.py FWC

FACTS is the document's configuration as facts, statement by statement: command, where it stands, and
a pattern. Names and numbers that the document chose (VPN, VPNMAP, VPNSET, 100, policy 10, sequence
10) may be others: they are bound where they are made and have to be the same where they are used.
The two crypto lists have to mirror each other; the key appears only when its variable is set, and
never with --redact.
"""

import os
import re
import sys

import compiled
from acl_eval import AccessList, Entry, Packet
from acl_read import Configuration
from compiled import TOP, Tally
from planes import differences, layers_of, space_of_lists

EXAMPLE = os.path.join(TOP, "examples", "site-to-site.fw")
KEY = "CiscoLab"


def facts(own, peer, inside, outside, gateway, far):
    """(statement of the document, head pattern, line pattern or None) for one end. Names are bound
    by (?P<name>...) and asked again by (?P=name), across all statements."""
    net = re.escape(f"{inside} 0.0.0.255")
    other = re.escape(f"{far} 0.0.0.255")
    wan, lan = "interface Serial0/0", "interface Loopback0"
    policy = r"crypto isakmp policy (?P<policy>\d+)"
    crypto_map = r"crypto map (?P<map>\S+) (?P<sequence>\d+) ipsec-isakmp"
    return [
        ("ip address of the WAN", wan, rf"ip address {re.escape(own)} 255\.255\.255\.252"),
        ("ip nat outside", wan, r"ip nat outside"),
        ("clock rate 2000000", wan, r"clock rate 2000000"),
        ("ip address of the LAN", lan, rf"ip address {re.escape(outside)} 255\.255\.255\.0"),
        ("ip nat inside", lan, r"ip nat inside"),
        ("NAT list denies what the tunnel carries", "nat list", rf"deny\s+ip {net} {other}"),
        ("NAT list permits the rest of the LAN", "nat list", rf"permit\s+ip {net} any"),
        ("ip nat inside source list ... overload",
         r"ip nat inside source list (?P<nat>\S+) interface Serial0/0 overload", None),
        ("default route", rf"ip route 0\.0\.0\.0 0\.0\.0\.0 {re.escape(gateway)}", None),
        ("crypto isakmp enable", r"crypto isakmp enable", None),
        ("crypto isakmp policy", policy, None),
        ("encryption aes", policy, r"encr(yption)? aes"),
        ("authentication pre-share", policy, r"authentication pre-share"),
        ("hash sha", policy, r"hash sha"),
        ("group 2", policy, r"group 2"),
        ("lifetime 86400", policy, r"lifetime 86400"),
        ("crypto isakmp identity address", r"crypto isakmp identity address", None),
        ("crypto isakmp key 0 ... address",
         rf"crypto isakmp key (0 )?{KEY} address {re.escape(peer)}( no-xauth)?", None),
        ("crypto ipsec transform-set", r"crypto ipsec transform-set (?P<set>\S+) esp-aes esp-sha-hmac", None),
        ("lifetime kilobytes 4096", r"crypto ipsec security-association lifetime kilobytes 4096", None),
        ("ip access-list extended VPN", "crypto list", rf"permit\s+ip {net} {other}"),
        ("crypto map ... ipsec-isakmp", crypto_map, None),
        ("match address VPN", crypto_map, r"match address (?P<vpn>\S+)"),
        ("set peer", crypto_map, rf"set peer {re.escape(peer)}"),
        ("set transform-set VPNSET", crypto_map, r"set transform-set (?P<set>\S+)"),
        ("crypto map VPNMAP on the WAN", wan, r"crypto map (?P<map>\S+)"),
    ]


ENDS = {
    "SITE1": facts("80.1.0.2", "80.2.0.2", "192.168.0.0", "192.168.0.1", "80.1.0.1", "172.16.0.0"),
    "SITE2": facts("80.2.0.2", "80.1.0.2", "172.16.0.0", "172.16.0.1", "80.2.0.1", "192.168.0.0"),
}


class Reading:
    """One end's configuration, with the names that it chose."""

    def __init__(self, configuration):
        self.configuration = configuration
        self.names = {}

    def blocks(self):
        for head, lines in self.configuration.commands.items():
            yield head, lines
        for name, interface in self.configuration.interfaces.items():
            yield f"interface {name}", interface.lines

    def list_lines(self, which):
        """The lines of the NAT or the crypto list, known by what uses them."""
        name = self.names.get({"nat list": "nat", "crypto list": "vpn"}[which])
        acl = self.configuration.lists.get((4, name))
        return [re.sub(r"^\d+ ", "", entry.text) for entry in acl.entries] if acl else []

    def bind(self, match):
        """Names that a match holds: new ones are kept, known ones have to be the same."""
        groups = {name: text for name, text in match.groupdict().items() if text is not None}
        if any(self.names.get(name, text) != text for name, text in groups.items()):
            return False
        self.names.update(groups)
        return True

    def holds(self, head, line):
        if head in ("nat list", "crypto list"):
            return any(re.fullmatch(line, text) for text in self.list_lines(head))
        for found, lines in self.blocks():
            match = re.fullmatch(head, found)
            if match and self.holds_line(line, lines) and self.bind(match):
                return True
        return False

    def holds_line(self, pattern, lines):
        return pattern is None or any(match and self.bind(match) for match in (re.fullmatch(pattern, text)
            for text in lines))


def is_list_fact(fact):
    return fact[1] in ("nat list", "crypto list")


def is_elsewhere(reading, fact):
    """The lifetime may stand at the crypto map instead, where it says the same of this tunnel."""
    return fact[0] == "lifetime kilobytes 4096" and reading.holds(
        r"crypto map (?P<map>\S+) (?P<sequence>\d+) ipsec-isakmp",
        r"set security-association lifetime kilobytes 4096")


def check_end(tally, name, configuration):
    reading = Reading(configuration)
    rows = ENDS[name]
    # what names are bound by stands before what uses them
    verdicts = {fact[0]: reading.holds(fact[1], fact[2]) or is_elsewhere(reading, fact)
                for fact in rows if not is_list_fact(fact)}
    verdicts.update({fact[0]: reading.holds(fact[1], fact[2]) for fact in rows if is_list_fact(fact)})
    for statement, _, _ in rows:
        print(f"{name}: {'matched' if verdicts[statement] else 'MISSING'}: {statement}")
        tally.check(verdicts[statement], f"{name}: {statement}")
    return reading


def mirrored(acl):
    result = AccessList(acl.name, acl.family)
    for entry in acl.entries:
        result.add(Entry(**{**entry.__dict__, "source": entry.destination, "destination": entry.source}))
    return result


BY_HAND = """interface Serial0/0
 ip address {own} 255.255.255.252
 ip nat outside
 clock rate 2000000
 crypto map VPNMAP
interface Loopback0
 ip address {lan}.1 255.255.255.0
 ip nat inside
access-list 100 deny   ip {lan}.0 0.0.0.255 {far}.0 0.0.0.255
access-list 100 permit ip {lan}.0 0.0.0.255 any
ip nat inside source list 100 interface Serial0/0 overload
ip route 0.0.0.0 0.0.0.0 {gateway}
crypto isakmp enable
crypto isakmp policy 10
 encryption aes
 authentication pre-share
 hash sha
 group 2
 lifetime 86400
crypto isakmp identity address
crypto isakmp key 0 CiscoLab address {peer}
crypto ipsec transform-set VPNSET esp-aes esp-sha-hmac
crypto ipsec security-association lifetime kilobytes 4096
ip access-list extended VPN
 permit ip {lan}.0 0.0.0.255 {far}.0 0.0.0.255
crypto map VPNMAP 10 ipsec-isakmp
 match address VPN
 set peer {peer}
 set transform-set VPNSET
"""
BY_HAND_SITE1 = BY_HAND.format(own="80.1.0.2", peer="80.2.0.2", lan="192.168.0", far="172.16.0",
                               gateway="80.1.0.1")


def missing(configuration):
    reading = Reading(configuration)
    ordered = sorted(ENDS["SITE1"], key=is_list_fact)
    return [fact[0] for fact in ordered if not (reading.holds(fact[1], fact[2]) or is_elsewhere(reading, fact))]


def check_table(tally):
    """The table finds all of it in the document's own lines, and misses each line that is left out."""
    lines = BY_HAND_SITE1.splitlines()
    tally.check(not missing(Configuration(BY_HAND_SITE1)), f"by hand: {missing(Configuration(BY_HAND_SITE1))}")
    for index, line in enumerate(lines):
        below = next((at for at in range(index + 1, len(lines)) if lines[at][0] != " "), len(lines))
        rest = lines[:index] + (lines[index + 1:] if line[0] == " " else lines[below:])
        tally.check(missing(Configuration("\n".join(rest))), f"not missed: {line}")


def check_mirror(tally, readings):
    one, two = (reading.configuration.lists[4, reading.names["vpn"]] for reading in readings)
    turned = mirrored(two)
    space = space_of_lists([one, turned])
    found = differences(space, space.permitted(layers_of(one)), space.permitted(layers_of(turned)), 1)
    tally.check(not found, f"the crypto lists do not mirror each other: {found}")


def check_nat(tally, readings):
    """What the tunnel carries is not translated; the rest of the LAN is."""
    for reading, (source, far) in zip(readings, (("192.168.0.0", "172.16.0.0"), ("172.16.0.0", "192.168.0.0"))):
        acl = reading.configuration.lists[4, reading.names["nat"]]
        own, other = (int.from_bytes(bytes(map(int, text.split("."))), "big") + 7 for text in (source, far))
        tally.check(not acl.permits(Packet(4, own, other, 6, 80)), "what the tunnel carries is translated")
        tally.check(acl.permits(Packet(4, own, 0x08080808, 6, 80)), "the LAN is not translated")
        tally.check(not acl.permits(Packet(4, other, 0x08080808, 6, 80)), "others are translated")


def check_ike(tally, name, configuration):
    """The outside list lets the peer's IKE, NAT-T and ESP enter, and nobody else's."""
    peer, own = {"SITE1": (0x50020002, 0x50010002), "SITE2": (0x50010002, 0x50020002)}[name]
    acl = configuration.lists.get((4, configuration.interfaces["Serial0/0"].lists.get((4, "in"))))
    if not tally.check(acl is not None, f"{name}: no list on the outside"):
        return
    for protocol, port in ((17, 500), (17, 4500), (50, 0)):
        for source, holds in ((peer, True), (peer + 1, False)):
            packet = Packet(4, source, own, protocol, port, port)
            tally.check(acl.permits(packet) == holds,
                        f"{name}: protocol {protocol} port {port}, from the peer: {holds}")


def check_key(tally, fwc):
    variable = re.search(r'key env "(\w+)"', open(EXAMPLE, encoding="utf-8").read())[1]
    given = compiled.run(fwc, EXAMPLE, environment={variable: KEY})
    tally.check(given.text.count(KEY) == 2, "the key at both ends, where the variable is set")
    redacted = compiled.run(fwc, EXAMPLE, "--redact", environment={variable: KEY})
    tally.check(redacted.status == 0 and KEY not in redacted.text + redacted.stderr, "no key with --redact")
    os.environ.pop(variable, None)
    without = compiled.run(fwc, EXAMPLE)
    tally.check(without.status != 0 and not without.text, "no key, no configuration")
    hidden = compiled.run(fwc, EXAMPLE, "--redact")
    tally.check(hidden.status == 0 and hidden.text == redacted.text, "with --redact no variable is asked for")
    return given


def main():
    fwc = os.path.abspath(sys.argv[1])
    tally = Tally()
    check_table(tally)
    given = check_key(tally, fwc)
    if tally.check(given.status == 0, f"the example does not compile: {given.first_error()}"):
        configurations = given.configurations()
        readings = [check_end(tally, name, configurations[name]) for name in ENDS]
        check_mirror(tally, readings)
        check_nat(tally, readings)
        for name in ENDS:
            check_ike(tally, name, configurations[name])
    tally.close()


if __name__ == "__main__":
    main()
