"""Random policies and random first packets for them.

Policies use zones (with interfaces, networks, both, nested), hosts, networks, groups with
except, blocks, services as names and literals, all verdicts, options without an effect on the
verdict, and defaults. Packets come from the policy's own boundaries (first and last address
and port of everything it names, and their neighbours) and from all over the place.
"""

import ipaddress
import random

from evaluator import Packet, Policy, PolicyError

INTERFACES = ("eth0", "eth1", "eth2", "eth3")
FIREWALL = {
    "eth0": ("80.1.0.2/24", "2001:db8:e::2/64"),
    "eth1": ("192.168.0.1/24", "fd00:1::1/64"),
    "eth2": ("172.16.0.1/24", "fd00:2::1/64"),
    "eth3": ("10.9.0.1/16", "fd00:9::1/64"),
}
ROUTES = {
    "eth0": ("0.0.0.0/0", "::/0"), "eth1": ("10.0.0.0/8", "192.168.0.0/16", "fd00::/16"),
    "eth2": ("172.16.0.0/12", "fd00:2::/32"), "eth3": ("fd00:9::/32",),
}
# What zones, networks and packets are drawn from.
NETWORKS = ("192.168.0.0/24", "192.168.0.128/25", "192.168.0.0/16", "172.16.0.0/24",
            "172.16.0.0/12", "10.0.0.0/8", "10.9.0.0/16", "10.5.0.0/16", "10.5.7.0/24",
            "198.51.100.0/24", "80.1.0.0/24", "8.0.0.0/7", "128.0.0.0/1",
            "fd00:1::/64", "fd00:1::/32", "fd00:2::/64", "fd00:9::/64", "fd00:5::/48",
            "fd00:5:0:7::/64", "2001:db8::/32", "2001:db8:e::/64", "2000::/3")
SERVICES = ("dns", "ntp", "http", "https", "ssh", "smtp", "ping", "kerberos", "ldap", "ldaps")
LITERALS = ("any", "any/tcp", "any/udp", "any/icmp", "any/icmp6", "80/tcp", "1024-65535/udp",
            "0-79/tcp", "53/tcp+udp", "8/icmp", "13/icmp", "8:1/icmp", "128/icmp6",
            "128:0/icmp6", "echo-request/icmp", "139/icmp6", "133/icmp6", "47/ip", "50/ip",
            "17/ip", "67/udp sport 68", "8080-8090/tcp", "8085/tcp", "1-65535/tcp sport 1024-65535",
            "any/ip", "60000/udp", "65535/tcp", "443/udp", "22/tcp+udp")
LAYOUTS = (
    {"lan": ("eth1", "192.168.0.0/24, fd00:1::/64"), "dmz": ("eth2", "172.16.0.0/24, fd00:2::/64"),
     "wan": ("eth0", "internet")},
    {"lan": ("eth1", ""), "dmz": ("eth2", ""), "wan": ("eth0", ""), "opt": ("eth3", "")},
    {"lan": ("eth1", "192.168.0.0/16, 10.0.0.0/8, fd00:1::/32"), "branch": ("", "10.5.0.0/16, fd00:5::/48"),
     "wan": ("eth0", "internet"), "opt": ("eth3", "10.9.0.0/16, fd00:9::/64")},
    {"lan": ("eth1", ""), "branch": ("", "10.5.0.0/16, fd00:5::/48"), "vip": ("", "10.5.7.0/24"),
     "wan": ("eth0", "internet")},
    {"inside": ("eth1, eth2", "192.168.0.0/24, 172.16.0.0/24, fd00::/8"),
     "printers": ("eth1", "192.168.0.128/25"), "world": ("", "internet")},
    {"lan": ("eth1", "192.168.0.0/24, fd00:1::/64"), "world": ("", "internet")},
    {"a": ("", "10.0.0.0/8, fd00::/16"), "b": ("", "192.168.0.0/16"), "c": ("", "172.16.0.0/12, 2001:db8::/32")},
    {"four": ("eth1", "192.168.0.0/24"), "six": ("eth2", "fd00:2::/64"), "wan": ("eth0", "internet")},
    {},
)


def number(address):
    return int(ipaddress.ip_address(address))


def text_of(family, value):
    return str(ipaddress.IPv4Address(value) if family == 4 else ipaddress.IPv6Address(value))


OWN = {(4 if "." in prefix else 6, number(prefix.split("/")[0])): interface
       for interface, prefixes in FIREWALL.items() for prefix in prefixes}
TABLE = sorted(((ipaddress.ip_network(prefix), interface)
                for interface, prefixes in ROUTES.items() for prefix in prefixes),
               key=lambda row: -row[0].prefixlen)
TABLE = sorted(TABLE + [(ipaddress.ip_interface(prefix).network, interface)
                        for interface, prefixes in FIREWALL.items() for prefix in prefixes],
               key=lambda row: -row[0].prefixlen)
RANGES = [(network.version, int(network[0]), int(network[-1]), interface)
          for network, interface in TABLE]
CONNECTED = [ipaddress.ip_interface(prefix).network
             for prefixes in FIREWALL.values() for prefix in prefixes]
UNUSABLE = {4: [(0, 2 ** 24 - 1), (127 << 24, (128 << 24) - 1), (224 << 24, 2 ** 32 - 1)],
            6: [(0, 2 ** 96 - 1), (0xfe80 << 112, 2 ** 128 - 1)]}
# never sent: broadcast and network addresses, and what looks like a subnet-router anycast address
UNUSABLE[4] += [(int(edge), int(edge)) for network in CONNECTED if network.version == 4
                for edge in (network[0], network[-1])]
UNUSABLE[6] += [(int(network[0]), int(network[0])) for network, _ in TABLE if network.version == 6]


def route(family, address):
    """The interface over which the firewall sends to an address."""
    for version, low, high, interface in RANGES:
        if version == family and low <= address <= high:
            return interface
    return None


def is_usable(family, address):
    return 0 <= address < 2 ** (32 if family == 4 else 128) \
        and not any(low <= address <= high for low, high in UNUSABLE[family])


class PolicyMaker:
    """Writes one random policy, rule by rule; keeps only rules that are no mistakes."""

    reader = Policy

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.definitions = []
        self.rules = []
        self.places = []
        self.zones = []
        self.services = list(SERVICES)

    def make(self):
        """The policy's text."""
        layout = self.random.choice(LAYOUTS)
        for name, (interfaces, networks) in layout.items():
            parts = f" interface {interfaces};" * bool(interfaces) + f" network {networks};" * bool(networks)
            self.definitions.append(f"zone {name} {{{parts} }}")
            self.zones.append(name)
        for index in range(self.random.randint(0, 5)):
            self.define_place(index)
        for index in range(self.random.randint(0, 3)):
            self.define_service(index)
        has_crowd = self.random.random() < 0.2
        for _ in range(self.random.choice((0, 1, 3) if has_crowd else (1, 3, 6, 10, 20, 40, 40, 120))):
            self.keep(self.rules, self.block if self.random.random() < 0.2 else self.rule)
        family = self.random.choice((4, 4, 6))
        for _ in range(self.random.choice((30, 50, 80)) if has_crowd else 0):
            self.keep(self.rules, lambda: self.rule_of_ranges(family))
        self.add_more()
        for _ in range(self.random.randint(0, 1)):
            self.rules.append(self.default())
        return "\n".join(self.definitions + self.rules) + "\n"

    def add_more(self):
        """Statements besides, which subclasses write."""

    def keep(self, lines, write):
        """Adds what `write` gives, unless the policy were a mistake then."""
        for _ in range(20):
            line = write()
            try:
                self.reader("\n".join(self.definitions + [line]), INTERFACES)
            except PolicyError:
                continue
            lines.append(line)
            return True
        return False

    def define_place(self, index):
        name = f"place{index}"
        kind = self.random.choice(("host", "network", "group"))
        if kind == "host":
            line = f"host {name} = {self.host_addresses()};"
        elif kind == "network":
            items = self.random.sample(NETWORKS, self.random.randint(1, 3))
            line = f"network {name} = {', '.join(items)};"
        else:
            items = [self.address_item() for _ in range(self.random.randint(1, 4))]
            excepts = [self.address_item() for _ in range(self.random.randint(0, 2))]
            line = f"group {name} = {', '.join(items)}" \
                + (" except " + ", ".join(excepts) if excepts else "") + ";"
        if self.keep(self.definitions, lambda: line):
            self.places.append(name)

    def host_addresses(self):
        four, six = self.address(4), self.address(6)
        return self.random.choice((four, six, f"{four}, {six}", f"{four}, {six}"))

    def address(self, family=None):
        """One address, often of the firewall, mostly inside what zones hold."""
        family = family or self.random.choice((4, 6))
        if self.random.random() < 0.1:
            return text_of(*self.random.choice([own for own in OWN if own[0] == family]))
        network = ipaddress.ip_network(self.random.choice(
            [text for text in NETWORKS if (":" in text) == (family == 6)]))
        offset = self.random.choice((1, 2, 3, 5, 10, 129, network.num_addresses // 2 + 1))
        return str(network[offset % network.num_addresses])

    def address_item(self):
        draw = self.random.random()
        if draw < 0.3 and self.places:
            return self.random.choice(self.places)
        if draw < 0.55:
            return self.random.choice(NETWORKS)
        if draw < 0.75:
            first = ipaddress.ip_address(self.address())
            return f"{first}-{first + self.random.choice((1, 2, 7, 100))}"
        return self.address()

    def define_service(self, index):
        items = [self.service_item() for _ in range(self.random.randint(1, 4))]
        excepts = [self.service_item() for _ in range(self.random.choice((0, 0, 1, 2)))]
        line = f"service our-{index} = {', '.join(items)}" \
            + (" except " + ", ".join(excepts) if excepts else "") + ";"
        if self.keep(self.definitions, lambda: line):
            self.services.append(f"our-{index}")

    def service_item(self):
        return self.random.choice(self.services if self.random.random() < 0.6 else LITERALS)

    def place_list(self):
        """`LIST [except LIST]` for a from or a to."""
        items = [self.place_item() for _ in range(self.random.choice((1, 1, 1, 2, 3)))]
        text = ", ".join(items)
        if self.random.random() < 0.25:
            excepts = [self.place_item() for _ in range(self.random.choice((1, 1, 2)))]
            text += " except " + ", ".join(excepts)
        return text

    def place_item(self):
        draw = self.random.random()
        if draw < 0.45 and self.zones:
            return self.random.choice(self.zones)
        if draw < 0.55:
            return "any"
        if draw < 0.7:
            return "self"
        if draw < 0.75:
            return "internet"
        return self.address_item()

    def rule(self):
        verdict = self.random.choice(("allow", "allow", "allow", "deny", "deny", "reject"))
        items = [self.service_item() for _ in range(self.random.choice((1, 1, 2, 4)))]
        text = f"{verdict} {', '.join(items)}"
        if self.random.random() < 0.1:
            text += " except " + self.service_item()
        if self.random.random() < 0.6:
            text += " from " + self.place_list()
        if self.random.random() < 0.6:
            text += " to " + self.place_list()
        return text + self.options() + ";"

    def range_item(self, family):
        """Any addresses of what zones hold, so that ranges meet, and no lookup of one field tells them apart."""
        network = ipaddress.ip_network(self.random.choice(
            [text for text in NETWORKS if (":" in text) == (family == 6)]))
        first = network[self.random.randrange(min(network.num_addresses, 1 << 16))]
        return f"{first}-{first + int(2 ** self.random.uniform(1, 14))}"

    def rule_of_ranges(self, family):
        """What no prefix and no port names."""
        verdict = self.random.choice(("allow", "allow", "allow", "deny"))
        first = self.random.choice((22, 53, 80, self.random.randrange(1, 60000)))
        services = self.random.choice((f"{first}-{first + self.random.choice((70, 600, 5000))}/",
                                       f"{first}-{first + self.random.choice((100, 900, 3000))}/", "any/"))
        text = f"{verdict} {services}{self.random.choice(('tcp', 'udp', 'tcp', 'tcp+udp'))}"
        if self.random.random() < 0.85:
            text += f" from {self.range_item(family)}"
        if self.random.random() < 0.85:
            text += f" to {self.range_item(family)}"
        return text + self.options() + ";"

    def options(self):
        text = ""
        if self.random.random() < 0.1:
            text += self.random.choice((" ipv4", " ipv6"))
        if self.random.random() < 0.1:
            text += self.random.choice((" log", ' log "seen"', " count", ' because "so it is"'))
        return text

    def block(self, depth=0):
        head = self.random.choice(("from", "to", "both"))
        text = ""
        if head != "to":
            text += f"from {self.place_list()} "
        if head != "from":
            text += f"to {self.place_list()} "
        lines = []
        for _ in range(self.random.randint(1, 4)):
            is_nested = depth == 0 and self.random.random() < 0.15
            lines.append(self.block(1) if is_nested else self.rule())
        return text + "{\n  " + "\n  ".join(lines) + "\n}"

    def default(self):
        hook = self.random.choice(("", "input ", "forward ", "output "))
        return f"default {hook}{self.random.choice(('allow', 'deny', 'reject'))};"


class PacketMaker:
    """Draws packets for a policy; every one is the first of its connection."""

    def __init__(self, seed, policy):
        self.random = random.Random(seed)
        self.addresses = {4: [], 6: []}
        self.ports = [0, 1, 22, 53, 80, 123, 443, 1023, 1024, 65534, 65535]
        self.gather(policy)
        self.seen = set()

    def gather(self, policy):
        """The boundaries of everything the policy names."""
        sets = list(policy.places.values()) + [policy.internet]
        sets += [zone.addresses for zone in policy.zones.values() if zone.addresses]
        for rule in policy.rules:
            for side in rule.froms + rule.tos:
                sets += [item.addresses for item in side.items + side.excepts
                         if item.kind == "addresses"]
            for pair in rule.service.pairs():
                self.ports += [pair.ports[0], pair.ports[1]]
        for addresses in sets:
            for family, intervals in addresses.of.items():
                for low, high in intervals:
                    self.addresses[family] += [low - 1, low, high, high + 1]
        for family in (4, 6):
            self.addresses[family] = sorted({address for address in self.addresses[family]
                                             if is_usable(family, address)})

    def make(self):
        """A packet that the kernel will take to its hook, distinct from all before."""
        while True:
            packet = self.draw()
            if packet is None:
                continue
            ends = (packet.source, packet.destination)
            flow = (packet.protocol, packet.source_port, packet.port)
            if packet.protocol in (1, 58):
                flow = None
            elif packet.protocol not in (6, 17):
                flow = (packet.protocol,)
            if flow is None or ((ends, flow) not in self.seen
                                and (ends[::-1], self.turned(flow)) not in self.seen):
                self.seen.add((ends, flow))
                return packet

    @staticmethod
    def turned(flow):
        return flow[:1] + flow[1:][::-1]

    def draw(self):
        family = self.random.choice((4, 6))
        hook = self.random.choice(("input", "input", "forward", "forward", "output"))
        packet = getattr(self, hook)(family)
        if packet is not None:
            self.add_service(packet)
        return packet

    def address(self, family):
        draw = self.random.random()
        if draw < 0.5 and self.addresses[family]:
            return self.random.choice(self.addresses[family])
        if draw < 0.9:
            networks = [text for text in NETWORKS if (":" in text) == (family == 6)]
            network = ipaddress.ip_network(self.random.choice(networks))
            size = min(network.num_addresses, 2 ** 40)
            return int(network[self.random.randrange(size)])
        return self.random.getrandbits(32 if family == 4 else 128)

    def foreign(self, family):
        """An address that is not the firewall's and that a wire may bring."""
        while True:
            address = self.address(family)
            if is_usable(family, address) and (family, address) not in OWN:
                return address

    def own(self, family):
        return self.random.choice([address for version, address in OWN if version == family])

    def likely_interface(self, family, source):
        """Where the source would come from; sometimes another, as a forger's packet."""
        if self.random.random() < 0.75:
            return route(family, source)
        return self.random.choice(INTERFACES)

    def input(self, family):
        source = self.foreign(family)
        packet = Packet("input", self.likely_interface(family, source), "", family, source,
                        self.own(family), 17)
        draw = self.random.random()
        if draw < 0.06 and family == 4:
            packet.source, packet.destination = 0, 2 ** 32 - 1     # as DHCP asks
        elif draw < 0.1:
            packet.destination = 2 ** 32 - 1 if family == 4 else number("ff02::1")
        elif draw < 0.16 and family == 6:
            packet.source = number("fe80::") + self.random.choice((1, 0xffff, 2 ** 60))
        return packet

    def forward(self, family):
        source, destination = self.foreign(family), self.foreign(family)
        if source == destination:
            return None
        out_interface = route(family, destination)
        return Packet("forward", self.likely_interface(family, source), out_interface, family,
                      source, destination, 17)

    def output(self, family):
        destination = self.foreign(family)
        source = self.own(family) if self.random.random() < 0.85 else self.foreign(family)
        if source == destination:
            return None
        return Packet("output", "", route(family, destination), family, source, destination, 17)

    def port(self):
        if self.random.random() < 0.7:
            port = self.random.choice(self.ports) + self.random.choice((-1, 0, 0, 0, 1))
            return min(max(port, 1), 65535)
        return self.random.randint(1, 65535)

    def add_service(self, packet):
        packet.protocol = self.random.choice((6, 6, 6, 17, 17, 17, 1, 47, 50))
        if packet.protocol == 1:
            self.add_icmp(packet)
        elif packet.protocol in (6, 17):
            packet.port = self.port()
            packet.source_port = self.random.choice((68, 1023, 1024, 0, 0, 0, 0)) \
                or self.random.randint(1, 65535)

    def add_icmp(self, packet):
        """Only messages that connection tracking takes for a first packet, or does not track."""
        packet.code = self.random.choice((0, 0, 0, 1))
        if packet.family == 4:
            packet.port = self.random.choice((8, 8, 13))
            return
        packet.protocol = 58
        packet.port = self.random.choice((128, 128, 128, 139))
        if packet.hook == "input" and self.random.random() < 0.3:
            packet.port = self.random.choice((130, 131, 132, 133, 135, 136, 143))
            packet.hop_limit = self.random.choice((255, 255, 1, 64))
            packet.code = 0
