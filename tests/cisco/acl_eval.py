"""Cisco IOS access lists, read from configuration text and judged packet by packet.

Written for the tests alone, from the vendor's command references and from the document "Access
Control Lists and IP Fragments"; shares no code with the compiler. First match; the implicit end
of a list; the implicit neighbour discovery of IPv6 lists; non-initial fragments; an applied list
without entries permits everything; an entry that is there already is ignored. `AclError` is
raised for every line of a list, group or time range that is not understood: nothing is skipped.
"""

import ipaddress
import re
from dataclasses import dataclass, field

import words

TOP = {4: 2 ** 32 - 1, 6: 2 ** 128 - 1}
NAME_LIMIT = 64            # of lists and groups, as IOS-XE has it
REMARK_LIMIT = 100
PORT_LIMIT = 10            # ports behind one `eq`
SEQUENCE_LIMIT = 2 ** 31 - 1


class AclError(Exception):
    """A line that a router would not take, or that this reader does not know."""


@dataclass(frozen=True)
class Packet:
    """What a list sees of a packet. `port` of ICMP is the type. Later fragments have neither
    ports nor flags. `minute` counts from Monday 00:00."""

    family: int
    source: int
    destination: int
    protocol: int
    port: int = 0
    source_port: int = 0
    code: int = 0
    flags: int = 0
    is_fragment: bool = False
    minute: int = 0


# --- addresses -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wild:
    """Value and wildcard: bits set in the wildcard are not compared."""

    value: int
    wildcard: int

    def holds(self, address):
        return (address ^ self.value) & ~self.wildcard == 0

    def edges(self):
        """The first and the last address of each run; of all, where a mask has many holes."""
        tail = (self.wildcard ^ (self.wildcard + 1)) >> 1
        holes = [1 << bit for bit in range(128) if (self.wildcard & ~tail) >> bit & 1]
        if len(holes) > 6:
            return [(self.value & ~self.wildcard, self.value | self.wildcard)]
        starts = [self.value & ~self.wildcard]
        for hole in holes:
            starts += [start | hole for start in starts]
        return [(start, start | tail) for start in starts]


@dataclass(frozen=True)
class Span:
    """An address range of an object group."""

    low: int
    high: int

    def holds(self, address):
        return self.low <= address <= self.high

    def edges(self):
        return [(self.low, self.high)]


@dataclass(frozen=True)
class Union:
    """The members of an object group."""

    members: tuple

    def holds(self, address):
        return any(member.holds(address) for member in self.members)

    def edges(self):
        return [edge for member in self.members for edge in member.edges()]


def number_of(text, family):
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise AclError(f"no address: {text}") from error
    if address.version != family:
        raise AclError(f"address of the other family: {text}")
    return int(address)


def prefix(text):
    """An IPv6 prefix; a router folds host bits."""
    try:
        network = ipaddress.IPv6Network(text, strict=False)
    except ValueError as error:
        raise AclError(f"no prefix: {text}") from error
    if "/" not in text:
        raise AclError(f"a prefix has a length: {text}")
    return Wild(int(network.network_address), int(network.hostmask))


# --- services ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ports:
    """Port intervals; of `neq` two."""

    intervals: tuple

    def holds(self, port):
        return any(low <= port <= high for low, high in self.intervals)


@dataclass(frozen=True)
class Transport:
    """What an entry, or a member of a service group, says above the network layer."""

    protocol: int = None                # None: every protocol
    source_ports: Ports = None
    ports: Ports = None
    icmp: tuple = None                  # (type,) or (type, code)
    flags: tuple = None                 # (is_all, flags set, flags clear)

    def is_deep(self):
        """Whether it asks about what only first fragments show."""
        return any((self.source_ports, self.ports, self.icmp, self.flags))

    def holds_protocol(self, packet):
        return self.protocol is None or packet.protocol == self.protocol

    def holds(self, packet):
        """Whether it holds a packet that is no later fragment."""
        if not self.holds_protocol(packet):
            return False
        if self.source_ports and not self.source_ports.holds(packet.source_port):
            return False
        if self.ports and not self.ports.holds(packet.port):
            return False
        if self.icmp and self.icmp != (packet.port, packet.code)[:len(self.icmp)]:
            return False
        return not self.flags or self.holds_flags(packet.flags)

    def holds_flags(self, flags):
        is_all, present, absent = self.flags
        signs = [bool(flags & bit) for bit in bits(present)] + [not flags & bit for bit in bits(absent)]
        return all(signs) if is_all else any(signs)


def bits(mask):
    return [1 << index for index in range(6) if mask >> index & 1]


ESTABLISHED = (False, words.FLAGS["ack"] | words.FLAGS["rst"], 0)


# --- entries and lists ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """One permit or deny. `key` is what makes it the same as another."""

    family: int
    is_permit: bool
    transports: tuple
    source: object
    destination: object
    is_fragments: bool = False
    time_range: object = None
    reflect: str = None
    sequence: int = field(default=0, compare=False)
    is_logged: bool = field(default=False, compare=False)
    cookie: str = field(default=None, compare=False)
    text: str = field(default="", compare=False)

    def holds(self, packet):
        if not self.source.holds(packet.source) or not self.destination.holds(packet.destination):
            return False
        if self.time_range and not self.time_range.holds(packet.minute):
            return False
        return self.holds_transport(packet)

    def holds_transport(self, packet):
        if packet.is_fragment:
            return any(self.holds_fragment(transport, packet) for transport in self.transports)
        return not self.is_fragments and any(transport.holds(packet) for transport in self.transports)

    def holds_fragment(self, transport, packet):
        """A later fragment: a permit's ports cannot be looked at and count as met, a denial
        that asks for ports is passed over; `fragments` speaks of nothing else."""
        if not transport.holds_protocol(packet):
            return False
        return self.is_fragments or self.is_permit or not transport.is_deep()


@dataclass(frozen=True)
class Evaluate:
    """The place of a reflexive list's entries."""

    name: str
    sequence: int = field(default=0, compare=False)
    text: str = field(default="", compare=False)


class AccessList:
    """Entries in the order in which a router asks them."""

    def __init__(self, name, family):
        self.name = name
        self.family = family
        self.entries = []
        self.remarks = []

    def add(self, entry):
        """As a router takes a line: numbered ones go to their place, others to the end; what is
        there already is ignored. Gives whether the list changed."""
        if entry in self.entries:
            return False
        if entry.sequence == 0:
            number = self.entries[-1].sequence + 10 if self.entries else 10
            entry = with_sequence(entry, number)
        if not 0 < entry.sequence <= SEQUENCE_LIMIT:
            raise AclError(f"{self.name}: no sequence number: {entry.text}")
        if not self.entries or entry.sequence > self.entries[-1].sequence:
            self.entries.append(entry)
            return True
        if any(other.sequence == entry.sequence for other in self.entries):
            raise AclError(f"{self.name}: the number is taken: {entry.text}")
        at = sum(other.sequence < entry.sequence for other in self.entries)
        self.entries.insert(at, entry)
        return True

    def find(self, packet, reflected=None):
        """The entry that decides, or None for the implicit end. reflected: {name: transports'
        tuples (protocol, source, source port, destination, port)} of what was let out."""
        for entry in self.entries:
            if isinstance(entry, Evaluate):
                if flow_of(packet) in (reflected or {}).get(entry.name, ()):
                    return entry
            elif entry.holds(packet):
                return entry
        return None

    def permits(self, packet, reflected=None):
        if packet.family != self.family:
            raise ValueError("a packet of the other family")
        if not self.entries:
            return True                  # what a router does with an empty applied list
        entry = self.find(packet, reflected)
        if entry is None:
            return self.family == 6 and is_neighbour_discovery(packet)
        return isinstance(entry, Evaluate) or entry.is_permit


def with_sequence(entry, number):
    values = {name: getattr(entry, name) for name in entry.__dataclass_fields__}
    return type(entry)(**{**values, "sequence": number})


def flow_of(packet):
    return (packet.protocol, packet.source, packet.source_port, packet.destination, packet.port)


def is_neighbour_discovery(packet):
    """What the implicit end of an IPv6 list permits: nd-na and nd-ns."""
    return packet.protocol == words.ICMP6 and packet.port in (135, 136) and not packet.is_fragment


# --- time ranges ----------------------------------------------------------------------------------


class TimeRange:
    """Minutes of the week; `absolute` lines are kept as text. The documents do not say whether the
    minute behind `to` is inside: `is_end_inside` chooses the reading, for all."""

    is_end_inside = True

    def __init__(self, name):
        self.name = name
        self.spans = []
        self.absolute = None

    def __eq__(self, other):
        return isinstance(other, TimeRange) and self.name == other.name

    def __hash__(self):
        return hash(self.name)

    def holds(self, minute):
        end = int(not TimeRange.is_end_inside)
        return not self.spans or any(low <= minute <= high - end for low, high in self.spans)

    def last_minutes(self):
        """Those of which the two readings think differently."""
        return {high for _, high in self.spans}

    def take(self, line):
        if re.fullmatch(r"absolute( start \d?\d:\d\d \d+ [A-Z][a-z]+ \d{4})?"
                        r"( end \d?\d:\d\d \d+ [A-Z][a-z]+ \d{4})?", line) and line != "absolute":
            if self.absolute:
                raise AclError(f"a second absolute line: {line}")
            self.absolute = line
            return
        match = re.fullmatch(r"periodic ((?:[A-Za-z]+ )+)(\d?\d):(\d\d) to (?:([A-Za-z]+) )?(\d?\d):(\d\d)",
                             line)
        if not match:
            raise AclError(f"time range: {line}")
        days, first, until, last = match[1].split(), clock(match[2], match[3]), match[4], clock(
            match[5], match[6])
        if until:
            self.add_long(days, first, until, last)
            return
        if last < first:
            raise AclError(f"a period that ends before it begins: {line}")
        named = words.DAY_SETS.get(days[0].lower()) if len(days) == 1 else None
        for day in named or days:
            self.spans.append((day_of(day) * 1440 + first, day_of(day) * 1440 + last))

    def add_long(self, days, first, until, last):
        """From one day to another, perhaps over the week's end."""
        if len(days) != 1:
            raise AclError("several days before an end on another day")
        low, high = day_of(days[0]) * 1440 + first, day_of(until) * 1440 + last
        if low <= high:
            self.spans.append((low, high))
        else:
            self.spans += [(low, 7 * 1440), (0, high)]    # the week's last minute is no end


def clock(hour, minute):
    if int(hour) > 23 or int(minute) > 59:
        raise AclError(f"no time: {hour}:{minute}")
    return int(hour) * 60 + int(minute)


def day_of(name):
    if name.capitalize() not in words.DAYS:
        raise AclError(f"no day: {name}")
    return words.DAYS.index(name.capitalize())
