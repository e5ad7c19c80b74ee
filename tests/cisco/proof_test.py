"""The proof of lists: small mutants of what the compiler wrote are caught, or mean the same.

usage: proof_test.py FWC [--seed N] [--mutants N] [--only WORDS]

FWC_MUTANTS=200 in the environment asks for so many of each subject, whatever the option says.

Each subject's text is changed a little (mutants.py) and given to `fwc verify --against`. A mutant that is
taken for equal has to mean the same by acl_eval.py, which shares nothing with fwc, in every cell of the
space of both lists; later fragments, which the proof does not compare, aside; lists of source translation for
packets that leave by an outside interface. What is bound where is mutated, too, and which interfaces are inside
and outside of translations.
"""

import argparse
import ipaddress
import os
import random
import re
import subprocess
import tempfile

import examples
import mutants
from acl_read import Configuration
from compiled import TOP, Tally

FAR = """
zone lan { network 10.0.0.0/24, fd00:1::/64; }
zone dmz { network 10.0.1.0/24; }
zone wan { network internet; }
host web1 = 10.0.1.10;
timezone +01:00;
schedule work = mon-fri 08:00-18:00;
device R1 {
    target cisco-ios;
    interface Gi0/0 { zone lan; address 10.0.0.1/24; address fd00:1::1/64; }
    interface Gi0/1 { zone wan; address 192.0.2.2/30; }
    interface Gi0/2 { zone dmz; address 10.0.1.1/24; }
    replies REPLIES;
}
default output deny;
forward 8080/tcp from wan to web1 port 80;
deny 25/tcp from lan to wan until 2039-12-31;
allow ssh, 1000-2000/udp from lan to wan during work;
allow http, https from lan to any;
allow ping from lan to self;
reject any from dmz to lan;
allow dns from dmz to wan;
"""
ADDRESS = re.compile(r"^ip address (\S+) (\S+)$", re.M)
IN_LIST = re.compile(r"^ *ip access-group (\S+) in$", re.M)
ENVIRONMENT = {**os.environ, "PARIS_LYON_PSK": "secret", "NO_COLOR": "1"}


def examples_of(folder):
    """Every example, as a list where it can be one, else with what makes it one for a router."""
    place = os.path.join(TOP, "examples")
    for name in sorted(name for name in os.listdir(place) if name.endswith(".fw")):
        path = os.path.join(place, name)
        text = examples.read(path)
        devices = re.findall(r"^device (\S+)", text, re.M)
        if name in examples.FITTED:
            text, device = examples.fitted(path)
            path = os.path.join(folder, name)
            device.properties = ("degrade limit;",)
            with open(path, "w", encoding="utf-8") as file:
                file.write(device.text("established") + text)
            devices = [device.name]
        for device in devices or [None]:
            yield name if device is None else f"{name}, {device}", path, device


def subjects(folder):
    """(title, policy file, device or None)"""
    yield from examples_of(folder)
    for replies in ("established", "reflexive"):
        path = os.path.join(folder, f"{replies}.fw")
        with open(path, "w", encoding="utf-8") as file:
            file.write(FAR.replace("REPLIES", replies))
        yield f"a router, replies {replies}", path, "R1"


class Subject:
    def __init__(self, fwc, folder, title, path, device):
        self.fwc, self.title, self.path = fwc, title, path
        self.device = ["--device", device] if device else []
        self.file = os.path.join(folder, "mutant.ios")
        done = self.run("compile", "--target", "cisco")
        self.text, self.said = done.stdout, done.stderr
        self.configuration = Configuration(self.text)
        self.figures = {"caught": 0, "same": 0}

    def run(self, command, *options):
        return subprocess.run([self.fwc, command, self.path, *self.device, *options], env=ENVIRONMENT,
                              capture_output=True, text=True, timeout=60, check=False)

    def verify(self, text):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)
        return self.run("verify", "--against", self.file)

    def translation_lists(self):
        return set(re.findall(r"^ip nat inside source list (\S+)", self.text, re.M))

    def leaves(self, destination):
        """Whether packets to it leave by an outside interface: those of the others' networks do not."""
        inside = [prefix for item in self.configuration.interfaces.values() if "ip nat outside" not in item.lines
                  for prefix in ADDRESS.findall("\n".join(item.lines))]
        return not any(ipaddress.ip_address(destination) in ipaddress.ip_network("/".join(prefix), strict=False)
                       for prefix in inside)

    def gates(self):
        """What comes in inside: translations of other packets show nowhere."""
        names = [name for item in self.configuration.interfaces.values() if "ip nat inside" in item.lines
                 for name in IN_LIST.findall("\n".join(item.lines))]
        return [self.configuration.lists[(4, name)] for name in names]

    def difference(self, text):
        """What differs, in words; None: nothing."""
        ours, theirs = self.configuration, mutants.read(text)
        if theirs is None:
            return "not read"
        if {name: item.lists for name, item in ours.interfaces.items()} != \
                {name: item.lists for name, item in theirs.interfaces.items()}:
            return "a binding"
        for key, acl in ours.lists.items():
            is_list = key[1] in self.translation_lists()
            is_same, packet = mutants.same_lists(acl, theirs.lists[key], False, self.leaves if is_list else None,
                                                 self.gates() if is_list else ()) \
                if key in theirs.lists else (False, None)
            if not is_same:
                return f"list {key[1]}: {packet}"
        return None

    def mutate(self, tally, seed, count):
        chooser = random.Random(seed)
        tried = 0
        while tried < count:
            made = mutants.mutant(self.text, chooser)
            if made is None:
                continue
            tried += 1
            self.judge(tally, *made)

    def judge(self, tally, what, text):
        done = self.verify(text)
        if done.returncode == 1:
            shows = "this packet shows it" in done.stderr or "makes no sense" in done.stderr
            self.figures["caught"] += 1
            tally.check(shows, f"{self.title}: {what}: nothing is shown: {done.stderr[-300:]}")
            return
        found = self.difference(text)
        self.figures["same"] += found is None
        tally.check(done.returncode == 0 and found is None,
                    f"{self.title}: {what}: status {done.returncode}, and it differs: {found}")


BOUND = re.compile(r" (ip access-group|ipv6 traffic-filter|set ip access-group|match address|crypto map|ip nat)"
                   r"|ip nat inside source")


def bindings_of(text):
    """Texts with one binding taken away, or turned round; with `ip nat` the same."""
    lines = text.splitlines()
    for index, line in enumerate(lines):
        others = [other + "\n" for other in changes_of(line)]
        for other in [""] * bool(BOUND.match(line)) + others:
            yield f"{line} became {other}", "".join(f"{kept}\n" for kept in lines[:index]) + other + \
                "".join(f"{kept}\n" for kept in lines[index + 1:])


def changes_of(line):
    """The line with something else in it."""
    if line.startswith("ip nat inside source static"):
        for number in re.findall(r"(?<= )\d+(?= |$)", line):
            yield line.replace(f" {number}", f" {int(number) + 1}", 1)
        for number in re.findall(r"(?<=\.)\d+(?= \d)", line):
            yield line.replace(f".{number} ", f".{int(number) ^ 1} ", 1)
    if line.startswith(" ip nat"):
        yield " ip nat inside" if line.endswith("outside") else " ip nat outside"
    if line.endswith(" in"):
        yield line[:-2] + "out"


def check_bindings(tally, subject):
    for what, text in bindings_of(subject.text):
        done = subject.verify(text)
        tally.check(done.returncode == 1 and "FW090" in done.stderr,
                    f"{subject.title}: {what}: status {done.returncode}: {done.stderr[-200:]}")


def check_too_long(tally, fwc, folder):
    """More entries than a comparison has memory for: said so (FW0907), at once, and not taken for equal."""
    path = os.path.join(folder, "long.fw")
    with open(path, "w", encoding="utf-8") as file:
        file.write("deny telnet;\nallow ssh from 10.0.0.0/8;\n")
    subject = Subject(fwc, folder, "a text of 9 MB", path, None)
    entries = "".join(f" {10 + 10 * index} permit tcp host 10.{index >> 16}.{index >> 8 & 255}.{index & 255} "
                      f"host 192.168.{index >> 8 & 255}.{index & 255} eq 22 log\n" for index in range(130000))
    done = subject.verify("ip access-list extended FWC\n" + entries)
    tally.check(done.returncode == 1 and "FW0907" in done.stderr and "100,000 entries" in done.stderr,
                f"{subject.title}: status {done.returncode}: {done.stderr[-300:]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutants", type=int, default=200)
    parser.add_argument("--only", default="", help="words of the subjects' titles")
    options = parser.parse_args()
    options.mutants = int(os.environ.get("FWC_MUTANTS", options.mutants))
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        check_too_long(tally, os.path.abspath(options.fwc), folder)
        for title, path, device in subjects(folder):
            if options.only not in title:
                continue
            subject = Subject(os.path.abspath(options.fwc), folder, title, path, device)
            tally.check("\nproved: these lists equal" in "\n" + subject.said, f"{title}: {subject.said[-300:]}")
            tally.check(subject.verify(subject.text).returncode == 0, f"{title}: not verified as it is")
            check_bindings(tally, subject)
            subject.mutate(tally, options.seed, options.mutants)
            figures = subject.figures
            print(f"{title}: {options.mutants} mutants: {figures['caught']} caught, {figures['same']} of the"
                  f" same meaning", flush=True)
    tally.close()


if __name__ == "__main__":
    main()
