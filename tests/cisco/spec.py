"""What an inbound list has to say, worked out from the policy by tests/packets/evaluator.py.

A device's interface I in zone Z: packets come in by I; those to the device's own addresses,
broadcasts and multicast are the policy's hook input, all others its hook forward; `to ZONE` is
known by its networks alone, as routing is taken to follow addresses. Without a device a policy
has neither zones nor `self`, and every packet is one of hook forward.

The policy's text is what `fwc` gets, without the device blocks; a DevicePolicy is told where its
zones are. It is read twice: sources by interface and network, destinations by network alone, with
zones carved out of each other accordingly.
"""

import ipaddress
import os
import sys
from dataclasses import replace

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "packets"))

# pylint: disable=wrong-import-position
import evaluator
from evaluator import Addresses, Policy, PolicyError, Region
from forwards import translated
from translations import WEEK, DeviceReader
from planes import Layer, Services, Space, address_cuts, anything, gather_list

__all__ = ["DevicePolicy", "PolicyError", "RouterPolicy", "Vantage", "own_addresses", "space_of"]

# multicast, the broadcast, and link-local addresses, which no router forwards
MULTICAST = Addresses([(0xe0 << 24, (0xf0 << 24) - 1), (2 ** 32 - 1, 2 ** 32 - 1)],
                      [(0xff << 120, 2 ** 128 - 1), evaluator.LINK_LOCAL[1:]])


def own_addresses(prefixes):
    """What reaches a router with these interface addresses itself."""
    own = MULTICAST
    for prefix in prefixes:
        interface = ipaddress.ip_interface(prefix)
        edges = [int(interface.ip)]
        if interface.version == 4 and interface.network.prefixlen < 31:
            edges.append(int(interface.network.broadcast_address))
        pairs = [(edge, edge) for edge in edges]
        own |= Addresses(pairs) if interface.version == 4 else Addresses((), pairs)
    return own


class RouterPolicy(Policy):
    """A policy with what the reader here adds: translations, schedules."""

    def __init__(self, text, interfaces=()):
        self.hidings = []
        self.schedules = {}
        super().__init__(text, interfaces)

    @staticmethod
    def reader(policy, text):
        return DeviceReader(policy, text)


class DevicePolicy(RouterPolicy):
    """A policy seen from a device: interfaces as {name: (zone, prefixes)}."""

    def __init__(self, text, interfaces, elsewhere=(), with_interfaces=True):
        self.by_name = interfaces
        self.elsewhere = elsewhere      # (zone, prefixes) of other devices' interfaces
        self.routers = interface_addresses([prefix for _, prefixes in interfaces.values()
                                            for prefix in prefixes])
        self.with_interfaces = with_interfaces
        super().__init__(text, list(interfaces) if with_interfaces else [])
        self.by_address = DevicePolicy(text, interfaces, elsewhere, False) if with_interfaces else self

    def place_zones(self):
        for zone in self.zones.values():
            zone.interfaces = []
        for name, (zone_name, prefixes) in self.by_name.items():
            zone = self.zones[zone_name]
            if self.with_interfaces:
                zone.interfaces.append(name)
            if zone.is_connected or not (zone.addresses or zone.has_internet):
                zone.is_connected = True
                zone.addresses = (zone.addresses or Addresses()) | connected(prefixes)
        for zone in self.zones.values():
            if not (zone.addresses or zone.has_internet):
                zone.addresses = connected([prefix for name, prefixes in self.elsewhere if name == zone.name
                                            for prefix in prefixes])

    def twin_of(self, item):
        """The same item, its zone as this reading has it."""
        return replace(item, zone=self.zones[item.zone.name]) if item.zone else item

    def pairs_of(self, rule, hook):
        if not self.with_interfaces or not self.is_settled:
            return list(super().pairs_of(rule, hook))
        index = next(at for at, other in enumerate(self.rules) if other is rule)
        twin = self.by_address.rules[index]
        return [(source, destination) for (source, _), (_, destination)
                in zip(super().pairs_of(rule, hook), self.by_address.pairs_of(twin, hook))]


def interface_addresses(prefixes):
    """The addresses themselves."""
    result = Addresses()
    for prefix in prefixes:
        address = ipaddress.ip_interface(prefix)
        pair = [(int(address.ip), int(address.ip))]
        result |= Addresses(pair) if address.version == 4 else Addresses((), pair)
    return result


def connected(prefixes):
    result = Addresses()
    for prefix in prefixes:
        network = ipaddress.ip_interface(prefix).network
        pair = [(int(network[0]), int(network[-1]))]
        result |= Addresses(pair) if network.version == 4 else Addresses((), pair)
    return result


class Vantage:
    """A place where a list stands, and the policy seen from it."""

    def __init__(self, policy, interface=Region.OTHER, own=None):
        self.policy = policy
        self.interface = interface
        self.own = own or Addresses()
        self.cuts = None

    def hook(self, packet):
        return "input" if self.own.holds(packet.family, packet.destination) else "forward"

    def verdict(self, packet):
        """Of a first packet, rule after rule: the evaluator's own reading, no planes."""
        for rule in self.forwards():
            if self.translates(rule, packet):
                return self.verdict_in("forward", translated(rule, packet), self.interface, rule)
        return self.verdict_in(self.hook(packet), packet, self.interface)

    def verdict_in(self, hook, packet, interface, forward=None, with_timed_denials=True):
        """interface: where it comes in; None: from the router itself. forward: what translated it."""
        seen = evaluator.Packet(hook, interface, "", packet.family, packet.source, packet.destination,
                                packet.protocol, packet.port, packet.source_port, packet.code, 255)
        if evaluator.always_passes(seen if self.own.of[6] else replace(seen, hook="input")):
            return "allow"
        for rule in self.policy.rules:
            if rule.forward and rule is forward:
                return "allow"
            if rule.forward or packet.family not in rule.families or not is_met(rule, packet):
                continue
            if not with_timed_denials and rule.during is not None and rule.verdict != "allow":
                continue
            if any(holds_pair(pair, packet, interface) for pair in self.policy.cached_pairs(rule, hook)):
                return rule.verdict
        return self.policy.defaults[hook]

    # --- translation ---

    def forwards(self):
        return [rule for rule in self.policy.rules if rule.forward]

    def sources_of(self, rule):
        """Where a forward's packets come from: as for what is forwarded or comes to the router."""
        return [source for source, _ in self.policy.cached_pairs(rule, "forward")]

    def translates(self, rule, packet):
        return packet.family in rule.families and self.is_target(rule, packet.family)(packet.destination) \
            and is_met(rule, packet) and any(source.holds(self.interface, packet.family, packet.source)
                    for source in self.sources_of(rule))

    def hidings(self):
        """(is the source hidden, is the destination meant, behind which address) of every masquerade
        and snat, of IPv4 packets that leave here."""
        policy = self.policy
        own = interface_addresses(policy.by_name[self.interface][1]).of[4]
        for hiding in policy.hidings:
            addresses = hiding.behind.of[4] if hiding.behind else own
            for is_open, source in policy.from_regions(hiding.froms, "forward").items():
                twin = policy.by_address
                tos = [evaluator.Side([twin.twin_of(item) for item in side.items],
                                      [twin.twin_of(item) for item in side.excepts]) for side in hiding.tos]
                destination = twin.to_region(tos, "forward", is_open)
                if source and destination and addresses:
                    yield somewhere(source, 4), somewhere(destination, 4), addresses[0][0]

    def hidden_as(self, packet):
        """The packet as it leaves here."""
        if packet.family == 4 and getattr(self.policy, "hidings", None):
            for is_source, is_destination, behind in self.hidings():
                if is_source(packet.source) and is_destination(packet.destination):
                    return replace(packet, source=behind)
        return packet

    def may_be(self, packet):
        """Packets that leave here as this one: itself, and those that translation makes it of."""
        yield packet
        if packet.family == 4 and getattr(self.policy, "hidings", None):
            for is_source, _, behind in self.hidings():
                if behind == packet.source:
                    for source in self.known_sources():
                        if is_source(source):
                            before = replace(packet, source=source)
                            if self.hidden_as(before) == packet:
                                yield before

    def known_sources(self):
        """An address for each stretch of IPv4 that the policy tells from others."""
        if self.cuts is None:
            edges = []
            gather_policy(self, 4, edges, Services(4))
            self.cuts = sorted(address_cuts(4, edges))
        return self.cuts

    def is_target(self, rule, family):
        """Without `at` a router listens on the addresses of the outside interface itself."""
        here = getattr(self.policy, "by_name", {}).get(self.interface)
        targets = rule.forward.at or (interface_addresses(here[1]) if here else self.policy.routers)
        return lambda address: targets.holds(family, address)

    def minutes(self):
        """One of each stretch of the week that the policy tells from others."""
        ends = [minute for rule in self.policy.rules for low, high in rule.during or ()
                for minute in (low, (high + 1) % WEEK)]
        return sorted({0, *ends})

    def is_behind(self, family, address):
        """Whether packets to the address leave here, by the networks of the interface's zone."""
        zone = getattr(self.policy, "by_name", {}).get(self.interface)
        return zone is None or somewhere(self.policy.by_address.zones[zone[0]].routed, family)(address)

    # --- as layers ---

    def layers(self, family):
        result = []
        for rule in self.forwards():
            if family in rule.families:
                result += self.translated_layers(rule, family)
        result += self.always(family)
        for rule in self.policy.rules:
            if family in rule.families and not rule.forward:
                result += self.rule_layers(rule, family)
        for hook in ("input", "forward"):
            result.append(Layer(self.policy.defaults[hook] == "allow", anything,
                                self.in_hook(hook, family, anything), anything, hook))
        return result

    def translated_layers(self, forward, family):
        """The policy's verdict of what a forward translates, in addresses before translation."""
        real = forward.forward.real(family)
        for whence in self.sources_of(forward):
            def is_source(address, whence=whence):
                return whence.holds(self.interface, family, address)

            def is_service(point):
                return is_met(forward, point)
            for rule in self.policy.rules:
                if rule is forward:
                    yield Layer(True, is_source, self.is_target(forward, family), is_service, rule)
                    break
                if not rule.forward and family in rule.families:
                    yield from self.before_forward(rule, forward, family, real, (is_source, is_service))

    def before_forward(self, rule, forward, family, real, questions):
        """A rule that stands before the forward and speaks of the host."""
        is_source, is_service = questions

        def holds(point):
            return is_service(point) and is_met(rule, replace(point, port=forward.forward.port or point.port))
        for source, destination in self.policy.cached_pairs(rule, "forward"):
            if somewhere(destination, family)(real):
                yield Layer(rule.verdict == "allow",
                            lambda address, s=source: is_source(address) and s.holds(self.interface, family,
                                address),
                            self.is_target(forward, family), holds, rule)

    def always(self, family):
        """To the router itself; to everywhere where its addresses are not known, and said so
        (compare.py). No list can see the hop limit, which is said too."""
        if family == 4:
            return []
        low, high = evaluator.LINK_LOCAL[1:]
        near = self.in_hook("input", 6, anything) if self.own.of[6] else anything
        return [Layer(True, anything, near, icmp6({133, 134, 135, 136}), "neighbour discovery"),
                Layer(True, lambda source: low <= source <= high, near, icmp6({130, 131, 132, 143}),
                      "multicast listeners")]

    def rule_layers(self, rule, family):
        def holds(point):
            return is_met(rule, point)
        for hook in ("input", "forward"):
            for source, destination in self.policy.cached_pairs(rule, hook):
                if self.interface in source.of and family in destination.families():
                    yield Layer(rule.verdict == "allow", at(source, self.interface, family),
                                self.in_hook(hook, family, somewhere(destination, family)), holds, rule)

    def in_hook(self, hook, family, question):
        is_own = hook == "input"
        return lambda address: self.own.holds(family, address) == is_own and question(address)


NAMELESS = 253     # a protocol that no policy here names


def is_met(rule, packet):
    """Whether a rule speaks of the packet's service and time. The other family's ICMP has no types:
    to a rule it is a protocol like any other."""
    if rule.during is not None and not any(low <= packet.minute <= high for low, high in rule.during):
        return False
    protocol = NAMELESS if packet.protocol == {4: 58, 6: 1}[packet.family] else packet.protocol
    return rule.service.holds((protocol, packet.port, packet.source_port, packet.code))


def holds_pair(pair, packet, interface):
    source, destination = pair
    whence = somewhere(source, packet.family)(packet.source) if interface is None \
        else source.holds(interface, packet.family, packet.source)
    return whence and somewhere(destination, packet.family)(packet.destination)


def at(region, interface, family):
    return lambda address: region.holds(interface, family, address)


def somewhere(region, family):
    """Whether an address is in the region over any interface."""
    sets = {id(addresses): addresses for addresses in region.of.values()}.values()
    return lambda address: any(addresses.holds(family, address) for addresses in sets)


def icmp6(kinds):
    return lambda point: point.protocol == 58 and point.port in kinds and not point.is_fragment


# --- the space of a policy and its lists --------------------------------------------------------


def regions_of(policy):
    for rule in policy.rules:
        for hook in ("input", "forward"):
            for pair in policy.cached_pairs(rule, hook):
                yield from pair


def gather_policy(vantage, family, edges, services):
    edges += vantage.own.of[family]
    for rule in vantage.forwards():
        edges += (rule.forward.at or vantage.policy.routers).of[family]
    if family == 6:
        edges.append(evaluator.LINK_LOCAL[1:])
    for region in regions_of(vantage.policy):
        for addresses in region.of.values():
            edges += addresses.of[family]
    for rule in vantage.policy.rules:
        for low, high in rule.during or ():
            services.minutes |= {low, (high + 1) % WEEK}
        for pair in rule.service.pairs():
            if pair.protocol in (1, 58):
                services.add(pair.protocol, kind=pair.ports, codes=[pair.codes])
            else:
                services.add(pair.protocol, [pair.ports], [pair.source_ports])


def space_of(vantage, lists, family, with_later=True, seed=0, kinds=()):
    """Cut wherever the policy or one of the lists asks; kinds: and at these intervals of ICMP types."""
    edges, sources, destinations = [], [], []
    services = Services(family, with_later)
    gather_policy(vantage, family, edges, services)
    if family == 6:
        for kind in (130, 132, 133, 136, 143):
            services.add(58, kind=(kind, kind))
    for kind in kinds:
        services.add(58 if family == 6 else 1, kind=kind)
    for acl in lists:
        gather_list(acl, sources, destinations, services)
    edges = list(dict.fromkeys(edges))
    return Space(family, address_cuts(family, edges + sources), address_cuts(family, edges + destinations),
                 services.points(), seed)
