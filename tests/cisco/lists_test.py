"""Generated access lists against a plain reading of the policy, over the whole space of packets.

usage: lists_test.py FWC [--seed N] [--lists N] [--devices N] [--packets N] [--mutants N]
                     [--replies] [--verbose]

The examples that compile for a router, random policies without a device, some crowded, and random
policies with one: the list of every interface is read by acl_eval.py, the policy by
tests/packets/evaluator.py, and every cell of the space that their boundaries cut is compared
(compare.py), then random packets one by one. What a list lets in beyond the policy has to be what
the compiler said (announced.py).
Then the lists are changed a little (mutants.py): the comparison has to notice each change, unless
every cell says that it means the same. Differences are shown with the smallest policy that has them.
"""

import argparse
import glob
import os
import random
import re
import subprocess
import time

import compiled
import examples
import mutants
import policies
import profiles
from acl_eval import AclError
from acl_read import Configuration
from compare import Judgement, judge
from compiled import TOP, Tally
import evaluator
from policies import device_policy
from spec import PolicyError, RouterPolicy, Vantage, own_addresses

# options that must not change what a list means
MANNERS = ((), ("--port-words",), ("--name", "EDGE"), ("--ipv6",), ("--port-words", "--ipv6"))
AIMS = ((), ("--minimise", "entries"), ("--minimise", "tcam"), ("--minimise", "none"))
SHORTEST = (*AIMS[1:3], *AIMS[1:2])
SPANNED = re.compile(r" deny \w+ any any (?:range|lt|gt|eq) \d+")
SHRINKING_S = 30
LINES_MOST = 4000
PROPERTIES = (("object-groups ios-xe;",), (), ("object-groups yes;", "multi-port-eq yes;"))
MUTATED_MOST = 300  # lines of what mutants are made of: each is read again and again
REPLIES = ("none", "established", "reflexive")
OUTBOUND = "-OUT"       # what follows in the name of a list that reflects
# to the first quarter no tcp passes, but what carries no ports: of all denials together
PASSED_OVER = """deny 100-65535/tcp from 10.0.0.0/24 to 10.0.0.0/26;
deny 0-299/tcp from 10.0.0.0/24 to 10.0.0.0/24;
allow any from 10.0.0.0/25 to 10.0.0.0/25;
"""
KEYS = re.compile(r'key env "([^"]+)"')


class Figures:
    """What was looked at."""

    def __init__(self):
        self.policies = self.lists = self.entries = self.cells = self.packets = self.excess = self.untold = 0
        self.thinned = self.refused = self.mutants = self.caught = self.same = self.broken = self.fragments = 0
        self.spanned = 0    # lists that deny some ports of everybody
        self.reasons = {}

    def add(self, acl, judgement):
        self.lists += 1
        self.entries += len(acl.entries) if acl else 0
        self.cells += judgement.cells
        self.packets += judgement.packets
        self.excess += judgement.excess
        self.fragments += judgement.stray_fragments
        self.untold += not judgement.is_told
        self.thinned += not judgement.is_whole

    def refuse(self, reason):
        self.refused += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1


class Bench:
    """Compiles policies, judges their lists, and mutates them."""

    def __init__(self, options, tally):
        self.fwc = os.path.abspath(options.fwc)
        self.options = options
        self.tally = tally
        self.figures = Figures()
        self.replies = "none"
        self.sought = None

    # --- one policy ---

    def vantages(self, model, devices, only=None):
        """{(device name or None, interface or None): Vantage}."""
        if not devices:
            return {(None, None): Vantage(RouterPolicy(model))}
        result = {}
        for device in [only] if only else devices:
            policy, own = device_policy(model, devices, device), own_addresses(device.prefixes())
            for interface in device.interfaces:
                result[device.name, interface] = Vantage(policy, interface, own)
        return result

    def lists_of(self, configuration, interface):
        """The lists that stand there, by family. On an interface every family has to have one."""
        if interface is None:
            return {family: acl for (family, name), acl in configuration.lists.items()
                    if not name.endswith(OUTBOUND)}
        bound = configuration.interfaces[interface].lists
        return {family: configuration.lists[family, name] for (family, direction), name in bound.items()
                if direction == "in"}

    def judgements(self, vantages, done, packets, seed=0):
        """(vantage's key, list or None, Judgement or None) of everything in an output."""
        configurations = done.configurations()
        for (name, interface), vantage in vantages.items():
            configuration = configurations[name]
            lists = self.lists_of(configuration, interface)
            for family in (4, 6):
                acl = lists.get(family)
                if acl is None:
                    yield (name, interface, family), None, self.without_list(vantage, family, interface)
                    continue
                yield (name, interface, family), acl, judge(
                    vantage, acl, done.of_device(name), seed, packets, self.replies != "none",
                    self.outbound(configuration, interface, family))

    @staticmethod
    def outbound(configuration, interface, family):
        """The list that reflects, or None."""
        if interface is None:
            return next((acl for (its, name), acl in configuration.lists.items()
                         if its == family and name.endswith(OUTBOUND)), None)
        name = configuration.interfaces[interface].lists.get((family, "out")) if interface else None
        return configuration.lists[family, name] if name else None

    @staticmethod
    def without_list(vantage, family, interface):
        """A router's interface without a list lets everything in."""
        if interface and vantage.policy.routers.of[family]:
            return Judgement([f"no list for IPv{family}, though the router has such addresses"])
        return None

    def complaints(self, vantages, done, seed):
        result = []
        for key, acl, judgement in self.judgements(vantages, done, self.options.packets, seed):
            if judgement is not None:
                self.figures.add(acl, judgement)
                result += [f"{key}: {complaint}" for complaint in judgement.complaints]
        return result

    def check(self, title, model, devices, replies, manner, seed):
        """Compiles and judges one policy. Gives (vantages, what was compiled), or None."""
        self.replies = replies
        text = model + text_of(devices, replies)
        options = (*manner, *(() if devices or replies == "none" else ("--replies", replies)))
        try:
            done = compiled.run_devices(self.fwc, text, *options)
        except subprocess.TimeoutExpired:
            self.figures.refuse("not compiled in time: not looked at")
            return None
        if done.status != 0:
            self.figures.refuse(done.first_error()[:70])
            self.tally.check("FW0906" not in done.first_error(),
                             f"{title} {' '.join(options)}: the compiler refutes its own list: "
                             f"{done.first_error()}\n{text}")
            if self.options.verbose:
                print(f"{title}: refused: {done.first_error()}")
            return None
        if len(done.text.splitlines()) > LINES_MOST:
            self.figures.refuse(f"more than {LINES_MOST} lines: not looked at")
            return None
        self.figures.policies += 1
        self.figures.spanned += SPANNED.search(done.text) is not None
        vantages = self.vantages(model, devices)
        try:
            complaints = self.complaints(vantages, done, seed)
        except AclError as error:
            complaints = [f"the output cannot be read: {error}"]
        if not self.tally.check(not complaints, f"{title} {' '.join(options)}: {len(complaints)} complaints"):
            self.sought = kind_of(complaints[0])
            smallest = self.shrink(model, devices, replies, options, seed)
            print("\n".join(complaints[:4]) + f"\n--- smallest policy\n{smallest}---", flush=True)
            return None
        return vantages, done

    def shrink(self, model, devices, replies, options, seed):
        """Leaves out statements as long as something is wrong."""
        lines = model.splitlines()
        is_smaller, deadline = True, time.monotonic() + SHRINKING_S
        while is_smaller and time.monotonic() < deadline:
            is_smaller = False
            for first, last in spans(lines):
                shorter = lines[:first] + lines[last + 1:]
                if shorter and self.is_wrong("\n".join(shorter) + "\n", devices, replies, options, seed):
                    lines, is_smaller = shorter, True
                    break
        return "\n".join(lines) + "\n" + text_of(devices, replies)

    def is_wrong(self, model, devices, replies, options, seed):
        try:
            done = compiled.run_devices(self.fwc, model + text_of(devices, replies), *options)
            if done.status != 0:
                return False
            return any(kind_of(complaint) == self.sought for _, _, judgement
                       in self.judgements(self.vantages(model, devices), done, self.options.packets, seed)
                       if judgement for complaint in judgement.complaints)
        except (PolicyError, ValueError, KeyError):
            return False
        except AclError as error:
            return kind_of(str(error)) == self.sought

    # --- mutants ---

    def mutate(self, title, vantages, done, seed):
        """Some mutants of the output; each has to be noticed or to mean the same."""
        chooser = random.Random(seed)
        tried = 0
        while tried < self.options.mutants and len(done.text.splitlines()) <= MUTATED_MOST:
            tried += 1
            made = mutants.mutant(done.text, chooser)
            if made is not None:
                self.figures.mutants += 1
                self.judge_mutant(title, vantages, done, *made)

    def judge_mutant(self, title, vantages, done, what, text):
        if mutants.is_refused(text) or any(mutants.is_refused(part)
                                           for part in compiled.devices_of(text).values()):
            self.figures.broken += 1
            return
        other = compiled.Compiled(0, text, done.diagnostics, by_device=done.by_device)
        noticed = any(judgement and judgement.complaints for _, _, judgement
                      in self.judgements(vantages, other, 0))
        if noticed:
            self.figures.caught += 1
            return
        packet = self.difference(done.text, text)
        self.figures.same += packet is None
        self.tally.check(packet is None, f"{title}: a mutant was not noticed: {what}: differs for {packet}")

    @staticmethod
    def difference(text, other):
        """A packet of which two outputs think differently, or None."""
        for name, part in compiled.devices_of(text).items():
            twin = compiled.devices_of(other)[name]
            configuration = Configuration(part)
            bound = {(family, acl) for interface in configuration.interfaces.values()
                     for (family, _), acl in interface.lists.items()}
            for key in bound or configuration.lists:
                is_same, packet = mutants.same_meaning(part, twin, key)
                if not is_same and not (packet and packet.is_fragment):
                    return packet or "a list that is gone"
        return None


def kind_of(complaint):
    """What is wrong, without the packet."""
    return re.sub(r", but it answers .*", "", complaint.rsplit(": ", 1)[-1])


def text_of(devices, replies):
    return "".join(device.text(replies) for device in devices)


def spans(lines):
    """(first, last) of every statement, blocks as a whole and every line inside."""
    opened, result = [], []
    for index, line in enumerate(lines):
        if line.endswith("{"):
            opened.append(index)
        elif line.strip() == "}" and opened:
            result.append((opened.pop(), index))
        elif not line.startswith("zone "):
            result.append((index, index))
    return sorted(result, key=lambda span: span[0] - span[1])


def run_examples(bench):
    """Every example: as it stands where it compiles, refused with an error where it does not, and
    those for a host once more on a device."""
    evaluator.KNOWN.update({**profiles.known(), **evaluator.KNOWN})
    for path in sorted(glob.glob(os.path.join(TOP, "examples", "*.fw"))):
        name = os.path.basename(path)
        if name in examples.FITTED:
            is_refused(bench, path)
            text, device = examples.fitted(path)
            device.properties = ("degrade limit;",)
            taken = bench.check(f"{name} on a device", text, [device], "none", (), 0)
            bench.tally.check(taken, f"{name} on a device")
        elif re.search("^device ", examples.read(path), flags=re.M):
            judge_sites(bench, path)
        else:
            bench.tally.check(bench.check(name, examples.flattened(path), [], "none", (), 0), name)


def is_refused(bench, path):
    done = compiled.run(bench.fwc, path)
    bench.tally.check(done.status == 1 and not done.text and done.codes(), f"{path} is for a host: {done.status}")


def judge_sites(bench, path):
    """Both ends of tunnels: the lists of interfaces, and those of what comes out of the tunnels."""
    name = os.path.basename(path)
    keys = KEYS.findall(examples.read(path))
    done = compiled.run_devices(bench.fwc, path, environment={key: "Sesam" for key in keys})
    if not bench.tally.check(done.status == 0, f"{name}: {done.first_error()}"):
        return
    bench.replies = "established"
    devices, sites = examples.sites(examples.flattened(path))
    for site in sites:
        vantages = bench.vantages(site.outside, devices, site.device)
        complaints = bench.complaints(vantages, done, 0)
        bench.tally.check(not complaints, f"{name}: {complaints[:3]}")
        # out of the tunnel nothing of the tunnel comes
        inside = bench.vantages(site.inside, devices, site.device)
        for acl, interface in tunnel_lists(done.configurations()[site.device.name]):
            judgement = judge(inside[site.device.name, interface], acl, done.of_device(site.device.name), 0,
                              bench.options.packets)
            bench.figures.add(acl, judgement)
            bench.tally.check(not judgement.complaints, f"{name}: {acl.name}: {judgement.complaints[:3]}")


def tunnel_lists(configuration):
    """(list, interface) of what comes out of each tunnel."""
    for head, lines in configuration.commands.items():
        for found in map(re.compile(r"set ip access-group (\S+) in").fullmatch, lines):
            if found:
                name = head.split()[2]
                yield configuration.lists[4, found[1]], next(
                    interface for interface, words in configuration.interfaces.items() if words.crypto_map == name)


def run_random(bench, make, seeds, aims=AIMS):
    for seed in seeds:
        maker = make(seed)
        model = maker.make()
        devices = getattr(maker, "devices", [])
        for device in devices:
            device.properties = PROPERTIES[seed % len(PROPERTIES)]
        replies = random.Random(seed).choice(REPLIES if bench.options.replies else REPLIES[:1])
        manner = (*(() if devices else MANNERS[seed % len(MANNERS)]), *aims[seed % len(aims)])
        title = f"{make.__name__} {seed}, replies {replies}"
        taken = bench.check(title, model, devices, replies, manner, seed)
        if taken:
            bench.mutate(title, *taken, seed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lists", type=int, default=12)
    parser.add_argument("--devices", type=int, default=6)
    parser.add_argument("--packets", type=int, default=300)
    parser.add_argument("--mutants", type=int, default=4)
    parser.add_argument("--replies", action="store_true", help="two thirds of the lists let answers in")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    tally = Tally()
    bench = Bench(options, tally)
    run_examples(bench)
    seen = bench.figures.fragments
    bench.check("denials that later fragments pass over", PASSED_OVER, [], "none", (), 0)
    tally.check(bench.figures.fragments > seen, "later fragments that pass over denials")
    run_random(bench, policies.ListMaker, range(options.seed, options.seed + options.lists))
    run_random(bench, policies.CrowdedMaker, range(options.seed, options.seed + options.lists))
    spanned = bench.figures.spanned
    run_random(bench, policies.ServicesMaker, range(options.seed, options.seed + options.lists), SHORTEST)
    tally.check(bench.figures.spanned > spanned, "lists that deny ports ahead of all")
    run_random(bench, policies.DeviceMaker, range(options.seed, options.seed + options.devices))
    run_random(bench, policies.TwoDeviceMaker, range(options.seed, options.seed + options.devices // 4))
    report(bench.figures, options, tally)
    tally.close()


def report(figures, options, tally):
    print(f"seeds {options.seed} to {options.seed + max(options.lists, options.devices) - 1}:"
          f" {figures.policies} policies, {figures.lists} lists of {figures.entries} entries:"
          f" {figures.cells} cells ({figures.thinned} spaces thinned), {figures.packets} packets;"
          f" {figures.excess} cells of announced excess ({figures.untold} lists too large to tell),"
          f" {figures.fragments} of later fragments, {figures.spanned} lists with ports that all are denied")
    print(f"{figures.mutants} mutants: {figures.caught} noticed, {figures.broken} no configuration any more,"
          f" {figures.same} of the same meaning")
    for reason, times in sorted(figures.reasons.items()):
        print(f"refused {times} times: {reason}")
    asked = 3 * options.lists + options.devices + options.devices // 4
    tally.check(figures.policies >= asked // 2, f"only {figures.policies} of {asked} policies compile")


if __name__ == "__main__":
    main()
