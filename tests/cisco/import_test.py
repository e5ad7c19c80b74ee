"""The reader of IOS text, and lists made policies.

usage: import_test.py FWC [--seed N] [--lists N]

Real files (FWC_DATA, else ../shared/data beside the checkout): each line that looks like an entry is
read or named; what was read, printed and read again is the same; and where an outside parser's answer
lies beside a file (ntc-templates), each field of each entry is held against it. Then random lists are
imported, the policy compiled back, and both lists asked about the same packets by acl_eval.py, which
shares no code with either; and what cisco/read/sets.h says of random lists, flags and fragments too, is asked
of it packet by packet.
"""

import argparse
import collections
import glob
import json
import os
import random
import re
import subprocess
import tempfile

import compiled
import words
from acl_eval import Packet
from acl_read import Configuration
from compiled import TOP, Tally

ENTRY = re.compile(r"\s*(\d+\s+|sequence\s+\d+\s+)?(permit|deny|evaluate)\s")
NUMBERED = re.compile(r"access-list\s+\S+\s+(extended\s+|standard\s+)?(permit|deny)\s")
# heads below which `permit` is not an entry of an IP list
OTHER_HEAD = re.compile(r"(arp access-list|mac access-list|route-map|ip prefix-list|ipv6 prefix-list|"
                        r"prefix-list|ip community-list|ip as-path)\b")


def data_folder():
    return os.environ.get("FWC_DATA") or os.path.join(os.path.dirname(TOP), "shared", "data")


def tool_of(fwc):
    """acl_tool of the same build."""
    return os.path.join(os.path.dirname(os.path.abspath(fwc)), "..", "..", "tests", "cisco", "acl_tool")


def read_with(tool, path, mode="read"):
    done = subprocess.run([tool, mode, path], capture_output=True, check=False, timeout=60)
    return done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


# --- every line is read or named ---------------------------------------------------------------------


def entry_lines(text):
    """Numbers of the lines that look like entries of IP lists."""
    head = ""
    for number, line in enumerate(text.split("\n"), 1):
        if line and not line[0].isspace() and not ENTRY.match(line):
            head = line
        if NUMBERED.match(line) or (ENTRY.match(line) and not OTHER_HEAD.match(head)):
            yield number


def check_file(tally, tool, path, figures):
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    output, talk = read_with(tool, path)
    rows = [json.loads(line) for line in output.splitlines()]
    read = {row["line"] for row in rows if row["kind"] in ("match", "evaluate")}
    named = {int(number) for number in re.findall(r":(\d+):\d+: (?:warning|error):", talk)}
    name = os.path.relpath(path, data_folder())
    for number in entry_lines(text):
        tally.check(number in read or number in named, f"{name}:{number} is neither read nor named")
        figures["read" if number in read else "named"] += 1
    figures["files"] += 1
    printed, _ = read_with(tool, path, "text")
    # a cookie that `show` tells as such, and that is an option's word where it is typed
    printed = re.sub(r" log established$", " log", printed, flags=re.M)
    with tempfile.NamedTemporaryFile("w", suffix=".ios") as again:
        again.write(printed)
        again.flush()
        tally.check(read_with(tool, again.name, "text")[0] == printed, f"{name}: printed and read it differs")
    return rows


# --- an outside parser's answers ---------------------------------------------------------------------------

PROTOCOLS = {**words.PROTOCOLS_V4, "ip": 256}


def yaml_rows(path):
    """Enough of YAML for these files: a list of maps of quoted strings and lists of them."""
    rows, row, key = [], None, None
    with open(path, encoding="utf-8") as file:
        for line in file:
            match = re.match(r"(\s+)(- )?(\w+):\s*(.*)$", line)
            if match and (match[2] or row is not None):
                if match[2]:
                    row = {}
                    rows.append(row)
                key, value = match[3], match[4]
                row[key] = json.loads(value) if value.startswith('"') else []
            elif row is not None and re.match(r'\s+- "', line):
                row[key].append(json.loads(line.strip()[2:]))
    return [row for row in rows if row["action"]]


def port_numbers(text, protocol):
    names = words.PORTS_TCP if protocol == "tcp" else words.PORTS_UDP
    return [int(word) if word.isdigit() else names[word] for word in text.split()]


def place(row, side):
    """As acl_tool prints it; None where the row does not say it."""
    get = lambda what: row.get(f"{side}_{what}", "")
    if get("network_object_group_name"):
        return {"group": get("network_object_group_name")}
    if get("any"):
        return {"value": "0.0.0.0", "wildcard": "255.255.255.255"}
    if get("host"):
        return {"value": get("host"), "wildcard": "0.0.0.0"}
    if not get("network"):
        return None
    value, wildcard = ([int(part) for part in get(what).split(".")] for what in ("network", "wildcard"))
    return {"value": ".".join(str(a & ~b & 255) for a, b in zip(value, wildcard)),
            "wildcard": get("wildcard")}


def ports(row, side, protocol):
    operator = row[f"{side}_port_match"]
    if operator in ("precedence", "tos"):  # what the parser took for a port
        return None
    if operator == "range":
        numbers = port_numbers(f"{row[f'{side}_port_range_start']} {row[f'{side}_port_range_end']}", protocol)
    else:
        numbers = port_numbers(row[f"{side}_port"], protocol)
    return {"operator": operator, "numbers": numbers}


def flags_of(row):
    """(mask, value, all) of the flags that the row names."""
    named = row.get("tcp_flag", "").split()
    bits = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32}
    mask = value = 0
    for word in named:
        for flag in ("ack", "rst") if word == "established" else (word.lstrip("+-"),):
            mask |= bits[flag]
            value |= 0 if word.startswith("-") else bits[flag]
    return [mask, value, row.get("flags_match") == "match-all"]


def expected_fields(row):
    """What the outside parser says, in the fields of acl_tool."""
    protocol = row["protocol"]
    fields = {"action": row["action"], "log": row["log"], "time_range": row["time"],
              "source": place(row, "src"), "destination": place(row, "dst")}
    if row.get("line_num"):
        fields["sequence"] = int(row["line_num"])
    if row.get("matches"):
        fields["matches"] = int(row["matches"])
    if row.get("log_tag"):
        fields["cookie"] = row["log_tag"]
    if row.get("service_object_group_name"):
        fields["services"] = row["service_object_group_name"]
    elif protocol and not protocol.isdigit() and protocol not in PROTOCOLS:
        fields["services"] = protocol  # a group's bare name
    elif protocol:
        fields["protocol"] = int(protocol) if protocol.isdigit() else PROTOCOLS[protocol]
    if row.get("icmp_type"):
        fields["icmp"] = words.ICMP_V4[row["icmp_type"]]
    if protocol in ("tcp", "udp"):
        fields["source_ports"] = ports(row, "src", protocol)
        fields["destination_ports"] = ports(row, "dst", protocol)
        fields["flags"] = flags_of(row)
    if row.get("comment"):
        fields["remarks"] = row["comment"]
    return fields


def found_fields(row):
    found = dict(row)
    found["icmp"] = tuple(part for part in row["icmp"] if part != 256)
    return found


def compare_with_outside(tally, path, rows, figures):
    """Entries of each list, one by one."""
    ours, theirs = collections.defaultdict(list), collections.defaultdict(list)
    for row in rows:
        if row["kind"] in ("match", "unread"):
            ours[row["list"]].append(row)
    for row in yaml_rows(path[:-len(".raw")] + ".yml"):
        theirs[row["acl_name"]].append(row)
    name = os.path.basename(path)
    for acl, entries in theirs.items():
        if not tally.check(len(ours[acl]) == len(entries),
                           f"{name}: list {acl} has {len(ours[acl])} entries, not {len(entries)}"):
            continue
        for mine, row in zip(ours[acl], entries):
            if mine["kind"] == "unread":
                figures["unread"] += 1
                continue
            found = found_fields(mine)
            for field, value in expected_fields(row).items():
                # the parser does not see a `log` behind a time range
                if value is not None and not (field == "log" and value == "" and row["time"]):
                    tally.check(found[field] == value, f"{name}:{mine['line']}: {field} is {found[field]}, "
                                f"the outside parser says {value}")
                    figures["fields"] += 1
            figures["compared"] += 1


def compare_with_brief(tally, path, rows, figures):
    """The older form of answers, which mixes source and destination ports up: without those."""
    ours = [row for row in rows if row["kind"] in ("match", "unread")]
    theirs = yaml_rows(path[:-len(".raw")] + ".yml")
    name = os.path.basename(path)
    if not tally.check(len(ours) == len(theirs), f"{name}: {len(ours)} entries, not {len(theirs)}"):
        return
    for mine, row in zip(ours, theirs):
        if mine["kind"] == "unread":
            figures["unread"] += 1
            continue
        fields = {"list": row["name"], "sequence": int(row["sn"]), "action": row["action"],
                  "matches": int(row["matches"] or 0), "log": "log" if row["modifier"] == "log" else ""}
        for field, value in fields.items():
            tally.check(mine[field] == value, f"{name}:{mine['line']}: {field} is {mine[field]}, "
                        f"the outside parser says {value}")
            figures["fields"] += 1
        figures["compared"] += 1


def check_real_files(tally, tool):
    folder = data_folder()
    files = sorted(glob.glob(os.path.join(folder, "ntc-templates", "*.raw")) +
                   [path for path in glob.glob(os.path.join(folder, "batfish", "**", "*"), recursive=True)
                    if os.path.isfile(path) and os.path.basename(path) != "LICENSE"])
    if not files:
        tally.skip("real files are not there (FWC_DATA)")
        return
    figures = collections.Counter()
    for path in files:
        rows = check_file(tally, tool, path, figures)
        if path.endswith(".raw") and os.path.exists(path[:-len(".raw")] + ".yml"):
            is_brief = "acl_name" not in yaml_rows(path[:-len(".raw")] + ".yml")[0]
            (compare_with_brief if is_brief else compare_with_outside)(tally, path, rows, figures)
    print(f"{figures['files']} files: {figures['read']} entries read, {figures['named']} named as not understood; "
          f"{figures['compared']} entries ({figures['fields']} fields) equal an outside parser's, "
          f"{figures['unread']} of its entries were not understood")


# --- lists made policies, and compiled back ------------------------------------------------------------------


class Lists:
    """Random lists of what a policy can say."""

    def __init__(self, generator):
        self.generator = generator

    def place(self):
        g = self.generator
        host = f"{g.choice(('10.0', '10.1', '192.0'))}.{g.randrange(4)}.{g.randrange(8)}"
        return g.choice(("any", f"host {host}", f"{host} 0.0.0.3", f"{host} 0.0.3.255", f"{host} 0.1.0.255",
                         f"{host} 0.0.0.5", "object-group PLACES"))

    def ports(self, protocol):
        g = self.generator
        words_of = ("www", "telnet", "22") if protocol == "tcp" else ("domain", "ntp", "snmp")
        low = g.randrange(100)
        return g.choice(("", "", f" eq {g.choice(words_of)}", f" eq {low}", f" gt {low}", f" lt {low + 1}",
                         f" neq {low}", f" range {low} {low + g.randrange(50)}", f" eq {low} {low + 7}"))

    def entry(self):
        g = self.generator
        protocol = g.choice(("ip", "tcp", "tcp", "udp", "icmp", "gre", "112"))
        head = f"{g.choice(('permit', 'permit', 'deny'))} {protocol} {self.place()}"
        if protocol in ("tcp", "udp"):
            return f"{head}{self.ports(protocol)} {self.place()}{self.ports(protocol)}"
        icmp = g.choice(("", " echo", " 3 4", " echo-reply", " 13")) if protocol == "icmp" else ""
        return f"{head} {self.place()}{icmp}"

    def text(self):
        g = self.generator
        entries = [self.entry() for _ in range(g.randint(1, 12))]
        if g.random() < 0.5:
            entries.append("deny ip any any" + g.choice(("", " log")))
        return ("object-group network PLACES\n host 10.0.1.1\n 10.1.2.0 255.255.255.0\n range 192.0.2.3 192.0.2.6\n"
                "ip access-list extended RANDOM\n" + "".join(f" {entry}\n" for entry in entries))


def edges(text):
    """Ports and addresses at and beside the bounds of what a list names."""
    ports = {80, 53, 40000}
    for numbers in re.findall(r" (?:eq|neq|gt|lt|range) ([\d ]+)", text):
        ports |= {port + step for port in map(int, numbers.split()) for step in (-1, 0, 1)}
    addresses = set()
    for value, wildcard in re.findall(r"(\d+\.\d+\.\d+\.\d+)(?: (\d+\.\d+\.\d+\.\d+))?", text):
        value, wildcard = (int.from_bytes(bytes(map(int, (part or "0.0.0.0").split("."))), "big")
                           for part in (value, wildcard))
        addresses |= {value, value | wildcard, (value | wildcard) + 1, value - 1, value | (wildcard & 0x10005)}
    return ([port for port in sorted(ports) if 0 <= port < 2 ** 16],
            [address for address in sorted(addresses) if 0 <= address < 2 ** 32])


def packets(generator, count, text):
    """First, whole packets at the bounds of what the list speaks of. A first TCP packet has SYN alone."""
    ports, addresses = edges(text)
    for _ in range(count):
        protocol = generator.choice((1, 6, 6, 17, 17, 47, 112, 50))
        port, source = generator.choice(ports), generator.choice(ports)
        if protocol == 1:
            port, source = generator.choice(((8, 0), (0, 0), (3, 4), (3, 3), (13, 0), (11, 0))), 0
        elif protocol not in (6, 17):
            port = source = 0
        kind, code = port if protocol == 1 else (port, 0)
        yield Packet(4, generator.choice(addresses), generator.choice(addresses), protocol, kind, source, code,
                     2 if protocol == 6 else 0)


def import_text(fwc, text, *options):
    done = subprocess.run([fwc, "import", "cisco", "-", *options], input=text, capture_output=True, text=True,
                          check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def the_list(text, name):
    return Configuration(text).lists[4, name]


def check_random_lists(tally, fwc, seed, count):
    generator = random.Random(seed)
    lists, asked, refused = Lists(generator), 0, 0
    for index in range(count):
        text = lists.text()
        status, policy, talk = import_text(fwc, text)
        what = f"list {index} of seed {seed}"
        if status != 0 and "FW1305" in talk and "port 0 alone" in talk:
            refused += 1  # the language has no service of port 0 alone
            continue
        if not tally.check(status == 0, f"{what}: not imported:\n{text}{talk}"):
            continue
        back = compiled.run(fwc, policy)
        if back.status != 0:
            tally.check(False, f"{what}: its policy does not compile: {back.first_error()}\n{policy}")
            continue
        before, after = the_list(text, "RANDOM"), the_list(back.text, "FWC")
        wrong = None
        for packet in packets(generator, 400, text):
            asked += 1
            if before.permits(packet) != after.permits(packet):
                wrong = packet
                break
        tally.check(wrong is None, f"{what}: {wrong}\n{text}\n{policy}\n{back.text}")
    print(f"{count} lists imported and compiled back, {asked} packets asked, {refused} refused for port 0")


# --- what lists mean ----------------------------------------------------------------------------------------


class WholeLists(Lists):
    """Random lists with all that a single packet shows."""

    def entry(self):
        g = self.generator
        entry = super().entry()
        protocol = entry.split()[1]
        if protocol == "tcp" and g.random() < 0.4:
            return entry + g.choice((" established", " match-all +syn -ack", " match-any +rst -psh",
                                     " match-all -ack -rst -syn"))
        if not re.search(r" (eq|neq|gt|lt|range) |echo| 3 4| 13", entry) and g.random() < 0.3:
            return entry + " fragments"
        return entry

    def text(self):
        services = ("object-group service SERVICES\n tcp-udp eq 53\n icmp echo\n tcp source gt 50 range 20 80\n"
                    " gre\n")
        text = super().text()
        if self.generator.random() < 0.5:
            text += " permit object-group SERVICES any object-group PLACES\n"
        return services + text


def any_packets(generator, count, text):
    """Any flags, and later fragments."""
    for packet in packets(generator, count, text):
        if generator.random() < 0.3:
            yield Packet(4, packet.source, packet.destination, packet.protocol, is_fragment=True)
        else:
            yield Packet(4, packet.source, packet.destination, packet.protocol, packet.port, packet.source_port,
                         packet.code, generator.randrange(64) if packet.protocol == 6 else 0)


def dotted(value):
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))


def line_of(packet):
    second = packet.code if packet.protocol == 1 else packet.source_port
    return (f"{packet.protocol} {dotted(packet.source)} {second} {dotted(packet.destination)} {packet.port} "
            f"{packet.flags} {int(packet.is_fragment)}\n")


def check_meanings(tally, tool, seed, count):
    generator = random.Random(seed)
    lists, asked, permitted = WholeLists(generator), 0, 0
    for index in range(count):
        text = lists.text()
        asking = list(any_packets(generator, 300, text))
        with tempfile.NamedTemporaryFile("w", suffix=".ios") as file:
            file.write(text)
            file.flush()
            done = subprocess.run([tool, "ask", file.name], input="".join(map(line_of, asking)),
                                  capture_output=True, text=True, check=False, timeout=60)
        answers = [line == "permit" for line in done.stdout.split()]
        reference = the_list(text, "RANDOM")
        wrong = [packet for packet, answer in zip(asking, answers) if reference.permits(packet) != answer]
        tally.check(len(answers) == len(asking) and not wrong,
                    f"meaning of list {index} of seed {seed}: {wrong[:1]}\n{text}{done.stderr}")
        asked += len(answers)
        permitted += sum(answers)
    print(f"{count} lists taken apart, {asked} packets asked, {permitted} of them permitted")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lists", type=int, default=150)
    options = parser.parse_args()
    tally = Tally()
    check_real_files(tally, tool_of(options.fwc))
    check_meanings(tally, tool_of(options.fwc), options.seed, options.lists)
    check_random_lists(tally, os.path.abspath(options.fwc), options.seed, options.lists)
    tally.close()


if __name__ == "__main__":
    main()
