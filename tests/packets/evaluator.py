"""What a policy means, written down as plainly as the language reference says it.

A reader for a subset of the language and a first-match evaluator: rules in file order, each
condition asked one after the other, no structure, nothing merged. Shares no code with the
compiler. The subset: host, network, group, zone, service, blocks, rules (without limit and
time), default. `PolicyError` is raised where the reference calls a policy mistaken (empty
sets, families that do not meet, zones that cross).

A place is worked out as a Region for each hook and side: for every interface the set of
addresses, as sorted disjoint intervals of each family.
"""

import ipaddress
import re
from dataclasses import dataclass, field

HOOKS = ("input", "forward", "output")
TOP = {4: 2 ** 32 - 1, 6: 2 ** 128 - 1}
LINK_LOCAL = (6, 0xfe80 << 112, (0xfec0 << 112) - 1)
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "icmp6": 58}
ICMP_NAMES = {"echo-request": {1: 8, 58: 128}, "timestamp-request": {1: 13}}
# what the names mean that the generator uses: exact pairs
KNOWN = {
    "dns": "53/tcp 53/udp", "ntp": "123/udp", "http": "80/tcp", "https": "443/tcp 443/udp",
    "ssh": "22/tcp", "smtp": "25/tcp", "ping": "echo-request/icmp echo-request/icmp6",
    "kerberos": "88/tcp 88/udp", "ldap": "389/tcp 389/udp", "ldaps": "636/tcp",
}


class PolicyError(Exception):
    """The policy is mistaken by the language's own rules."""


# --- sets of addresses -------------------------------------------------------------------


def normalised(intervals):
    """Sorts and joins (low, high) pairs."""
    result = []
    for low, high in sorted(intervals):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(result[-1][1], high))
        else:
            result.append((low, high))
    return result


def without(left, right):
    """The intervals of `left` less those of `right`."""
    result = []
    for low, high in left:
        for cut_low, cut_high in right:
            if cut_high < low or cut_low > high:
                continue
            if cut_low > low:
                result.append((low, cut_low - 1))
            low = cut_high + 1
            if low > high:
                break
        if low <= high:
            result.append((low, high))
    return normalised(result)


def common(left, right):
    """The intervals that both hold."""
    return normalised((max(a, c), min(b, d)) for a, b in left for c, d in right
                      if max(a, c) <= min(b, d))


class Addresses:
    """A set of addresses of both families."""

    def __init__(self, four=(), six=()):
        self.of = {4: normalised(four), 6: normalised(six)}

    @staticmethod
    def everything():
        return Addresses([(0, TOP[4])], [(0, TOP[6])])

    def __or__(self, other):
        return Addresses(self.of[4] + other.of[4], self.of[6] + other.of[6])

    def __sub__(self, other):
        return Addresses(without(self.of[4], other.of[4]), without(self.of[6], other.of[6]))

    def __and__(self, other):
        return Addresses(common(self.of[4], other.of[4]), common(self.of[6], other.of[6]))

    def __bool__(self):
        return bool(self.of[4] or self.of[6])

    def holds(self, family, address):
        return any(low <= address <= high for low, high in self.of[family])

    def families(self):
        return {family for family in (4, 6) if self.of[family]}


class Region:
    """For every interface a set of addresses. OTHER stands for all that are not named."""

    OTHER = "*"

    def __init__(self, of):
        self.of = {interface: addresses for interface, addresses in of.items() if addresses}

    def combine(self, other, operation):
        names = self.of.keys() | other.of.keys()
        empty = Addresses()
        return Region({name: operation(self.of.get(name, empty), other.of.get(name, empty))
                       for name in names})

    def __or__(self, other):
        return self.combine(other, lambda a, b: a | b)

    def __sub__(self, other):
        return self.combine(other, lambda a, b: a - b)

    def __and__(self, other):
        return self.combine(other, lambda a, b: a & b)

    def __bool__(self):
        return bool(self.of)

    def holds(self, interface, family, address):
        return interface in self.of and self.of[interface].holds(family, address)

    def families(self):
        return set().union(*(addresses.families() for addresses in self.of.values()))


# --- services ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """One service literal. Ports, or ICMP type and code, as closed intervals."""

    protocol: int = None            # None: every protocol
    ports: tuple = (0, 65535)       # of ICMP: types
    source_ports: tuple = (0, 65535)
    codes: tuple = (0, 255)

    def holds(self, point):
        protocol, port, source_port, code = point
        if self.protocol is None:
            return True
        if protocol != self.protocol:
            return False
        return (self.ports[0] <= port <= self.ports[1]
                and self.source_ports[0] <= source_port <= self.source_ports[1]
                and self.codes[0] <= code <= self.codes[1])


@dataclass
class Service:
    """Parts less excepted parts; parts are pairs or services."""

    parts: list
    excepts: list

    def holds(self, point):
        return (any(part.holds(point) for part in self.parts)
                and not any(part.holds(point) for part in self.excepts))

    def pairs(self):
        """Every pair that occurs, excepted ones too."""
        for part in self.parts + self.excepts:
            if isinstance(part, Pair):
                yield part
            else:
                yield from part.pairs()

    def corners(self):
        """Points of which at least one lies in every part of the set that is not empty."""
        pairs = list(self.pairs())
        protocols = {pair.protocol for pair in pairs if pair.protocol is not None} | {253}
        ports = edges(pair.ports for pair in pairs)
        sources = edges(pair.source_ports for pair in pairs)
        codes = edges(pair.codes for pair in pairs)
        return [(protocol, port, source, code) for protocol in protocols for port in ports
                for source in sources for code in codes]

    def families(self):
        """The families in which it can match."""
        found = set()
        for point in self.corners():
            if self.holds(point):
                found |= {1: {4}, 58: {6}}.get(point[0], {4, 6})
        return found


def edges(intervals):
    result = {0}
    for low, high in intervals:
        result |= {low, high + 1} if high < 65535 else {low}
    return result


def literal(text, source=None):
    """The pairs of `PORTS/PROTOCOL`."""
    ports, _, protocols = text.partition("/")
    if not protocols or protocols == "ip":
        return [Pair(None if ports == "any" else int(ports))]
    return [one_literal(ports, PROTOCOLS[name], source) for name in protocols.split("+")]


def one_literal(ports, protocol, source):
    if ports == "any" and not source:
        return Pair(protocol)
    if protocol in (1, 58):
        kind, _, code = ports.partition(":")
        number = ICMP_NAMES[kind][protocol] if kind in ICMP_NAMES else int(kind)
        codes = (int(code), int(code)) if code else (0, 255)
        return Pair(protocol, (number, number), codes=codes)
    sources = interval(source) if source else (0, 65535)
    return Pair(protocol, (0, 65535) if ports == "any" else interval(ports), sources)


def interval(text):
    low, _, high = text.partition("-")
    return int(low), int(high or low)


# --- what a policy holds ----------------------------------------------------------------------


@dataclass
class Item:
    """One place of a list: any, self, a zone, or a set of addresses."""

    kind: str
    zone: object = None
    addresses: object = None

    @property
    def is_open(self):
        """Whether it says nothing of addresses: with it, `to ZONE` speaks of output, too."""
        return self.kind in ("any", "self")


@dataclass
class Side:
    """`LIST except LIST` of a from or a to."""

    items: list
    excepts: list


@dataclass
class Zone:
    name: str
    interfaces: list = field(default_factory=list)
    addresses: object = None
    has_internet: bool = False
    is_connected: bool = False   # its networks are those of a router's interfaces
    input: object = None     # Regions, once all zones are known
    routed: object = None


@dataclass
class Rule:
    verdict: str
    service: Service
    froms: list              # Sides, outermost block first
    tos: list
    families: set
    words: list              # of the service list: the families of each
    line: int
    # on routers (tests/cisco): what its packets were translated from, and the minutes of the week
    forward: object = None
    during: list = None


@dataclass
class Packet:
    """A first packet. Interfaces are names; addresses are numbers."""

    hook: str
    in_interface: str
    out_interface: str
    family: int
    source: int
    destination: int
    protocol: int
    port: int = 0            # of ICMP: type
    source_port: int = 0
    code: int = 0
    hop_limit: int = 64

    def point(self):
        return self.protocol, self.port, self.source_port, self.code


class Policy:
    """A policy's text, read; `verdict` judges packets."""

    def __init__(self, text, interfaces):
        self.interfaces = [*interfaces, Region.OTHER]
        self.places = {}
        self.services = {}
        self.zones = {}
        self.rules = []
        self.cache = {}
        self.is_settled = False  # while mistakes are sought, zones are what their lines say
        self.defaults = {"input": "deny", "forward": "deny", "output": "allow"}
        self.reader(self, text).read()
        self.settle_zones()
        for rule in self.rules:
            self.check(rule)
        self.is_settled = True

    @staticmethod
    def reader(policy, text):
        return Reader(policy, text)

    # --- zones ---

    def settle_zones(self):
        named = Addresses()
        for zone in self.zones.values():
            if zone.addresses:
                named |= zone.addresses
        self.internet = Addresses.everything() - named
        self.place_zones()
        for zone in self.zones.values():
            if zone.has_internet:
                zone.addresses = (zone.addresses or Addresses()) | self.internet
        whole = {zone.name: self.raw_region(zone) for zone in self.zones.values()}
        for zone in self.zones.values():
            zone.routed = self.carved(zone, whole)
        for zone in self.zones.values():
            zone.input = zone.routed | self.link_local(zone)
            for other in self.zones.values():
                if other is not zone:
                    zone.input -= self.link_local(other)

    def place_zones(self):
        """Where zones are on a router: what subclasses know of it."""

    def raw_region(self, zone):
        addresses = zone.addresses or Addresses.everything()
        return Region({name: addresses for name in zone.interfaces or self.interfaces})

    def carved(self, zone, whole):
        """The zone less what belongs to zones of networks alone, or to zones inside it."""
        result = whole[zone.name]
        for other in self.zones.values():
            if other is zone:
                continue
            if bool(other.interfaces) == bool(zone.interfaces):
                overlap = whole[zone.name] & whole[other.name]
                inside = not whole[other.name] - whole[zone.name]
                outside = not whole[zone.name] - whole[other.name]
                if overlap and inside == outside:
                    raise PolicyError(f"zones {zone.name} and {other.name} cross")
                if inside:
                    result -= whole[other.name]
            elif zone.interfaces:
                result -= whole[other.name]
        if not result:
            raise PolicyError(f"zone {zone.name} is empty")
        return result

    def link_local(self, zone):
        """0.0.0.0 and fe80::/10 on the zone's interfaces, if it is the first one there."""
        first = {}
        for other in self.zones.values():
            for name in other.interfaces:
                first.setdefault(name, other)
        extra = Addresses([(0, 0)], [LINK_LOCAL[1:]])
        return Region({name: extra for name in zone.interfaces if first[name] is zone})

    # --- places ---

    def everywhere(self):
        return Region({name: Addresses.everything() for name in self.interfaces})

    def region(self, item, side, hook, is_open):
        """The region of one item. `is_open`: the other side's item is any or self."""
        if item.kind == "any":
            return self.everywhere()
        if item.kind == "addresses":
            return Region({name: item.addresses for name in self.interfaces})
        if item.kind == "self":
            matches = hook == ("output" if side == "from" else "input")
            return self.everywhere() if matches else Region({})
        if side == "from":
            of_input = item.zone.input if self.is_settled else item.zone.routed
            return {"input": of_input, "forward": item.zone.routed}.get(hook, Region({}))
        if hook == "forward" or hook == "output" and is_open:
            return item.zone.routed
        return Region({})

    def from_regions(self, sides, hook):
        """The from side as {is_open: Region}: what comes from any or self, and the rest."""
        result = {True: self.everywhere()}
        for side in sides:
            excepted = self.union(side.excepts, "from", hook, True)
            layer = {is_open: self.union([item for item in side.items if item.is_open == is_open],
                                         "from", hook, True) - excepted
                     for is_open in (True, False)}
            result = {True: result[True] & layer[True],
                      False: (result.get(False, Region({})) & (layer[True] | layer[False]))
                      | (result[True] & layer[False])}
        return result

    def to_region(self, sides, hook, is_open):
        result = self.everywhere()
        for side in sides:
            # what is excepted is excepted, whoever asks
            result &= (self.union(side.items, "to", hook, is_open)
                       - self.union(side.excepts, "to", hook, True))
        return result

    def union(self, items, side, hook, is_open):
        result = Region({})
        for item in items:
            result |= self.region(item, side, hook, is_open)
        return result

    def pairs_of(self, rule, hook):
        """(from Region, to Region) alternatives of a rule in a hook."""
        for is_open, source in self.from_regions(rule.froms, hook).items():
            yield source, self.to_region(rule.tos, hook, is_open)

    def check(self, rule):
        """A rule that can match nothing, in no hook, is a mistake; so is such a service."""
        families = set()
        for hook in HOOKS:
            for source, destination in self.pairs_of(rule, hook):
                families |= rule.families & source.families() & destination.families()
        families &= rule.service.families()
        if not families:
            raise PolicyError(f"line {rule.line}: the rule matches nothing")
        if not all(word & families for word in rule.words):
            raise PolicyError(f"line {rule.line}: a service is of the other family")

    # --- judging ---

    def verdict(self, packet):
        """(verdict, line): line 0 is what always passes, -1 the default."""
        if always_passes(packet):
            return "allow", 0
        for rule in self.rules:
            if self.matches(rule, packet):
                return rule.verdict, rule.line
        return self.defaults[packet.hook], -1

    def matches(self, rule, packet):
        if packet.family not in rule.families or not rule.service.holds(packet.point()):
            return False
        in_interface = packet.in_interface or Region.OTHER
        out_interface = packet.out_interface or Region.OTHER
        return any(source.holds(in_interface, packet.family, packet.source)
                   and destination.holds(out_interface, packet.family, packet.destination)
                   for source, destination in self.cached_pairs(rule, packet.hook))

    def cached_pairs(self, rule, hook):
        key = (id(rule), hook)
        if key not in self.cache:
            self.cache[key] = list(self.pairs_of(rule, hook))
        return self.cache[key]


def always_passes(packet):
    """Neighbour discovery, and multicast listener messages from link-local addresses."""
    if packet.protocol != 58 or packet.hook == "forward":
        return False
    if 133 <= packet.port <= 136:
        return packet.hop_limit == 255
    return (packet.port in (130, 131, 132, 143)
            and LINK_LOCAL[1] <= packet.source <= LINK_LOCAL[2])


# --- reading -----------------------------------------------------------------------------------

TOKEN = re.compile(r'#[^\n]*|"[^"\n]*"|[{};,=]|[^\s{};,="#]+|\n')


def tokens(text):
    """(word, line) of everything but blanks and comments."""
    line = 1
    result = []
    for match in TOKEN.finditer(text):
        word = match.group()
        if word == "\n":
            line += 1
        elif not word.startswith("#"):
            result.append((word, line))
    return result


def address_set(text):
    """An address, prefix or range."""
    if "/" in text:
        network = ipaddress.ip_network(text)
        low, high = network.network_address, network.broadcast_address
    else:
        first, _, last = text.partition("-")
        low, high = ipaddress.ip_address(first), ipaddress.ip_address(last or first)
    pair = [(int(low), int(high))]
    return Addresses(pair) if low.version == 4 else Addresses((), pair)


class Reader:
    """Recursive descent over the subset; definitions stand before their use."""

    def __init__(self, policy, text):
        self.policy = policy
        self.words = tokens(text)
        self.families_of_words = self.families_of_parts = None
        self.at = 0

    def peek(self):
        return self.words[self.at][0] if self.at < len(self.words) else None

    def next(self):
        self.at += 1
        return self.words[self.at - 1][0]

    def take(self, word):
        """Skips `word` if it is next; whether it was."""
        if self.peek() == word:
            self.at += 1
            return True
        return False

    def need(self, word):
        if not self.take(word):
            raise ValueError(f"{word!r} expected, not {self.peek()!r}")

    def read(self):
        # zones first: `internet` and rules need all of them
        while self.peek() is not None:
            self.statement([], [])

    def statement(self, froms, tos):
        word = self.peek()
        if word == ";":
            self.next()
        elif word in ("host", "network", "group"):
            self.place()
        elif word == "zone":
            self.zone()
        elif word == "service":
            self.service()
        elif word == "default":
            self.default()
        elif word in ("from", "to"):
            self.block(froms, tos)
        else:
            self.rule(froms, tos)

    def end(self):
        if self.peek() not in ("}", None):
            self.need(";")

    def place(self):
        self.next()
        name = self.next()
        self.need("=")
        side = self.side()
        addresses = Addresses()
        for item in side.items:
            addresses |= item.addresses
        for item in side.excepts:
            addresses -= item.addresses
        if not addresses:
            raise PolicyError(f"{name} is empty")
        self.policy.places[name] = addresses
        self.end()

    def zone(self):
        self.next()
        zone = Zone(self.next())
        self.need("{")
        while not self.take("}"):
            if self.take("interface"):
                zone.interfaces.append(self.next())
                while self.take(","):
                    zone.interfaces.append(self.next())
            else:
                self.need("network")
                self.zone_networks(zone)
            self.end()
        self.policy.zones[zone.name] = zone

    def zone_networks(self, zone):
        while True:
            if self.take("internet"):
                zone.has_internet = True
            else:
                zone.addresses = (zone.addresses or Addresses()) | self.item().addresses
            if not self.take(","):
                return

    def service(self):
        self.next()
        name = self.next()
        self.need("=")
        self.policy.services[name] = self.services()
        self.end()

    def services(self):
        parts = self.service_list()
        self.families_of_words = self.families_of_parts
        excepts = self.service_list() if self.take("except") else []
        service = Service(parts, excepts)
        if not any(service.holds(point) for point in service.corners()):
            raise PolicyError("a service is empty")
        return service

    def service_list(self):
        parts, self.families_of_parts = [], []
        while True:
            part = self.service_part(self.next())
            parts += part
            self.families_of_parts.append(Service(part, []).families())
            if not self.take(","):
                return parts

    def service_part(self, word):
        if word in self.policy.services:
            return [self.policy.services[word]]
        if word in KNOWN:
            return [pair for text in KNOWN[word].split() for pair in literal(text)]
        source = self.next() if self.take("sport") else None
        return literal(word, source)

    def side(self):
        items = self.items()
        return Side(items, self.items() if self.take("except") else [])

    def items(self):
        result = [self.item()]
        while self.take(","):
            result.append(self.item())
        return result

    def item(self):
        word = self.next()
        if word in ("any", "self"):
            return Item(word)
        if word == "internet":
            return InternetItem(self.policy)
        if word in self.policy.zones:
            return Item("zone", zone=self.policy.zones[word])
        if word in self.policy.places:
            return Item("addresses", addresses=self.policy.places[word])
        return Item("addresses", addresses=address_set(word))

    def default(self):
        self.next()
        hooks = [self.next()] if self.peek() in HOOKS else ["input", "forward"]
        verdict = self.next()
        for hook in hooks:
            self.policy.defaults[hook] = verdict
        self.options()
        self.end()

    def block(self, froms, tos):
        if self.take("from"):
            froms = froms + [self.side()]
        if self.take("to"):
            tos = tos + [self.side()]
        self.need("{")
        while not self.take("}"):
            self.statement(froms, tos)

    def rule(self, froms, tos):
        line = self.words[self.at][1]
        verdict = self.next()
        if verdict not in ("allow", "deny", "reject"):
            raise ValueError(f"no statement '{verdict}'")
        service = self.services()
        words = self.families_of_words
        if self.take("from"):
            froms = froms + [self.side()]
        if self.take("to"):
            tos = tos + [self.side()]
        families = self.options()
        self.end()
        self.policy.rules.append(Rule(verdict, service, froms, tos, families, words, line))

    def options(self):
        families = {4, 6}
        while self.peek() not in (";", "}", None):
            word = self.next()
            if word in ("ipv4", "ipv6"):
                families &= {int(word[3])}
            elif word == "log":
                if (self.peek() or "").startswith('"'):
                    self.next()
            elif word in ("because", "owner", "id"):
                self.next()
            elif word not in ("count", "rescue"):
                raise ValueError(f"no option '{word}'")
        return families


class InternetItem(Item):
    """`internet`: known only when all zones are."""

    def __init__(self, policy):
        super().__init__("addresses")
        self.policy = policy

    @property
    def addresses(self):
        return self.policy.internet

    @addresses.setter
    def addresses(self, value):
        pass
