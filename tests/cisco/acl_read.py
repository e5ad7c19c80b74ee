"""Reads a router's configuration text into lists, groups, time ranges and interfaces.

Lists, groups and time ranges are read strictly. Other commands are kept as they stand, for the
tests that look at them: `commands` maps a head line to its lines.
"""

import re
from dataclasses import dataclass, field

import acl_eval
import words
from acl_eval import (AccessList, AclError, Entry, Evaluate, Packet, Ports, Span, TimeRange,
                      Transport, Union, Wild, number_of, prefix)

__all__ = ["Configuration", "Interface", "Packet", "devices_of", "is_extended_number"]

KEYWORDS = ("reflect", "fragments", "time-range", "log-input", "established", "sequence")
LIST_NAME = re.compile(r"[A-Za-z][!-~]*")


@dataclass
class Interface:
    """What is bound to an interface, and its other lines."""

    name: str
    lists: dict = field(default_factory=dict)    # (family, "in" or "out"): name
    addresses: list = field(default_factory=list)
    nat: str = None
    crypto_map: str = None
    lines: list = field(default_factory=list)


def is_extended_number(name):
    return name.isdigit() and (100 <= int(name) <= 199 or 2000 <= int(name) <= 2699)


def devices_of(text):
    """{name: configuration text} of `! device NAME` headers; without one {None: text}."""
    parts = re.split(r"^! device (\S+)[^\n]*\n", text, flags=re.M)
    if len(parts) == 1:
        return {None: text}
    return dict(zip(parts[1::2], parts[2::2]))


class Configuration:
    """One router's text."""

    def __init__(self, text):
        self.lists = {}          # (family, name): AccessList
        self.groups = {}         # name: Union of places, or tuple of transports
        self.time_ranges = {}
        self.interfaces = {}
        self.commands = {}       # head: lines
        self.globals = []        # heads without lines, in order
        self.mode = None
        for number, line in enumerate(text.splitlines(), 1):
            try:
                self.take(line)
            except AclError as error:
                raise AclError(f"line {number}: {line.strip()}: {error}") from None
        self.check_uses()

    # --- lines ---

    def take(self, line):
        if not line.isprintable() or not line.isascii():
            raise AclError("not printable ASCII")
        bare = line.strip()
        if not bare or bare.startswith("!"):
            return
        if line[0] == " " and self.mode:
            self.mode(bare)
        elif line[0] == " ":
            raise AclError("a line below nothing")
        else:
            self.head(bare)

    def head(self, line):
        self.mode = None
        parts = line.split()
        if parts[:3] == ["ip", "access-list", "extended"] and len(parts) == 4:
            acl = self.list_of(4, parts[3])
            self.mode = lambda bare: self.list_line(acl, bare)
        elif parts[:2] == ["ipv6", "access-list"] and len(parts) == 3:
            acl = self.list_of(6, parts[2])
            self.mode = lambda bare: self.list_line(acl, bare)
        elif parts[0] == "access-list":
            self.numbered(parts, line)
        elif parts[0] == "object-group" and len(parts) == 3:
            self.group(parts[1], parts[2])
        elif parts[0] == "time-range" and len(parts) == 2:
            self.mode = self.time_ranges.setdefault(parts[1], TimeRange(parts[1])).take
        elif parts[0] == "interface":
            self.interface(line.split(None, 1)[1])
        elif re.match(r"(ip|ipv6) access-list\b|no (ip|ipv6) access-list\b|no access-list\b", line):
            raise AclError("a command about lists that is not known")
        else:
            self.other(line)

    def other(self, line):
        self.globals.append(line)
        below = self.commands.setdefault(line, [])
        self.mode = below.append

    def list_of(self, family, name):
        if name.isdigit() and (family == 6 or not is_extended_number(name)):
            raise AclError("no number of an extended list")
        if not name.isdigit() and (not LIST_NAME.fullmatch(name)
                                   or len(name) > acl_eval.NAME_LIMIT):
            raise AclError("no name of a list")
        for (other, taken) in self.lists:
            if taken == name and other != family:
                raise AclError("the name of a list of the other family")
        return self.lists.setdefault((family, name), AccessList(name, family))

    def numbered(self, parts, line):
        if len(parts) < 3 or not is_extended_number(parts[1]):
            raise AclError("no numbered extended list")
        if parts[2] not in ("permit", "deny", "remark"):
            raise AclError("neither permit nor deny nor remark")
        self.list_line(self.list_of(4, parts[1]), line.split(None, 2)[2])

    def list_line(self, acl, line):
        reader = Line(self, acl.family, acl.name.isdigit(), line)
        if reader.is_remark():
            text = reader.remark()
            if len(text) > acl_eval.REMARK_LIMIT:
                raise AclError("a remark of more than 100 characters")
            acl.remarks.append(text)
        else:
            acl.add(reader.entry())

    # --- groups ---

    def group(self, kind, name):
        if name in self.groups:
            raise AclError("a second group of this name")
        if kind in ("service", "v6-service"):
            family = 4 if kind == "service" else 6
            self.groups[name] = ()
            self.mode = lambda line: self.service_member(name, family, line)
        elif kind in ("network", "v6-network"):
            family = 4 if kind == "network" else 6
            self.groups[name] = Union(())
            self.mode = lambda line: self.network_member(name, family, line)
        else:
            raise AclError("a group of an unknown kind")

    def network_member(self, name, family, line):
        if line.startswith("description "):
            return
        parts = line.split()
        if parts[0] == "host" and len(parts) == 2:
            member = Wild(number_of(parts[1], family), 0)
        elif parts[0] == "range" and len(parts) == 3:
            member = Span(number_of(parts[1], family), number_of(parts[2], family))
            if member.high < member.low:
                raise AclError("a range that ends before it begins")
        elif parts == ["any"]:
            member = Wild(0, acl_eval.TOP[family])
        elif parts[0] == "group-object" and len(parts) == 2:
            member = self.group_named(parts[1], Union)
        elif family == 6 and len(parts) == 1:
            member = prefix(parts[0])
        elif family == 4 and len(parts) == 2:
            member = Wild(number_of(parts[0], 4), wildcard_of_netmask(parts[1]))
        else:
            raise AclError("no member of a network group")
        self.groups[name] = Union(self.groups[name].members + (member,))

    def service_member(self, name, family, line):
        if line.startswith("description "):
            return
        if line.startswith("group-object "):
            members = self.group_named(line.split()[1], tuple)
        else:
            members = Line(self, family, False, line).service_member()
        self.groups[name] += tuple(members)

    def group_named(self, name, kind):
        group = self.groups.get(name)
        if not isinstance(group, kind):
            raise AclError(f"no group {name} of this kind")
        if not (group.members if kind is Union else group):
            raise AclError(f"group {name} is empty")
        return group

    # --- interfaces ---

    def interface(self, name):
        interface = self.interfaces.setdefault(name, Interface(name))
        self.mode = lambda line: self.interface_line(interface, line)

    def interface_line(self, interface, line):
        interface.lines.append(line)
        parts = line.split()
        if parts[:2] in (["ip", "access-group"], ["ipv6", "traffic-filter"]):
            family = 4 if parts[0] == "ip" else 6
            if len(parts) != 4 or parts[3] not in ("in", "out"):
                raise AclError("no binding of a list")
            if (family, parts[3]) in interface.lists:
                raise AclError("a second list there")
            interface.lists[family, parts[3]] = parts[2]
        elif parts[:2] == ["ip", "address"] and len(parts) in (4, 5):
            bits = bin(acl_eval.TOP[4] ^ wildcard_of_netmask(parts[3])).count("1")
            interface.addresses.append(f"{parts[2]}/{bits}")
        elif parts[:2] == ["ipv6", "address"] and len(parts) == 3:
            interface.addresses.append(parts[2])
        elif parts[:2] == ["ip", "nat"] and parts[2:] in (["inside"], ["outside"]):
            interface.nat = parts[2]
        elif parts[:2] == ["crypto", "map"]:
            interface.crypto_map = parts[2]

    def check_uses(self):
        """What is bound must be there: a missing list permits everything."""
        for interface in self.interfaces.values():
            for (family, _), name in interface.lists.items():
                acl = self.lists.get((family, name))
                if acl is None or not acl.entries:
                    raise AclError(f"{interface.name} has the list {name}, which permits everything")


def wildcard_of_netmask(text):
    wildcard = acl_eval.TOP[4] ^ number_of(text, 4)
    if wildcard & (wildcard + 1):
        raise AclError(f"no netmask: {text}")
    return wildcard


class Line:
    """The words of one line of a list."""

    def __init__(self, configuration, family, is_numbered, text):
        self.configuration = configuration
        self.family = family
        self.is_numbered = is_numbered
        self.text = text
        self.words = text.split()
        self.at = 0

    def peek(self):
        return self.words[self.at] if self.at < len(self.words) else None

    def next(self):
        word = self.peek()
        if word is None:
            raise AclError("the line ends too early")
        self.at += 1
        return word

    def take(self, *options):
        if self.peek() in options:
            self.at += 1
            return True
        return False

    def number(self, low, high):
        word = self.next()
        if not word.isdigit() or not low <= int(word) <= high:
            raise AclError(f"no number from {low} to {high}: {word}")
        return int(word)

    # --- remarks, sequence numbers ---

    def is_remark(self):
        return "remark" in self.words[:1] or (self.family == 6 and self.words[0] == "sequence"
                                              and "remark" in self.words[2:3])

    def remark(self):
        return self.text.split(None, 1)[1] if self.words[0] == "remark" and len(self.words) > 1 else ""

    def sequence(self):
        """`N` before an IPv4 entry, `sequence N` at either end of an IPv6 one."""
        if self.family == 4 and (self.peek() or "").isdigit():
            return self.number(1, acl_eval.SEQUENCE_LIMIT)
        if self.family == 6 and self.take("sequence"):
            return self.number(1, acl_eval.SEQUENCE_LIMIT)
        return 0

    # --- entries ---

    def entry(self):
        sequence = self.sequence()
        if self.take("evaluate"):
            name = self.next()
            sequence = sequence or self.sequence()
            self.end()
            return Evaluate(name, sequence, self.text)
        action = self.next()
        if action not in ("permit", "deny"):
            raise AclError("neither permit nor deny")
        values = self.body()
        values["sequence"] = sequence or values["sequence"]
        self.end()
        return Entry(self.family, action == "permit", text=self.text, **values)

    def end(self):
        if self.peek() is not None:
            raise AclError(f"not understood: {' '.join(self.words[self.at:])}")

    def body(self):
        if self.take("object-group"):
            transports = self.configuration.group_named(self.next(), tuple)
            source, destination = self.place(), self.place()
            options = self.options(None)
            del options["flags"]
            return {"transports": transports, "source": source, "destination": destination, **options}
        protocol = self.protocol()
        source = self.place()
        source_ports = self.ports(protocol)
        destination = self.place()
        ports = self.ports(protocol)
        icmp = self.icmp(protocol)
        options = self.options(protocol)
        transport = Transport(protocol, source_ports, ports, icmp, options.pop("flags"))
        if options["is_fragments"] and transport.is_deep():
            raise AclError("fragments with ports, types or flags")
        return {"transports": (transport,), "source": source, "destination": destination, **options}

    def protocol(self):
        word = self.next()
        if word == ("ip" if self.family == 4 else "ipv6"):
            return None
        if word.isdigit() and 1 <= int(word) <= 255:
            return int(word)
        known = words.PROTOCOLS_V4 if self.family == 4 else words.PROTOCOLS_V6
        if word not in known:
            raise AclError(f"no protocol: {word}")
        return known[word]

    def place(self):
        if self.take("any"):
            return Wild(0, acl_eval.TOP[self.family])
        if self.take("host"):
            return Wild(number_of(self.next(), self.family), 0)
        if self.take("object-group"):
            return self.configuration.group_named(self.next(), Union)
        if self.family == 6:
            return prefix(self.next())
        value, wildcard = number_of(self.next(), 4), number_of(self.next(), 4)
        return Wild(value & ~wildcard & acl_eval.TOP[4], wildcard)

    def ports(self, protocol):
        """An operator and its ports, or None."""
        if self.peek() not in ("eq", "neq", "gt", "lt", "range"):
            return None
        if protocol not in words.PORT_WORDS:
            raise AclError("ports of a protocol without ports")
        operator = self.next()
        return Ports(tuple(self.intervals(operator, protocol)))

    def intervals(self, operator, protocol):
        first = self.port(protocol)
        if operator == "range":
            last = self.port(protocol)
            if last < first:
                raise AclError("a range that ends before it begins")
            return [(first, last)]
        if operator == "eq":
            return self.equals(first, protocol)
        around = {"gt": [(first + 1, 65535)], "lt": [(0, first - 1)],
                  "neq": [(0, first - 1), (first + 1, 65535)]}[operator]
        result = [(low, high) for low, high in around if low <= high]
        if not result:
            raise AclError("ports that match nothing")
        return result

    def equals(self, first, protocol):
        ports = [first]
        while self.peek() is not None and self.is_port(self.peek(), protocol):
            ports.append(self.port(protocol))
        if len(ports) > 1 and (self.is_numbered or self.family == 6):
            raise AclError("several ports an eq: IPv4 lists with names only")
        if len(ports) > acl_eval.PORT_LIMIT:
            raise AclError("more than ten ports an eq")
        return [(port, port) for port in ports]

    @staticmethod
    def is_port(word, protocol):
        return word.isdigit() or word in words.PORT_WORDS[protocol]

    def port(self, protocol):
        word = self.next()
        if word.isdigit() and int(word) <= 65535:
            return int(word)
        if word not in words.PORT_WORDS[protocol]:
            raise AclError(f"no port: {word}")
        return words.PORT_WORDS[protocol][word]

    def icmp(self, protocol):
        """A word, or TYPE [CODE], or None."""
        if protocol != (words.ICMP if self.family == 4 else words.ICMP6):
            return None
        known = words.ICMP_V4 if self.family == 4 else words.ICMP_V6
        if self.peek() in known:
            return known[self.next()]
        if not (self.peek() or "").isdigit():
            return None
        kind = self.number(0, 255)
        return (kind, self.number(0, 255)) if (self.peek() or "").isdigit() else (kind,)

    def options(self, protocol):
        """What stands behind the addresses and ports, each once."""
        result = {"flags": None, "is_fragments": False, "time_range": None, "reflect": None,
                  "is_logged": False, "cookie": None, "sequence": 0}
        seen = set()
        while self.peek() is not None:
            word = self.next()
            if word in seen:
                raise AclError(f"twice: {word}")
            seen.add(word)
            self.option(word, protocol, result)
        if result["reflect"] and result["is_fragments"]:
            raise AclError("fragments that are reflected")
        return result

    def option(self, word, protocol, result):
        if word == "established" and protocol == words.TCP:
            result["flags"] = acl_eval.ESTABLISHED
        elif word in ("match-any", "match-all") and protocol == words.TCP:
            result["flags"] = self.flag_list(word == "match-all")
        elif word == "fragments":
            result["is_fragments"] = True
        elif word == "time-range":
            result["time_range"] = self.time_range(self.next())
        elif word == "reflect":
            result["reflect"] = self.next()
            if self.take("timeout"):
                self.number(1, 2147483)
        elif word in ("log", "log-input"):
            result["is_logged"] = True
            if self.peek() not in (None, "time-range", "fragments", "sequence", "reflect"):
                result["cookie"] = self.cookie()
        elif word == "sequence" and self.family == 6:
            result["sequence"] = self.number(1, acl_eval.SEQUENCE_LIMIT)
        else:
            raise AclError(f"no option: {word}")

    def cookie(self):
        """A tag of the log message. A router reads what begins a keyword as that keyword, and
        what begins with 0x as a hash."""
        word = self.next()
        is_safe = re.fullmatch(r"[A-Za-z0-9]{1,64}", word) and not word.lower().startswith("0x")
        if not is_safe or self.family == 6 or any(word.lower() in other for other in KEYWORDS):
            raise AclError(f"no cookie: {word}")
        return word

    def flag_list(self, is_all):
        present = absent = 0
        while (self.peek() or "")[1:] in words.FLAGS and self.peek()[0] in "+-":
            word = self.next()
            bit = words.FLAGS[word[1:]]
            present, absent = (present | bit, absent) if word[0] == "+" else (present, absent | bit)
        if not present and not absent:
            raise AclError("no flags")
        return (is_all, present, absent)

    def time_range(self, name):
        time_range = self.configuration.time_ranges.get(name)
        if time_range is None or not (time_range.spans or time_range.absolute):
            raise AclError(f"no time range {name}")
        return time_range

    # --- members of service groups ---

    def service_member(self):
        if self.take("tcp-udp"):
            at = self.at
            result = []
            for protocol in (words.TCP, words.UDP):
                self.at = at
                result.append(self.service_ports(protocol))
            self.end()
            return result
        protocol = self.protocol()
        if protocol == (words.ICMP if self.family == 4 else words.ICMP6):
            transport = Transport(protocol, icmp=self.icmp(protocol))
        elif protocol in words.PORT_WORDS:
            transport = self.service_ports(protocol)
        else:
            transport = Transport(protocol)
        self.end()
        return [transport]

    def service_ports(self, protocol):
        source = None
        if self.take("source"):
            source = self.group_ports(protocol)
        ports = self.group_ports(protocol) if self.peek() is not None else None
        return Transport(protocol, source, ports)

    def group_ports(self, protocol):
        """As in entries, but one port; the operator may be left out."""
        if self.peek() in ("eq", "gt", "lt", "range"):
            operator = self.next()
        else:
            operator = "eq"
        if operator == "eq":
            port = self.port(protocol)
            return Ports(((port, port),))
        return Ports(tuple(self.intervals(operator, protocol)))
