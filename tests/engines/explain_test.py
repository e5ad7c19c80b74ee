"""`fwc explain` of packets of random policies: who decides, who comes close, and are the reasons true?

usage: explain_test.py FWC [--seed N] [--policies N] [--questions N]

The verdict and the statement are those of tests/packets/evaluator.py. A rule that is said to come close for one
condition stands before the one that decides, and by the evaluator that condition alone keeps it from the packet;
no such rule of another verdict is left out for one of the same. What the words say an interface or an address is
not, it is not. What passes before any rule is said to, and nothing else.

Of policies with translations, as many, the packets are those of tests/packets/translated_test.py, which sends them
through the kernel: what a `forward` makes of them, and what decides then, has to be among the answers; and whatever
packet is shown is one that such a packet may become, and is decided as shown.
"""

import argparse
import concurrent.futures
import dataclasses
import ipaddress
import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, "tests", "cisco"), os.path.join(TOP, "tests", "packets")]

# pylint: disable=wrong-import-position
import generator
from compiled import Tally
from evaluator import Policy, Region, always_passes
from translated_test import TranslatedMaker, TranslatedPackets, TranslatedPolicy

CLOSE_MOST = 3


def question_of(packet):
    source, destination = (generator.text_of(packet.family, address)
                           for address in (packet.source, packet.destination))
    kind = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp6"}.get(packet.protocol)
    if packet.protocol in (1, 58):
        kind += f" {packet.port}:{packet.code}"
    elif kind:
        ends = "[{}]:{}" if packet.family == 6 else "{}:{}"
        source, destination = ends.format(source, packet.source_port), ends.format(destination, packet.port)
    else:
        kind = f"{packet.protocol}/ip"
    where = "".join(f" {word} {name}" for word, name in (("in", packet.in_interface), ("out", packet.out_interface))
                    if name)
    return f"{kind} {source} -> {destination}{where}"


def side_failure(region, interface, family, address):
    """What keeps it from the region: "interface", "address", or None."""
    if region.holds(interface or Region.OTHER, family, address):
        return None
    return "interface" if any(item.holds(family, address) for item in region.of.values()) else "address"


def failures_of(policy, rule, packet):
    """For each of the rule's alternatives the conditions that do not hold; [] if none is of the family."""
    if packet.family not in rule.families & rule.service.families():
        return
    for source, destination in policy.cached_pairs(rule, packet.hook):
        if packet.family not in source.families() & destination.families():
            continue
        found = [] if rule.service.holds(packet.point()) else ["service"]
        for word, region, interface, address in (
                ("in", source, packet.in_interface, packet.source),
                ("out", destination, packet.out_interface, packet.destination)):
            failure = side_failure(region, interface, packet.family, address)
            found += [{"interface": word, "address": {"in": "source", "out": "destination"}[word]}[failure]] \
                if failure else []
        yield found


def near_of(policy, packet, before):
    """{line: conditions} of rules before a line's that one condition alone keeps from the packet."""
    near = {}
    for rule in policy.rules:
        if before > 0 and rule.line >= before:
            break
        conditions = {found[0] for found in failures_of(policy, rule, packet) if len(found) == 1}
        if conditions:
            near[rule.line] = conditions
    return near


def said(condition):
    return "service" if condition in ("protocol", "port") else condition.removesuffix("-interface")


def line_of(place):
    return int(place.rpartition(":")[2])


def check_words(tally, packet, close):
    """What a reason says the packet is not, it is not."""
    words = re.search(r"not (?:by|in) (.*)", close["why"])
    if not words:
        return
    named = re.sub(r" and \d+ more$", "", words[1]).split(", ")
    if close["condition"].endswith("-interface"):
        interface = packet.in_interface if close["condition"] == "in-interface" else packet.out_interface
        if "any but" not in words[1]:
            tally.check(interface not in named, f"{close['why']}: it is")
    elif close["condition"] in ("source", "destination"):
        address = packet.source if close["condition"] == "source" else packet.destination
        tally.check(not any(holds(text, packet.family, address) for text in named), f"{close['why']}: it is")


def holds(text, family, address):
    first, _, last = text.partition("-")
    if "/" in text:
        network = ipaddress.ip_network(text)
        return network.version == (4 if family == 4 else 6) and int(network[0]) <= address <= int(network[-1])
    low, high = ipaddress.ip_address(first), ipaddress.ip_address(last or first)
    return low.version == family and int(low) <= address <= int(high)


def check_close(tally, policy, packet, decision, before, what):
    near = near_of(policy, packet, before)
    verdicts = {rule.line: rule.verdict for rule in policy.rules}
    told = {line_of(close["place"]): close for close in decision["close"]}
    for line, close in told.items():
        tally.check(said(close["condition"]) in near.get(line, ()),
                    f"{what}: line {line}: {close['why']}; by the evaluator {near.get(line, 'it is not close')}")
        check_words(tally, packet, close)
    tally.check(len(told) == min(len(near), CLOSE_MOST), f"{what}: close are {sorted(near)}, told {sorted(told)}")
    others = [line for line in near if (verdicts[line] == "allow") != (decision["verdict"] == "allow")]
    tally.check(len([line for line in told if line in others]) == min(len(others), CLOSE_MOST),
                f"{what}: of another verdict are {others}, told {sorted(told)}")


def is_discovery(packet):
    return packet.protocol == 58 and packet.hook != "forward" and 133 <= packet.port <= 136


def check_always(tally, packet, answer, what):
    """True if rules judge the packet; of neighbour discovery, which the question says no hop limit of, some."""
    told = [always for view in answer["answers"] for always in view["always_passes"]
            if always["hook"] == packet.hook]
    with_255 = dataclasses.replace(packet, hop_limit=255)
    tally.check(bool(told) == always_passes(with_255), f"{what}: {told}")
    for always in told:
        tally.check(always["hop_limit"] == (255 if is_discovery(packet) else None) and
                    always["outputs"][0]["steps"][-1]["chain"] == "neighbours", f"{what}: {always}")
    return is_discovery(packet) or not told


def check_answer(tally, policy, packet, answer, what):
    if not check_always(tally, packet, answer, what):
        tally.check(not any(decision["hook"] == packet.hook for view in answer["answers"]
                            for decision in view["decisions"]), f"{what}: rules are asked")
        return
    packet = dataclasses.replace(packet, hop_limit=64)
    found = [decision for view in answer["answers"] for decision in view["decisions"]
             if decision["hook"] == packet.hook]
    if not tally.check(len(found) == 1, f"{what}: {len(found)} decisions"):
        return
    decision = found[0]
    tally.check(decision["is_hop_limit_other"] == is_discovery(packet), f"{what}: of another hop limit?")
    verdict, line = policy.verdict(packet)
    place = decision["rule"]["place"]
    tally.check(decision["verdict"] == verdict and (line_of(place) if place else -1) == line or
                line == -1 and place and line_of(place) not in [rule.line for rule in policy.rules],
                f"{what}: {decision['verdict']} by {place}; by the evaluator {verdict} by line {line}")
    check_close(tally, policy, packet, decision, line, what)


def ask(fwc, path, packet):
    done = subprocess.run([fwc, "explain", os.path.basename(path), question_of(packet), "--format", "json"],
                          cwd=os.path.dirname(path), capture_output=True, text=True, check=False, timeout=60)
    return done


def run_policy(tally, workers, fwc, folder, seed, count):
    text = generator.PolicyMaker(seed).make()
    policy = Policy(text, generator.INTERFACES)
    path = os.path.join(folder, f"{seed}.fw")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    maker = generator.PacketMaker(seed, policy)
    packets = [maker.make() for _ in range(count)]
    packets += [dataclasses.replace(packet, port=packet.port % 16 + 129) for packet in packets
                if packet.protocol == 58]
    close = 0
    for packet, done in zip(packets, workers.map(lambda packet: ask(fwc, path, packet), packets)):
        what = f"seed {seed}: {packet.hook}: {question_of(packet)}"
        if tally.check(done.returncode == 0, f"{what}: {done.stderr[-300:]}"):
            answer = json.loads(done.stdout)
            check_answer(tally, policy, packet, answer, what)
            close += sum(len(decision["close"]) for view in answer["answers"] for decision in view["decisions"])
    return len(packets), close


# --- translations ---


SHOWN = re.compile(r"(\S+)(?: (\S+))? (\S+) -> (\S+?)(?: in (\S+))?(?: out (\S+?))?(?:, translated from (\S+))?")


def end_of(text, has_port):
    """(address, port) of an end as `explain` writes it."""
    if has_port:
        address, _, port = text.rpartition(":")
        return generator.number(address.strip("[]")), int(port)
    return generator.number(text), 0


def shown_packet(text, decision, before):
    """What is shown as a packet of the evaluator, made of another one."""
    words = SHOWN.fullmatch(text)
    has_ports = before.protocol in (6, 17)
    source, source_port = end_of(words[3], has_ports)
    destination, port = end_of(words[4], has_ports)
    original, original_port = end_of(words[7], has_ports)
    out = words[6] if words[6] in generator.INTERFACES else ""   # else it stands for all that nobody names
    packet = dataclasses.replace(before, hook=decision["hook"], in_interface=words[5] or "", out_interface=out,
                                 source=source, destination=destination)
    if has_ports:
        packet = dataclasses.replace(packet, port=port, source_port=source_port)
    packet.before = dataclasses.replace(before, destination=original,
                                        port=original_port if has_ports else before.port)
    return packet


def is_decided(policy, decision, packet):
    verdict, line = policy.verdict(packet)
    place = decision["rule"]["place"]
    told = line_of(place) if place else -1
    return decision["verdict"] == verdict and (told == line or line == -1 and told not in
                                               [rule.line for rule in policy.rules])


def check_made(tally, policy, packet, decision, what):
    """A forward that takes such a packet made the one that is shown, and it is decided as is said."""
    line = line_of(decision["forward"]["place"])
    rule = next(rule for rule in policy.forwards() if rule.line == line)
    made = shown_packet(decision["packet"], decision, packet)
    tally.check(made.before == packet and made.destination == rule.forward.real(packet.family) and
                made.port == (rule.forward.port or packet.port), f"{what}: line {line} makes {decision['packet']}")
    tally.check(packet.hook == "output" if made.hook == "output" else packet.hook != "output",
                f"{what}: {made.hook}: {decision['packet']}")
    tally.check(is_decided(policy, decision, made), f"{what}: {decision['packet']}: {decision['verdict']} by "
                f"{decision['rule']['place']}; by the evaluator {policy.verdict(made)}")


def check_translated(tally, policy, packet, answer, what):
    decisions = [decision for view in answer["answers"] for decision in view["decisions"]]
    plain = [decision for decision in decisions if not decision["forward"] and decision["hook"] == packet.hook]
    passing = [always for view in answer["answers"] for always in view["always_passes"]
               if always["hook"] == packet.hook]
    made = [decision for decision in decisions if decision["forward"] and
            (decision["hook"] == "output") == (packet.hook == "output")]
    after = policy.fate(packet).after
    is_to_itself = packet.hook == "output" and not packet.out_interface
    for decision in made:
        check_made(tally, policy, packet, decision, what)
    if after is not packet:
        rule = next(rule for rule in policy.forwards() if policy.takes(rule, packet))
        tally.check(any(line_of(decision["forward"]["place"]) == rule.line and decision["hook"] == after.hook and
                        is_decided(policy, decision, after) for decision in made),
                    f"{what}: by the evaluator line {rule.line}, then {policy.verdict(after)}: {decisions}")
        tally.check(not plain and not passing, f"{what}: it is not translated: {plain or passing}")
        return
    # the policy does not say which addresses are the firewall's: what is not asks no `forward` without `at`
    is_own = (packet.family, packet.destination) in generator.OWN
    is_left = any(rule.forward.at is None and policy.takes(rule, packet) for rule in policy.forwards())
    tally.check(not made or not is_own or is_left, f"{what}: it is translated: {made}")
    tally.check(bool(passing) == (is_to_itself or always_passes(dataclasses.replace(packet, hop_limit=255))),
                f"{what}: {passing}")
    if is_to_itself or passing and not is_discovery(packet):
        tally.check(not plain, f"{what}: rules are asked: {plain}")
        return
    packet = dataclasses.replace(packet, hop_limit=64)
    tally.check(len(plain) == 1 and is_decided(policy, plain[0], packet),
                f"{what}: by the evaluator {policy.verdict(packet)}: {plain}")


def own_packets(policy, maker, count):
    """What the firewall sends to itself, which no wire shows."""
    for _ in range(count):
        packet = maker.make()
        own = maker.own(packet.family)
        if packet.protocol in (6, 17):
            yield dataclasses.replace(packet, hook="output", in_interface="", out_interface="", source=own,
                                      destination=maker.own(packet.family))


def run_translated(tally, workers, fwc, folder, seed, count):
    text = TranslatedMaker(seed).make()
    policy = TranslatedPolicy(text, generator.INTERFACES)
    path = os.path.join(folder, f"{seed}-translated.fw")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    maker = TranslatedPackets(seed, policy)
    packets = [maker.make() for _ in range(count)]
    packets += own_packets(policy, maker, count // 2)
    moved = 0
    asked = [sent(policy, packet) for packet in packets]
    for packet, question, done in zip(packets, asked, workers.map(lambda packet: ask(fwc, path, packet), asked)):
        what = f"seed {seed}, translated: {packet.hook}: {question_of(question)}"
        if tally.check(done.returncode == 0, f"{what}: {done.stderr[-300:]}"):
            check_translated(tally, policy, packet, json.loads(done.stdout), what)
            moved += policy.fate(packet).after is not packet
    return len(packets), moved


def sent(policy, packet):
    """As it is asked about: of what is translated nobody says by which interface it leaves then."""
    if packet.hook == "output":
        return dataclasses.replace(packet, out_interface=packet.out_interface or "lo")
    is_moved = policy.fate(packet).after is not packet
    return dataclasses.replace(packet, out_interface="") if is_moved else packet


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--policies", type=int, default=14)
    parser.add_argument("--questions", type=int, default=12)
    options = parser.parse_args()
    tally = Tally()
    asked = close = moved = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        for seed in range(options.seed, options.seed + options.policies):
            counts = run_policy(tally, workers, os.path.abspath(options.fwc), folder, seed, options.questions)
            asked, close = asked + counts[0], close + counts[1]
            counts = run_translated(tally, workers, os.path.abspath(options.fwc), folder, seed, options.questions)
            asked, moved = asked + counts[0], moved + counts[1]
    tally.check(close > 0, "no rule came close")
    tally.check(moved > 0, "nothing was translated")
    print(f"{asked} questions, {close} rules that came close, {moved} packets that are translated")
    tally.close()


if __name__ == "__main__":
    main()
