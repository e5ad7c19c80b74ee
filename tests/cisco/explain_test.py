"""`fwc explain` names the entry that decides: the one that acl_eval.py finds in the compiled text.

usage: explain_test.py FWC [--seed N] [--questions N]

Questions are drawn at the edges of what the entries say. Every step that is named (list, number,
verdict) is asked of the evaluator, with the packet as it stands at that place; and no list that the packet meets is
left out. That the verdict of all steps is the rule's is checked where the policy lets in no answers."""

import argparse
import ipaddress
import json
import os
import random
import re
import subprocess
import tempfile

import policies
from acl_eval import TOP as TOP_ADDRESS, Evaluate, Packet
from compiled import TOP, Tally, run
from proof_test import ENVIRONMENT, FAR

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
END = r"(\[[^\]]+\]|[0-9a-f.:]+?)(?::(\d+))?"
PACKET = re.compile(rf"(\S+) (?:(\S+) )?{END} -> {END}(?: in (\S+))?(?: out ([^\s,]+))?"
                    rf"(?:, translated from {END})?$")
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
LONE = [("lone-established", ["--replies", "established"]), ("lone", [])]


def subjects(folder, seed):
    """(title, file, options of compile and explain, device's name or None)"""
    examples = os.path.join(TOP, "examples")
    yield "one-liner.fw", os.path.join(examples, "one-liner.fw"), [], None
    for site in ("SITE1", "SITE2"):
        yield f"site-to-site.fw, {site}", os.path.join(examples, "site-to-site.fw"), ["--device", site], site
    texts = [(f"far-{replies}", FAR.replace("REPLIES", replies) +
              "masquerade from lan to wan;\n", [], "R1") for replies in ("none", "reflexive")]
    texts += [(f"{name}-{number}", policies.ListMaker(seed * 10 + number).make(), options, None)
              for number in range(3) for name, options in LONE]
    for title, text, options, device in texts:
        path = os.path.join(folder, f"{title}.fw")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        yield title, path, options, device


# --- questions ---------------------------------------------------------------------------------------


def words_of(address, family):
    return str((ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address)(address))


def end_of(place, family, chooser):
    edges = sorted(edge for run in place.edges() for edge in run if 0 <= edge <= TOP_ADDRESS[family])
    return words_of(chooser.choice(edges), family)


def with_port(address, port):
    return (f"[{address}]" if ":" in address else address) + f":{port}"


def question(config, chooser):
    """One that an entry speaks of, or just does not."""
    acl = chooser.choice([acl for acl in config.lists.values() if acl.entries])
    entry = chooser.choice([entry for entry in acl.entries if not isinstance(entry, Evaluate)])
    source, target = (end_of(place, acl.family, chooser) for place in (entry.source, entry.destination))
    transport = chooser.choice(entry.transports)
    protocol = transport.protocol if transport.protocol in (6, 17) else chooser.choice((6, 17))
    ports = [chooser.choice(ports.intervals)[chooser.randrange(2)] if ports else 40000
             for ports in (transport.source_ports, transport.ports)]
    if chooser.random() < 0.2:
        ports[1] = max(1, ports[1] - 1)
    return f"{'tcp' if protocol == 6 else 'udp'} {with_port(source, ports[0])} -> {with_port(target, ports[1])}"


# --- answers -----------------------------------------------------------------------------------------


def packet_of(decision):
    """(Packet after, Packet before translation, in, out)"""
    protocol, word, source, source_port, target, port, way_in, way_out, first, first_port = \
        PACKET.match(decision["packet"]).groups()
    assert protocol in PROTOCOLS and word is None, decision["packet"]
    source, target = (ipaddress.ip_address(end.strip("[]")) for end in (source, target))
    first = ipaddress.ip_address(first.strip("[]")) if first else target
    day, clock = (decision["time"] or "Monday 12:00").split()
    minute = DAYS.index(day) * 1440 + int(clock[:2]) * 60 + int(clock[3:])

    def packet(to, to_port):
        return Packet(source.version, int(source), int(to), PROTOCOLS[protocol], int(to_port), int(source_port), 0,
                      2 if protocol == "tcp" else 0, False, minute)
    return packet(target, port), packet(first, first_port or port), way_in, way_out


def replaced(packet, **values):
    return Packet(**{**{name: getattr(packet, name) for name in packet.__dataclass_fields__}, **values})


class Subject:
    def __init__(self, fwc, tally, title, path, options, device):
        self.fwc, self.tally, self.title, self.path, self.options = fwc, tally, title, path, options
        self.device = device
        done = run(fwc, path, *options, environment=ENVIRONMENT)
        self.config = next(iter(done.configurations().values()), None) if done.status == 0 else None
        self.steps = 0

    def ask(self, words):
        done = subprocess.run([self.fwc, "explain", self.path, words, "--format", "json", *self.options,
                               *([] if self.device else ["--target", "cisco-ios"])],
                              capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False)
        if done.returncode != 0:
            self.tally.check("FW0308" in done.stderr or "no such packet" in done.stderr,
                             f"{self.title}: {words}: {done.stderr}")
            return
        for answer in json.loads(done.stdout)["answers"]:
            for decision in answer["decisions"]:
                self.judge(words, decision)

    def leaving(self, packet, decision, way_out):
        """As it is behind the source translation: None where nobody can know."""
        leaves = decision["leaves"]
        if not leaves:
            return packet
        addresses = [address for address in self.config.interfaces[way_out].addresses
                     if address.version == packet.family]
        address = leaves["address"] or (str(addresses[0].ip) if addresses else None)
        return replaced(packet, source=int(ipaddress.ip_address(address))) if address else None

    def wanted(self, decision):
        """[(direction, list, packet)] of the lists that the packet meets, tunnels aside."""
        after, before, way_in, way_out = packet_of(decision)
        if self.device is None:
            name = "FWC" if after.family == 4 else "FWC-IPV6"
            is_met = decision["hook"] != "output" and (after.family, name) in self.config.lists
            return [("alone", name, after)] if is_met else []
        met = []
        if way_in and (after.family, "in") in self.config.interfaces[way_in].lists:
            met.append(("in", self.config.interfaces[way_in].lists[after.family, "in"], before))
        if decision["hook"] == "forward" and (after.family, "out") in self.config.interfaces[way_out].lists:
            met.append(("out", self.config.interfaces[way_out].lists[after.family, "out"],
                        self.leaving(after, decision, way_out)))
        return met

    def judge(self, words, decision):
        outputs = [output for output in decision["outputs"] if output["target"] == "cisco-ios"]
        steps = outputs[0]["steps"] if outputs else []
        tunnelled = [step for step in steps if "tunnel" in step["direction"]]
        wanted = self.wanted(decision)
        told = f"{self.title}: {words}: {decision['packet']}"
        for step in tunnelled:
            packet = packet_of(decision)[0]
            self.compare(told, step, packet)
        if tunnelled:
            directions = {"from-tunnel": "in", "to-tunnel": "out"}
            replaced_ones = {directions[step["direction"]] for step in tunnelled}
            wanted = [row for row in wanted if row[0] not in replaced_ones]
        steps = [step for step in steps if step not in tunnelled]
        for (direction, name, packet), step in zip(wanted, steps):
            self.tally.check((step["direction"], step["list"]) == (direction, name), f"{told}: {step}")
            self.compare(told, step, packet)
        is_stopped = bool(steps) and not steps[-1]["is_permitted"]
        self.tally.check(len(steps) == len(wanted) or is_stopped, f"{told}: {len(wanted)} lists, told: {steps}")
        if steps and self.device and "none" in self.title:
            self.tally.check(outputs[0]["is_permitted"] == (decision["verdict"] == "allow"), f"{told}: {decision}")

    def compare(self, told, step, packet):
        acl = self.config.lists[packet.family, step["list"]]
        entry = acl.find(packet)
        self.steps += 1
        self.tally.check((entry.sequence if entry else None) == step["sequence"] and
                         acl.permits(packet) == step["is_permitted"], f"{told}: {step}, but {entry}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--questions", type=int, default=20)
    options = parser.parse_args()
    tally = Tally()
    steps = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, subject in enumerate(subjects(folder, options.seed)):
            asked = Subject(os.path.abspath(options.fwc), tally, *subject)
            if asked.config is None or not any(acl.entries for acl in asked.config.lists.values()):
                continue
            chooser = random.Random(options.seed * 100 + number)
            for _ in range(options.questions):
                asked.ask(question(asked.config, chooser))
            steps += asked.steps
            tally.check(asked.steps > 0, f"{asked.title}: no list was met")
    print(f"{steps} entries named")
    tally.close()


if __name__ == "__main__":
    main()
