"""Policies made of iptables-save mean the same: eval.py against the plain evaluator of policies.

usage: import_test.py FWC [--seed N] [--files N]

The files of files/ and random ones are imported, and packets at the corners of everything that
they name are asked of both. Answers, loopback and neighbour discovery have to pass in the file
where the import was not told otherwise; what exceeds a limit has to be dropped; a line that was left
out may only make the policy narrower. Each whole import must say that it was proved. The policy must also
compile, which proves its table.
"""

import argparse
import glob
import ipaddress
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import replace

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "packets"))
sys.path.insert(0, HERE)

# pylint: disable=wrong-import-position
import evaluator
import eval as iptables
import tables

# what the policies here have, and those of the other tests lack
evaluator.PROTOCOLS.update(sctp=132, dccp=33, udplite=136)

VERDICTS = {"ACCEPT": "allow", "DROP": "deny", "REJECT": "reject"}
OPTIONS = re.compile(r' because "[^"]*"| log "[^"]*"| log\b| limit \d+/\w+( burst \d+)?( per source)?')
# what they ask that no policy can say
REFUSED = {
    "container-host.v4": "the firewall's own addresses and others at once",
    "virtual-machines.v4": "stands in table 'mangle'",
    "cluster-node.v4": "a target or a limit that translations lack",
}
NEVER_NEW = {130, 131, 132, 133, 134, 135, 136, 143}
BACK = {"input": "output", "output": "input", "forward": "forward"}


class Tally:
    """Counts checks, prints the failed ones, and closes with the line that the runner reads."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, holds, what):
        self.passed += bool(holds)
        self.failed += not holds
        if not holds:
            print(f"FAILED: {what}", flush=True)
        return bool(holds)


class Names:
    """Service names as definitions in pairs, as `fwc service show` tells them."""

    def __init__(self, fwc):
        self.fwc, self.known = fwc, {}

    def definition(self, name):
        if name not in self.known:
            done = subprocess.run([self.fwc, "service", "show", name, "--json"], capture_output=True, text=True,
                                  check=False, timeout=60)
            self.known[name] = ", ".join(json.loads(done.stdout)[0]["pairs"]) if done.returncode == 0 else None
        return self.known[name]

    def definitions(self, policy):
        words = set()
        for sentence in re.findall(r"^(?: +(?:allow|deny|reject)|forward) ([^;]*);", policy, re.M):
            for word in re.split(r"[ ,]+", sentence.split(" from ")[0].split(" to ")[0]):
                words.add(word)
        words = sorted(word for word in words
                       if word and "/" not in word and word not in ("any", "except", "ipv4", "ipv6", "sport")
                       and not word.isdigit())
        return "".join(f"service {word} = {self.definition(word)};\n" for word in words
                       if self.definition(word))


def imported(fwc, paths, *options):
    return subprocess.run([fwc, "import", "iptables", *paths, *options], capture_output=True, text=True,
                          check=False, timeout=120)


# --- packets ---------------------------------------------------------------------------------------


def numbers_around(values, highest):
    return sorted({value for base in values for value in (base - 1, base, base + 1) if 0 <= value <= highest})


class Corners:
    """Values at which something that a text names begins or ends."""

    def __init__(self, text, version):
        self.version = version
        bits = 32 if version == 4 else 128
        bounds = [0, 2 ** bits - 1, 0x0a000001 if version == 4 else 0xfe80 << 112 | 5]
        for word in re.findall(r"(?<= )[0-9a-fA-F:.]+(?:/[0-9.]+|-[0-9a-fA-F:.]+)?(?= |$)", text, re.M):
            bounds += self.bounds(word)
        self.addresses = numbers_around(bounds, 2 ** bits - 1)
        ports = [int(port) for port in re.findall(r"(?<=[ ,:])\d{1,5}(?=[ ,:\n])", text)]
        self.ports = numbers_around([*ports, 40000], 65535)
        self.interfaces = sorted(set(re.findall(r"-[io] (\S+)", text))) + ["other0"]
        self.types = sorted({int(kind) for kind in re.findall(r"-type (\d+)", text)} | {0, 3, 8, 128, 135, 143})
        self.protocols = [6, 6, 6, 17, 17, 1 if version == 4 else 58, 58 if version == 6 else 1, 47, 132, 255]

    def bounds(self, word):
        try:
            if "-" in word:
                return [int(ipaddress.ip_address(part)) for part in word.split("-")
                        if ipaddress.ip_address(part).version == self.version]
            network = ipaddress.ip_network(word, strict=False)
            if network.version != self.version:
                return []
            return [int(network.network_address), int(network.broadcast_address)]
        except ValueError:
            return []

    def address(self, rng):
        kind = ipaddress.IPv4Address if self.version == 4 else ipaddress.IPv6Address
        return kind(rng.choice(self.addresses))

    def packet(self, rng):
        hook = rng.choice(evaluator.HOOKS)
        protocol = rng.choice(self.protocols)
        first = second = 0
        if protocol in (1, 58):
            first, second = rng.choice(self.types), rng.choice((0, 0, 1, 255))
        elif protocol in (6, 17, 132):
            first, second = rng.choice(self.ports), rng.choice(self.ports)
        return iptables.Packet(
            hook, rng.choice(self.interfaces) if hook != "output" else None,
            rng.choice(self.interfaces) if hook != "input" else None,
            self.address(rng), self.address(rng), protocol, first, second,
            hop_limit=rng.choice((255, 64, 1)), is_broadcast=self.version == 4 and rng.random() < 0.2)


def judged(packet):
    """As rules meet it: None for loopback; neighbour discovery is never new."""
    if "lo" in (packet.in_interface, packet.out_interface):
        return None
    is_odd = packet.protocol == 58 and packet.source.version == 6 and packet.destination_port in NEVER_NEW
    return replace(packet, state="UNTRACKED" if is_odd else "NEW")


def in_language(packet):
    family = packet.source.version
    ports = {"port": packet.destination_port, "source_port": packet.source_port}
    if packet.protocol in (1, 58):
        ports = {"port": packet.destination_port, "code": packet.source_port}
    return evaluator.Packet(packet.hook, packet.in_interface, packet.out_interface, family, int(packet.source),
                            int(packet.destination), packet.protocol, hop_limit=packet.hop_limit, **ports)


def turned(packet):
    first, second = packet.destination_port, packet.source_port
    if packet.protocol in (1, 58):
        answers = {8: 0, 13: 14, 128: 129}
        second, first = answers.get(first, first), second
    return replace(packet, hook=BACK[packet.hook], in_interface=packet.out_interface,
                   out_interface=packet.in_interface, source=packet.destination, destination=packet.source,
                   destination_port=second, source_port=first, is_broadcast=False)


# --- comparing --------------------------------------------------------------------------------------


class Translations:
    """The translations of a policy, first match, as plainly as evaluator.py reads rules."""

    SENTENCE = re.compile(r"^(masquerade|snat|forward) ([^;]*);", re.M)

    def __init__(self, policy, text):
        self.policy = policy
        self.rows = [self.read(kind, sentence) for kind, sentence in self.SENTENCE.findall(text)]

    def read(self, kind, sentence):
        reader = evaluator.Reader(self.policy, sentence)
        row = {"kind": kind, "at": None, "port": None, "families": {4, 6}}
        row["services"] = reader.services() if kind == "forward" else None
        reader.need("from")
        row["from"] = [reader.side()]
        if reader.take("at"):
            row["at"] = reader.item().addresses
        reader.need("to")
        if kind == "forward":
            row["host"] = ipaddress.ip_address(reader.next())
            row["families"] = {row["host"].version}
        else:
            row["to"] = [reader.side()]
        if reader.take("port"):
            row["port"] = int(reader.next())
        if reader.take("as"):
            row["as"] = ipaddress.ip_address(reader.next())
            row["families"] = {row["as"].version}
        for version in (4, 6):
            if reader.take(f"ipv{version}"):
                row["families"] = {version}
        if reader.peek() is not None:
            raise ValueError(f"{reader.peek()} in {sentence}")
        return row

    def of(self, packet, chain):
        """What happens to a packet in PREROUTING, OUTPUT or POSTROUTING."""
        hook = "output" if packet.in_interface is None else "forward"
        for row in self.rows:
            is_of_chain = (row["kind"] == "forward") != (chain == "POSTROUTING")
            if not is_of_chain or packet.source.version not in row["families"]:
                continue
            if chain == "POSTROUTING" and self.holds_source(row, packet, hook):
                return ("SNAT", row["as"]) if row["kind"] == "snat" else ("MASQUERADE",)
            if chain != "POSTROUTING" and self.holds_destination(row, packet, hook):
                return "DNAT", row["host"], row["port"] or packet.destination_port
        return None

    def regions(self, row, hook):
        return self.policy.from_regions(row["from"], hook).items()

    def holds_source(self, row, packet, hook):
        family = packet.source.version
        return any(source.holds(packet.in_interface or evaluator.Region.OTHER, family, int(packet.source))
                   and self.policy.to_region(row["to"], hook, is_open).holds(packet.out_interface, family,
                                                                             int(packet.destination))
                   for is_open, source in self.regions(row, hook))

    def holds_destination(self, row, packet, hook):
        family, destination = packet.source.version, packet.destination
        if row["at"] is None:
            is_special = destination.is_multicast or str(destination) == "255.255.255.255"
            is_at = packet.hook == "input" and not is_special
        else:
            is_at = row["at"].holds(family, int(destination))
        return is_at and row["services"].holds(in_language(packet).point()) and any(
            source.holds(packet.in_interface or evaluator.Region.OTHER, family, int(packet.source))
            for _, source in self.regions(row, hook))


def foreign_translation(table, packet, chain):
    """The same of the nat table."""
    rule, _ = table.decide(chain, packet, None)
    if rule is None or rule.target == "ACCEPT":
        return None
    if rule.target == "MASQUERADE":
        return ("MASQUERADE",)
    if rule.target == "SNAT":
        return "SNAT", ipaddress.ip_address(rule.arguments[1])
    host = rule.arguments[1]
    port = None
    if host.startswith("["):
        host, _, port = host[1:].partition("]:")
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    return "DNAT", ipaddress.ip_address(host), int(port) if port else packet.destination_port


class Comparison:
    """One policy and the tables that it was made of."""

    def __init__(self, tally, name, policy_text, texts, rng, names):
        self.tally, self.name, self.rng = tally, name, rng
        self.tables = {version: iptables.Table(text) for version, text in texts.items()}
        self.corners = {version: Corners(text, version) for version, text in texts.items()}
        interfaces = sorted({name for corners in self.corners.values() for name in corners.interfaces})
        plain = OPTIONS.sub("", policy_text)
        self.policy = evaluator.Policy(names.definitions(policy_text) + Translations.SENTENCE.sub("", plain),
                                       interfaces)
        self.translations = Translations(self.policy, plain)
        self.nat = {version: iptables.Table(text, "nat") for version, text in texts.items()}

    def foreign(self, packet, limits, unknown):
        def oracle(_, option, _arguments):
            return limits if option.startswith(("--limit", "--hashlimit")) else unknown()
        return VERDICTS[self.tables[packet.source.version].verdict(packet, oracle)[0]]

    def run(self, count, is_narrower=False, has_answers=False):
        wrong = []
        for _ in range(count):
            version = self.rng.choice(sorted(self.tables))
            packet = judged(self.corners[version].packet(self.rng))
            if packet is None or evaluator.always_passes(in_language(packet)):
                continue
            wrong += self.compare(packet, is_narrower)
            wrong += self.compare_answers(packet) if has_answers else []
        self.tally.check(not wrong, f"{self.name}: {len(wrong)} packets, among them {wrong[:1]}")

    def run_translations(self, count):
        wrong = []
        for _ in range(count if any(table.chains for table in self.nat.values()) else 0):
            version = self.rng.choice(sorted(self.nat))
            packet = self.corners[version].packet(self.rng)
            chain = self.rng.choice(("PREROUTING", "OUTPUT", "POSTROUTING"))
            is_own = chain == "OUTPUT" or (chain == "POSTROUTING" and self.rng.random() < 0.3)
            name = self.rng.choice(self.corners[version].interfaces)
            packet = replace(packet, hook=self.rng.choice(("input", "forward")), is_broadcast=False,
                             in_interface=None if is_own else name,
                             out_interface=packet.out_interface or "other0")
            mine = self.translations.of(packet, chain)
            theirs = foreign_translation(self.nat[version], packet, chain)
            if mine != theirs:
                wrong.append((chain, packet, mine, theirs))
        self.tally.check(not wrong, f"{self.name}: {len(wrong)} translations, among them {wrong[:1]}")

    def coin(self):
        return self.rng.random() < 0.5

    def compare(self, packet, is_narrower):
        mine = self.policy.verdict(in_language(packet))[0]
        theirs = self.foreign(packet, True, self.coin)
        if mine != theirs and not (is_narrower and theirs == "allow"):
            yield packet, mine, theirs
        beyond = self.foreign(packet, False, self.coin)
        if not is_narrower and beyond != theirs and (theirs, beyond) != ("allow", "deny"):
            yield packet, "beyond the limit", beyond

    def compare_answers(self, packet):
        if self.foreign(packet, True, self.coin) != "allow" or packet.state != "NEW":
            return
        for other in (packet, turned(packet)):
            if self.foreign(replace(other, state="ESTABLISHED"), False, self.coin) != "allow":
                yield packet, "an answer is denied", other.hook


def version_of(path):
    return 6 if path.endswith("v6") else 4


def check_import(tally, fwc, names, rng, paths, packets):
    """Whether it was imported, and with what; the comparison is in the tally."""
    name = "+".join(os.path.basename(path) for path in paths)
    texts = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            texts[version_of(path)] = file.read()
    for options in ((), ("--always-passing",), ("--always-passing", "--skip-unknown")):
        done = imported(fwc, paths, *options)
        tally.check(done.returncode in (0, 1) and "Sanitizer" not in done.stderr and "[FW0906]" not in done.stderr,
                    f"{name}: status {done.returncode} {done.stderr[-900:]}")
        if done.returncode == 0:
            tally.check("proved: this policy equals the ruleset" in done.stderr, f"{name}: {done.stderr[-400:]}")
        if done.stdout:
            try:
                comparison = Comparison(tally, name, done.stdout, texts, rng, names)
                comparison.run(packets, is_narrower=done.returncode == 1, has_answers=not options)
                comparison.run_translations(packets)
            except evaluator.PolicyError as mistake:
                tally.check(False, f"{name}: {mistake}\n{done.stdout}")
            return options, done
    return None, done


def check_compiles(tally, fwc, name, policy):
    done = subprocess.run([fwc, "compile", "-"], input=policy, capture_output=True, text=True, check=False,
                          timeout=120)
    tally.check(done.returncode == 0 and "proved:" in done.stderr, f"{name} compiles: {done.stderr[:400]}")


def check_files(tally, fwc, names, rng, packets):
    paths = sorted(glob.glob(os.path.join(HERE, "files", "*.v[46]")))
    tally.check(len(paths) >= 9, f"{len(paths)} files")
    for path in paths:
        options, done = check_import(tally, fwc, names, rng, [path], packets)
        if os.path.basename(path) in REFUSED:
            tally.check(options is None and REFUSED[os.path.basename(path)] in done.stderr,
                        f"{os.path.basename(path)} is refused: {done.stderr[:600]}")
            continue
        if tally.check(options is not None, f"{os.path.basename(path)} is imported: {done.stderr[:600]}"):
            check_compiles(tally, fwc, os.path.basename(path), done.stdout)
    pairs = [path for path in paths if path.endswith("4") and path[:-1] + "6" in paths]
    for path in pairs:
        options, done = check_import(tally, fwc, names, rng, [path, path[:-1] + "6"], packets)
        tally.check(options is not None, f"{os.path.basename(path)} and its sister are imported")


def check_random(tally, arguments, names, folder):
    rng = random.Random(arguments.seed)
    figures = {}
    for number in range(arguments.files):
        paths = [os.path.join(folder, f"{number}.v{version}")
                 for version in rng.choice(((4,), (6,), (4, 6)))]
        maker = tables.Maker(rng)
        for path in paths:
            with open(path, "w", encoding="utf-8") as file:
                file.write(maker.text(version_of(path)))
        options, done = check_import(tally, arguments.fwc, names, rng, paths, 400)
        figures[options] = figures.get(options, 0) + 1
        if done.stdout and number % 5 == 0:
            check_compiles(tally, arguments.fwc, f"random file {number}", done.stdout)
    print("random files:", ", ".join(f"{count} with {' '.join(options) or 'nothing'}" if options is not None
                                     else f"{count} refused" for options, count in figures.items()))


MATCHES = (
    "-i eth0", "! -i eth0", "-o eth1", "! -o eth1", "-i lo", "-s 10.0.0.0/8", "! -s 10.1.0.0/16",
    "-d 192.168.0.0/24", "-d 224.0.0.0/4", "-d 255.255.255.255", "-p tcp --dport 22", "-p udp ! --sport 53",
    "-p 47", "! -p tcp", "-p icmpv6", "-p icmp --icmp-type 8/0", "-p icmp ! --icmp-type 3",
    "-p tcp -m multiport ! --ports 1,2:9",
    "-m state --state NEW", "-m conntrack ! --ctstate NEW", "-m addrtype --dst-type BROADCAST",
    "-m addrtype ! --dst-type LOCAL", "-m iprange --src-range 10.0.0.1-10.0.0.9", "-m limit --limit 5/min",
    "-m comment --comment x", "-m mark --mark 1", "-m limit", "-j DROP", "-g", "!",
)


def changed(rng, text):
    """The text with a few more matches, and lines that stand twice or elsewhere."""
    lines = text.split("\n")
    for _ in range(rng.choice((1, 1, 2, 4))):
        rules = [number for number, line in enumerate(lines) if line.startswith("-A")]
        here, there = rng.choice(rules), rng.choice(rules)
        kind = rng.randrange(4)
        if kind == 0:
            lines.insert(there, lines[here])
        elif kind == 1:
            lines[here], lines[there] = lines[there], lines[here]
        else:
            words = lines[here].split(" ")
            words.insert(2 if kind == 2 else len(words), rng.choice(MATCHES))
            lines[here] = " ".join(words)
    return "\n".join(lines)


def check_changed(tally, fwc, rng, count):
    """The reading that makes the policy and the one that proves it agree on files that somebody edited."""
    texts = []
    for path in sorted(glob.glob(os.path.join(HERE, "files", "*.v4"))):
        if os.path.basename(path) not in REFUSED:
            with open(path, encoding="utf-8") as file:
                texts.append(file.read())
    proved = 0
    for _ in range(count):
        text = changed(rng, rng.choice(texts))
        done = subprocess.run([fwc, "import", "iptables", "-", "--always-passing"], input=text, capture_output=True,
                              text=True, check=False, timeout=60)
        is_proved = done.returncode == 0 and "proved:" in done.stderr
        proved += is_proved
        tally.check(is_proved or (done.returncode == 1 and "FW132" in done.stderr and
                                  "[FW0906]" not in done.stderr),
                    f"changed: {done.returncode} {done.stderr[-900:]}\n{text}")
    tally.check(proved >= count // 5, f"changed files: {proved} proved")
    print(f"changed files: {proved} proved, {count - proved} refused")


def filter_of(lines, chains=""):
    return f"*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n{chains}{lines}COMMIT\n"


HOSTILE = (
    "", "*", "*filter", "*filter\nCOMMIT\n", "*filter\n:\nCOMMIT\n", "\0\0", "COMMIT\n", "-A INPUT -j ACCEPT\n",
    filter_of("[\n[1:2]\n[1:2] -A INPUT\n-A\n-A INPUT\n"), filter_of("-A INPUT !\n-A INPUT ! !\n-A INPUT -p\n"),
    filter_of('-A INPUT -j ""\n-A INPUT ""\n-A INPUT "-p" tcp\n-A INPUT -m comment --comment "x\n'),
    filter_of("-A INPUT -j INPUT\n"),
    filter_of("-A INPUT -j A\n" * 2000 + "-A A -s 10.0.0.1 -j RETURN\n" * 2000, ":A -\n"),
    filter_of('-A INPUT -m comment --comment "\x1b[31m\\" ; } allow any; {" -p tcp --dport 22 -j ACCEPT\n'),
    filter_of('-A INPUT -i "et;h0" -j ACCEPT\n'),
    filter_of("-A INPUT -i self -j ACCEPT\n-A INPUT -i any -j ACCEPT\n"),
    filter_of("-A INPUT -i 1234 -j ACCEPT\n-A INPUT -i to -j ACCEPT\n"),
    filter_of("".join(f"-A C{i} -j C{i + 1}\n" * 2 for i in range(39)) + "-A INPUT -j C0\n-A C39 -j ACCEPT\n",
              "".join(f":C{i} -\n" for i in range(40))),
    filter_of("-A INPUT -p tcp --dport 0 -j ACCEPT\n-A INPUT -p tcp ! --dport 0 -j ACCEPT\n"),
    filter_of("-A INPUT -d 10.0.0.1/0.0.255.255 -j ACCEPT\n"), filter_of("-A INPUT ! -s 0.0.0.0/0 -j ACCEPT\n"),
)


def check_hostile(tally, fwc):
    """No text makes a policy that is none, and none takes long."""
    for text in HOSTILE:
        done = subprocess.run([fwc, "import", "iptables", "-", "--always-passing"], input=text.encode(),
                              capture_output=True, check=False, timeout=60)
        tally.check(done.returncode in (0, 1) and (done.stdout or b" [FW13" in done.stderr) and
                    b"[FW0906]" not in done.stderr,
                    f"{text[:60]!r}: status {done.returncode} {done.stderr[:300]}")
        if done.stdout:
            check_compiles(tally, fwc, repr(text[:60]), done.stdout.decode())


def large(rng, count, is_overlapping):
    """Rules of a router, or of a host that blocks many addresses."""
    lines = ["-A INPUT -i lo -j ACCEPT", "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
             "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-A OUTPUT -j ACCEPT"]
    for _ in range(count):
        address = f"{rng.randint(1, 223)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}"
        port = rng.choice(("22", "80", "443", "8000:8100", "1024:65535", str(rng.randint(1, 65535))))
        if is_overlapping:
            lines.append(f"-A FORWARD -s 10.{rng.randint(0, 255)}.{rng.randint(0, 255)}.0/{rng.choice((24, 30))} "
                         f"-d 192.168.{rng.randint(0, 255)}.0/{rng.choice((16, 24, 32))} -p tcp -m tcp "
                         f"--dport {port} -j {rng.choice(('ACCEPT', 'DROP'))}")
        else:
            lines.append(f"-A INPUT -s {address}/32 -j DROP")
    return filter_of("\n".join(lines + ["-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT", ""]))


def check_large(tally, fwc, folder):
    """Long files are proved, or said to be beyond the budget; none takes long."""
    rng = random.Random(7)
    for count, is_overlapping, words in ((5000, False, "proved: this policy equals the ruleset, "),
                                         (5000, True, "proved: this policy equals the ruleset, "),
                                         (12000, True, "[FW0907]")):
        path = os.path.join(folder, "large.v4")
        with open(path, "w", encoding="utf-8") as file:
            file.write(large(rng, count, is_overlapping))
        start = time.monotonic()
        done = imported(fwc, [path])
        print(f"{count} rules{' that overlap' if is_overlapping else ''}: {time.monotonic() - start:.2f} s")
        tally.check(done.returncode == 0 and words in done.stderr and done.stdout, f"{count}: {done.stderr[-300:]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=60)
    arguments = parser.parse_args()
    tally, names = Tally(), Names(arguments.fwc)
    check_files(tally, arguments.fwc, names, random.Random(arguments.seed), 2000)
    check_hostile(tally, arguments.fwc)
    check_changed(tally, arguments.fwc, random.Random(arguments.seed), arguments.files)
    with tempfile.TemporaryDirectory() as folder:
        check_random(tally, arguments, names, folder)
        if arguments.files >= 60: # not under the sanitizers
            check_large(tally, arguments.fwc, folder)
    print(f"{tally.passed} passed, {tally.failed} failed")
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
