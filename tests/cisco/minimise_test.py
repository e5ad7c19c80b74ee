"""`fwc minimise cisco`: the lists that come out against those that went in.

usage: minimise_test.py FWC [--seed N] [--lists N] [--packets N]

Random configurations: acl_eval.py, which shares no code with the compiler, judges every cell of the space that
the boundaries of both lists cut, later fragments too, and which entry that logs takes it. A list may not get
longer, what logs may not change, and the figures of --report are counted again. The lists of real devices in
FWC_DATA (else ../shared/data beside the checkout; skipped with a word where it is missing) are asked about packets
at the bounds of each entry. Then what must not happen: an empty list, half an output, a list that is not
understood changed.
"""

import argparse
import dataclasses
import os
import random
import re
import subprocess
import tempfile

import import_real_test as real
from acl_eval import AclError
from acl_read import Configuration
from compiled import Tally
from planes import differences, layers_of, space_of_lists

AIMS = ("entries", "tcam", "none")
FIGURES = re.compile(r"(\S+): (\d+) entries, (\d+) in hardware, ([\d.]+) range registers; "
                     r"now (\d+) entries, (\d+) in hardware, ([\d.]+) range registers")
PORTS = ("", "", " eq 80", " eq 81", " eq 25", " range 80 90", " range 82 85", " gt 1023", " lt 80", " neq 25",
         " lt 1", " gt 0", " range 0 65535", " gt 65534")
TIMES = "time-range WORK\n periodic weekdays 8:00 to 17:59\n"
GROUPS = """object-group network SRV
 host 10.9.0.1
 10.9.1.0 255.255.255.0
object-group service WEB
 tcp eq 80
 tcp range 440 443
 udp eq 443
"""


class Maker:
    """A configuration of crowded lists: few addresses, few ports, much that overlaps."""

    def __init__(self, seed):
        self.chooser = random.Random(seed)
        self.has_groups = seed % 3 == 0
        self.has_lists = seed % 4 == 1 and seed % 5 != 4
        self.family = 6 if seed % 5 == 4 else 4

    def place(self):
        choose, bits = self.chooser, self.chooser.choice((0, 0, 1, 2, 3, 8))
        if choose.random() < 0.3:
            return "any"
        low = choose.randrange(16) * 16 + choose.randrange(4) * 4
        if self.family == 6:
            return f"2001:db8::{low >> bits << bits:x}/{128 - bits}"
        if choose.random() < 0.08 and self.has_groups:
            return "object-group SRV"
        if choose.random() < 0.05:
            return f"10.9.0.{low & ~0x42} 0.0.0.66"
        if bits == 0:
            return f"host 10.9.0.{low}"
        return f"10.9.0.{low >> bits << bits} 0.0.0.{(1 << bits) - 1}"

    def ports(self):
        if self.has_lists and self.chooser.random() < 0.2:
            return " eq 22 25 80"
        return self.chooser.choice(PORTS)

    def entry(self):
        choose = self.chooser
        protocol = choose.choice(("ipv6" if self.family == 6 else "ip", "tcp", "tcp", "tcp", "udp", "icmp"))
        source, to = self.place(), self.place()
        words = [choose.choice(("permit", "permit", "deny"))]
        if self.has_groups and self.family == 4 and choose.random() < 0.08:
            return f"{words[0]} object-group WEB {source} {to}"
        has_ports = protocol in ("tcp", "udp")
        line = f"{words[0]} {protocol} {source}{self.ports() if has_ports and choose.random() < 0.15 else ''} {to}"
        if has_ports:
            line += self.ports()
        if protocol == "icmp" and choose.random() < 0.5:
            line += choose.choice((" 128", " 129", " 1 4")) if self.family == 6 else choose.choice((" 8", " 3 1"))
        if protocol == "tcp" and choose.random() < 0.08:
            line += " established"
        elif not has_ports and protocol != "icmp" and choose.random() < 0.08:
            line += " fragments"
        if choose.random() < 0.05:
            line += " time-range WORK"
        if choose.random() < 0.08:
            line += " log"
        return line

    def make(self):
        choose, lines = self.chooser, [TIMES, GROUPS if self.has_groups else ""]
        seen = set()
        lines.append("ipv6 access-list L\n" if self.family == 6 else "ip access-list extended L\n")
        for number in range(choose.choice((3, 12, 30))):
            entry = self.entry()
            if choose.random() < 0.2:
                lines.append(f" remark block {number}\n")
            if entry.replace(" log", "") not in seen:
                lines.append(f" {'sequence ' if self.family == 6 else ''}{number * 10 + 10} {entry}\n")
            seen.add(entry.replace(" log", ""))
        return "".join(lines)


def run(fwc, *arguments, text=None):
    return subprocess.run([fwc, "minimise", "cisco", *arguments], input=text, text=True, capture_output=True,
                          timeout=120, check=False)


def logged(acl):
    return [entry.text for entry in acl.entries if entry.is_logged]


def taken_by(acl, text):
    """Layers that hold what one entry decides."""
    return [dataclasses.replace(layer, is_permit=getattr(layer.origin, "text", None) == text)
            for layer in layers_of(acl)]


def complaint(before, after, seed):
    """What of the new list is wrong, or None; and the cells looked at."""
    space = space_of_lists([before, after], seed)
    found = differences(space, space.permitted(layers_of(before)), space.permitted(layers_of(after)))
    if found:
        return f"another verdict: {found[0]}", space.cells()
    if logged(before) != logged(after):
        return f"other entries log: {logged(before)}, {logged(after)}", space.cells()
    for text in logged(before):
        found = differences(space, space.permitted(taken_by(before, text)), space.permitted(taken_by(after, text)))
        if found:
            return f"another entry logs: {text}: {found[0]}", space.cells()
    return None, space.cells()


def judge_random(fwc, tally, options):
    sums = {aim: [0, 0] for aim in AIMS}
    cells = 0
    for seed in range(options.seed, options.seed + options.lists):
        text = Maker(seed).make()
        before = next(iter(Configuration(text).lists.values()))
        for aim in AIMS:
            done = run(fwc, "-", "--minimise", aim, *(("--multi-port-eq",) if seed % 2 else ()), text=text)
            title = f"seed {seed}, {aim}"
            if not tally.check(done.returncode == 0, f"{title}: {done.stderr}\n{text}"):
                continue
            try:
                after = next(iter(Configuration(TIMES + GROUPS + done.stdout).lists.values()))
            except AclError as error:
                tally.check(False, f"{title}: cannot be read: {error}\n{done.stdout}")
                continue
            wrong, looked = complaint(before, after, seed)
            cells += looked
            tally.check(wrong is None, f"{title}: {wrong}\n--- before\n{text}--- after\n{done.stdout}")
            tally.check(len(after.entries) <= len(before.entries) or aim == "tcam",
                        f"{title}: {len(before.entries)} entries became {len(after.entries)}")
            if aim == "none":
                tally.check([entry.text for entry in before.entries] == [entry.text for entry in after.entries],
                            f"{title}: changed\n{text}{done.stdout}")
            numbers = [int(number) for number in re.findall(r"^ (?:sequence )?(\d+) ", done.stdout, re.M)]
            tally.check(numbers == sorted(set(numbers)), f"{title}: numbers {numbers}")
            again = run(fwc, "-", "--minimise", aim, *(("--multi-port-eq",) if seed % 2 else ()),
                        text=TIMES + GROUPS + done.stdout)
            tally.check(again.stdout.count("\n") <= done.stdout.count("\n"), f"{title}: longer the second time")
            report = run(fwc, "-", "--minimise", aim, "--report", *(("--multi-port-eq",) if seed % 2 else ()),
                         text=text).stdout
            figures = FIGURES.fullmatch(report.strip())
            if tally.check(figures, f"{title}: {report}"):
                tally.check((int(figures[2]), int(figures[5])) == (len(before.entries), len(after.entries)),
                            f"{title}: {report}")
                tally.check(aim != "tcam" or int(figures[6]) <= int(figures[3]), f"{title}: {report}")
            sums[aim][0] += len(before.entries)
            sums[aim][1] += len(after.entries)
    for aim in AIMS:
        print(f"{aim}: {sums[aim][0]} entries of random lists became {sums[aim][1]}")
    print(f"{cells} cells")
    tally.check(sums["entries"][1] * 10 < sums["entries"][0] * 8, f"few went: {sums}")


# --- real lists -----------------------------------------------------------------------------------------


def judge_real(fwc, tally, options):
    counts = {"lists": 0, "before": 0, "after": 0, "packets": 0, "unread": 0}
    if not real.files():
        tally.skip("real lists are not there (FWC_DATA)")
        return
    for path in real.files():
        done = run(fwc, path)
        if done.returncode != 0:        # cut short, or no list
            tally.check(not done.stdout, f"{path}: half an output")
            continue
        with open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read()
        old, new = real.File(text), real.File(done.stdout)
        new.groups = old.groups
        for key in old.lists:
            if key not in new.lists or not old.lists[key][1]:
                continue
            judge_real_list(tally, options, counts, f"{path} {key}", old, new, key)
    print("{lists} real lists: {before} entries became {after}, asked of {packets} packets;"
          " {unread} not read by the evaluator".format(**counts))
    tally.check(counts["lists"] > 50 and counts["after"] < counts["before"], f"real lists: {counts}")


def judge_real_list(tally, options, counts, where, old, new, key):
    try:
        before, after = real.strict_list(old, *key), real.strict_list(new, *key)
    except (AclError, AttributeError):
        counts["unread"] += 1
        return
    wrong = None
    chooser = random.Random(options.seed)
    for side in (before, after):
        for packet in real.packets(side, chooser, options.packets):
            for asked in (packet, dataclasses.replace(packet, is_fragment=True, port=0, source_port=0, flags=0)):
                counts["packets"] += 1
                if before.permits(asked) != after.permits(asked):
                    wrong = asked
    tally.check(wrong is None, f"{where}: {wrong}")
    tally.check(len(after.entries) <= len(before.entries), f"{where}: longer")
    counts["lists"] += 1
    counts["before"] += len(before.entries)
    counts["after"] += len(after.entries)


# --- what must not happen -------------------------------------------------------------------------------


def judge_edges(fwc, tally):
    for ports in ((" lt 1", " gt 0"), (" range 0 65535", " fragments")):
        pair = "".join(f" deny tcp 10.0.0.0 0.0.0.255 any{words}\n" for words in ports)
        done = run(fwc, "-", text=f"ip access-list extended L\n{pair} permit ip any any\n")
        tally.check(done.returncode == 0 and pair in done.stdout,
                    f"denials of every port take no later fragments: {done.stdout}{done.stderr}")
    lone = run(fwc, "-", text="ip access-list extended L\n deny tcp any any eq 25\n deny ip host 10.0.0.1 any\n")
    tally.check(len(re.findall(r"^ deny", lone.stdout, re.M)) == 1, f"a list without entries: {lone.stdout}")
    unread = "ip access-list extended L\n permit ip any any\n permit tcp any any colour blue\n permit udp any any\n"
    left = run(fwc, "-", text=unread)
    tally.check(left.stdout == unread and "FW0951" in left.stderr and left.returncode == 0,
                f"not understood: {left}")
    missing = "ip access-list extended L\n permit tcp any object-group NOWHERE\n permit ip any any\n"
    left = run(fwc, "-", text=missing)
    tally.check(left.stdout == missing and "FW0951" in left.stderr, f"a missing group: {left}")
    cut = run(fwc, "-", text="Building configuration...\nversion 15.2\nip access-list extended L\n permit ip any")
    tally.check(cut.returncode == 1 and not cut.stdout, f"cut short: {cut}")
    for arguments, status in ((("nowhere.cfg",), 1), (("-", "--minimise", "less"), 2), ((), 2), (("-", "-"), 2)):
        done = run(fwc, *arguments, text="")
        tally.check(done.returncode == status and not done.stdout, f"{arguments}: {done}")
    with tempfile.TemporaryDirectory() as folder:
        path, out = os.path.join(folder, "a.cfg"), os.path.join(folder, "out")
        with open(path, "w", encoding="ascii") as stream:
            stream.write("access-list 101 permit ip host 1.1.1.0 any\naccess-list 101 permit ip host 1.1.1.1 any\n"
                         "access-list 10 permit 10.0.0.0\n")
        done = run(fwc, path + "#101", "-o", out)
        with open(out, encoding="ascii") as stream:
            tally.check(stream.read() == "access-list 101 permit ip 1.1.1.0 0.0.0.1 any\n" and not done.stdout,
                        f"a list of a file: {done}")
        done = run(fwc, path + "#101", "-o", path)
        tally.check(done.returncode != 0, f"written over what was read: {done}")
        done = run(fwc, path + "#102", "-o", out + "2")
        tally.check(done.returncode != 0 and not os.path.exists(out + "2"), f"no such list: {done}")


def judge_budget(fwc, tally):
    """Each entry meets all others: the steps do not reach, which is said, and the list still comes out."""
    chooser = random.Random(7)
    lines = [f" permit tcp any range {low} {low + 700} any range {high} {high + 900}\n"
             for low, high in ((chooser.randrange(60000), chooser.randrange(60000)) for _ in range(3000))]
    done = run(fwc, "-", "--report", text="ip access-list extended L\n" + "".join(dict.fromkeys(lines)))
    tally.check(done.returncode == 0 and "FW0950" in done.stderr and FIGURES.match(done.stdout),
                f"beyond the budget: {done.returncode} {done.stderr[:300]} {done.stdout[:100]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lists", type=int, default=40)
    parser.add_argument("--packets", type=int, default=150)
    options = parser.parse_args()
    options.fwc = os.path.abspath(options.fwc)
    tally = Tally()
    judge_random(options.fwc, tally, options)
    judge_real(options.fwc, tally, options)
    judge_edges(options.fwc, tally)
    judge_budget(options.fwc, tally)
    tally.close()


if __name__ == "__main__":
    main()
