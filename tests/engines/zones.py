"""Policies of zones as networks have them, from a fixed seed: zones of interfaces and networks, hosts with names
(of one family or both), groups, rules in blocks of a pair of zones with several services; a few deny, log, count
or limit. Few pairs of zones have most of the rules."""

import random

SERVICES = ("http", "https", "dns", "ntp", "ssh", "smtp", "imaps", "ldap", "kerberos", "smb", "rdp", "snmp",
            "syslog", "mysql", "postgresql", "redis", "app")
SELDOM = ("8443/tcp", "9100-9103/tcp", "27015/udp", "5000-5999/tcp", "10000-20000/udp", "echo-request/icmp",
          "echo-request/icmp6", "47/ip", "any/tcp")
KINDS = {"zones": ("both",), "zones of interfaces": ("interfaces",), "zones of networks": ("networks",),
         "zones of every kind": ("both", "both", "interfaces", "networks")}
BOTH = frozenset((4, 6))


class Zone:
    def __init__(self, number, kind, hosts_count, generator):
        self.number, self.kind, self.generator = number, kind, generator
        self.networks = [(f"10.{number}.{k}.0/24", {4}) for k in range(generator.randint(1, 4))] + \
                        [(f"fd00:{number:x}:{k:x}::/64", {6}) for k in range(generator.randint(1, 2))]
        self.lines = [self.zone_line()]
        self.hosts = [self.host(k) for k in range(hosts_count)]
        self.groups = [self.group(k) for k in range(max(2, hosts_count // 6))]

    def zone_line(self):
        body = ""
        if self.kind != "networks":
            tagged = f", eth{self.number}.100" if self.generator.random() < 0.2 else ""
            body += f" interface eth{self.number}{tagged};"
        if self.kind != "interfaces":
            body += f" network {', '.join(text for text, _ in self.networks)};"
        return f"zone z{self.number} {{{body} }}"

    def address(self, family, number):
        network = self.generator.choice([text for text, families in self.networks if family in families])
        return network.replace(".0/24", f".{1 + number % 250}").replace("::/64", f"::{number + 1:x}")

    def host(self, number):
        name, kind = f"h{self.number}-{number}", self.generator.random()
        families = {4} if kind < 0.5 else {6} if kind < 0.6 else BOTH
        addresses = ", ".join(self.address(family, number) for family in sorted(families))
        self.lines.append(f"host {name} = {addresses};")
        return name, families

    def group(self, number):
        some = self.generator.sample(self.hosts, self.generator.randint(2, min(8, len(self.hosts))))
        self.lines.append(f"group g{self.number}-{number} = {', '.join(name for name, _ in some)};")
        return f"g{self.number}-{number}", set().union(*(families for _, families in some))

    def place(self):
        """(as it is written, or nothing for the whole zone; its families)"""
        kind = self.generator.random()
        if kind < 0.15:
            return "", BOTH
        if kind < 0.55:
            return self.generator.choice(self.hosts)
        if kind < 0.8:
            return self.generator.choice(self.groups)
        if kind < 0.9:
            return self.generator.choice(self.networks)
        host, group = self.generator.choice(self.hosts), self.generator.choice(self.groups)
        return f"{host[0]}, {group[0]}", host[1] | group[1]


def services_of(generator):
    if generator.random() < 0.03:
        return ["any"]
    count = generator.choice((1, 1, 1, 2, 2, 3, 5))
    return list(dict.fromkeys(generator.choice(SELDOM if generator.random() < 0.15 else SERVICES)
                              for _ in range(count)))


def families_of(services):
    families = set(BOTH)
    for service in services:
        families &= {4} if service.endswith("/icmp") else {6} if service.endswith("/icmp6") else BOTH
    return families


def options_of(generator, verdict):
    kind = generator.random()
    if kind < 0.05:
        return " log"
    if kind < 0.08:
        return " count"
    if kind < 0.1 and verdict == "allow":
        return " limit 10/second" + generator.choice(("", " per source"))
    return " during work" if kind < 0.11 else ""


def rule(generator, source, destination):
    while True:
        (from_, from_families), (to_, to_families) = source.place(), destination.place()
        services = services_of(generator)
        if from_families & to_families & families_of(services):
            break
    verdict = generator.choices(("allow", "deny", "reject"), (85, 10, 5))[0]
    return (f"\t{verdict} {', '.join(services)}" + (f" from {from_}" if from_ else "")
            + (f" to {to_}" if to_ else "") + options_of(generator, verdict) + ";")


def sizes_of(generator, count, pairs):
    weights = [generator.paretovariate(1.2) for _ in pairs]
    return [max(2, int(count * weight / sum(weights))) for weight in weights]


def policy_of(kind, count):
    generator = random.Random(f"{kind} {count}")
    zones_count = max(4, int(count ** 0.5 / 4))
    hosts_count = max(5, max(20, count // 5) // zones_count)
    zones = [Zone(number, KINDS[kind][number % len(KINDS[kind])], hosts_count, generator)
             for number in range(zones_count)]
    lines = ["default deny;", "schedule work = mon-fri 08:00-18:00;", "service app = 8000-8010/tcp, 8443/tcp;"]
    lines += [line for zone in zones for line in zone.lines]
    pairs = [(source, destination) for source in zones for destination in zones if source is not destination]
    generator.shuffle(pairs)
    pairs = pairs[:max(4, min(len(pairs), count // 25))]
    for (source, destination), size in zip(pairs, sizes_of(generator, count, pairs)):
        lines.append(f"from z{source.number} to z{destination.number} {{")
        lines += [rule(generator, source, destination) for _ in range(size)]
        lines.append("}")
    lines += [f"allow ssh, snmp from z{zone.number} to self;" for zone in zones]
    return "\n".join(lines) + "\n"
