"""Policies of seven families and packets for them, from a fixed seed.

A rule is data here (no text of any tool), so that every ruleset of a comparison is rendered from the
same rules, and a packet's fate is known from them: `Matcher` finds the first rule that matches."""

import itertools
import random
import typing

SERVICES = (("tcp", 80, 80), ("tcp", 443, 443), ("udp", 53, 53), ("udp", 123, 123), ("tcp", 22, 22),
            ("tcp", 25, 25), ("tcp", 993, 993), ("tcp", 389, 389), ("udp", 88, 88), ("tcp", 445, 445),
            ("tcp", 3389, 3389), ("udp", 161, 161), ("udp", 514, 514), ("tcp", 8443, 8443),
            ("tcp", 9100, 9103), ("udp", 27015, 27015))
BITS = {4: 32, 6: 128}
# Where sources and destinations lie: (the address, its fixed bits).
SOURCES = {4: (16 << 24, 4), 6: (0xfd10 << 112, 16)}
DESTINATIONS = {4: (128 << 24, 2), 6: (0xfd20 << 112, 16)}
ZONES = {4: (10 << 24, 8), 6: (0xfd30 << 112, 16)}
HOST = {4: 32, 6: 128}
NETWORK = {4: 28, 6: 64}
LENGTHS = {4: (16, 20, 24, 28, 32), 6: (40, 48, 56, 64, 128)}
RANGE_BITS = {4: (2, 24), 6: (8, 100)}   # of the sizes of address ranges
LENGTH_WEIGHTS = (1, 9, 60, 20, 10)
UNLISTED_PORTS = (7, 9, 2049, 6000, 6667)


class Prefix(typing.NamedTuple):
    value: int
    length: int
    family: int

    def __str__(self):
        if self.family == 4:
            address = ".".join(str(self.value >> shift & 255) for shift in (24, 16, 8, 0))
        else:
            address = ":".join(f"{self.value >> shift & 0xffff:x}" for shift in range(112, -1, -16))
        return address if self.length == BITS[self.family] else f"{address}/{self.length}"


def address_text(value, family):
    return str(Prefix(value, BITS[family], family))


class Range(typing.NamedTuple):
    """Addresses that no prefix names."""
    first: int
    last: int
    family: int

    def __str__(self):
        return f"{address_text(self.first, self.family)}-{address_text(self.last, self.family)}"


class ZonePlace(typing.NamedTuple):
    """All of a zone."""
    name: str
    prefixes: tuple


class Place(typing.NamedTuple):
    """A zone, or a group of hosts or networks in it."""
    zone: ZonePlace
    name: str                    # the zone's own: all of it
    prefixes: tuple


Side = Prefix | Range | Place | None     # None: any


class Rule(typing.NamedTuple):
    source: Side
    destination: Side
    services: tuple              # of (protocol, first port, last port); empty: any
    allow: bool


class Packet(typing.NamedTuple):
    family: int
    source: int
    destination: int
    transport: str
    source_port: int
    port: int


class Drawer:
    """Draws distinct prefixes within one part of the address space."""

    def __init__(self, generator, family, where):
        self.generator, self.family, self.used, self.drawn = generator, family, set(), []
        self.base, self.fixed = where[family]

    def prefix(self, length):
        while True:
            bits = length - self.fixed
            value = self.base | self.generator.getrandbits(bits) << BITS[self.family] - length
            if (value, length) not in self.used:
                self.used.add((value, length))
                return Prefix(value, length, self.family)

    def apart(self, length):
        """No two of them share an address."""
        while True:
            prefix = self.prefix(length)
            if not any(holds(other, prefix.value, self.family) or holds(prefix, other.value, self.family)
                       for other in self.drawn):
                self.drawn.append(prefix)
                return prefix

    def range(self, least_bits, most_bits):
        """At random places, its size too: as many of each order of magnitude."""
        size = int(2 ** self.generator.uniform(least_bits, most_bits))
        first = self.base | self.generator.getrandbits(BITS[self.family] - self.fixed)
        end = self.base | (1 << BITS[self.family] - self.fixed) - 1
        return Range(first, min(first + size, end), self.family)

    def mixed(self):
        return self.prefix(self.generator.choices(LENGTHS[self.family], LENGTH_WEIGHTS)[0])


def allowed(generator):
    return generator.random() >= 0.1


def services_only(generator, count, _family):
    every = [(transport, port, port) for transport in ("tcp", "udp") for port in range(1, 65536)]
    return [Rule(None, None, (service,), allowed(generator)) for service in generator.sample(every, count)]


def hosts(generator, count, family):
    sources, targets = Drawer(generator, family, SOURCES), Drawer(generator, family, DESTINATIONS)
    return [Rule(sources.prefix(HOST[family]), targets.prefix(HOST[family]),
                 (generator.choice(SERVICES),), allowed(generator)) for _ in range(count)]


def prefixes(generator, count, family):
    sources = Drawer(generator, family, SOURCES)
    return [Rule(sources.mixed(), None, (), allowed(generator)) for _ in range(count)]


def ports_of_tuple(generator):
    kind = generator.random()
    if kind < 0.6:
        return generator.choice(SERVICES)
    transport = generator.choice(("tcp", "udp"))
    if kind < 0.75:
        port = generator.randrange(1024, 65536)
        return transport, port, port
    if kind < 0.9:
        first = generator.randrange(1024, 60000)
        return transport, first, first + generator.choice((9, 99, 999, 4999))
    return transport, 0, 65535


def tuples(generator, count, family):
    """Five-tuples as access lists have them: a fifth without a source, a tenth without a destination."""
    sources, targets = Drawer(generator, family, SOURCES), Drawer(generator, family, DESTINATIONS)
    rules = []
    for _ in range(count):
        wild = generator.random()
        rules.append(Rule(None if wild < 0.2 else sources.mixed(),
                          None if 0.2 <= wild < 0.3 else targets.mixed(),
                          (ports_of_tuple(generator),), allowed(generator)))
    return rules


def networks(generator, count, family):
    """The peers' kind: a source network, a destination network, one to five services."""
    sources, targets = Drawer(generator, family, SOURCES), Drawer(generator, family, DESTINATIONS)
    return [Rule(sources.prefix(NETWORK[family]), targets.prefix(NETWORK[family]),
                 tuple(sorted(generator.sample(SERVICES, generator.randint(1, 5)))),
                 allowed(generator)) for _ in range(count)]


def ports_of_range(generator):
    """Wide ones mostly."""
    transport, kind = generator.choice(("tcp", "udp")), generator.random()
    if kind < 0.2:
        return generator.choice(SERVICES)
    first = generator.randrange(1024, 60000)
    return (transport, 0, 65535) if kind < 0.3 else (transport, first, first + generator.randrange(1, 5000))


def ranges(generator, count, family):
    """Ranges of addresses and of ports: a tenth without a source, a twentieth without a destination."""
    sources, targets = Drawer(generator, family, SOURCES), Drawer(generator, family, DESTINATIONS)
    bits, rules = RANGE_BITS[family], []
    for _ in range(count):
        wild = generator.random()
        rules.append(Rule(None if wild < 0.1 else sources.range(*bits),
                          None if 0.1 <= wild < 0.15 else targets.range(*bits),
                          (ports_of_range(generator),), allowed(generator)))
    return rules


ZONE_LENGTHS = {4: (20, 24), 6: (52, 60)}   # of a zone's networks


class Zone:
    """A few networks, and groups of hosts and networks in them."""

    def __init__(self, drawer, number):
        self.drawer, self.zone = drawer, ZonePlace(f"z{number}", tuple(
            drawer.apart(drawer.generator.randint(*ZONE_LENGTHS[drawer.family]))
            for _ in range(drawer.generator.randint(1, 3))))
        self.whole = Place(self.zone, *self.zone)
        self.hosts = [self.inside(HOST[drawer.family]) for _ in range(24)]
        self.groups = [self.group(number) for number in range(12)]

    def inside(self, length):
        network = self.drawer.generator.choice(self.zone.prefixes)
        bits = self.drawer.generator.getrandbits(length - network.length)
        return Prefix(network.value | bits << BITS[network.family] - length, length, network.family)

    def group(self, number):
        generator = self.drawer.generator
        members = generator.sample(self.hosts, generator.choice((1, 1, 1, 2, 3, 5, 8)))
        if generator.random() < 0.2:
            members = [self.inside(NETWORK[self.drawer.family])]
        return Place(self.zone, f"{self.zone.name}-{number}", tuple(dict.fromkeys(members)))

    def place(self):
        generator = self.drawer.generator
        return self.whole if generator.random() < 0.2 else generator.choice(self.groups)


def services_of_zone(generator):
    if generator.random() < 0.03:
        return ()
    services = {ports_of_range(generator) if generator.random() < 0.1 else generator.choice(SERVICES)
                for _ in range(generator.choice((1, 1, 2, 3, 5)))}
    return tuple(sorted(services))


def without_zone(generator, zone):
    """For all that a zone sends, or all that is sent to it, with an exception in front."""
    services, is_from = services_of_zone(generator), generator.random() < 0.5
    allow = allowed(generator)
    for place, verdict in ((generator.choice(zone.groups), not allow), (zone.whole, allow)):
        yield Rule(place if is_from else None, None if is_from else place, services, verdict)


def zones(generator, count, family):
    """Between zones of networks, few pairs of which have most rules: from a part of one zone or all of it to the
    same of another. The first hundredth denies what some hosts send, the last tenth speaks of one side alone."""
    drawer = Drawer(generator, family, ZONES)
    every = [Zone(drawer, number) for number in range(max(4, min(300, count // 100)))]
    pairs = [tuple(generator.sample(every, 2)) for _ in range(max(4, count // 20))]
    weights = [generator.paretovariate(1.2) for _ in pairs]
    rules = [Rule(generator.choice(generator.choice(every).groups), None, (), False) for _ in range(count // 100)]
    ordered = sorted(generator.choices(range(len(pairs)), weights, k=count - count // 10 - len(rules)))
    for source, destination in (pairs[index] for index in ordered):
        rules.append(Rule(source.place(), destination.place(), services_of_zone(generator), allowed(generator)))
    while len(rules) < count:
        rules.extend(without_zone(generator, generator.choice(every)))
    return rules[:count]


FAMILIES = {"services": services_only, "hosts": hosts, "prefixes": prefixes, "tuples": tuples,
            "networks": networks, "ranges": ranges, "zones": zones}


def rules_of(name, count, family, seed=1):
    return FAMILIES[name](random.Random(f"{name} {count} {family} {seed}"), count, family)


def prefixes_of(side):
    """Of a side without ranges."""
    return side.prefixes if isinstance(side, Place) else (side,)


class Matcher:
    """The first rule that matches a packet: rules kept by the lengths of their prefixes, and by the
    service where that is one port."""

    def __init__(self, rules, family):
        self.bits, self.tables = BITS[family], {}
        for index, rule in enumerate(rules):
            for sides in itertools.product(prefixes_of(rule.source), prefixes_of(rule.destination)):
                self.add(index, sides, rule.services)
        self.rules = rules

    def add(self, index, sides, services):
        table = self.tables.setdefault(tuple(-1 if side is None else side.length for side in sides), {})
        values = tuple(0 if side is None else side.value for side in sides)
        for service in services or (None,):
            exact = service[:2] if service and service[1] == service[2] else None
            table.setdefault(values + (exact,), []).append((index, service))

    def masked(self, address, length):
        return 0 if length < 0 else address >> self.bits - length << self.bits - length

    def first(self, packet):
        """(index, rule), or None where only the default decides."""
        best = len(self.rules)
        for lengths, table in self.tables.items():
            values = self.masked(packet.source, lengths[0]), self.masked(packet.destination, lengths[1])
            for exact in ((packet.transport, packet.port), None):
                for index, service in table.get(values + (exact,), ()):
                    if index >= best:
                        break
                    if service is None or (service[0] == packet.transport
                                           and service[1] <= packet.port <= service[2]):
                        best = index
                        break
        return (best, self.rules[best]) if best < len(self.rules) else None


def holds(side, address, family):
    if side is None:
        return True
    if isinstance(side, Range):
        return side.first <= address <= side.last
    return address >> BITS[family] - side.length == side.value >> BITS[family] - side.length


class RangeMatcher:
    """The same of rules with ranges: kept by the blocks of addresses that one side of them touches."""

    def __init__(self, rules, family):
        self.rules, self.family, self.tables = rules, family, {}
        for index, rule in enumerate(rules):
            side, values = (0, rule.source) if rule.source else (1, rule.destination)
            first, last = (0, (1 << BITS[family]) - 1) if values is None else (values.first, values.last)
            shift = (last - first).bit_length()
            table = self.tables.setdefault((side, shift), {})
            for block in range(first >> shift, (last >> shift) + 1):
                table.setdefault(block, []).append(index)

    def matches(self, rule, packet):
        return (holds(rule.source, packet.source, self.family)
                and holds(rule.destination, packet.destination, self.family)
                and any(transport == packet.transport and low <= packet.port <= high
                        for transport, low, high in rule.services))

    def first(self, packet):
        best, places = len(self.rules), (packet.source, packet.destination)
        for (side, shift), table in self.tables.items():
            for index in table.get(places[side] >> shift, ()):
                if index >= best:
                    break
                if self.matches(self.rules[index], packet):
                    best = index
                    break
        return (best, self.rules[best]) if best < len(self.rules) else None


def matcher_of(rules, family):
    has_ranges = any(isinstance(side, Range) for rule in rules for side in rule[:2])
    return (RangeMatcher if has_ranges else Matcher)(rules, family)


class Traffic:
    """Packets for a list of rules: what is sent is always a packet whose fate is known."""

    def __init__(self, rules, family, seed=2):
        self.rules, self.family = rules, family
        self.generator = random.Random(f"{len(rules)} {family} {seed}")
        self.matcher = matcher_of(rules, family)
        self.has_zones = any(isinstance(side, Place) for rule in rules for side in rule[:2])
        self.where = {"source": ZONES if self.has_zones else SOURCES,
                      "destination": ZONES if self.has_zones else DESTINATIONS}

    def address(self, prefix, where):
        if isinstance(prefix, Place):
            prefix = self.generator.choice(prefix.prefixes)
        if prefix is None:
            base, fixed = where[self.family]
            return base | self.generator.getrandbits(BITS[self.family] - fixed)
        if isinstance(prefix, Range):
            return self.generator.randint(prefix.first, prefix.last)
        return prefix.value | self.generator.getrandbits(BITS[self.family] - prefix.length)

    def other_address(self, change):
        """Of another rule in a policy of zones, else anywhere."""
        side = getattr(self.generator.choice(self.rules), change) if self.has_zones else None
        return self.address(side, self.where[change])

    def packet_of(self, rule):
        transport, low, high = self.generator.choice(rule.services or SERVICES)
        return Packet(self.family, self.address(rule.source, self.where["source"]),
                      self.address(rule.destination, self.where["destination"]), transport,
                      self.generator.randrange(1024, 65536), self.generator.randint(low, high))

    def hitting(self, count, first, last):
        """COUNT packets that rules FIRST to LAST (not included) allow."""
        found = []
        for _ in range(200 * count):
            packet = self.packet_of(self.rules[self.generator.randrange(first, last)])
            hit = self.matcher.first(packet)
            if hit is not None and first <= hit[0] < last and hit[1].allow:
                found.append(packet)
                if len(found) == count:
                    break
        return found

    def missing(self, count):
        """Packets that only the default decides: near to a rule, one thing different."""
        found = []
        for _ in range(200 * count):
            packet = self.packet_of(self.generator.choice(self.rules))
            change = self.generator.choice(("source", "destination", "port"))
            if change == "port":
                port = self.generator.choice(UNLISTED_PORTS) if self.generator.random() < 0.5 \
                    else self.generator.randrange(1, 65536)
                packet = packet._replace(port=port)
            else:
                packet = packet._replace(**{change: self.other_address(change)})
            if self.matcher.first(packet) is None:
                found.append(packet)
                if len(found) == count:
                    break
        return found


def traffic_of(rules, family, hot=64, cold=16384):
    """{kind: (packets, whether they are allowed)}; kinds are named in KINDS."""
    traffic, count = Traffic(rules, family), len(rules)
    share, many = max(1, count // 100), min(cold, max(hot, 8 * count))
    kinds = {"early": (traffic.hitting(hot, 0, share) or traffic.hitting(hot, 0, count), True),
             "late": (traffic.hitting(hot, count - share, count), True),
             "hot": (traffic.hitting(hot, 0, count), True),
             "random": (traffic.hitting(many, 0, count), True),
             "none": (traffic.missing(hot), False),
             "none cold": (traffic.missing(many), False)}
    return {kind: value for kind, value in kinds.items() if value[0]}


KINDS = {"early": "64 flows that the first hundredth of the rules allows",
         "late": "64 flows that the last hundredth allows",
         "hot": "64 flows that rules anywhere allow",
         "random": "up to 16,384 flows that rules anywhere allow",
         "none": "64 flows that only the default decides",
         "none cold": "up to 16,384 flows that only the default decides"}
