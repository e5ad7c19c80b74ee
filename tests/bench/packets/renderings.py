"""One list of rules as the text of every tool that is compared."""

import itertools

import policies

TRACKED = "ct state established,related accept"
INVALID = "ct state invalid drop"
NFT_WORD = {4: "ip", 6: "ip6"}


def verdict_of(rule, allow="accept", deny="drop"):
    return allow if rule.allow else deny


def named_places(rules):
    """Those of several prefixes, each once, in the order of their first use."""
    places = {side.name: side for rule in rules for side in rule[:2] if isinstance(side, policies.Place)}
    return [place for place in places.values() if len(place.prefixes) > 1]


def fwc_places(rules):
    """Zones, and the groups in them."""
    zones = {side.zone.name: side.zone for rule in rules for side in rule[:2]
             if isinstance(side, policies.Place)}
    for zone in zones.values():
        yield f"zone {zone.name} {{ network {', '.join(map(str, zone.prefixes))}; }}"
    for place in named_places(rules):
        if place.name not in zones:
            yield f"group {place.name} = {', '.join(map(str, place.prefixes))};"


def fwc_side(word, side):
    if isinstance(side, policies.Place):
        is_whole = side.name == side.zone.name
        return "" if is_whole else f" {word} {side.name if len(side.prefixes) > 1 else side.prefixes[0]}"
    return f" {word} {side}" if side else ""


def fwc_rule(rule):
    services = ", ".join(f"{low}/{transport}" if low == high else
                         f"any/{transport}" if (low, high) == (0, 65535) else f"{low}-{high}/{transport}"
                         for transport, low, high in rule.services) or "any"
    return (f"{verdict_of(rule, 'allow', 'deny')} {services}"
            f"{fwc_side('from', rule.source)}{fwc_side('to', rule.destination)};")


def zones_of(rule):
    """What stands over the rule's block: nothing where it speaks of no zone."""
    return "".join(f"{word} {side.zone.name} " for word, side in zip(("from", "to"), rule[:2])
                   if isinstance(side, policies.Place))


def fwc_policy(rules):
    """With a block a pair of zones."""
    lines = ["default deny;", *fwc_places(rules)]
    for over, inside in itertools.groupby(rules, zones_of):
        block = list(map(fwc_rule, inside))
        lines += [f"{over}{{", *(f"\t{line}" for line in block), "}"] if over else block
    return "\n".join(lines) + "\n"


def nft_table(family, lines, head=""):
    return (f"table {family} filter {{\n{head}\tchain forward {{\n"
            "\t\ttype filter hook forward priority 0; policy drop;\n"
            + "".join(f"\t\t{line}\n" for line in lines) + "\t}\n}\n")


def nft_ports(service):
    transport, low, high = service
    if (low, high) == (0, 65535):
        return f"meta l4proto {transport}"
    return f"{transport} dport {low}" + (f"-{high}" if high != low else "")


def nft_places(rule):
    words = []
    for word, side in (("saddr", rule.source), ("daddr", rule.destination)):
        if side is not None:
            first = policies.prefixes_of(side)[0]
            is_one = not isinstance(side, policies.Place) or len(side.prefixes) == 1
            words.append(f"{NFT_WORD[first.family]} {word} {first if is_one else '@' + side.name}")
    return words


def nft_sets(rules):
    """A place of several prefixes is a set."""
    types = {4: "ipv4_addr", 6: "ipv6_addr"}
    return "".join(f"\tset {place.name} {{\n\t\ttype {types[place.prefixes[0].family]}\n\t\tflags interval\n"
                   f"\t\telements = {{ {', '.join(map(str, place.prefixes))} }}\n\t}}\n"
                   for place in named_places(rules))


def nft_lines(rules):
    """A line a source, destination and service, as people and line-by-line generators write them."""
    for rule in rules:
        for service in rule.services or (None,):
            words = nft_places(rule) + ([nft_ports(service)] if service else [])
            yield " ".join(words + [verdict_of(rule)])


def linear(rules, _family, table="inet", head=(TRACKED,)):
    return nft_table(table, [*head, *nft_lines(rules)], nft_sets(rules))


def linear_own(rules, family):
    """In a table of its family: no rule asks for the family, and the other one is not filtered."""
    return linear(rules, family, NFT_WORD[family])


def linear_own_checked(rules, family):
    """The same in a ruleset that drops what connection tracking calls invalid."""
    return linear(rules, family, NFT_WORD[family], (TRACKED, INVALID))


def source_map(rules, family):
    """By hand: one map of sources, a chain a source (sources of the rules do not overlap)."""
    word, chains = NFT_WORD[family], []
    for index, rule in enumerate(rules):
        places = f"{word} daddr {rule.destination} " if rule.destination else ""
        lines = "".join(f"\t\t{places}{nft_ports(service)} {verdict_of(rule)}\n" for service in rule.services)
        chains.append(f"\tchain s{index} {{\n{lines}\t}}\n")
    elements = ",\n".join(f"{rule.source} : jump s{index}" for index, rule in enumerate(rules))
    return nft_table("inet", [TRACKED, f"{word} saddr vmap {{ {elements} }}"], "".join(chains))


def service_map(rules, _family, head=(TRACKED,)):
    """The floor for services only: one hash lookup."""
    elements = ",\n".join(f"{transport} . {low} : {verdict_of(rule)}"
                          for rule in rules for transport, low, _ in rule.services)
    return nft_table("inet", [*head, "meta l4proto . th dport vmap @services"],
                     "\tmap services {\n\t\ttype inet_proto . inet_service : verdict\n"
                     f"\t\tsize {max(2, len(rules))}\n\t\telements = {{ {elements} }}\n\t}}\n")


def service_map_checked(rules, family):
    """The same in a ruleset that drops what connection tracking calls invalid."""
    return service_map(rules, family, (TRACKED, INVALID))


def iptables_place(side, option, word):
    if side is None:
        return ""
    return f" -m iprange --{word}-range {side}" if isinstance(side, policies.Range) else f" {option} {side}"


def iptables_lines(rule):
    for source, destination in itertools.product(policies.prefixes_of(rule.source),
                                                 policies.prefixes_of(rule.destination)):
        yield from iptables_services(rule, iptables_place(source, "-s", "src")
                                     + iptables_place(destination, "-d", "dst"))


def iptables_services(rule, places):
    target = f" -j {verdict_of(rule, 'ACCEPT', 'DROP')}"
    if not rule.services:
        yield f"-A FORWARD{places}{target}"
    for transport in ("tcp", "udp"):
        ports = [(low, high) for name, low, high in rule.services if name == transport]
        words = [f"{low}" if low == high else f"{low}:{high}" for low, high in ports]
        if ports == [(0, 65535)]:
            yield f"-A FORWARD{places} -p {transport}{target}"
        elif len(ports) == 1:
            yield f"-A FORWARD{places} -p {transport} --dport {words[0]}{target}"
        elif ports:
            yield f"-A FORWARD{places} -p {transport} -m multiport --dports {','.join(words)}{target}"


def iptables(rules, _family):
    """With multiport where a rule has several ports of a protocol."""
    lines = ["*filter", ":INPUT ACCEPT", ":FORWARD DROP", ":OUTPUT ACCEPT",
             "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"]
    for rule in rules:
        lines.extend(iptables_lines(rule))
    return "\n".join(lines + ["COMMIT"]) + "\n"


def empty(policy):
    return ("table inet filter {\n\tchain forward {\n"
            f"\t\ttype filter hook forward priority 0; policy {policy};\n\t}}\n}}\n")


def tracking(verdict):
    return nft_table("inet", [TRACKED, verdict])
