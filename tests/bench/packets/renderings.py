"""One list of rules as the text of every tool that is compared."""

import policies

TRACKED = "ct state established,related accept"
INVALID = "ct state invalid drop"
NFT_WORD = {4: "ip", 6: "ip6"}


def verdict_of(rule, allow="accept", deny="drop"):
    return allow if rule.allow else deny


def fwc_policy(rules):
    lines = ["default deny;"]
    for rule in rules:
        services = ", ".join(f"{low}/{transport}" if low == high else
                             f"any/{transport}" if (low, high) == (0, 65535) else f"{low}-{high}/{transport}"
                             for transport, low, high in rule.services) or "any"
        lines.append(verdict_of(rule, "allow", "deny") + " " + services
                     + (f" from {rule.source}" if rule.source else "")
                     + (f" to {rule.destination}" if rule.destination else "") + ";")
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
    for word, prefix in (("saddr", rule.source), ("daddr", rule.destination)):
        if prefix is not None:
            words.append(f"{NFT_WORD[prefix.family]} {word} {prefix}")
    return words


def nft_lines(rules):
    """A line a source, destination and service, as people and line-by-line generators write them."""
    for rule in rules:
        for service in rule.services or (None,):
            words = nft_places(rule) + ([nft_ports(service)] if service else [])
            yield " ".join(words + [verdict_of(rule)])


def linear(rules, _family, table="inet", head=(TRACKED,)):
    return nft_table(table, [*head, *nft_lines(rules)])


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
    places = iptables_place(rule.source, "-s", "src") + iptables_place(rule.destination, "-d", "dst")
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
