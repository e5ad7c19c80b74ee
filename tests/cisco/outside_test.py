"""Generated entries as somebody else's reader understands them.

usage: outside_test.py FWC [--seed N] [--policies N]

The cisco.ios collection of Ansible reads access lists without a device: `ios_acls` with `state:
parsed`, from the form that `show access-lists` prints. Of every list generated here the IPv4
entries that lie in what it reads whole (tried: one port or range, gt of sources only, ICMP by words,
no groups, no reflection; it drops the rest silently) are counted, and --entries of
them, one of each form first, are read by it and by acl_eval.py: both have to understand the same.
Skipped with a word where it is missing.
"""

import argparse
import glob
import json
import os
import random
import re
import shutil
import subprocess
import tempfile

import acl_eval
import compiled
import policies
import words
from acl_eval import Entry, Ports, Transport, Wild, number_of
from acl_read import Configuration
from compiled import TOP, Tally

PLAYBOOK = """- hosts: all
  gather_facts: false
  tasks:
    - cisco.ios.ios_acls:
        running_config: "{{ lookup('file', 'acls.txt') }}"
        state: parsed
      register: out
    - ansible.builtin.copy:
        content: "{{ out.parsed | to_json }}"
        dest: "{{ playbook_dir }}/out.json"
      vars: {ansible_connection: local}
"""
INVENTORY = "router ansible_connection=ansible.netcommon.network_cli ansible_network_os=cisco.ios.ios\n"

# hand-written, so that the reader is known to read what the subset claims
SAMPLE = """ip access-list extended SAMPLE
 permit tcp any host 10.0.0.1 eq 443
 deny   udp 10.0.0.0 0.0.0.255 gt 1023 any range 5000 5010
 permit tcp any any established
 permit icmp any any echo-reply
 permit icmp any any unreachable log told
 permit tcp any eq www any eq telnet log
 permit gre any any
 permit 88 any any
 permit tcp any lt 1024 any neq 25
 permit esp host 1.1.1.1 any
 permit icmp any any
 deny ip any any fragments
 deny ip any any log
 permit tcp any any eq 80 443
 permit icmp any any 3 4
 permit udp any any gt 1023
"""
SAMPLE_INSIDE = 12


# --- the subset -------------------------------------------------------------------------------------


def is_inside(entry):
    """Whether the outside reader reads the entry without loss."""
    if not isinstance(entry, Entry) or entry.family != 4 or entry.reflect or len(entry.transports) != 1:
        return False
    if "object-group" in entry.text or not all(isinstance(place, Wild) for place in (entry.source,
        entry.destination)):
        return False
    parts = entry.text.split()
    transport = entry.transports[0]
    if transport.flags not in (None, acl_eval.ESTABLISHED):
        return False
    if transport.icmp and not any(word in words.ICMP_V4 for word in parts):
        return False
    if not re.fullmatch(r"[a-z]+", parts[parts.index("permit" if entry.is_permit else "deny") + 1]):
        return False
    if entry.cookie and entry.time_range:  # the mark is lost behind a time range
        return False
    if transport.ports and re.search(r" gt \S+( log.*| established)?$", entry.text):
        return False
    return ranges_are_numbers(parts) and not has_many_ports(parts)


def ranges_are_numbers(parts):
    return all(word.isdigit() for index, part in enumerate(parts) if part == "range"
               for word in parts[index + 1:index + 3])


def has_many_ports(parts):
    known = words.PORTS_TCP.keys() | words.PORTS_UDP.keys()
    return any(part == "eq" and index + 2 < len(parts)
               and (parts[index + 2].isdigit() or parts[index + 2] in known - {"established"})
               for index, part in enumerate(parts))


def shown(entry):
    """The entry as `show access-lists` prints it."""
    text = re.sub(r"^\d+ ", "", " ".join(entry.text.split()))
    if entry.cookie:
        text = re.sub(rf" log {re.escape(entry.cookie)}(?= |$)", f" log (tag = {entry.cookie})", text)
    return f"    {entry.sequence} {text}"


# --- what the outside reader says ----------------------------------------------------------------------


def entry_of(ace):
    """Its entry as ours."""
    protocol, options = ace.get("protocol"), dict(ace.get("protocol_options", {}))
    number = options.pop("protocol_number", None)
    if number is None:
        number = None if protocol == "ip" else words.PROTOCOLS_V4[protocol]
    icmp = flags = None
    for word in options.get("icmp", {}):
        icmp = words.ICMP_V4[word.replace("_", "-")]
    for word in options.get("tcp", {}):
        flags = {"established": acl_eval.ESTABLISHED}[word]
    transport = Transport(number, ports_of(ace["source"], number), ports_of(ace["destination"], number), icmp,
                          flags)
    return Entry(4, ace["grant"] == "permit", (transport,), place_of(ace["source"]), place_of(ace["destination"]),
                 bool(ace.get("enable_fragments")), ace.get("time_range"),
                 sequence=ace["sequence"], is_logged=bool(ace.get("log")), cookie=ace.get("log",
                     {}).get("user_cookie"))


def place_of(side):
    if side.get("any"):
        return Wild(0, acl_eval.TOP[4])
    if "host" in side:
        return Wild(number_of(side["host"], 4), 0)
    value, wildcard = number_of(side["address"], 4), number_of(side["wildcard_bits"], 4)
    return Wild(value & ~wildcard, wildcard)


def ports_of(side, protocol):
    operators = side.get("port_protocol")
    if not operators:
        return None
    (operator, value), = operators.items()
    if operator == "range":
        return Ports(((int(value["start"]), int(value["end"])),))
    port = int(value) if value.isdigit() else words.PORT_WORDS[protocol][value]
    return Ports({"eq": ((port, port),), "gt": ((port + 1, 65535),), "lt": ((0, port - 1),),
                  "neq": tuple(pair for pair in ((0, port - 1), (port + 1, 65535))
                               if pair[0] <= pair[1])}[operator])


def all_of(entry):
    """Everything an entry says, the parts that do not make it the same as another too."""
    time_range = getattr(entry.time_range, "name", entry.time_range)
    return (entry.sequence, entry.is_permit, entry.transports, entry.source, entry.destination,
            entry.is_fragments,
            time_range, entry.is_logged, entry.cookie)


# --- running -----------------------------------------------------------------------------------------------


def is_first(seen, value):
    is_new = value not in seen
    seen.add(value)
    return is_new


def form_of(entry):
    """The entry's text without its numbers."""
    return re.sub(r"\d+", "1", shown(entry).split(None, 1)[1]).replace(entry.cookie or " ", " ")


class Batch:
    """Lists gathered for one start of the outside reader."""

    def __init__(self):
        self.lists = {}
        self.inside = self.outside = 0
        self.all = []

    def add(self, title, acl):
        name = f"L{len(self.lists)}"
        entries = [entry for entry in acl.entries if is_inside(entry)]
        self.inside += len(entries)
        self.outside += len(acl.entries) - len(entries)
        self.lists[name] = (title, [])
        self.all += [(name, entry) for entry in entries]

    def choose(self, most):
        """Which to read, as one takes the reader a 15th of a second: an entry of each form first, then
        others, each text once."""
        random.Random(1).shuffle(self.all)
        forms, texts = set(), set()
        ordered = sorted(self.all, key=lambda row: not is_first(forms, form_of(row[1])))
        chosen = [row for row in ordered if is_first(texts, shown(row[1]).split(None, 1)[1])][:most]
        for name, entry in chosen:
            self.lists[name][1].append(entry)
        return len(chosen), len(forms)

    def read(self):
        """{list: its entries as the outside reader has them}."""
        text = "".join(f"Extended IP access list {name}\n" + "\n".join(map(shown, entries)) + "\n"
                       for name, (_, entries) in self.lists.items() if entries)
        with tempfile.TemporaryDirectory() as folder:
            for name, content in (("acls.txt", text), ("play.yml", PLAYBOOK), ("hosts", INVENTORY)):
                with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                    file.write(content)
            environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "0", "HOME": folder,
                           "ANSIBLE_LOCAL_TEMP": folder, "LC_ALL": "C.UTF-8"}
            done = subprocess.run(["ansible-playbook", "-i", "hosts", "play.yml"], cwd=folder, env=environment,
                                  capture_output=True, text=True, timeout=600, check=False)
            path = os.path.join(folder, "out.json")
            if not os.path.exists(path):
                raise RuntimeError(f"no answer: {done.stdout[-1000:]}{done.stderr[-1000:]}")
            with open(path, encoding="utf-8") as file:
                families = json.load(file)
        return {acl["name"]: [entry_of(ace) for ace in acl["aces"]] for family in families
                for acl in family["acls"]}

    def judge(self, tally):
        read = self.read()
        for name, (title, entries) in self.lists.items():
            theirs = [all_of(entry) for entry in read.get(name, [])]
            for index, entry in enumerate(entries):
                other = theirs[index] if index < len(theirs) else None
                tally.check(all_of(entry) == other,
                            f"{title}: {entry.text}\n  here  {all_of(entry)}\n  there {other}")
            tally.check(len(theirs) == len(entries), f"{title}: {len(entries)} entries, {len(theirs)} read")


def sources(options):
    """(title, policy) of the examples, the cases and random ones."""
    for path in sorted(glob.glob(os.path.join(TOP, "examples", "*.fw"))):
        yield os.path.relpath(path, TOP), path
    for path in sorted(glob.glob(os.path.join(TOP, "tests", "cases", "*", "policy.fw"))):
        yield os.path.relpath(path, TOP), path
    for seed in range(options.seed, options.seed + options.policies):
        maker = (policies.DeviceMaker if seed % 3 == 0 else policies.ListMaker)(seed)
        text = maker.make()
        yield f"seed {seed}", text + "".join(
            device.text("none") for device in getattr(maker, "devices", ()))


def check_sample(tally, batch):
    acl = Configuration(SAMPLE).lists[4, "SAMPLE"]
    inside = sum(is_inside(entry) for entry in acl.entries)
    tally.check(inside == SAMPLE_INSIDE,
                f"{inside} of the sample's entries are in the subset, not {SAMPLE_INSIDE}")
    batch.add("sample", acl)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--policies", type=int, default=60)
    parser.add_argument("--entries", type=int, default=250)
    options = parser.parse_args()
    tally = Tally()
    if shutil.which("ansible-playbook") is None:
        tally.skip("the outside reader: Ansible is not installed")
        tally.close()
    batch = Batch()
    check_sample(tally, batch)
    taken = 0
    for index, (title, policy) in enumerate(sources(options)):
        more = ("--port-words",) if index % 2 else ()
        done = compiled.run(os.path.abspath(options.fwc), policy, "--date", "2026-11-01", *more)
        if done.status != 0:
            continue
        taken += 1
        for device, configuration in done.configurations().items():
            for (_, name), acl in configuration.lists.items():
                batch.add(f"{title} {device or ''} {name}", acl)
    read, forms = batch.choose(options.entries)
    batch.judge(tally)
    print(f"{taken} policies, {len(batch.lists)} lists: {batch.inside} entries inside what the outside reader"
          f" reads, {batch.outside} outside; {read} different ones of {forms} forms were read by it")
    tally.check(taken > options.policies // 2, f"only {taken} policies compile")
    tally.close()


if __name__ == "__main__":
    main()
