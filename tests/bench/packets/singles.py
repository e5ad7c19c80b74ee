"""What each part of an nftables ruleset costs a packet: what a cost model of rulesets stands on.

usage: singles.py SENDER [--sizes N,N]

First what one rule that decides costs behind the rules for what is tracked: the floor of a ruleset, in nft and
in iptables-legacy.

Parts that stand in a row (rules, counters, jumps) are measured as many copies, divided. Lookups are one map
of one lookup: 64 flows that it holds (hot), up to 16,384 (random), 64 that it does not hold, and up to
16,384. The empty chain's cost in the same rounds is subtracted."""

import argparse
import os
import random
import sys

import policies
import renderings
import spaces

ROUNDS, MICROSECONDS, REPLICAS = 61, 700, 3
KINDS = ("hot", "random", "none", "none cold")
SIZES = (10, 100, 1_000, 10_000, 100_000)
COPIES = 40

# (name, the table's family, the chain's lines for one copy, copies); packets are TCP to port 80, IPv4.
ROWS = [
    ("failing rule, one address (table ip)", "ip", "ip daddr 192.0.2.1 drop", COPIES),
    ("failing rule, one address (table inet)", "inet", "ip daddr 192.0.2.1 drop", COPIES),
    ("failing rule, /24", "inet", "ip daddr 192.0.2.0/24 drop", COPIES),
    ("failing rule, /28 (masked)", "inet", "ip daddr 192.0.2.0/28 drop", COPIES),
    ("failing rule, /28 by its place", "inet", "@nh,128,32 & 0xfffffff0 == 0xc0000200 drop", COPIES),
    ("failing rule, address by its place", "inet", "@nh,128,32 0xc0000201 drop", COPIES),
    ("failing rule, /64 by its place", "inet", "@nh,64,64 0xc000020100000000 drop", COPIES),
    ("failing rule, /28, other family", "inet", "ip6 daddr 2001:db8::/60 drop", COPIES),
    ("failing rule, other protocol", "inet", "udp dport 80 drop", COPIES),
    ("failing rule, port", "inet", "tcp dport 81 drop", COPIES),
    ("failing rule, source matches, port does not", "inet", "ip saddr 16.0.0.0/4 tcp dport 81 drop", COPIES),
    ("failing rule, range of addresses", "inet", "ip daddr 192.0.2.3-192.0.2.9 drop", COPIES),
    ("failing rule, source range matches, destination range does not", "inet",
     "ip saddr 16.0.0.0-31.255.255.254 ip daddr 192.0.2.3-192.0.2.9 drop", COPIES),
    ("failing rule, port range", "inet", "tcp dport 81-90 drop", COPIES),
    ("failing rule, anonymous set of 2 ports", "inet", "tcp dport { 81, 82 } drop", COPIES),
    ("failing rule, anonymous set of 8 ports", "inet", "tcp dport { 81-88 } drop", COPIES),
    ("failing rule, anonymous set of 8 addresses", "inet",
     "ip daddr { 192.0.2.1, 192.0.2.3, 192.0.2.5, 192.0.2.7, 192.0.2.9, 192.0.2.11, 192.0.2.13, "
     "192.0.2.15 } drop", COPIES),
    ("failing rule, interface name", "inet", 'iifname "other" drop', COPIES),
    ("failing rule, interface number", "inet", "iif 1 drop", COPIES),
    ("family check alone", "inet", "meta nfproto ipv6 drop", COPIES),
    ("protocol check alone", "inet", "meta l4proto udp drop", COPIES),
    ("counter", "inet", "counter", COPIES),
    ("named counter", "inet", "counter name named", COPIES),
    ("jump and return", "inet", "jump nothing", COPIES),
    ("goto", "inet", None, 14),
    ("connection state, tracked", "inet", "ct state established accept", COPIES),
]
# Likewise, of packets of IPv6.
ROWS6 = [
    ("failing rule, IPv6 address", "inet", "ip6 daddr 2001:db8::1 drop", COPIES),
    ("failing rule, IPv6 /64", "inet", "ip6 daddr 2001:db8::/64 drop", COPIES),
    ("failing rule, IPv6 address by its last word", "inet", "@nh,288,32 0x00000001 drop", COPIES),
    ("failing rule, IPv6 /28 by its first word", "inet", "@nh,192,32 & 0xfffffff0 == 0x20010db0 drop", COPIES),
    ("failing rule, IPv6 range of addresses", "inet", "ip6 daddr 2001:db8::3-2001:db8::9 drop", COPIES),
]


def chain(table, lines, head=""):
    return (f"table {table} filter {{\n{head}\tchain forward {{\n"
            "\t\ttype filter hook forward priority 0; policy accept;\n"
            + "".join(f"\t\t{line}\n" for line in lines) + "\t}\n}\n")


def row_text(table, line, copies):
    if line is None:
        chains = "".join(f"\tchain g{index} {{\n" + (f"\t\tgoto g{index - 1}\n" if index else "") + "\t}\n"
                         for index in range(copies))
        return chain(table, [f"goto g{copies - 1}"], chains)
    head = "\tcounter named {\n\t}\n\tchain nothing {\n\t}\n"
    return chain(table, [line] * copies, head)


class Structure:
    """A map: its type and flags, its key in a rule, and the text of an element's key."""

    def __init__(self, name, family, key, kind, fields, flags="", sized=True):
        self.name, self.family, self.key, self.kind = name, family, key, kind
        self.fields, self.flags, self.sized = fields, flags, sized

    def rules(self, count):
        """An element is a rule of the policies, of which the key's fields count."""
        generator, family = random.Random(f"{self.name} {count}"), self.family
        sources = policies.Drawer(generator, family, policies.SOURCES)
        targets = policies.Drawer(generator, family, policies.DESTINATIONS)
        length = policies.NETWORK[family] if "network" in self.fields else policies.HOST[family]
        ports = generator.sample(range(1, 65536), min(count, 65535))
        made = []
        for index in range(count):
            port = ports[index % 65535]
            transport = "udp" if index >= 65535 else "tcp"
            made.append(policies.Rule(
                sources.prefix(length) if "source" in self.fields else None,
                targets.prefix(length) if "destination" in self.fields else None,
                ((transport, port, port),) if "port" in self.fields else (), True))
        return made

    def element(self, rule):
        if self.flags == "parts":
            return " . ".join(f"{side.value >> 96:#x} . {side.value >> 64 & 0xffffffff:#x}"
                              for side in (rule.source, rule.destination) if side)
        if self.flags == "halves":
            return " . ".join([f"{side.value >> 64:#x}" for side in (rule.source, rule.destination)]
                              + [f"{transport} . {port}" for transport, port, _ in rule.services])
        words = [str(side) for side in (rule.source, rule.destination) if side]
        if self.flags == "masked":
            words = [word.split("/")[0] for word in words]
        for transport, port, _ in rule.services:
            ways = {"protocol": [transport, str(port)], "protocol last": [str(port), transport]}
            words += next((ways[field] for field in self.fields if field in ways), [str(port)])
        return " . ".join(words)

    def text(self, rules):
        flags = "\t\tflags interval\n" if self.flags == "interval" else ""
        size = f"\t\tsize {max(2, len(rules))}\n" if self.sized else ""
        elements = ",\n".join(f"{self.element(rule)} : accept" for rule in rules)
        kind = "typeof" if self.flags in ("parts", "halves") else "type"
        head = (f"\tmap places {{\n\t\t{kind} {self.kind} : verdict\n{flags}{size}"
                f"\t\telements = {{ {elements} }}\n\t}}\n")
        check = "meta nfproto ipv6 " if self.flags in ("parts", "halves") else ""
        return chain("inet", [f"{check}{self.key} vmap @places"], head)


PAIR_PARTS = "@nh,64,32 . @nh,96,32 . @nh,192,32 . @nh,224,32"
FLOW_PARTS = "@nh,64,64 . @nh,192,64 . meta l4proto . th dport"

STRUCTURES = [
    Structure("hash, IPv4 address", 4, "ip daddr", "ipv4_addr", ("destination",)),
    Structure("hash, IPv4 address, masked", 4, "ip daddr & 255.255.255.240", "ipv4_addr",
              ("destination", "network"), "masked"),
    Structure("hash, IPv4 address, no size", 4, "ip daddr", "ipv4_addr", ("destination",), sized=False),
    Structure("hash, protocol . port", 4, "meta l4proto . th dport", "inet_proto . inet_service",
              ("port", "protocol")),
    Structure("hash, IPv4 source . destination", 4, "ip saddr . ip daddr", "ipv4_addr . ipv4_addr",
              ("source", "destination")),
    Structure("hash, IPv4 source . destination, masked", 4, "ip saddr & 255.255.255.240 . "
              "ip daddr & 255.255.255.240", "ipv4_addr . ipv4_addr", ("source", "destination", "network"),
              "masked"),
    Structure("hash, IPv4 source . destination . protocol . port", 4,
              "ip saddr . ip daddr . meta l4proto . th dport",
              "ipv4_addr . ipv4_addr . inet_proto . inet_service",
              ("source", "destination", "port", "protocol")),
    Structure("hash, the same, masked", 4, "ip saddr & 255.255.255.240 . ip daddr & 255.255.255.240 . "
              "meta l4proto . th dport", "ipv4_addr . ipv4_addr . inet_proto . inet_service",
              ("source", "destination", "network", "port", "protocol"), "masked"),
    Structure("rbtree, IPv4 networks", 4, "ip daddr", "ipv4_addr", ("destination", "network"),
              "interval", False),
    Structure("pipapo, IPv4 source . destination", 4, "ip saddr . ip daddr", "ipv4_addr . ipv4_addr",
              ("source", "destination", "network"), "interval", False),
    Structure("pipapo, IPv4 source . destination . port", 4, "ip saddr . ip daddr . th dport",
              "ipv4_addr . ipv4_addr . inet_service", ("source", "destination", "network", "port"),
              "interval", False),
    Structure("pipapo, protocol . port", 4, "meta l4proto . th dport", "inet_proto . inet_service",
              ("port", "protocol"), "interval", False),
    Structure("pipapo, port . protocol", 4, "th dport . meta l4proto", "inet_service . inet_proto",
              ("port", "protocol last"), "interval", False),
    Structure("hash, IPv6 address", 6, "ip6 daddr", "ipv6_addr", ("destination",)),
    Structure("hash, IPv6 address, masked", 6, "ip6 daddr & ffff:ffff:ffff:ffff::", "ipv6_addr",
              ("destination", "network"), "masked"),
    Structure("hash, IPv6 source . destination, masked", 6, "ip6 saddr & ffff:ffff:ffff:ffff:: . "
              "ip6 daddr & ffff:ffff:ffff:ffff::", "ipv6_addr . ipv6_addr",
              ("source", "destination", "network"), "masked"),
    Structure("hash, IPv6 source . destination . protocol . port", 6,
              "ip6 saddr . ip6 daddr . meta l4proto . th dport",
              "ipv6_addr . ipv6_addr . inet_proto . inet_service",
              ("source", "destination", "port", "protocol")),
    Structure("hash, IPv6 source . destination . protocol . port, masked", 6,
              "ip6 saddr & ffff:ffff:ffff:ffff:: . ip6 daddr & ffff:ffff:ffff:ffff:: . meta l4proto . th dport",
              "ipv6_addr . ipv6_addr . inet_proto . inet_service",
              ("source", "destination", "network", "port", "protocol"), "masked"),
    Structure("hash, IPv6 address, 64 bits in parts", 6, "@nh,192,32 . @nh,224,32", "@nh,192,32 . @nh,224,32",
              ("destination", "network"), "parts"),
    Structure("hash, IPv6 source . destination, in parts", 6, PAIR_PARTS, PAIR_PARTS,
              ("source", "destination", "network"), "parts"),
    Structure("hash, IPv6 source . destination . protocol . port, in parts", 6, FLOW_PARTS, FLOW_PARTS,
              ("source", "destination", "network", "port", "protocol"), "halves"),
    Structure("rbtree, IPv6 networks", 6, "ip6 daddr", "ipv6_addr", ("destination", "network"),
              "interval", False),
    Structure("pipapo, IPv6 source . destination", 6, "ip6 saddr . ip6 daddr", "ipv6_addr . ipv6_addr",
              ("source", "destination", "network"), "interval", False),
]


def costs_of(sender, loaded, sets, rounds=ROUNDS):
    """{(name, set): ns above the empty chain}; LOADED: name to (its spaces, its empty ones)."""
    every = sorted({space for both in loaded.values() for spaces_of in both for space in spaces_of})
    costs = sender.measure([(space, number) for number in sets.values() for space in every],
                           rounds, MICROSECONDS)

    def together(numbers, number):
        return [costs[space, number] for space in numbers]
    return {(name, kind): spaces.difference(together(own, number), together(empty, number))
            for name, (own, empty) in loaded.items() for kind, number in sets.items()}


# One rule that allows the packet, behind what lets established connections by: (name, loader's words, text).
DECIDES = "tcp dport 80 accept"
NAMED = f"ip saddr 16.0.0.0/4 ip daddr 128.0.0.0/2 {DECIDES}"
PLACED = f"@nh,96,32 & 0xf0000000 == 0x10000000 @nh,128,32 & 0xc0000000 == 0x80000000 {DECIDES}"
ESTABLISHED, NOT_NEW = "ct state == established accept", "ct state != new jump nothing"
NOTHING = "\tchain nothing {\n\t}\n"
LEGACY = "\n".join((
    "*filter", ":INPUT ACCEPT", ":FORWARD DROP", ":OUTPUT ACCEPT",
    "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    "-A FORWARD -s 16.0.0.0/4 -d 128.0.0.0/2 -p tcp --dport 80 -j ACCEPT", "COMMIT", ""))
FLOORS = [
    ("iptables-legacy", ["iptables-legacy-restore"], LEGACY),
    ("nft, table ip", ["nft", "-f", "-"], chain("ip", [renderings.TRACKED, NAMED])),
    ("nft, what is not new apart, as fwc's", ["nft", "-f", "-"],
     chain("ip", [ESTABLISHED, NOT_NEW, NAMED], NOTHING)),
    ("the same, table inet", ["nft", "-f", "-"],
     chain("inet", [ESTABLISHED, NOT_NEW, NAMED], NOTHING)),
    ("the same, the other family dropped first", ["nft", "-f", "-"],
     chain("inet", [ESTABLISHED, NOT_NEW, "meta nfproto ipv6 drop", PLACED], NOTHING)),
]


def load(sender, text, words=("nft", "-f", "-")):
    """The namespaces that hold the ruleset."""
    numbers = []
    for _ in range(REPLICAS):
        number, inside = sender.space()
        spaces.run(inside + list(words), text)
        numbers.append(number)
    return tuple(numbers)


def print_floors(program):
    rules = [policies.Rule(None, None, (("tcp", 80, 80),), True)]
    with spaces.Sender(program) as sender:
        sets = {"": sender.frames(policies.Traffic(rules, 4).hitting(64, 0, 1))}
        tracked, loaded = load(sender, renderings.tracking("accept")), {}
        for name, words, text in FLOORS:
            try:
                loaded[name] = load(sender, text, words), tracked
            except spaces.Failure as failure:
                print(f"{name:<52} not measured: {failure}")
        found = costs_of(sender, loaded, sets)
    print(f"{'one rule decides, ns above what only tracks':<52} {'':>8}   {'even and odd rounds':>20}")
    for name in loaded:
        whole, even, odd = found[name, ""]
        print(f"{name:<52} {whole:8.1f}   {even:10.1f}{odd:10.1f}")
    print()


def print_rows(program, rows, family):
    rules = [policies.Rule(None, None, (("tcp", 80, 80),), True)]
    with spaces.Sender(program) as sender:
        sets = {"": sender.frames(policies.Traffic(rules, family).hitting(64, 0, 1))}
        empty = load(sender, renderings.empty("accept"))
        tracked = load(sender, chain("inet", ["ct state established accept"]))
        loaded = {"connection tracking, a new connection": (tracked, empty)}
        for name, table, line, copies in rows:
            again = line is not None and line.startswith("ct ")
            loaded[name] = load(sender, row_text(table, line, copies)), tracked if again else empty
        found = costs_of(sender, loaded, sets)
    print(f"{f'ns a packet, IPv{family}':<52} {'each':>8}   {'even and odd rounds':>20}")
    copies_of = {name: copies for name, _, _, copies in rows}
    for name in loaded:
        whole, even, odd = (value / copies_of.get(name, 1) for value in found[name, ""])
        print(f"{name:<52} {whole:8.1f}   {even:10.1f}{odd:10.1f}")
    sys.stdout.flush()


def print_structures(program, sizes):
    heads = ("hot hit", "random hit", "hot miss", "random miss")
    print(f"\n{'ns a lookup':<52} {'elements':>9}" + "".join(f"{head:>13}" for head in heads))
    for structure in STRUCTURES:
        for size in sizes:
            rules = structure.rules(size)
            traffic = policies.traffic_of(rules, structure.family)
            with spaces.Sender(program) as sender:
                loaded = {"": (load(sender, structure.text(rules)), load(sender, renderings.empty("accept")))}
                sets = {kind: sender.frames(traffic[kind][0]) for kind in KINDS if kind in traffic}
                found = costs_of(sender, loaded, sets)
            values = [found.get(("", kind), (None,))[0] for kind in KINDS]
            print(f"{structure.name:<52} {size:>9,}" + "".join(
                f"{'-':>13}" if value is None else f"{value:13.0f}" for value in values), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sender")
    parser.add_argument("--sizes", default="")
    chosen = parser.parse_args()
    if os.geteuid() != 0:
        os.execvp("unshare", ["unshare", "-rn", "--", sys.executable, *sys.argv])
    print_floors(chosen.sender)
    print_rows(chosen.sender, ROWS, 4)
    print_rows(chosen.sender, ROWS6, 6)
    print_structures(chosen.sender, [int(word) for word in chosen.sizes.split(",") if word] or SIZES)


if __name__ == "__main__":
    main()
