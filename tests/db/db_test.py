#!/usr/bin/env python3
"""The port database against its sources, with a reader of its own.

    db_test.py [FWC]

rows.tsv holds the rows of the two port tables; decisions.tsv says what was decided where a row
names no protocol, errs, or disagrees with another. UPDATE=1 writes roles.golden."""
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PROFILES = HERE.parent.parent / "profiles"
PROTOCOLS = {"gre": "47/ip", "esp": "50/ip", "ah": "51/ip"}
ICMP = {"echo-request/icmp": "8/icmp", "echo-request/icmp6": "128/icmp6"}
STATUSES = {"current", "unofficial", "historic", "insecure"}
DOCUMENTS = ("ports-reseau", "cisco-vpn-and-port-list")
OUTSIDE = {"rpc-dynamic-legacy", "rpc-dynamic"}

passed = 0
failures = []


def check(holds, message):
    global passed
    if holds:
        passed += 1
    else:
        failures.append(message)
        print("FAIL", message)


class Service:
    def __init__(self, name, place):
        self.name, self.place = name, place
        self.description = self.status = self.helper = None
        self.aliases, self.tags, self.sources = [], [], []
        self.literals, self.includes = [], []


TOKEN = re.compile(r'\s+|#[^\n]*|"([^"\n]*)"|([{};,])|([^\s{};,"#]+)')


def tokens(text, place):
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            sys.exit(f"{place}: no token at byte {at}: {text[at:at + 30]!r}")
        at = match.end()
        if match.group(1) is not None:
            yield "string", match.group(1)
        elif match.group(2) or match.group(3):
            yield "word", match.group(2) or match.group(3)


def pairs_of_literal(word):
    """'53/tcp+udp' to its pairs; a word that is no literal gives none."""
    if word in ICMP:
        return [ICMP[word]]
    match = re.fullmatch(r"(\d+(?:-\d+)?)/([a-z0-9+]+)", word)
    return [f"{match.group(1)}/{protocol}" for protocol in match.group(2).split("+")] if match else []


def read(path):
    stream = list(tokens(path.read_text(encoding="utf-8"), path.name))
    at = 0
    while at < len(stream):
        if stream[at] == ("word", ";"):
            at += 1
            continue
        if stream[at] != ("word", "service"):
            sys.exit(f"{path.name}: 'service' expected, not {stream[at]}")
        service = Service(stream[at + 1][1], path.name)
        at += 2
        if stream[at][0] == "string":
            service.description = stream[at][1]
            at += 1
        if stream[at] == ("word", "="):
            sys.exit(f"{path.name}: {service.name}: the database uses blocks only")
        at += 1
        while stream[at] != ("word", "}"):
            statement = []
            while stream[at] not in (("word", ";"), ("word", "}")):
                statement.append(stream[at])
                at += 1
            if stream[at] == ("word", ";"):
                at += 1
            if statement:
                add_property(service, statement)
        at += 1
        yield service


def add_property(service, statement):
    kind, first = statement[0]
    values = [value for value in (item[1] for item in statement[1:]) if value != ","]
    if kind == "word" and first in ("alias", "tag", "status", "source", "helper") and values:
        if first == "alias":
            service.aliases += values
        elif first == "tag":
            service.tags += values
        elif first == "source":
            service.sources += values
        elif first == "status":
            check(service.status is None, f"{service.name}: one status")
            service.status = values[0]
        else:
            service.helper = values[0]
        return
    for kind, value in statement:
        if value == ",":
            continue
        literal = pairs_of_literal(value) if kind == "word" else []
        if literal:
            service.literals += literal
        else:
            service.includes.append(value)


def order(pair):
    ports, protocol = pair.split("/")
    return (protocol, *(int(number) for number in ports.split("-")))


def span(pair):
    ports, protocol = pair.split("/")
    low, _, high = ports.partition("-")
    return protocol, int(low), int(high or low)


def joined(pairs):
    """Pairs with overlapping and touching ranges joined, for comparisons."""
    result = []
    for protocol, low, high in sorted(span(pair) for pair in pairs):
        if result and result[-1][0] == protocol and low <= result[-1][2] + 1:
            result[-1][2] = max(result[-1][2], high)
        else:
            result.append([protocol, low, high])
    return [tuple(item) for item in result]


def covered(pair, by):
    protocol, low, high = span(pair)
    return any(p == protocol and a <= low and high <= b for p, a, b in map(span, by))


def table(name):
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def read_services():
    services, folded, tags = {}, {}, {}
    built = set(re.findall(r"'([^']+\.fw)'", (PROFILES / "meson.build").read_text()))
    check(built == {path.name for path in PROFILES.glob("*.fw")}, "meson.build lists every file")
    for path in sorted(PROFILES.glob("*.fw")):
        for service in read(path):
            for name in [service.name] + service.aliases:
                other = folded.get(name.lower())
                check(other is None, f"{service.place}: {service.name}: '{name}' is also "
                                     f"{other.name + ' of ' + other.place if other else ''}")
                folded[name.lower()] = service
            services[service.name] = service
            for tag in service.tags:
                tags.setdefault(tag.lower(), []).append(service)
    for tag, members in tags.items():
        check(tag not in folded, f"tag {tag} is also a service or alias, {members[0].place}")
    return services, folded, tags


def resolve(service, folded, path=()):
    """All pairs of a service, literals and included services."""
    if service.name in path:
        sys.exit("cycle: " + " > ".join(path + (service.name,)))
    pairs = set(service.literals)
    for name in service.includes:
        other = folded.get(name.lower())
        check(other is not None, f"{service.place}: {service.name}: no service '{name}'")
        if other:
            pairs |= resolve(other, folded, path + (service.name,))
    return pairs


def members(service, folded):
    """The services that one is made of, itself included."""
    result = {service.name}
    for name in service.includes:
        if name.lower() in folded:
            result |= members(folded[name.lower()], folded)
    return result


def row_pairs(row, decisions):
    document, line, ports, protocols = row[:4]
    if (document, line) in decisions:
        return decisions[document, line][0]
    if ports == "-":
        return [PROTOCOLS[protocols]]
    return [f"{port}/{protocol}" for port in ports.split(",") for protocol in protocols.split("+")]


def check_rows(rows, decisions, services):
    owners = {}
    for service in services.values():
        for source in service.sources:
            if source.startswith(DOCUMENTS):
                owners.setdefault(source, []).append(service)
    known = set()
    for row in rows:
        key = (row[0], row[1])
        source = ":".join(key)
        known.add(source)
        here = owners.get(source, [])
        pairs = row_pairs(row, decisions)
        names = [service.name for service in here]
        if key in decisions:
            where = sorted(names) == sorted(decisions[key][1])
            # A decision settles protocols; it never changes ports.
            numbers = {pair.split("/")[0] for pair in pairs}
            where = where and (row[2] == "-" or numbers == set(row[2].split(",")))
            if row[3] not in ("?",):
                written = {f"{p}/{q}" for p in row[2].split(",") for q in row[3].split("+")}
                where = where and written == set(pairs)
        else:
            where = len(here) == 1
        held = {pair for service in here for pair in service.literals}
        check(where and held >= set(pairs) and "?" not in "".join(pairs),
              f"row {source} {row[2]}/{row[3]}: at {names}, which hold {sorted(held)}")
        for service in here:
            check(set(pairs) & set(service.literals),
                  f"row {source} gives nothing to {service.name}")
    for source in owners:
        check(source in known, f"source {source} is no row")


def check_entry(service, rows, decisions):
    what = f"{service.place}: {service.name}"
    check(service.status in STATUSES, f"{what}: a status")
    check(bool(service.sources), f"{what}: a source")
    check(bool(service.description), f"{what}: a description")
    check(len(set(service.sources)) == len(service.sources), f"{what}: no source twice")
    check(bool(service.literals or service.includes), f"{what}: something to listen on")
    sourced, is_role = set(), False
    for source in service.sources:
        prefix, _, rest = source.partition(":")
        if prefix in DOCUMENTS:
            for row in rows:
                if row[0] == prefix and row[1] == rest:
                    sourced |= set(row_pairs(row, decisions))
        elif prefix == "role":
            is_role = True
            for row in rows:
                if row[4] == rest:
                    sourced |= set(row_pairs(row, decisions))
        else:
            check(prefix in ("iana", "rfc", "vendor"), f"{what}: what is source '{source}'?")
            named = pairs_of_literal(rest.split(":")[-1])
            check(bool(named), f"{what}: source '{source}' names no pair")
            check(set(named) <= set(service.literals), f"{what}: '{source}' names a pair of others")
            sourced |= set(named)
    for pair in service.literals:
        check(pair in sourced, f"{what}: no source for {pair}")
    check(is_role or not service.includes or not service.literals, f"{what}: role or entry, not both")


def check_doubtful(services, folded, tags):
    doubtful = {service.name for service in services.values() if service.status == "unofficial"}
    for tag, carriers in tags.items():
        for service in carriers:
            inside = members(service, folded)
            check(not inside & doubtful, f"tag {tag}: {service.name} is doubtful")
            check(not inside & OUTSIDE, f"tag {tag}: {service.name} has dynamic ports")
    for service in services.values():
        if not service.includes:
            continue
        inside = members(service, folded)
        check(not inside & doubtful, f"role {service.name}: {sorted(inside & doubtful)} is doubtful")
        check("rpc-dynamic-legacy" not in inside, f"role {service.name}: the old dynamic range")


def check_roles(rows, decisions, services, folded):
    """Each system service of the rows has one role with exactly its pairs, doubtful ones apart."""
    doubtful, sure = set(), set()
    for service in services.values():
        (doubtful if service.status == "unofficial" else sure).update(service.literals)
    wanted = {}
    for row in rows:
        if row[4]:
            wanted.setdefault(row[4], set()).update(row_pairs(row, decisions))
    for label, pairs in wanted.items():
        if pairs == {"1024-65534/tcp"}:
            check(services["rpc-dynamic-legacy"].literals == ["1024-65534/tcp"], "the old range")
            continue
        roles = [s for s in services.values() if f"role:{label}" in s.sources]
        check(len(roles) == 1, f"system service '{label}': {len(roles)} roles")
        pairs -= doubtful - sure
        for role in roles:
            held = resolve(role, folded)
            check(held == pairs, f"role {role.name}: {sorted(held ^ pairs)} differ from '{label}'")
            shown = label.replace("\\", "")
            check(shown.lower() in role.description.lower(), f"role {role.name}: the label is lost")
    golden = ""
    for service in sorted(services.values(), key=lambda s: s.name):
        if any(source.startswith("role:") for source in service.sources):
            golden += service.name + "\t" + " ".join(sorted(resolve(service, folded), key=order)) + "\n"
    path = HERE / "roles.golden"
    if os.environ.get("UPDATE"):
        path.write_text(golden)
    check(path.exists() and path.read_text() == golden, "roles.golden differs")


def check_known(services, folded, tags):
    """Facts that other documents and tests lean on."""
    facts = {
        "kerberos": "88/tcp 88/udp", "dns": "53/tcp 53/udp", "domain": "53/tcp 53/udp",
        "ntp": "123/udp", "http": "80/tcp", "www": "80/tcp", "https": "443/tcp 443/udp",
        "ssh": "22/tcp", "sftp": "115/tcp", "syslog": "514/udp", "shell": "514/tcp",
        "ping": "8/icmp 128/icmp6", "dhcp": "67/udp", "dhcp-tcp": "67/tcp", "smtp-udp": "25/udp",
        "rdp": "3389/tcp 3389/udp", "ipsec": "500/udp 4500/udp 50/ip", "smb": "445/tcp",
        "rpc-dynamic": "49152-65535/tcp", "rpc-dynamic-legacy": "1024-65534/tcp",
        "914c/g": "211/tcp", "steam": "27000-27050/tcp 27000-27050/udp", "bacnet": "47808-47823/udp",
        "gre": "47/ip", "esp": "50/ip", "ah": "51/ip", "3com-tsmux": "106/tcp",
    }
    for name, pairs in facts.items():
        service = folded.get(name)
        check(service is not None and resolve(service, folded) == set(pairs.split()),
              f"{name} is not {pairs}")
    check({s.name for s in tags["web"]} == {"http", "https"}, "tag web is http and https")
    check({s.name for s in tags["p2p"]} == {
        "fasttrack", "direct-connect", "soulseek", "edonkey", "overnet", "gnutella", "gnutella2",
        "kad", "opennap", "bittorrent", "bittorrent-range", "bittorrent-modern",
        "bittorrent-tracker", "bittorrent-lsd", "qbittorrent", "ipfs"},
        "tag p2p is the ten networks of the table and today's")
    for name, helper in (("ftp", "ftp"), ("tftp", "tftp"), ("sip", "sip")):
        check(services[name].helper == helper, f"{name} has no helper")
    check(len(services) >= 1000, f"at least 1000 services, not {len(services)}")


def check_binary(program, services, folded):
    """The compiler reads every entry as this reader does."""
    run = subprocess.run([program, "service", "list", "--json"], capture_output=True, check=False)
    if run.returncode != 0:
        check(False, f"{program} service list --json: status {run.returncode}, "
                     + run.stderr.decode("utf-8", "replace")[:200])
        return
    listed = json.loads(run.stdout)
    if isinstance(listed, dict):
        listed = listed["services"]
    listed = {item["name"]: item for item in listed if item.get("kind") != "tag"}
    check(set(listed) == set(services), "listed services differ: "
          + " ".join(sorted(set(listed) ^ set(services))[:10]))
    for name in set(listed) & set(services):
        service, item = services[name], listed[name]
        mine = {
            "description": service.description, "aliases": service.aliases, "tags": service.tags,
            "status": service.status, "helper": service.helper, "sources": service.sources,
            "includes": [i.lower() for i in service.includes],
            "pairs": joined(resolve(service, folded)),
        }
        theirs = {key: item.get(key) for key in mine}
        theirs["pairs"] = joined(item["pairs"])
        theirs["helper"] = theirs["helper"] or None
        theirs["includes"] = [name.lower() for name in theirs["includes"] or []]
        check(mine == theirs, f"fwc lists {name} otherwise: "
              + "; ".join(f"{k}: {theirs[k]!r} for {mine[k]!r}" for k in mine if mine[k] != theirs[k]))


def main():
    rows = table("rows.tsv")
    decisions = {(r[0], r[1]): (r[2].split(","), r[3].split(",")) for r in table("decisions.tsv")}
    services, folded, tags = read_services()
    check(len(rows) == 596, f"596 rows, not {len(rows)}")
    for key in decisions:
        check(any((r[0], r[1]) == key for r in rows), f"decision on {key}: no such row")
    check_rows(rows, decisions, services)
    for service in services.values():
        check_entry(service, rows, decisions)
    check_doubtful(services, folded, tags)
    check_roles(rows, decisions, services, folded)
    check_known(services, folded, tags)
    if len(sys.argv) > 1 and os.path.exists(sys.argv[1]):
        check_binary(sys.argv[1], services, folded)
    print(f"{len(services)} services, {len(tags)} tags")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
