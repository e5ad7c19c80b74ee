"""Edits of a router's lists, replayed one command at a time on a model of IOS.

usage: edit_test.py FWC [--seed N] [--pairs N]

The model (router.py) is held against hand-written truths first, and the watcher against edits that
are known to be wrong. Then `fwc compile NEW --mode edit --from OLD` and `--mode swap` for random
pairs: no step lets a packet pass that old and new deny, none drops what both permit; in the end the
meaning is the new list's; an unchanged list gives no command; a swap never shows half a list.
"""

import argparse
import os
import random
import re
import tempfile

import compiled
import policies
from acl_eval import AclError
from compiled import Tally
from replay import replay
from router import Router

BASE = ("ip access-list extended X\n permit tcp any any eq 80\n deny tcp any host 1.1.1.1\n permit tcp any any\n"
        "interface Serial0/0\n ip access-group X in\n")

# (commands, the entries of X afterwards as number and text without it)
EDITS = [
    ([], [(10, "permit tcp any any eq 80"), (20, "deny tcp any host 1.1.1.1"), (30, "permit tcp any any")]),
    (["ip access-list extended X", " 15 permit udp any any", " no 30"],
     [(10, "permit tcp any any eq 80"), (15, "permit udp any any"), (20, "deny tcp any host 1.1.1.1")]),
    # there already: ignored, whatever the number
    (["ip access-list extended X", " 5 permit tcp any any", " 25 permit tcp any any eq www"],
     [(10, "permit tcp any any eq 80"), (20, "deny tcp any host 1.1.1.1"), (30, "permit tcp any any")]),
    (["ip access-list extended X", " permit udp any any"],
     [(10, "permit tcp any any eq 80"), (20, "deny tcp any host 1.1.1.1"), (30, "permit tcp any any"),
      (40, "permit udp any any")]),
    (["ip access-list resequence X 100 5"],
     [(100, "permit tcp any any eq 80"), (105, "deny tcp any host 1.1.1.1"), (110, "permit tcp any any")]),
    (["ip access-list extended X", " no permit tcp any any eq www", " no deny tcp any host 1.1.1.1"],
     [(30, "permit tcp any any")]),
    (["no ip access-list extended X", "ip access-list extended X", " permit udp any any"],
     [(10, "permit udp any any")]),
    (["configure terminal", "ip access-list extended X", " remark why", " no 10", "exit", "end", "! done"],
     [(20, "deny tcp any host 1.1.1.1"), (30, "permit tcp any any")]),
]

REFUSED = [
    ["ip access-list extended X", " no 15"], ["ip access-list extended X", " 20 permit udp any any"],
    ["ip access-list extended X", " no permit udp any any"], ["no ip access-list extended Y"],
    ["ip access-list extended X", " no remark never said"], ["ip access-list resequence Y 10 10"],
    ["interface Serial0/0", " no ip access-group Y in"], ["interface Serial0/1", " no ip access-group X in"],
    ["ip access-list extended X", " permit tcp any any eq https"],
    ["no time-range T"], ["no object-group network N"],
]

TWO = ("ip access-list extended X\n permit tcp any any eq 80\n deny ip host 9.9.9.9 any\n permit udp any any\n"
       "interface Serial0/0\n ip access-group X in\n")
# one list at three interfaces, where the policy has a list for each
SHARED = ("ip access-list extended OLD\n permit tcp any any eq 22\n deny ip any any\n" +
          "".join(f"interface eth{number}\n ip access-group OLD in\n" for number in range(3)))
APART = """zone lan { network 192.168.0.0/24; }
zone wan { network internet; }
zone dmz { network 10.9.0.0/24; }
device R1 {
  target cisco-ios;
  interface eth0 { address 192.168.0.1/24; zone lan; }
  interface eth1 { address 80.1.0.2/30; zone wan; }
  interface eth2 { address 10.9.0.1/24; zone dmz; }
  replies none;
}
allow ssh from lan to wan;
allow ssh from dmz to wan;
"""
# entries that log, or do not any more: to the model the same ones
QUIET = "allow ssh from 192.168.0.0/24;\nallow http from 10.0.0.1 to 10.0.0.2;\n"
LOGS = [QUIET.replace("/24;", "/24 log;"), QUIET.replace("2;\n", "2 log;\n"), QUIET + "default deny log;\n"]
NEW = TWO.replace(" permit udp any any\n", " permit udp any any eq 53\n").replace("eq 80", "eq 443")
# (commands from TWO to NEW, what the watcher has to say)
WATCHED = [
    (["ip access-list extended X", " 5 permit tcp any any eq 443", " no 10", " 25 permit udp any any eq 53",
      " no 30"], None),
    (["no ip access-list extended X", "ip access-list extended X", " permit tcp any any eq 443"],
     "passes, which old and new deny"),
    (["ip access-list extended X", " no 30", " 30 permit udp any any eq 53", " 5 permit tcp any any eq 443",
      " no 10"],
     "is dropped, which old and new permit"),
    (["ip access-list extended X", " no 20", " 25 deny ip host 9.9.9.9 any"], "passes, which old and new deny"),
    (["ip access-list extended X", " 5 permit tcp any any eq 443", " no 10"], "does not mean the new list"),
    (["interface Serial0/0", " no ip access-group X in"], "passes, which old and new deny"),
    (["interface Serial0/0", " ip access-group Y in"], "passes, which old and new deny"),
    (["ip access-list extended X", " 40 permit udp any any", " no 30", " 35 permit udp any any eq 53"],
     "is dropped"),
]


def check_model(tally):
    for commands, expected in EDITS:
        router = Router(BASE)
        for line in commands:
            router.take(line)
        got = [(entry.sequence, re.sub(r"^\d+ ", "", entry.text)) for entry in router.lists[4, "X"].entries]
        tally.check(got == expected, f"after {commands}: {got}")
    for commands in REFUSED:
        router = Router(BASE)
        try:
            for line in commands:
                router.take(line)
        except AclError:
            tally.check(True, "")
        else:
            tally.check(False, f"a router refuses {commands}")


def check_watcher(tally):
    for commands, expected in WATCHED:
        complaints = replay(TWO, "\n".join(commands), NEW).complaints
        holds = not complaints if expected is None else complaints and expected in complaints[0]
        tally.check(holds, f"{commands}: {complaints} instead of {expected}")
    swap = ["ip access-list extended Y", *[line for line in NEW.splitlines()[1:4]],
            "interface Serial0/0", " ip access-group Y in", "no ip access-list extended X"]
    swapped = NEW.replace(" X", " Y").replace("list extended X", "list extended Y")
    tally.check(not replay(TWO, "\n".join(swap), swapped, strictly=True).complaints, "a right swap")
    early = swap[:2] + swap[4:6] + swap[2:4]
    tally.check(replay(TWO, "\n".join(early), swapped, strictly=True).complaints, "half a list bound")


LINES_MOST = 3000   # a list of complements on both sides: hours for the model

# --- pairs of policies ------------------------------------------------------------------------------


def neighbours(seed):
    """(old, new) policy texts that differ by a few rules, and the device or None."""
    chooser = random.Random(seed)
    maker = (policies.DeviceMaker if seed % 3 == 0 else policies.ListMaker)(seed)
    maker.make()
    rules = list(maker.rules)
    changed = list(rules)
    for _ in range(chooser.choice((1, 1, 2, 5))):
        change_one(maker, changed, chooser)
    head = "\n".join(maker.definitions) + "\n"
    tail = "".join(device.text("none") for device in getattr(maker, "devices", ()))
    return head + "\n".join(rules) + "\n" + tail, head + "\n".join(changed) + "\n" + tail


def change_one(maker, rules, chooser):
    kind = chooser.choice(("add", "add", "remove", "swap", "replace"))
    at = chooser.randrange(len(rules))
    if kind in ("add", "replace"):
        found = []
        if maker.keep(found, maker.rule):
            rules[at:at + (kind == "replace")] = found
    elif kind == "remove" and len(rules) > 1:
        del rules[at]
    elif kind == "swap":
        other = chooser.randrange(len(rules))
        rules[at], rules[other] = rules[other], rules[at]


def bindings(*texts):
    """Where lists without a device stand: every one on an interface."""
    if any("interface " in text for text in texts):
        return ""
    lines = [f" {command} in" for command, head in (("ip access-group FWC", "ip access-list"),
                                                    ("ipv6 traffic-filter FWC-IPV6", "ipv6 access-list"))
             if all(head in text for text in texts)]
    return "interface GigabitEthernet0/0\n" + "\n".join(lines) + "\n"


def is_whole(text):
    """Whether a router keeps every entry: it ignores one that is there, logged or not."""
    return sum(len(acl.entries) for acl in Router(text).lists.values()) == \
        len(re.findall(r"^(?:access-list \d+| (?:sequence )?\d+) (?:permit|deny) ", text, re.M))


def has_other_times(*texts):
    """Whether a time range is there in both under one name and means different times: a router has it once."""
    old, new = (dict(re.findall(r"^time-range (\S+)\n((?: .*\n)+)", text, re.M)) for text in texts)
    return any(new.get(name, lines) != lines for name, lines in old.items())


def as_stored(text, chooser):
    """The text as a router may hold it: other numbers, ports as words, a line too many or too few."""
    lines = []
    number = chooser.choice((0, 1, 10, 1000))
    for line in text.splitlines():
        if re.match(r" (permit|deny) ", line) and number:
            lines.append(f" {number}{line}")
            number += chooser.choice((1, 1, 10))
        elif line.startswith("ip access-list") and number:
            number = chooser.choice((1, 10, 1000))
            lines.append(line)
        elif line.startswith("ipv6 access-list"):
            number = 0
            lines.append(line)
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


class Pairs:
    """Runs the compiler in its modes."""

    def __init__(self, fwc, tally):
        self.fwc = fwc
        self.tally = tally
        self.folder = tempfile.TemporaryDirectory()
        self.commands = self.entries = self.changes = 0

    def compile(self, policy, *options):
        return compiled.run(self.fwc, policy, *options)

    def against(self, policy, mode, old_text):
        path = os.path.join(self.folder.name, "old.txt")
        with open(path, "w", encoding="ascii") as file:
            file.write(old_text)
        return self.compile(policy, "--mode", mode, "--from", path)

    def pair(self, seed):
        old_policy, new_policy = neighbours(seed)
        old, new = self.compile(old_policy), self.compile(new_policy)
        if old.status or new.status or max(old.text.count("\n"), new.text.count("\n")) > LINES_MOST:
            return False
        self.tally.check(is_whole(old.text), f"seed {seed}: a router ignores entries of\n{old.text}")
        bound = bindings(old.text, new.text)
        stored = as_stored(old.text + bound, random.Random(seed))
        self.unchanged(seed, old_policy, stored)
        for mode in ("edit", "swap"):
            done = self.against(new_policy, mode, stored)
            if has_other_times(old.text, new.text):
                self.tally.check(done.status == 1 and "FW0935" in done.first_error() and not done.text,
                                 f"seed {seed}, {mode}: a time range means something else: {done.first_error()}")
                continue
            if bound != bindings(old.text) and "FW0906" in done.first_error():
                self.tally.check(done.status == 1 and not done.text, f"seed {seed}, {mode}: a list without rules")
                continue
            if not self.tally.check(done.status == 0, f"seed {seed}, {mode}: {done.first_error()}"):
                continue
            result = replay(stored, done.text, new.text + bound, strictly=mode == "swap")
            self.commands += result.commands
            self.changes += result.changes
            self.tally.check(not result.complaints, f"seed {seed}, {mode}: {result.complaints}\n--- old\n{stored}"
                             f"--- commands\n{done.text}--- new\n{new.text}---")
        return True

    def shared(self):
        """No interface is ever bound to a list that was removed for another one's sake."""
        new = self.compile(APART)
        for mode in ("edit", "swap"):
            done = self.against(APART, mode, SHARED)
            result = replay(SHARED, done.text, new.text, strictly=True)
            self.commands += result.commands
            self.tally.check(done.status == 0 and not result.complaints,
                             f"shared, {mode}: {done.first_error()} {result.complaints}\n{done.text}")

    def logs(self):
        for logged in LOGS:
            for was, becomes in ((QUIET, logged), (logged, QUIET)):
                old, new = (self.compile(policy).text for policy in (was, becomes))
                done = self.against(becomes, "edit", old + bindings(old))
                result = replay(old + bindings(old), done.text, new + bindings(new))
                self.tally.check(done.status == 0 and done.text and not result.complaints,
                                 f"logs: {done.first_error()} {result.complaints}\n{done.text}")

    def unchanged(self, seed, policy, stored):
        """What is there already needs no command at all."""
        done = self.against(policy, "edit", stored)
        said = [line for line in done.text.splitlines() if line.strip() and not line.startswith("!")]
        self.tally.check(done.status == 0 and not said,
                         f"seed {seed}: an unchanged list gives {said[:5]} {done.first_error()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=60)
    options = parser.parse_args()
    tally = Tally()
    check_model(tally)
    check_watcher(tally)
    pairs = Pairs(os.path.abspath(options.fwc), tally)
    pairs.shared()
    pairs.logs()
    seeds = range(options.seed, options.seed + options.pairs)
    ran = sum(pairs.pair(seed) for seed in seeds)
    print(f"seeds {seeds[0]} to {seeds[-1]}: {ran} pairs of policies, {pairs.commands} commands,"
          f" {pairs.changes} steps that changed a list in force")
    tally.check(ran >= options.pairs // 2, f"only {ran} of {options.pairs} pairs compile")
    tally.close()


if __name__ == "__main__":
    main()
