"""What other firewall compilers get wrong, each shown not to happen here.

usage: peers_test.py FWC

Exact (protocol, port) pairs, empty sets, families that do not meet, prefixes inside prefixes,
long lists whose permits get lost, loading twice, other programs' tables: with real packets
where packets can tell.
"""

import glob
import os
import re
import sys

import expectations
import generator
import lab
import random_test
from evaluator import Packet, Policy
from state import ZONES, World

OTHERS = """table ip docker {
	set blocked {
		type ipv4_addr
		elements = { 192.0.2.9 }
	}
	chain forward {
		type filter hook forward priority filter + 10; policy accept;
		ip saddr @blocked counter packets 7 bytes 420 drop
	}
}
table inet f2b {
	chain input {
		type filter hook input priority filter - 1; policy accept;
		tcp dport 2222 counter packets 1 bytes 60 drop
	}
}
"""


def open_ports(world, policy, questions):
    """Loads a policy and gives {(protocol, port): verdict} from pc to srv."""
    world.lab.clear()
    world.lab.apply(policy)
    verdicts = world.ask(*[world.attempt("pc", "srv", protocol, port)
                           for protocol, port in questions])
    return dict(zip(questions, verdicts))


def check_exactly(world, policy, opened, closed):
    """`opened` pass and `closed` do not; both are lists of (protocol, port)."""
    found = open_ports(world, policy, opened + closed)
    for question in opened:
        world.check(found[question] == "allow", f"{policy[len(ZONES):]!r} opens {question}")
    for question in closed:
        world.check(found[question] == "deny", f"{policy[len(ZONES):]!r} leaves {question} closed")


# --- services stay exact pairs -----------------------------------------------------------------


def fact_two_protocols_keep_their_ports(world):
    check_exactly(world, ZONES + "allow dns from lan to wan;", [("tcp", 53), ("udp", 53)],
                  [("tcp", 52), ("tcp", 54), ("udp", 54), ("tcp", 80), ("udp", 9999), ("ping", 0)])


def fact_services_are_no_cross_product(world):
    check_exactly(world, ZONES + "allow ntp, https from lan to wan;",
                  [("udp", 123), ("tcp", 443), ("udp", 443)], [("tcp", 123), ("udp", 122), ("tcp", 80)])
    check_exactly(world, ZONES + "allow 1000/tcp, 2000/udp, 3000-3002/tcp from lan to wan;",
                  [("tcp", 1000), ("udp", 2000), ("tcp", 3001)],
                  [("udp", 1000), ("tcp", 2000), ("udp", 3001), ("tcp", 2999), ("tcp", 3003)])


def fact_a_denied_protocol_is_not_both(world):
    check_exactly(world, ZONES + "service our-kad = 4672/udp;\ndeny our-kad; allow any from lan to wan;",
                  [("tcp", 4672), ("udp", 4671), ("udp", 4673)], [("udp", 4672)])


def fact_a_port_is_written_once(world):
    done = world.lab.run_fwc("compile", "-", text="deny p2p; allow any;")
    elements = re.findall(r"\b(?:tcp|udp|6|17) \. [\d-]+(?= *:)", done.stdout)
    world.check(done.returncode == 0 and len(elements) == len(set(elements)),
                f"no port stands twice: {[one for one in elements if elements.count(one) > 1]}")


# --- nothing becomes any ----------------------------------------------------------------------------


REFUSED = ("allow any from a except a;", "allow any from a to six;", "allow any from six to a;",
           "allow 128/icmp6 from a;", "allow echo-request/icmp from six;",
           "allow any from 10.0.0.0/24 except 10.0.0.0/25, 10.0.0.128/25;",
           "group g = a except a; allow any from g;", "service s = http except http; allow s;")


def fact_empty_sets_are_refused(world):
    """And the ruleset that was there stays as it is."""
    world.lab.apply(ZONES + "allow http from lan to wan;")
    before = world.lab.listing()
    for text in REFUSED:
        policy = "host a = 10.0.0.1; host six = 2001:db8::6; " + text
        for command in ("compile", "apply"):
            done = world.lab.run_fwc(command, "-", text=policy)
            world.check(done.returncode == 1 and done.stdout == "" and "error: " in done.stderr,
                        f"{command} refuses {text!r}: {done.returncode} {done.stderr[:300]}")
    world.check(world.lab.listing() == before, "a refused policy changes nothing")


def fact_icmp6_terms_open_icmp6_only(world):
    world.lab.apply(ZONES + "allow echo-request/icmp6 from lan to wan;")
    found = world.ask(world.attempt("pc", "srv", "ping", family=6), world.attempt("pc", "srv", "ping"),
                      world.attempt("pc", "srv", "tcp", 80), world.attempt("pc", "srv", "udp", 53, family=6))
    world.check(found == ["allow", "deny", "deny", "deny"], f"ICMPv6 only: {found}")


def fact_one_family_stays_one(world):
    world.lab.apply(ZONES + "allow 5000/udp from lan to wan ipv6; allow 5001/udp from lan to wan ipv4;")
    found = world.ask(*[world.attempt("pc", "srv", "udp", port, family=family)
                        for port in (5000, 5001) for family in (4, 6)])
    world.check(found == ["deny", "allow", "allow", "deny"], f"ipv6, ipv4 options: {found}")


def fact_stateless_opens_no_udp(world):
    """Stateless DNS is two exact rules, not every UDP datagram that could be an answer."""
    world.lab.apply("allow 53/udp from 192.168.0.0/24 to 198.51.100.0/24 stateless;\n"
                    "allow any/udp sport 53 from 198.51.100.7 to 192.168.0.0/24 stateless;")
    attempts = [world.attempt("pc", "srv", "udp", 53), world.attempt("pc", "srv2", "udp", 53),
                world.attempt("srv", "pc", "udp", 1024), world.attempt("srv2", "pc", "udp", 1024, 53)]
    found = world.ask(*attempts)
    world.check(found == ["allow", "deny", "deny", "deny"], f"stateless: {found}")


def fact_devices_are_not_ignored(world):
    done = world.lab.run_fwc("compile", "-", text="zone wan { network internet; }\n"
                             "device R { target cisco-ios; interface Serial0/0 { zone wan; "
                             "address 80.1.0.2/30; } }\nallow ssh;")
    world.check(done.returncode == 1 and done.stdout == "", f"devices for nft: {done}")


# --- lists ----------------------------------------------------------------------------------------------


def fact_prefixes_inside_prefixes_load(world):
    inside = ("network n = 192.168.0.0/24, 192.168.0.20, 192.168.0.20-192.168.0.30, "
              "2001:db8:1::/64, 2001:db8:1::20, 2001:db8:1::20/127;\n")
    for policy in (inside + "allow 5000/udp from n;",
                   inside + "deny 5000/udp from 192.168.0.21, 2001:db8:1::21; allow 5000/udp from n;\n"
                   "allow 5000/udp from 2001:db8:1::/64, 192.168.0.0/16;"):
        world.lab.clear()
        world.lab.apply(policy)
        found = world.ask(*[world.attempt(host, "srv", "udp", 5000, family=family)
                            for host in ("pc", "pc2") for family in (4, 6)])
        second = "deny" if "deny" in policy else "allow"
        world.check(found == ["allow"] * 2 + [second] * 2, f"nested prefixes: {found}")


def fact_covered_by_a_union_is_denied(world):
    """Two halves denied before the whole is allowed."""
    world.lab.apply("deny any from 192.168.0.0/25; deny any from 192.168.0.128/25;\n"
                    "allow any from 192.168.0.0/24;\nallow any from 192.168.9.0/24;")
    found = world.ask(world.attempt("pc", "srv", "udp", 5000), world.attempt("far", "srv", "udp", 5000))
    world.check(found == ["deny", "allow"], f"two halves: {found}")


def long_policy(count):
    """A long list with denies in between, in which every rule decides about something."""
    lines = []
    for index in range(count):
        verdict = ("allow", "deny", "allow", "reject")[index % 4]
        source = f"10.{index % 7}.{index * 16 % 256}.0/{20 + index % 9}" if index % 5 \
            else f"10.{index % 7}.0.0/16"
        source = re.sub(r"(\d+\.\d+\.)\d+\.0/(1\d|2[0-3])$", r"\g<1>0.0/\2", source)
        port = 1000 + index * 7 % 50
        lines.append(f"{verdict} {port}-{port + index % 6}/{'tcp' if index % 3 else 'udp'}"
                     f" from {source} to 172.16.{index * 11 % 64}.0/24, 198.51.100.{index % 256};")
        if index % 25 == 24:
            lines.append(f"deny any from 10.{index % 7}.{index % 250}.0/24;")
    return "\n".join(lines) + "\n"


def long_lists_lose_nothing(tally, fwc):
    """1,200 packets against 40, 400 and 1,500 rules, judged by the plain evaluator."""
    bench = random_test.Bench(fwc)
    for count in (40, 400, 1500):
        text = long_policy(count)
        policy = Policy(text, generator.INTERFACES)
        try:
            bench.lab.apply(text)
        except lab.ApplyError as error:
            tally.check(False, f"{count} rules: {error}")
            continue
        packets = long_packets(policy, 1200)
        differences = random_test.judge(bench, policy, packets)
        tally.check(not differences, f"{count} rules: {len(differences)} of 1200 packets differ")
        for packet, verdict, line, seen in differences[:3]:
            print(f"  {random_test.describe(packet)}: {verdict} (line {line}), kernel {seen}")
    bench.lab.close()


def long_packets(policy, count):
    """First packets that a rule speaks of, or that miss it by one port."""
    maker = generator.PacketMaker(7, policy)
    packets = []
    while len(packets) < count:
        rule = maker.random.choice(policy.rules)
        source, destination = end(maker, rule.froms), end(maker, rule.tos)
        if (4, source) in generator.OWN or generator.route(4, destination) is None \
                or not generator.is_usable(4, source) or not generator.is_usable(4, destination):
            continue
        pair = next(rule.service.pairs())
        port = maker.random.randint(max(1, pair.ports[0] - 1), min(65535, pair.ports[1] + 1))
        packets.append(Packet("forward", generator.route(4, source), generator.route(4, destination),
                              4, source, destination, pair.protocol or 17, port, 2000 + len(packets)))
    return packets


def end(maker, sides):
    """An address of a rule's side."""
    if not sides:
        return maker.foreign(4)
    low, high = maker.random.choice(maker.random.choice(sides[0].items).addresses.of[4])
    return maker.random.randint(low, high)


# --- loading ---------------------------------------------------------------------------------------------


def is_for_routers(path):
    with open(path, encoding="utf-8") as file:
        return any(line.startswith("device ") for line in file)


def fact_loading_twice_changes_nothing(world):
    for path in sorted(glob.glob(os.path.join(expectations.EXAMPLES, "*.fw"))):
        name = os.path.basename(path)
        if is_for_routers(path):
            continue
        script = world.lab.run_fwc("compile", path)
        if not world.check(script.returncode == 0, f"{name} compiles: {script.stderr[:300]}"):
            continue
        world.lab.clear()
        listings = []
        for _ in range(2):
            world.lab.fw.must(["nft", "-f", "-"], script.stdout)
            listings.append(world.lab.listing())
        for _ in range(2):
            world.lab.apply(path)
            listings.append(world.lab.listing())
        world.lab.clear()
        world.lab.apply(path)
        listings.append(world.lab.listing())
        world.check(len(set(listings)) == 1, f"{name}: nft -f twice, apply twice, apply alone: "
                    f"{[len(text) for text in listings]} characters")
        world.check(listings[0].count("table ") == 1, f"{name}: one table of its own")


def fact_other_tables_stay(world):
    for how in ("apply", "nft -f"):
        world.lab.clear()
        world.lab.fw.must(["nft", "-f", "-"], OTHERS)
        before = other_tables(world)
        for policy in ("allow ssh;", "allow http; deny p2p;"):
            if how == "apply":
                message = world.lab.apply(policy)
                world.check("docker" in message and "f2b" in message,
                            f"apply names other programs' chains: {message}")
            else:
                script = world.lab.run_fwc("compile", "-", text=policy)
                world.lab.fw.must(["nft", "-f", "-"], script.stdout)
        world.check(other_tables(world) == before, f"{how} leaves other tables as they are")
        tables = world.lab.fw.must(["nft", "list", "tables"]).split("\n")
        world.check(sorted(filter(None, tables)) ==
                    ["table inet f2b", "table inet fwc", "table ip docker"], f"{how}: {tables}")


def other_tables(world):
    return [world.lab.fw.must(["nft", "list", "table", *table.split()])
            for table in ("ip docker", "inet f2b")]


def fact_the_old_ruleset_stays_if_the_new_is_refused(world):
    world.lab.apply(ZONES + "allow 5000/udp from lan to wan;")
    before = world.lab.listing()
    done = world.lab.run_fwc("apply", "-", *world.lab.apply_options, text="allow 5000/udp; allow no-such-service;")
    world.check(done.returncode == 1, f"a mistake is refused: {done}")
    world.check(world.lab.listing() == before, "and nothing was changed")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    lab.enter("peers' mistakes")
    tally = lab.Tally()
    world = World(tally, sys.argv[1])
    facts = [value for name, value in sorted(globals().items()) if name.startswith("fact_")]
    for fact in facts:
        world.lab.clear()
        try:
            fact(world)
        except (lab.ApplyError, lab.LabError, OSError, IndexError) as error:
            tally.check(False, f"{fact.__name__}: {type(error).__name__}: {error}")
    world.lab.close()
    long_lists_lose_nothing(tally, sys.argv[1])
    print(f"{len(facts) + 1} mistakes of others looked for")
    tally.close()


if __name__ == "__main__":
    main()
