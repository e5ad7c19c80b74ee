"""Nanoseconds a packet spent in the ruleset: fwc's output and what people use now, side by side in one run.

usage: run.py FWC SENDER [--other FWC] [--full] [--families A,B] [--sizes N,N] [--ip 4,6] [--rounds N]
       [--json FILE]
fwc's rows are of its level 1, the default, and of level 2; targets are asked of either.
--other: what another build of fwc makes of the same policies, in the same rounds (level 1).
FWC_BENCH=full in the environment is --full: the others at every size,
and both families of addresses.

Every ruleset has a network namespace of its own; packets go through its forward hook in the sending
thread, whose CPU time is taken. All rulesets and packets of one policy take turns, round by round, and a
figure is the difference of the lower quartiles of its rounds and of those of the empty chain. Before that, 64
packets of every kind show whether the ruleset does with them what the rules say; one that does not is not
measured. Nothing here fails: it prints tables, ratios, and for every target whether it is reached."""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import policies
import renderings
import spaces
import targets

ROUNDS, MICROSECONDS = 61, 700
REPLICAS = 3   # namespaces for what is subtracted, and for what is judged by small differences
CHECKED = 64   # packets of every kind, of which it is counted how many pass
SIZES = (10, 100, 1_000, 10_000, 100_000)


def with_nft(text, inside, _family):
    spaces.run(inside + ["nft", "-f", "-"], text)


def with_nft_o(text, inside, _family):
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        spaces.run(inside + ["nft", "-o", "-f", file.name], "", 120)


def with_iptables(kind):
    def load(text, inside, family):
        spaces.run(inside + [f"ip{'6' if family == 6 else ''}tables-{kind}-restore"], text, 240)
    return load


def compiled(binary, rules, folder, options=()):
    """fwc's output as nft's text."""
    path = os.path.join(folder, "policy.fw")
    with open(path, "w", encoding="utf-8") as file:
        file.write(renderings.fwc_policy(rules))
    done = subprocess.run([binary, "compile", "--no-proof", *options, path], text=True, capture_output=True)
    if done.returncode != 0:
        raise spaces.Failure("fwc: " + (done.stderr.splitlines() or ["failed"])[0])
    return done.stdout


OTHER = "fwc, other build"
FASTEST = targets.FASTEST
FLOOR = "one hash lookup"   # services only: what no ruleset can be faster than
CHECKED_FLOOR = "one, invalid dropped"
# name: (the text of (rules, family), how it is loaded, most rules, families of policies or None for all)
PEERS = {
    "nft linear": (renderings.linear, with_nft, 100_000, None),
    "nft linear, own table": (renderings.linear_own, with_nft, 10_000, None),
    "own, invalid dropped": (renderings.linear_own_checked, with_nft, 1_000, None),
    "nft -o": (renderings.linear, with_nft_o, 1_000, None),
    "iptables-legacy": (renderings.iptables, with_iptables("legacy"), 100_000, None),
    "iptables-nft": (renderings.iptables, with_iptables("nft"), 10_000, None),
    "source map by hand": (renderings.source_map, with_nft, 10_000, ("networks", "hosts")),
    FLOOR: (renderings.service_map, with_nft, 100_000, ("services",)),
    CHECKED_FLOOR: (renderings.service_map_checked, with_nft, 100_000, ("services",)),
}


class Group:
    """One policy, its packets, and every ruleset for it."""

    def __init__(self, sender, binaries, name, count, family, most_peer):
        self.sender, self.binaries, self.family, self.name = sender, binaries, family, name
        self.rules = policies.rules_of(name, count, family)
        self.failures, self.spaces, self.count, self.most_peer = {}, {}, count, most_peer
        self.traffic = {kind: (sender.frames(packets), allowed) for kind, (packets, allowed)
                        in policies.traffic_of(self.rules, family).items()}

    def load(self, name, text, loader, replicas=1):
        try:
            made, numbers = text(), []
            for _ in range(replicas):
                number, inside = self.sender.space()
                loader(made, inside, self.family)
                numbers.append(number)
            self.spaces[name] = numbers
        except spaces.Failure as failure:
            self.failures[name] = str(failure)

    def load_all(self, folder):
        for policy in ("accept", "drop"):
            self.load(f"empty {policy}", lambda policy=policy: renderings.empty(policy), with_nft, REPLICAS)
            self.load(f"tracking {policy}", lambda policy=policy: renderings.tracking(policy), with_nft,
                      REPLICAS)
        replicas = REPLICAS if self.count < 100_000 or self.name == "services" else 1
        for name, (binary, *options) in self.binaries.items():
            self.load(name, lambda binary=binary, options=options: compiled(binary, self.rules, folder, options),
                      with_nft, replicas)
        for name, (text, loader, most, families) in PEERS.items():
            is_floor = name in (FLOOR, CHECKED_FLOOR)
            most = most if is_floor else min(most, self.most_peer)
            if self.count <= most and (families is None or self.name in families):
                self.load(name, lambda text=text: text(self.rules, self.family), loader,
                          replicas if is_floor else 1)

    def choices(self):
        """(kind, ruleset) that go together: what denies and what allows have each their empty chain."""
        for kind, (_, allowed) in self.traffic.items():
            for name in self.spaces:
                if not name.startswith(("empty", "tracking")) or \
                        name.endswith("accept" if allowed else "drop"):
                    yield kind, name

    def agrees(self, kind, name):
        """Whether the ruleset does with the packets what the rules say."""
        number, allowed = self.traffic[kind]
        wanted = CHECKED if allowed else 0
        passed = self.sender.passed(self.spaces[name][0], number, CHECKED)
        if passed != wanted:
            self.failures[name] = f"lets {passed} of {CHECKED} packets '{kind}' pass, not {wanted}"
        return passed == wanted

    def measure(self, rounds, microseconds):
        """[{kind, ruleset, ns above the empty chain, …}]"""
        chosen, rows = [both for both in self.choices() if self.agrees(*both)], []
        costs = self.sender.measure([(space, self.traffic[kind][0]) for kind, name in chosen
                                     for space in self.spaces[name]], rounds, microseconds)
        by_name = {(kind, name): [costs[space, self.traffic[kind][0]] for space in self.spaces[name]]
                   for kind, name in chosen}
        for (kind, name), cost in by_name.items():
            fate = "accept" if self.traffic[kind][1] else "drop"
            ns, even, odd = spaces.difference(cost, by_name[kind, f"empty {fate}"])
            if ns is None:
                self.failures[name] = f"no two undisturbed rounds of '{kind}'"
                continue
            above = spaces.difference(cost, by_name[kind, f"tracking {fate}"])[0]
            rows.append({"family": self.family, "policy": self.name, "rules": self.count, "kind": kind,
                         "ruleset": name.removesuffix(" accept").removesuffix(" drop"),
                         "ns": ns, "above": above, "halves": (even, odd)})
        return rows


def print_group(group, rows, took):
    """A line a ruleset, a column a kind of packet: ns above what only tracks, and times fwc's."""
    kinds = [kind for kind in policies.KINDS if kind in group.traffic]
    cell = {(row["ruleset"], row["kind"]): row for row in rows}
    print(f"\n{group.name}, IPv{group.family}, {group.count:,} rules  (ns a packet above the ruleset that "
          f"only tracks connections; times fwc's; {took:.0f} s)")
    lines = []
    for name in ["empty", "tracking", *group.binaries, *PEERS]:
        values = [cell.get((name, kind)) for kind in kinds]
        if name == "empty" or not any(values):
            continue
        lines.append(("(tracking over empty)" if name == "tracking" else name,
                      ["-" if row is None else text_of(row, cell.get(("fwc", row["kind"]))) for row in values]))
    widths = [max(18, *(len(texts[index]) + 2 for _, texts in lines)) for index in range(len(kinds))]
    for label, texts in [("", kinds), *lines]:
        print(f"{label:<24}" + "".join(f"{text:>{width}}" for text, width in zip(texts, widths)))
    for name, failure in sorted(group.failures.items()):
        print(f"{name:<24} not measured: {failure}")
    sys.stdout.flush()


def text_of(row, own):
    if row["ruleset"] == "tracking":
        return f"{row['ns']:.0f}"
    if own is None or row["ruleset"] == "fwc" or own["above"] < 5:
        return f"{row['above']:,.0f}"
    return f"{row['above']:,.0f} ×{row['above'] / own['above']:.1f}"


def print_spread(rows):
    """How well figures repeat: the even rounds against the odd ones, by what stays in cache and what not."""
    for words, kinds in (("64 flows", ("early", "late", "hot", "none")), ("more flows", ("random", "none cold"))):
        spreads = sorted(abs(even - odd) / max(1, (even + odd) / 2) for row in rows
                         if row["kind"] in kinds and row["ns"] is not None and row["ns"] > 100
                         for even, odd in [row["halves"]])
        if spreads:
            print(f"\n{words}: repeated within {spreads[len(spreads) // 2]:.1%} (median), "
                  f"{spreads[len(spreads) * 9 // 10]:.1%} (nine of ten), {spreads[-1]:.1%} (worst) of "
                  f"{len(spreads)} figures above 100 ns: even rounds against odd ones")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("sender")
    parser.add_argument("--other", default="")
    parser.add_argument("--full", action="store_true", default=os.environ.get("FWC_BENCH") == "full")
    parser.add_argument("--families", default="")
    parser.add_argument("--sizes", default="")
    parser.add_argument("--ip", default="")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="more repeat better")
    parser.add_argument("--most-peer", type=int, default=0, help="peers up to this many rules")
    parser.add_argument("--json", default="")
    chosen = parser.parse_args()
    chosen.families = chosen.families.split(",") if chosen.families else list(policies.FAMILIES)
    sizes = [int(word) for word in chosen.sizes.split(",") if word]
    chosen.sizes = sizes or SIZES
    chosen.ip = [int(word) for word in chosen.ip.split(",") if word] or ([4, 6] if chosen.full else [4])
    chosen.most_peer = chosen.most_peer or (100_000 if chosen.full else 1_000)
    chosen.binaries = {"fwc": (chosen.fwc,), FASTEST: (chosen.fwc, "--optimise", "2")}
    if chosen.other:
        chosen.binaries[OTHER] = (chosen.other,)
    return chosen


def main():
    chosen = arguments()
    if os.geteuid() != 0:
        os.execvp("unshare", ["unshare", "-rn", "--", sys.executable, *sys.argv])
    rows = []
    for family in chosen.ip:
        for name in chosen.families:
            for count in chosen.sizes:
                start = os.times().elapsed
                with tempfile.TemporaryDirectory() as folder, spaces.Sender(chosen.sender) as sender:
                    group = Group(sender, chosen.binaries, name, count, family, chosen.most_peer)
                    group.load_all(folder)
                    found = group.measure(chosen.rounds, MICROSECONDS)
                print_group(group, found, os.times().elapsed - start)
                rows += found
    print_spread(rows)
    targets.show(rows)
    if chosen.json:
        with open(chosen.json, "w", encoding="utf-8") as file:
            json.dump(rows, file)


if __name__ == "__main__":
    main()
