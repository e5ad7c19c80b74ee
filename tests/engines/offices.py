"""Policies of an office as people write them, from a fixed seed: zones of an interface and a network, or of an
interface alone, networks, hosts and groups; most rules name a zone on one side or on none, and any share of them
logs, counts, limits or has hours. Broad services and places stand between narrow ones."""

import random

SERVICES = ("ssh", "http", "https", "web", "dns", "ntp", "ldap", "ldaps", "kerberos", "smtp", "mail", "imaps",
            "smb", "rdp", "snmp", "syslog", "mysql", "postgresql", "8080/tcp", "8443/tcp", "9090/tcp", "ftp",
            "3128/tcp", "5060/udp", "1194/udp", "ping", "windows", "any/udp", "any/tcp", "9200-9300/tcp",
            "1812-1813/udp", "esp")
DENIED = SERVICES + ("p2p", "any")
GUARDS = ("log", 'log "r{line}"', "during work", "during night", "during backup", "count", "until 2099-03-15")
LIMITS = ("limit 20/minute burst 20", "limit 10/second per source", "limit 10/minute log")
SCHEDULES = ("timezone +01:00;", "schedule work = mon-fri 08:00-18:00;", "schedule night = daily 22:00-06:00;",
             "schedule backup = sat-sun 01:00-05:00;")
FAMILIES = {"IPv4": (0,), "IPv6": (1,), "both families": (0, 1)}


def policy_of(family, count, guarded, has_networks=True, seed=1):
    """guarded: the share of rules. has_networks: zones have them, beside their interface."""
    generator = random.Random(f"{family}/{count}/{seed}")

    def joined(*addresses):
        return ", ".join(addresses[which] for which in FAMILIES[family])

    lines = [*SCHEDULES, "zone wan { interface eth0;" + (" network internet;" if has_networks else "") + " }"]
    zones, places, groups = ["wan"], [], [f"g{number}" for number in range(6)]
    for zone in range(1, max(3, min(10, count // 30)) + 1):
        network = joined(f"10.{zone}.0.0/16", f"2001:db8:{zone:x}::/48")
        lines.append(f"zone z{zone} {{ interface eth{zone};" +
                     (f" network {network};" if has_networks else "") + " }")
        zones.append(f"z{zone}")
        for number in range(3):
            part = generator.randrange(16)
            lines.append(f"network z{zone}n{number} = "
                         + joined(f"10.{zone}.{number}.0/24", f"2001:db8:{zone:x}:{number:x}::/64") + ";")
            lines.append(f"host z{zone}h{number} = "
                         + joined(f"10.{zone}.{part}.{number + 1}", f"2001:db8:{zone:x}:{part:x}::{number + 1:x}")
                         + ";")
            places += [f"z{zone}n{number}", f"z{zone}h{number}"]
    lines += [f"group {group} = {', '.join(generator.sample(places, 4))};" for group in groups]

    def place():
        kind = generator.random()
        return (generator.choice(zones) if kind < 0.35 else generator.choice(groups) if kind < 0.45 else
                ", ".join(generator.sample(places, generator.choice((1, 1, 2)))))

    def target():
        kind = generator.random()
        return "self" if kind < 0.15 else "any" if kind < 0.2 else place()

    for line in range(count):
        verdict = generator.choices(("allow", "deny", "reject"), (16, 4, 1))[0]
        services = generator.sample(SERVICES if verdict == "allow" else DENIED, generator.choice((1, 1, 1, 2, 3)))
        words = [verdict, ", ".join(services)]
        words += ["from " + place()] if generator.random() < 0.9 else []
        words += ["to " + target()] if generator.random() < 0.92 else []
        if generator.random() < guarded:
            words.append(generator.choice(GUARDS + (LIMITS if verdict == "allow" else ())).format(line=line))
        lines.append(" ".join(words) + ";")
    return "\n".join([*lines, "default deny log;"]) + "\n"
