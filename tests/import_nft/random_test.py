"""Random rulesets of nft and the policies made of them, by real packets.

usage: random_test.py FWC [--seed N] [--rulesets N] [--probes N]

Rulesets of chains that jump and go to each other, verdict maps, sets, intervals, concatenations, negations and
several base chains are made over the router of tests/iptables. Probes are sent through each, then through the
policy that was made of it. A ruleset that no policy can say has to be refused with its reason; few may be.
"""

import argparse
import os
import random
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "packets"))
sys.path.insert(0, os.path.join(HERE, "..", "iptables"))

# pylint: disable=wrong-import-position
import lab
import packets_test as router
from prober import Prober

INTERFACES = ["ppp0", "br-lan", "br-guest", "wg0"]
ADDRESSES = ["192.168.0.0/24", "192.168.0.10", "192.168.0.20", "198.51.100.0/24", "198.51.100.20", "203.0.113.9",
             "172.20.0.0/24", "172.20.0.5", "10.8.0.7", "10.8.0.0/16", "80.1.0.99", "192.168.0.8-192.168.0.30",
             "80.1.0.0-80.1.0.255", "172.16.0.0/12", "0.0.0.0/1"]
DISJOINT = ["192.168.0.0/28", "192.168.0.16-192.168.0.40", "198.51.100.0/24", "203.0.113.9", "172.20.0.0/24",
            "10.8.0.7", "80.1.0.64/26"]
PORTS = ["22", "25", "53", "80", "443", "1-79", "80-1023", "137-139", "5060"]
APART = ["22", "25", "50-60", "80", "137-443", "5000-6000"]
VERDICTS = ["accept", "accept", "accept", "drop", "drop", "reject", "return"]


class Maker:
    """One ruleset: chains only go to later ones."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.sets = []

    def pick(self, things, most):
        return ", ".join(self.random.sample(things, self.random.randint(1, min(most, len(things)))))

    def address(self, side):
        negation = self.random.choice(["", "", "!= "])
        kind = self.random.random()
        if kind < 0.5:
            return f"ip {side} {negation}{self.random.choice(ADDRESSES)}"
        if kind < 0.8:
            return f"ip {side} {negation}{{ {self.pick(DISJOINT, 4)} }}"
        name = f"s{len(self.sets)}"
        elements = self.pick(DISJOINT, 5)
        self.sets.append(f"set {name} {{ type ipv4_addr; flags interval; elements = {{ {elements} }} }}")
        return f"ip {side} {negation}@{name}"

    def service(self):
        kind = self.random.random()
        negation = self.random.choice(["", "", "", "!= "])
        if kind < 0.4:
            return f"{self.random.choice(['tcp', 'udp'])} dport {negation}{self.random.choice(PORTS)}"
        if kind < 0.7:
            return f"{self.random.choice(['tcp', 'udp'])} dport {negation}{{ {self.pick(APART, 4)} }}"
        if kind < 0.8:
            return f"meta l4proto {{ tcp, udp }} th dport {{ {self.pick(APART, 3)} }}"
        if kind < 0.9:
            return self.random.choice(["icmp type echo-request", "meta l4proto icmp", "meta l4proto != tcp"])
        return "tcp sport 1024-65535"

    def verdict(self, later):
        if later and self.random.random() < 0.35:
            return f"{self.random.choice(['jump', 'goto'])} {self.random.choice(later)}"
        return self.random.choice(VERDICTS)

    def element(self, later):
        """What an element of a map can do: it cannot reject."""
        verdict = self.verdict(later)
        return "continue" if verdict == "reject" else verdict

    def interfaces(self, hook):
        words = ["iifname"] * (hook != "output") + ["oifname"] * (hook != "input")
        word = self.random.choice(words)
        negation = self.random.choice(["", "", "!= "])
        if self.random.random() < 0.5:
            return f'{word} {negation}"{self.random.choice(INTERFACES)}"'
        return f"{word} {negation}{{ {self.pick(INTERFACES, 3)} }}"

    def map(self, later, hook):
        """A map of verdicts over interfaces, addresses, ports, or two of them."""
        kind = self.random.randrange(4)
        if kind == 0 and hook == "forward":
            keys = self.random.sample([f"{one} . {two}" for one in INTERFACES for two in INTERFACES], 4)
            word = "iifname . oifname"
        elif kind == 1:
            keys, word = self.random.sample(DISJOINT, 3), "ip saddr"
        elif kind == 2:
            keys, word = self.random.sample(APART, 3), "tcp dport"
        else:
            keys = self.random.sample([f"{protocol} . {port}" for protocol in ("tcp", "udp")
                                       for port in ("22", "25", "53", "80", "443", "5060")], 5)
            word = "meta l4proto . th dport"
        return f"{word} vmap {{ {', '.join(f'{key} : {self.element(later)}' for key in keys)} }}"

    def rule(self, later, hook):
        if self.random.random() < 0.2:
            return self.map(later, hook)
        words = []
        if hook and self.random.random() < 0.4:
            words.append(self.interfaces(hook))
        for make in (lambda: self.address("saddr"), lambda: self.address("daddr"), self.service):
            if self.random.random() < 0.45:
                words.append(make())
        if self.random.random() < 0.2:
            words.append("ct state new")
        if self.random.random() < 0.2:
            words.append("counter")
        return " ".join(words + [self.verdict(later)])

    def table(self):
        names = [f"c{number}" for number in range(self.random.randint(1, 4))]
        chains = []
        for number, name in enumerate(names):
            rules = [self.rule(names[number + 1:], None) for _ in range(self.random.randint(1, 4))]
            chains.append(f"chain {name} {{\n" + "\n".join(rules) + "\n}")
        for hook in ("input", "forward"):
            rules = ["ct state established,related accept", "meta l4proto ipv6-icmp accept"]
            if hook == "input":
                rules.append("iifname lo accept")
            rules += [self.rule(names, hook) for _ in range(self.random.randint(2, 7))]
            policy = self.random.choice(["drop", "drop", "accept"])
            head = f"chain {hook} {{\ntype filter hook {hook} priority 0; policy {policy};\n"
            chains.append(head + "\n".join(rules) + "\n}")
        if self.random.random() < 0.3:
            rules = [self.rule([], "forward") for _ in range(2)]
            rules = ["ct state established,related accept", "meta l4proto ipv6-icmp accept"] + rules
            chains.append("chain first {\ntype filter hook forward priority -5; policy accept;\n" + "\n".join(rules)
                          + "\n}")
        return "table inet t {\n" + "\n".join(reversed(self.sets)) + "\n" + "\n".join(chains) + "\n}\n"


def compare(tally, prober, script, probes, seed):
    laboratory = prober.lab
    done = laboratory.fw.run([prober.lab.fwc, "import", "nft", "-"], script)
    if done.returncode == 1 and "FW1323" in done.stderr:
        done = laboratory.fw.run([prober.lab.fwc, "import", "nft", "-", "--always-passing"], script)
    if done.returncode != 0:
        return tally.check(done.returncode == 1 and "FW1330" not in done.stderr and not done.stdout,
                           f"seed {seed}: {done.stderr}\n{script}") and False
    tally.check("proved: this policy equals the ruleset" in done.stderr, f"seed {seed}: {done.stderr}")
    laboratory.fw.must(["nft", "-f", "-"], script)
    theirs = router.outcomes(prober, probes)
    laboratory.clear()
    laboratory.apply(done.stdout)
    mine = router.outcomes(prober, probes)
    laboratory.clear()
    for probe, one, other in zip(probes, theirs, mine):
        tally.check(one == other,
                    f"seed {seed}: {probe}: {one} by nft, {other} by the policy\n{script}\n{done.stdout}")
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rulesets", type=int, default=40)
    parser.add_argument("--probes", type=int, default=60)
    options = parser.parse_args()
    if shutil.which("nft") is None:
        print("skipped: nft is missing\n0 passed, 0 failed, 1 skipped")
        return
    lab.enter("random rulesets of nft")
    tally = lab.Tally()
    laboratory = router.build(os.path.abspath(options.fwc))
    prober = Prober(laboratory)
    everything = list(router.attempts())
    made = 0
    for seed in range(options.seed, options.seed + options.rulesets):
        probes = random.Random(seed).sample(everything, options.probes)
        made += compare(tally, prober, Maker(seed).table(), probes, seed)
    print(f"{options.rulesets} rulesets, {made} made policies")
    tally.check(made * 10 >= options.rulesets * 7, f"only {made} of {options.rulesets} became policies")
    laboratory.close()
    tally.close()


if __name__ == "__main__":
    sys.exit(main())
