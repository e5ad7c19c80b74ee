"""Two first-match lists compared over the whole space of packets.

A list, whatever it was made from, is a sequence of Layers: permit or not, and three questions:
about the source, about the destination, about all else (the service). The space is cut at every
boundary that either side knows; one packet stands for each cell. All cells of one source are the
bits of one number, so that a layer costs a few operations on long numbers.

Where the cells are too many, each axis is thinned by a seeded choice; `is_whole` tells.
"""

import random
from dataclasses import dataclass

from acl_eval import TOP, Packet

CELLS = 12_000_000


@dataclass
class Layer:
    """One entry or rule. The questions take an address, or a Packet of which only the service
    counts. Layers of one key, which is not None, answer alike, and so do services of one
    service_key: they are asked once."""

    is_permit: bool
    holds_source: object
    holds_destination: object
    holds_service: object
    origin: object = None
    key: object = None
    service_key: object = None


class Space:
    """Axes: sources, destinations (numbers of one family) and services (Packets without them)."""

    def __init__(self, family, sources, destinations, services, seed=0, like=None):
        """like: a Space whose sources and destinations these are; nothing is left out then."""
        self.family = family
        chooser = random.Random(seed)
        self.sources, self.destinations = sorted(set(sources)), sorted(set(destinations))
        self.services = sorted(set(services), key=repr)
        self.is_whole = like.is_whole if like else self.thin(chooser)
        self.width = len(self.services)
        self.full = (1 << self.width * len(self.destinations)) - 1
        self.shapes, self.service_bits = {}, {}

    def thin(self, chooser):
        is_whole = True
        axes = ("sources", "destinations", "services")
        while self.cells() > CELLS:
            is_whole = False
            name = max(axes, key=lambda axis: len(getattr(self, axis)))
            axis = getattr(self, name)
            setattr(self, name, [axis[index] for index in
                                 sorted(chooser.sample(range(len(axis)), len(axis) * 2 // 3))])
        return is_whole

    def cells(self):
        return len(self.sources) * len(self.destinations) * len(self.services)

    def mask(self, layer):
        """The bits of one source that a layer holds."""
        service = self.service_bits.get(layer.service_key)
        if service is None:
            service = bits_of(layer.holds_service, self.services)
            if layer.service_key is not None:
                self.service_bits[layer.service_key] = service
        if not service:
            return 0
        # one number of the destinations' bits, spread and multiplied: each bit becomes a copy
        spread = sum(1 << index * self.width for index, address in enumerate(self.destinations)
                     if layer.holds_destination(address))
        return spread * service

    def shape(self, layer):
        """(the rows of the sources that a layer holds, their bits)"""
        found = self.shapes.get(layer.key)
        if found is None:
            rows = [index for index, address in enumerate(self.sources) if layer.holds_source(address)]
            found = rows, self.mask(layer) if rows else 0
            if layer.key is not None:
                self.shapes[layer.key] = found
        return found

    def permitted(self, layers, at_end=None):
        """For each source the bits that the layers permit; at_end: a Layer behind all others."""
        result = [0] * len(self.sources)
        open_bits = [self.full] * len(self.sources)
        for layer in [*layers, *([at_end] if at_end else [])]:
            rows, mask = self.shape(layer)
            for row in rows:
                hit = open_bits[row] & mask
                if hit and layer.is_permit:
                    result[row] |= hit
                open_bits[row] ^= hit
        return result

    def packets(self, row, bits, limit):
        """The first `limit` packets of a row's bits."""
        result = []
        while bits and len(result) < limit:
            index = (bits & -bits).bit_length() - 1
            bits &= bits - 1
            result.append(self.packet(row, index))
        return result

    def packet(self, row, index):
        service = self.services[index % self.width]
        return Packet(self.family, self.sources[row], self.destinations[index // self.width],
                      service.protocol, service.port, service.source_port, service.code, service.flags,
                      service.is_fragment, service.minute)

    def random_packet(self, chooser):
        row = chooser.randrange(len(self.sources))
        return row, chooser.randrange(self.width * len(self.destinations))


def bits_of(question, items):
    result = 0
    for index, item in enumerate(items):
        if question(item):
            result |= 1 << index
    return result


def count(planes):
    return sum(bin(bits).count("1") for bits in planes)


def differences(space, left, right, limit=3):
    """Packets of which left and right think differently."""
    found = []
    for row, (one, other) in enumerate(zip(left, right)):
        if one != other:
            found += space.packets(row, one ^ other, limit - len(found))
        if len(found) >= limit:
            break
    return found


# --- where to cut --------------------------------------------------------------------------------


def address_cuts(family, edges):
    """One address for each stretch between boundaries; edges: (first, last) pairs."""
    cuts = {0}
    for low, high in edges:
        cuts |= {low, high + 1} if high < TOP[family] else {low}
    return cuts


def port_cuts(intervals, top=65535):
    cuts = {0}
    for low, high in intervals:
        cuts |= {low, high + 1} if high < top else {low}
    return cuts


SYN, ACK, RST = 2, 16, 4


class Services:
    """Gathers what is asked about services, and gives one packet for each cell."""

    def __init__(self, family, with_later=True):
        self.family = family
        self.with_later = with_later
        self.protocols = {0}
        self.ports, self.sources = {6: [], 17: [], 132: []}, {6: [], 17: [], 132: []}
        self.kinds, self.codes = [], {}
        self.minutes = {0}

    def add(self, protocol, ports=None, source_ports=None, kind=None, codes=None):
        """Intervals; kind: of ICMP types, with codes below."""
        if protocol is None:
            return
        self.protocols.add(protocol)
        if ports and protocol in self.ports:
            self.ports[protocol] += ports
        if source_ports and protocol in self.sources:
            self.sources[protocol] += source_ports
        if kind:
            self.kinds.append(kind)
            self.codes.setdefault(kind, []).extend(codes or [])

    def points(self):
        icmp = 1 if self.family == 4 else 58
        named = self.protocols | {6, 17, icmp}
        for protocol in sorted(named) + [number for number in range(255, 0, -1) if number not in named][:1]:
            yield from self.of_protocol(protocol, icmp)
            if self.with_later:
                yield from (Packet(self.family, 0, 0, protocol, is_fragment=True, minute=minute)
                            for minute in self.minutes)

    def of_protocol(self, protocol, icmp):
        for minute in self.minutes:
            if protocol == icmp:
                yield from self.messages(protocol, minute)
            elif protocol in self.ports:
                for port in port_cuts(self.ports[protocol]):
                    for source in port_cuts(self.sources[protocol]):
                        for flags in self.flags(protocol):
                            yield Packet(self.family, 0, 0, protocol, port, source, 0, flags, False, minute)
            else:
                yield Packet(self.family, 0, 0, protocol, minute=minute)

    def flags(self, protocol):
        if protocol != 6:
            return (0,)
        return (SYN, ACK, RST) if self.with_later else (SYN,)

    def messages(self, protocol, minute):
        codes = sorted(port_cuts([code for codes in self.codes.values() for code in codes], 255))
        for kind in port_cuts(self.kinds, 255):
            for code in codes:
                yield Packet(self.family, 0, 0, protocol, kind, 0, code, 0, False, minute)


# --- lists as layers -----------------------------------------------------------------------------


def layers_of(acl, permits_at_end=False):
    """An AccessList's entries; what `evaluate` would hold is left out."""
    layers = [entry_layer(entry) for entry in acl.entries if hasattr(entry, "transports")]
    if acl.family == 6:
        layers.append(Layer(True, anything, anything, is_implicit))
    if not acl.entries or permits_at_end:
        layers.append(Layer(True, anything, anything, anything))
    return layers


def anything(_):
    return True


def is_implicit(point):
    return point.protocol == 58 and point.port in (135, 136) and not point.is_fragment


def entry_layer(entry):
    def holds(point):
        if entry.time_range and not entry.time_range.holds(point.minute):
            return False
        return entry.holds_transport(point)
    return Layer(entry.is_permit, entry.source.holds, entry.destination.holds, holds, entry, entry,
                 (entry.is_permit, entry.is_fragments, entry.transports, entry.time_range))


def gather_list(acl, sources, destinations, services):
    """Adds a list's boundaries."""
    if acl.family == 6:
        services.add(58, kind=(135, 136))
    for entry in acl.entries:
        if not hasattr(entry, "transports"):
            continue
        sources += entry.source.edges()
        destinations += entry.destination.edges()
        if entry.time_range:
            for low, high in entry.time_range.spans:
                services.minutes |= {low, high % 10080, (high + 1) % 10080}
        for transport in entry.transports:
            kind = transport.icmp and (transport.icmp[0], transport.icmp[0])
            codes = transport.icmp and [(code, code) for code in transport.icmp[1:]]
            services.add(transport.protocol, transport.ports and list(transport.ports.intervals),
                         transport.source_ports and list(transport.source_ports.intervals), kind, codes)


def space_of_lists(lists, seed=0):
    """The space that is cut where any of several lists of one family asks."""
    family = lists[0].family
    sources, destinations, services = [], [], Services(family)
    for acl in lists:
        gather_list(acl, sources, destinations, services)
    return Space(family, address_cuts(family, sources), address_cuts(family, destinations),
                 services.points(), seed)
