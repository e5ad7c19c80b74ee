"""Which packets answer something that the policy lets others start.

An answer to a packet q comes back with its addresses and ports turned round: TCP with ACK or RST,
UDP as it is, an echo reply for an echo, and errors about q. What a list lets in as answers has to
be answers; and answers to what may leave by its interface have to get in.
"""

from dataclasses import replace

from acl_eval import Packet, flow_of
from spec import is_met

SYN, ACK, RST = 2, 16, 4
ICMP = {4: 1, 6: 58}
# messages that are answered, and with what
REPLIES = {4: {8: 0, 13: 14, 15: 16, 17: 18}, 6: {128: 129, 139: 140}}
ALWAYS = {130, 131, 132, 133, 134, 135, 136, 143}
ERRORS = {4: (3, 11, 12), 6: (1, 2, 3, 4)}


def question(packet):
    """The first packet that this one would answer, or None: an error, or no answer at all."""
    turned = {"family": packet.family, "source": packet.destination, "destination": packet.source,
              "protocol": packet.protocol}
    if packet.protocol == ICMP[packet.family]:
        asked = [kind for kind, reply in REPLIES[packet.family].items() if reply == packet.port]
        return Packet(**turned, port=asked[0], code=packet.code) if asked else None
    if packet.protocol == 6 and not packet.flags & (ACK | RST):
        return None
    if packet.protocol in (6, 17, 132):
        return Packet(**turned, port=packet.source_port, source_port=packet.port)
    return Packet(**turned)


def answers(packet):
    """What comes back for a first packet."""
    turned = {"family": packet.family, "source": packet.destination, "destination": packet.source,
              "protocol": packet.protocol}
    protocol, replies = ICMP[packet.family], REPLIES[packet.family]
    result = [Packet(packet.family, packet.destination, packet.source, protocol, kind)
              for kind in ERRORS[packet.family][:2]]
    if packet.protocol == protocol and packet.port in replies and packet.code == 0:
        result.append(Packet(**turned, port=replies[packet.port]))
    elif packet.protocol == 6:
        result += [Packet(**turned, port=packet.source_port, source_port=packet.port, flags=flags)
                   for flags in (ACK, RST)]
    elif packet.protocol != protocol:
        result.append(Packet(**turned, port=packet.source_port, source_port=packet.port))
    return result


def is_error(packet):
    return packet.protocol == ICMP[packet.family] and packet.port in ERRORS[packet.family]


def is_answer(vantage, packet):
    """Whether the policy lets somebody start what this would answer."""
    if is_error(packet):
        return True
    asked = question(packet)
    return asked is not None and (is_forwarded(vantage, asked) or any(
        may_start(vantage, before, False) for before in vantage.may_be(asked)))


def may_start(vantage, packet, with_timed_denials=True):
    """Whether the policy lets a packet leave, come from where it may: another interface or the
    router itself, at whatever time: connections outlive it. Networks are taken whole, with the
    router's own addresses and broadcasts in them, as whom nobody outside answers. Denials of some times are
    not taken out of what may be answered."""
    if packet.protocol == ICMP[6] and packet.family == 6 and packet.port in ALWAYS:
        return False     # what always passes asks no answer of the policy
    packets = [replace(packet, minute=minute) for minute in vantage.minutes()]
    if vantage.own.holds(packet.family, packet.source) and any(
            vantage.verdict_in("output", packet, None, None, with_timed_denials) == "allow" for packet in packets):
        return True
    return any(vantage.verdict_in("forward", packet, interface, None, with_timed_denials) == "allow"
               for interface in vantage.policy.interfaces for packet in packets)


def stray(vantage, space, rows, chooser, count):
    """Packets among a plane's bits that answer nothing; `count` are looked at."""
    filled = [row for row, bits in enumerate(rows) if bits]
    for _ in range(count if filled else 0):
        row = chooser.choice(filled)
        packet = space.packet(row, one_of(rows[row], chooser))
        if not is_answer(vantage, packet):
            yield packet


def unasked(vantage, space, rows, chooser, count):
    """Packets among a plane's bits, seen as they leave, that nobody may start; `count` are looked at."""
    filled = [row for row, bits in enumerate(rows) if bits]
    for _ in range(count if filled else 0):
        row = chooser.choice(filled)
        packet = space.packet(row, one_of(rows[row], chooser))
        if packet.flags & (ACK | RST):
            packet = replace(packet, flags=SYN)
        is_always = packet.family == 6 and packet.protocol == ICMP[6] and packet.port in ALWAYS
        if not is_always and vantage.is_behind(packet.family, packet.destination) and not is_forwarded(
                vantage, packet) and not any(may_start(vantage, before, False)
                                             for before in vantage.may_be(packet)):
            yield packet


def is_forwarded(vantage, packet):
    """Whether a forward makes such a packet, as it leaves, of one that it lets in."""
    for rule in vantage.forwards():
        port = rule.forward.port
        if packet.family in rule.families and rule.forward.real(packet.family) == packet.destination and (
                port in (None, packet.port)) and any(
                source.holds(interface, packet.family, packet.source) for source in vantage.sources_of(rule)
                for interface in vantage.policy.interfaces) and any(
                is_met(rule, replace(packet, port=before, minute=minute)) for minute in vantage.minutes()
                for before in ([packet.port] if port is None else range(65536))):
            return True
    return False


def one_of(bits, chooser):
    """A bit that is set, drawn without counting all."""
    skipped = chooser.randrange(bits.bit_length())
    above = bits >> skipped
    if above:
        return skipped + (above & -above).bit_length() - 1
    return bits.bit_length() - 1


def unheard(vantage, lists, space, chooser, count):
    """(first packet, its answer) that the inbound list denies, though the policy lets the first one
    leave here; `count` cells are looked at. lists: inbound, and outbound with reflections or None."""
    acl, outbound = lists
    for _ in range(count):
        packet = space.packet(*space.random_packet(chooser))
        # no entry can speak of protocol 0 alone: what answers it may be denied
        if packet.protocol == 0 or packet.is_fragment or packet.flags & (ACK | RST) or not vantage.is_behind(
                packet.family, packet.source):
            continue
        first = Packet(packet.family, packet.destination, packet.source, packet.protocol, packet.port,
                       packet.source_port, packet.code, packet.flags)
        if vantage.own.holds(first.family, first.destination) or not may_start(vantage, first):
            continue
        sent = vantage.hidden_as(first)
        is_own = vantage.own.holds(first.family, first.source)
        if is_own and not vantage.policy.routers.holds(first.family, first.source):
            continue     # a broadcast or multicast address is nobody's source
        for answer in answers(sent):
            if is_own and answer.protocol != 6:
                continue     # FW0932: of the router's own packets, unless rules name them
            reflected = None if is_own or is_error(answer) else reflection(outbound, sent, answer)
            if not acl.permits(answer, reflected):
                yield first, answer


def reflection(outbound, sent, answer):
    """What an outbound list remembers of a packet, as the inbound one asks it. Nobody remembers
    what the router sends itself, nor errors."""
    entry = outbound.find(sent) if outbound else None
    return {entry.reflect: {flow_of(answer)}} if entry and entry.is_permit and entry.reflect else None
