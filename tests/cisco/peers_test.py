"""What other compilers of access lists get wrong, each shown not to happen here.

usage: peers_test.py FWC

Lists are read and asked about packets by the evaluator of the tests. What stands elsewhere: answers
(`established` never becomes `permit udp any any`) and random policies in lists_test.py, groups beside
`established` in groups_test.py, changes of a live list in edit_test.py, packets on a real kernel in
tests/packets/peers_test.py.
"""

import re
import sys
import os
import tempfile

import compiled
from acl_eval import Packet, number_of
from compiled import Tally

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
ROUTER = """zone lan {{ network 192.168.0.0/24; }}
zone wan {{ network internet; }}
device R {{
  target cisco-ios;
  interface Serial0/0 {{ zone wan; address 80.1.0.2/30{wan6}; }}
  interface Ethernet0 {{ zone lan; address 192.168.0.1/24; }}
  replies {replies};
}}
"""


class Lists:
    """The lists that a policy became."""

    def __init__(self, tally, fwc, policy, *options):
        self.done = compiled.run(fwc, policy, *options)
        tally.check(self.done.status == 0, f"{policy!r} compiles: {self.done.first_error()}")
        self.lists = self.done.configurations()[None].lists if self.done.status == 0 else {}

    def permits(self, protocol, port, source="198.51.100.7", to="10.0.0.1", **more):
        family = 6 if ":" in to else 4
        acl = self.lists[family, "FWC-IPV6" if family == 6 else "FWC"]
        return acl.permits(Packet(family, number_of(source, family), number_of(to, family), protocol, port,
                                  **more))

    def entries(self):
        """Of every list, as they stand."""
        return [line.strip() for line in self.done.text.split("\n") if re.match(r" (\d+ )?(permit|deny) ", line)]


def exactly(tally, lists, opened, closed):
    for question in opened:
        tally.check(lists.permits(*question), f"opens {question}")
    for question in closed:
        tally.check(not lists.permits(*question), f"leaves {question} closed")


# --- services ------------------------------------------------------------------------------------------


def fact_two_protocols_keep_their_ports(tally, fwc):
    exactly(tally, Lists(tally, fwc, "allow dns;"), [(TCP, 53), (UDP, 53)],
            [(TCP, 52), (UDP, 54), (TCP, 80), (UDP, 9999), (ICMP, 8), (47, 0)])


def fact_services_are_no_cross_product(tally, fwc):
    exactly(tally, Lists(tally, fwc, "service ntp-alone = 123/udp; service web-alone = 443/tcp; "
                         "allow ntp-alone, web-alone;"), [(UDP, 123), (TCP, 443)], [(TCP, 123), (UDP, 443)])


def fact_a_denied_protocol_is_not_both(tally, fwc):
    exactly(tally, Lists(tally, fwc, "service ours = 4672/udp; deny ours; allow any;"),
            [(TCP, 4672), (UDP, 4671), (UDP, 4673)], [(UDP, 4672)])


def fact_a_port_is_written_once(tally, fwc):
    entries = Lists(tally, fwc, "deny p2p; allow any;").entries()
    bodies = [re.sub(r"^\d+ ", "", entry) for entry in entries]
    tally.check(len(bodies) == len(set(bodies)), "no entry stands twice")
    spans = [(found[1], int(found[3]), int(found[4] or found[3])) for found in
             (re.fullmatch(r"deny (tcp|udp) any any (eq|range) (\d+)(?: (\d+))?", body) for body in bodies)
             if found]
    clashes = [(one, other) for index, one in enumerate(spans) for other in spans[:index]
               if one[0] == other[0] and one[1] <= other[2] and other[1] <= one[2]]
    tally.check(spans and not clashes, f"no port stands in two: {clashes[:3]}")


# --- nothing becomes any ------------------------------------------------------------------------------


def fact_empty_and_foreign_sets_are_refused(tally, fwc):
    for text in ("allow any from a except a;", "allow any from a to six;", "allow any from six to a;",
                 "allow 128/icmp6 from a;", "allow echo-request/icmp from six;",
                 "allow any from 10.0.0.0/24 except 10.0.0.0/25, 10.0.0.128/25;",
                 "group g = a except a; allow any from g;", "service s = http except http; allow s;"):
        done = compiled.run(fwc, "host a = 10.0.0.1; host six = 2001:db8::6; " + text)
        tally.check(done.status == 1 and done.text == "" and done.codes(),
                    f"refuses {text!r}: {done.first_error()}")


def fact_a_term_of_icmp6_opens_nothing_of_ipv4(tally, fwc):
    lists = Lists(tally, fwc, "allow 128/icmp6; allow ssh;")
    exactly(tally, lists, [(TCP, 22)], [(ICMP, 8), (ICMP, 128), (ICMP6, 128), (TCP, 80)])
    tally.check(lists.permits(ICMP6, 128, "2001:db8::1", "2001:db8::2") and
                not lists.permits(TCP, 80, "2001:db8::1", "2001:db8::2"), "and ICMPv6 alone of IPv6")


def fact_ipv6_is_not_lost_where_there_is_none(tally, fwc):
    """Dropped with success elsewhere, once with a list without entries, which permits everything."""
    for text, options in ((ROUTER.format(wan6="", replies="none") + "allow ssh to 2001:db8::6;", ()),
                          (ROUTER.format(wan6="", replies="none") + "deny ssh ipv6; allow any;", ()),
                          ("allow ssh to 2001:db8::6;", ("--number", "100"))):
        done = compiled.run(fwc, text, *options)
        tally.check(done.status == 1 and done.text == "" and done.codes() in (["FW0719"], ["FW0926"]),
                    f"{text[-40:]!r}: {done.status} {done.codes()}")
    for text in ("deny any;", "allow any;", "allow ssh to 2001:db8::6;", "allow ntp ipv4;"):
        lists = Lists(tally, fwc, text)
        tally.check(lists.lists and all(acl.entries for acl in lists.lists.values()),
                    f"{text!r}: no list is empty")


def fact_established_opens_no_udp(tally, fwc):
    done = compiled.run(fwc, ROUTER.format(wan6="", replies="established") +
                        "default output deny; allow dns, https from lan to wan;")
    acl = done.configurations()["R"].lists[4, "FWC-Serial0-0-IN"]
    for port, source, wanted in ((40000, 53, True), (40000, 54, False), (53, 40000, False), (161, 53, True)):
        packet = Packet(4, number_of("198.51.100.7", 4), number_of("192.168.0.9", 4), UDP, port, source)
        tally.check(acl.permits(packet) == wanted, f"udp from port {source} to {port}: {wanted}")
    told = [note["message"] for row in done.diagnostics if row["code"] == "FW0931" for note in row["notes"]]
    tally.check(any(": udp from " in line and " port 53" in line for line in told),
                f"and that it does is said: {told}")


def fact_what_a_list_lacks_is_not_dropped(tally, fwc):
    for text in ("allow ssh limit 3/minute;", "allow ftp;", "allow 5000/dccp;", "allow ssh to self;",
                 "allow ssh to any except self;"):
        done = compiled.run(fwc, text)
        tally.check(done.status == 1 and done.text == "", f"{text!r} is an error: {done.status}")


# --- rules that others cover ------------------------------------------------------------------------------


def fact_a_union_covers(tally, fwc):
    """Two halves denied, then the whole allowed: told, and right either way."""
    lists = Lists(tally, fwc, "deny any from 10.0.0.0/25; deny any from 10.0.0.128/25;\n"
                  "allow any from 10.0.0.0/24;\nallow ssh;")
    tally.check("FW1101" in lists.done.codes("warning"), f"told: {lists.done.codes('warning')}")
    exactly(tally, lists, [(TCP, 22, "10.0.1.0")], [(TCP, 22, "10.0.0.5"), (TCP, 22, "10.0.0.200")])


def fact_few_lines_say_it(tally, fwc):
    """Two adjacent /25, a /24 and a host inside, with ports 80-81, 82, 83, 443: two lines at best."""
    policy = ("allow 80-81/tcp, 82/tcp, 83/tcp, 443/tcp to 10.0.0.0/25; "
              "allow 83/tcp, 80-81/tcp, 82/tcp, 443/tcp to 10.0.0.128/25;\n"
              "allow 80-83/tcp, 443/tcp to 10.0.0.0/24; allow 82/tcp, 443/tcp to 10.0.0.7;")
    permits = [entry for entry in Lists(tally, fwc, policy).entries() if "permit" in entry]
    tally.check(len(permits) == 2, f"{len(permits)} entries: {permits}")


def fact_permits_between_denials_stay(tally, fwc):
    """Long lists whose tree of denials loses permits elsewhere: each hole is asked for."""
    policy = "".join(f"deny any from 10.{index}.0.0/16 to 172.16.0.0/12;\n"
                     f"allow {1000 + index}/tcp from 10.0.0.0/8 to 172.16.{index}.0/24;\n" for index in range(200))
    lists = Lists(tally, fwc, policy)
    for index in range(0, 200, 7):
        place = {"to": f"172.16.{index}.9"}
        for source in (0, index, index + 1, 199, 250):
            tally.check(lists.permits(TCP, 1000 + index, f"10.{source}.0.1", **place) == (source > index),
                        f"rule {index}, source {source}")


# --- on a router ----------------------------------------------------------------------------------------


def fact_neighbours_pass_before_a_denial(tally, fwc):
    lists = Lists(tally, fwc, "deny any ipv6;")
    for kind in (133, 134, 135, 136):
        tally.check(lists.permits(ICMP6, kind, "fe80::1", "ff02::1"), f"neighbour discovery {kind}")
    tally.check(not lists.permits(ICMP6, 128, "fe80::1", "ff02::1"), "and nothing else")


def fact_what_ios_stored_is_no_change(tally, fwc):
    """Words for ports, other spacing, remarks without numbers, no duplicate: nothing to do."""
    policy = "allow 23/tcp, 80/tcp, 53/udp to 10.0.0.0/24 because \"so it is\"; deny 161/udp log id no-snmp;"
    text = compiled.run(fwc, policy).text
    stored = re.sub(r"\beq 23\b", "eq telnet", re.sub(r"\beq 80\b", "eq www", re.sub(r"\beq 53\b", "eq domain",
                    re.sub(r"\beq 161\b", "eq snmp", text))))
    tally.check(stored.count("telnet") == 1 and stored.count("snmp") >= 1, "words are there")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "show-run.txt")
        for shown in (stored, re.sub(r"(?m)^ \d+ ", " ", stored)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"version 15.2\n!\n{shown}!\ninterface Serial0/0\n ip access-group FWC in\n!\nend\n")
            for mode in ("edit", "swap"):
                done = compiled.run(fwc, policy, "--mode", mode, "--from", path)
                tally.check(done.status == 0 and done.text == "",
                            f"{mode}: {done.first_error()} {done.text[:200]!r}")


def fact_no_list_is_missing_while_it_is_bound(tally, fwc):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "show-run.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write("ip access-list extended FWC\n permit ip any any\ninterface Serial0/0\n"
                       " ip access-group FWC in\nend\n")
        done = compiled.run(fwc, "allow ssh;", "--mode", "swap", "--from", path)
        lines = done.text.split("\n")
        gone = [index for index, line in enumerate(lines) if line.startswith("no ip access-list extended FWC")]
        bound = [index for index, line in enumerate(lines) if line.strip().startswith("ip access-group ")]
        made = [index for index, line in enumerate(lines) if line.startswith("ip access-list extended ")]
        tally.check(gone and bound and made and made[0] < bound[0] < gone[-1],
                    f"made, bound, and only then removed: {lines}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tally = Tally()
    facts = [value for name, value in sorted(globals().items()) if name.startswith("fact_")]
    for fact in facts:
        fact(tally, sys.argv[1])
    print(f"{len(facts)} mistakes of others looked for")
    tally.close()


if __name__ == "__main__":
    main()
