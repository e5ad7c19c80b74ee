"""The tests' own reader and evaluator of access lists, against truths written by hand.

usage: acl_eval_test.py [FWC]

The truths come from the vendor's documents: the command references, "Access Control Lists and IP
Fragments", "IP Access List Entry Sequence Numbering", "Reflexive Access Lists", "Object Groups for
ACLs", "Implementing Traffic Filters for IPv6". The argument is not used: nothing of fwc runs here.
"""

import ipaddress

from acl_eval import AclError, Packet, flow_of
from acl_read import Configuration, devices_of
from compiled import Tally

ACK, RST, SYN, FIN = 16, 4, 2, 1


def packet(text, **more):
    """`tcp 10.0.0.1:1024 > 10.0.0.2:80 [ack]`; of icmp `icmp A > B TYPE/CODE`."""
    parts = text.split()
    protocol = {"tcp": 6, "udp": 17, "icmp": 1, "icmp6": 58, "gre": 47, "esp": 50, "sctp": 132}[parts[0]]
    ends, ports = [], []
    for part in (parts[1], parts[3]):
        address, _, port = part.partition("@")
        ends.append(ipaddress.ip_address(address))
        ports.append(int(port or 0))
    values = {"source_port": ports[0], "port": ports[1]}
    for word in parts[4:]:
        if "/" in word:
            values["port"], values["code"] = (int(part) for part in word.split("/"))
        elif word == "fragment":
            values.update(is_fragment=True, port=0, source_port=0)
        else:
            values["flags"] = values.get("flags", 0) | {"ack": ACK, "rst": RST, "syn": SYN, "fin": FIN}[word]
    return Packet(ends[0].version, int(ends[0]), int(ends[1]), protocol, **{**values, **more})


def judged(text, name="X", family=4, **more):
    """A function that judges packets by the list of a text."""
    acl = Configuration(text).lists[family, name]
    return lambda line, **extra: acl.permits(packet(line, **more, **extra))


# (list, packets that it permits, packets that it denies)
TRUTHS = [
    # the end of every list
    ("ip access-list extended X\n permit tcp any any eq 80",
     ["tcp 1.1.1.1 > 2.2.2.2@80"], ["tcp 1.1.1.1 > 2.2.2.2@81", "udp 1.1.1.1 > 2.2.2.2@80",
                                    "icmp 1.1.1.1 > 2.2.2.2 8/0"]),
    # first match
    ("ip access-list extended X\n deny tcp host 1.1.1.1 any\n permit ip any any\n deny udp any any",
     ["tcp 1.1.1.2 > 2.2.2.2@80", "udp 1.1.1.1 > 2.2.2.2@80"], ["tcp 1.1.1.1 > 2.2.2.2@80"]),
    # an empty list permits everything; remarks are no entries
    ("ip access-list extended X\n remark nothing yet", ["tcp 1.1.1.1 > 2.2.2.2@80"], []),
    # wildcards need not be contiguous
    ("ip access-list extended X\n permit ip 10.0.0.0 0.255.0.255 any",
     ["tcp 10.7.0.9 > 1.1.1.1@1", "tcp 10.255.0.255 > 1.1.1.1@1"], ["tcp 10.7.1.9 > 1.1.1.1@1",
         "tcp 11.0.0.0 > 1.1.1.1@1"]),
    ("ip access-list extended X\n permit ip 10.0.0.1 0.0.0.254 any",
     ["tcp 10.0.0.3 > 1.1.1.1@1", "tcp 10.0.0.255 > 1.1.1.1@1"], ["tcp 10.0.0.2 > 1.1.1.1@1"]),
    # bits under the wildcard do not count
    ("ip access-list extended X\n permit ip 10.0.0.77 0.0.0.255 any", ["tcp 10.0.0.1 > 1.1.1.1@1"],
     ["tcp 10.0.1.77 > 1.1.1.1@1"]),
    # operators
    ("ip access-list extended X\n permit udp any gt 1023 any eq 53",
     ["udp 1.1.1.1@1024 > 2.2.2.2@53", "udp 1.1.1.1@65535 > 2.2.2.2@53"], ["udp 1.1.1.1@1023 > 2.2.2.2@53"]),
    ("ip access-list extended X\n permit udp any lt 1024 any", ["udp 1.1.1.1@1023 > 2.2.2.2@1",
        "udp 1.1.1.1@0 > 2.2.2.2@1"],
     ["udp 1.1.1.1@1024 > 2.2.2.2@1"]),
    ("ip access-list extended X\n permit tcp any any neq telnet", ["tcp 1.1.1.1 > 2.2.2.2@22",
        "tcp 1.1.1.1 > 2.2.2.2@24"],
     ["tcp 1.1.1.1 > 2.2.2.2@23"]),
    ("ip access-list extended X\n permit tcp any any range ftp-data ftp", ["tcp 1.1.1.1 > 2.2.2.2@20",
        "tcp 1.1.1.1 > 2.2.2.2@21"],
     ["tcp 1.1.1.1 > 2.2.2.2@19", "tcp 1.1.1.1 > 2.2.2.2@22"]),
    ("ip access-list extended X\n permit tcp any any eq telnet www 443 log web",
     ["tcp 1.1.1.1 > 2.2.2.2@23", "tcp 1.1.1.1 > 2.2.2.2@80",
      "tcp 1.1.1.1 > 2.2.2.2@443"], ["tcp 1.1.1.1 > 2.2.2.2@81"]),
    # one word, two protocols: cmd is 514/tcp, syslog 514/udp and /tcp
    ("ip access-list extended X\n permit udp any any eq syslog\n permit tcp any any eq cmd",
     ["udp 1.1.1.1 > 2.2.2.2@514", "tcp 1.1.1.1 > 2.2.2.2@514"], ["udp 1.1.1.1 > 2.2.2.2@513"]),
    # established: ACK or RST
    ("ip access-list extended X\n permit tcp any any established",
     ["tcp 1.1.1.1 > 2.2.2.2@9 ack", "tcp 1.1.1.1 > 2.2.2.2@9 rst", "tcp 1.1.1.1 > 2.2.2.2@9 syn ack"],
     ["tcp 1.1.1.1 > 2.2.2.2@9 syn", "tcp 1.1.1.1 > 2.2.2.2@9", "tcp 1.1.1.1 > 2.2.2.2@9 fin",
      "udp 1.1.1.1 > 2.2.2.2@9"]),
    ("ip access-list extended X\n permit tcp any any match-all +ack -syn",
     ["tcp 1.1.1.1 > 2.2.2.2@9 ack"], ["tcp 1.1.1.1 > 2.2.2.2@9 syn ack", "tcp 1.1.1.1 > 2.2.2.2@9"]),
    ("ip access-list extended X\n permit tcp any any match-any +ack -syn",
     ["tcp 1.1.1.1 > 2.2.2.2@9 syn ack", "tcp 1.1.1.1 > 2.2.2.2@9"], ["tcp 1.1.1.1 > 2.2.2.2@9 syn"]),
    # icmp words, types, codes
    ("ip access-list extended X\n permit icmp any any echo\n permit icmp any any packet-too-big\n"
     " permit icmp any any 11",
     ["icmp 1.1.1.1 > 2.2.2.2 8/0", "icmp 1.1.1.1 > 2.2.2.2 8/9", "icmp 1.1.1.1 > 2.2.2.2 3/4",
      "icmp 1.1.1.1 > 2.2.2.2 11/1"],
     ["icmp 1.1.1.1 > 2.2.2.2 0/0", "icmp 1.1.1.1 > 2.2.2.2 3/3", "icmp 1.1.1.1 > 2.2.2.2 12/0"]),
    ("ip access-list extended X\n permit icmp any any 3 4 log mtu\n permit icmp any any unreachable log",
     ["icmp 1.1.1.1 > 2.2.2.2 3/4", "icmp 1.1.1.1 > 2.2.2.2 3/1"], ["icmp 1.1.1.1 > 2.2.2.2 4/3"]),
    # numbers of protocols and their words
    ("ip access-list extended X\n permit gre any any\n permit 50 any any",
     ["gre 1.1.1.1 > 2.2.2.2", "esp 1.1.1.1 > 2.2.2.2"], ["tcp 1.1.1.1 > 2.2.2.2"]),
    # later fragments: a permit's ports count as met
    ("ip access-list extended X\n permit tcp any host 2.2.2.2 eq 80\n deny ip any any",
     ["tcp 1.1.1.1 > 2.2.2.2@80", "tcp 1.1.1.1 > 2.2.2.2 fragment"],
     ["tcp 1.1.1.1 > 2.2.2.2@81", "tcp 1.1.1.1 > 2.2.2.3 fragment", "udp 1.1.1.1 > 2.2.2.2 fragment"]),
    # a denial that asks for ports is passed over
    ("ip access-list extended X\n deny tcp any any eq 80\n permit ip any any",
     ["tcp 1.1.1.1 > 2.2.2.2 fragment", "tcp 1.1.1.1 > 2.2.2.2@81"], ["tcp 1.1.1.1 > 2.2.2.2@80"]),
    ("ip access-list extended X\n deny tcp any any\n permit ip any any",
     ["udp 1.1.1.1 > 2.2.2.2 fragment"], ["tcp 1.1.1.1 > 2.2.2.2 fragment"]),
    ("ip access-list extended X\n permit tcp any any established",
     ["tcp 1.1.1.1 > 2.2.2.2 fragment"], ["udp 1.1.1.1 > 2.2.2.2 fragment"]),
    ("ip access-list extended X\n permit icmp any any echo", ["icmp 1.1.1.1 > 2.2.2.2 fragment"],
     ["tcp 1.1.1.1 > 2.2.2.2 fragment"]),
    # `fragments` speaks of later fragments alone
    ("ip access-list extended X\n deny ip any host 2.2.2.2 fragments\n permit tcp any host 2.2.2.2 eq 80",
     ["tcp 1.1.1.1 > 2.2.2.2@80"], ["tcp 1.1.1.1 > 2.2.2.2 fragment", "tcp 1.1.1.1 > 2.2.2.2@81"]),
    ("ip access-list extended X\n permit udp any any fragments", ["udp 1.1.1.1 > 2.2.2.2 fragment"],
     ["udp 1.1.1.1 > 2.2.2.2@1", "tcp 1.1.1.1 > 2.2.2.2 fragment"]),
    # numbers decide, not the order of the lines; without one: the end
    ("ip access-list extended X\n 20 permit ip any any\n 10 deny tcp any any eq 23\n"
     " 5 permit tcp host 1.1.1.1 any eq 23",
     ["tcp 1.1.1.1 > 2.2.2.2@23", "udp 1.1.1.2 > 2.2.2.2@23"], ["tcp 1.1.1.2 > 2.2.2.2@23"]),
    ("ip access-list extended X\n 100 permit ip any any\n deny tcp any any eq 23", ["tcp 1.1.1.1 > 2.2.2.2@23"],
     []),
    # an entry that is there already is ignored, whatever its number
    ("ip access-list extended X\n 10 deny tcp any any eq 23\n 20 permit ip any any\n 5 permit ip any any",
     ["tcp 1.1.1.1 > 2.2.2.2@22"], ["tcp 1.1.1.1 > 2.2.2.2@23"]),
    ("ip access-list extended X\n 10 deny tcp any any eq telnet\n 20 permit ip any any\n 30 permit ip any any log",
     ["tcp 1.1.1.1 > 2.2.2.2@22"], ["tcp 1.1.1.1 > 2.2.2.2@23"]),
    # object groups: netmasks, not wildcards
    ("object-group network N\n host 1.1.1.1\n 10.0.0.0 255.255.255.0\n range 10.0.1.5 10.0.1.6\n"
     "object-group service S\n tcp eq 80\n udp source gt 1023 eq domain\n icmp echo\n gre\n tcp-udp range 5 6\n"
     "ip access-list extended X\n permit object-group S object-group N any",
     ["tcp 1.1.1.1 > 2.2.2.2@80", "tcp 10.0.0.255 > 2.2.2.2@80", "tcp 10.0.1.5 > 2.2.2.2@5",
      "udp 10.0.1.6 > 2.2.2.2@6",
      "udp 1.1.1.1@1024 > 2.2.2.2@53", "icmp 1.1.1.1 > 2.2.2.2 8/0", "gre 1.1.1.1 > 2.2.2.2"],
     ["tcp 10.0.1.7 > 2.2.2.2@80", "tcp 10.0.1.4 > 2.2.2.2@80", "udp 1.1.1.1@1023 > 2.2.2.2@53",
      "udp 1.1.1.1 > 2.2.2.2@80",
      "icmp 1.1.1.1 > 2.2.2.2 0/0", "tcp 1.1.1.1 > 2.2.2.2@7"]),
    ("object-group network N\n host 1.1.1.1\nobject-group network M\n group-object N\n host 1.1.1.3\n"
     "ip access-list extended X\n permit tcp any object-group M eq 80",
     ["tcp 9.9.9.9 > 1.1.1.1@80", "tcp 9.9.9.9 > 1.1.1.3@80"], ["tcp 9.9.9.9 > 1.1.1.2@80"]),
]

TRUTHS_V6 = [
    # the implicit end of an IPv6 list: neighbour discovery passes
    ("ipv6 access-list X\n permit tcp any any eq 80",
     ["tcp fd00::1 > fd00::2@80", "icmp6 fe80::1 > ff02::1 135/0", "icmp6 fe80::1 > fe80::2 136/0"],
     ["tcp fd00::1 > fd00::2@81", "icmp6 fe80::1 > ff02::1 134/0", "icmp6 fe80::1 > ff02::2 133/0"]),
    # an explicit end cuts that off
    ("ipv6 access-list X\n permit tcp any any eq 80\n deny ipv6 any any", ["tcp fd00::1 > fd00::2@80"],
     ["icmp6 fe80::1 > ff02::1 135/0", "icmp6 fe80::1 > ff02::1 136/0"]),
    ("ipv6 access-list X\n permit icmp any any nd-na\n permit icmp any any nd-ns\n deny ipv6 any any log",
     ["icmp6 fe80::1 > ff02::1 135/0", "icmp6 fe80::1 > ff02::1 136/0"], ["icmp6 fe80::1 > ff02::1 134/0"]),
    # prefixes, hosts, numbers at either end
    ("ipv6 access-list X\n permit ipv6 fd00:1::/32 any sequence 20\n sequence 10 deny tcp host fd00:1::1 any\n"
     " permit udp any fd00:5::/48 range 5 6",
     ["tcp fd00:1:ffff::2 > fd00::2@1", "udp fd00:2::1 > fd00:5:0:9::1@6"],
     ["tcp fd00:1::1 > fd00::2@1", "tcp fd00:2::1 > fd00::2@1", "udp fd00:2::1 > fd00:5:1::1@6"]),
    # the words of ICMPv6
    ("ipv6 access-list X\n permit icmp any any echo-request\n permit icmp any any packet-too-big\n"
     " permit icmp any any 1 4",
     ["icmp6 fd00::1 > fd00::2 128/0", "icmp6 fd00::1 > fd00::2 2/0", "icmp6 fd00::1 > fd00::2 1/4"],
     ["icmp6 fd00::1 > fd00::2 129/0", "icmp6 fd00::1 > fd00::2 1/3"]),
    ("ipv6 access-list X\n permit tcp any any established", ["tcp fd00::1 > fd00::2 ack"],
     ["tcp fd00::1 > fd00::2 syn"]),
    ("ipv6 access-list X\n deny ipv6 any any fragments\n permit ipv6 any any", ["tcp fd00::1 > fd00::2"],
     ["tcp fd00::1 > fd00::2 fragment"]),
    ("object-group v6-network N\n host fd00::1\n fd00:2::/64\nipv6 access-list X\n permit tcp object-group N any",
     ["tcp fd00::1 > fd00::2", "tcp fd00:2::9 > fd00::2"], ["tcp fd00::2 > fd00::2"]),
]

REFUSED = [
    "ip access-list extended X\n permit tcp any any eq https",        # IOS has no such word
    "ip access-list extended X\n permit udp any any eq www",
    "ip access-list extended X\n permit tcp any any eq 65536",
    "ip access-list extended X\n permit tcp any any range 9 8",
    "ip access-list extended X\n permit tcp any any gt 65535",
    "ip access-list extended X\n permit udp any any established",
    "ip access-list extended X\n permit ip any any eq 80",
    "ip access-list extended X\n permit tcp any any eq 80 fragments",
    "ip access-list extended X\n permit tcp any",
    "ip access-list extended X\n permit tcp any any eq",
    "ip access-list extended X\n permit any any",
    "ip access-list extended X\n permit ip 10.0.0.0/8 any",
    "ip access-list extended X\n permit ip 10.0.0.0 any",
    "ip access-list extended X\n permit ip host 10.0.0 any",
    "ip access-list extended X\n permit ip any any sequence 5",
    "ip access-list extended X\n permit ip any any frag",
    "ip access-list extended X\n permit ip any any log log",
    "ip access-list extended X\n permit ip any any log r",
    "ip access-list extended X\n permit ip any any log 0x12",
    "ip access-list extended X\n permit ip any any log a\"b",
    "ip access-list extended X\n permit tcp any any eq 1 2 3 4 5 6 7 8 9 10 11",
    "ip access-list extended 101\n permit tcp any any eq 1 2",
    "access-list 101 permit tcp any any eq 1 2",
    "access-list 99 permit tcp any any",
    "access-list 200 permit tcp any any",
    "access-list 101 tcp any any",
    "ip access-list extended X\n 10 permit tcp any any\n 10 permit udp any any",
    "ip access-list extended X\n remark " + "x" * 101,
    "ip access-list extended X\n remark caf\u00e9",
    "ip access-list extended 1X\n permit ip any any",
    "ip access-list extended X\nipv6 access-list X\n permit ipv6 any any",
    "ip access-list extended X\n evaluate\n",
    "ip access-list extended X\n permit ip any any time-range T",
    "time-range T\nip access-list extended X\n permit ip any any time-range T",
    "time-range T\n periodic weekdays 9:00 to 8:00",
    "time-range T\n periodic someday 9:00 to 10:00",
    "ip access-list extended X\n permit tcp object-group N any",
    "object-group network N\nip access-list extended X\n permit tcp object-group N any",
    "object-group network N\n 10.0.0.0 0.0.0.255",
    "object-group service S\n tcp eq www eq 80",
    "ipv6 access-list X\n permit ip any any",
    "ipv6 access-list X\n permit ipv6 fd00::1 any",
    "ipv6 access-list X\n permit ipv6 10.0.0.0/8 any",
    "ipv6 access-list X\n permit tcp any any eq 1 2",
    "ipv6 access-list X\n 10 permit tcp any any",
    "ipv6 access-list X\n permit tcp any any log tag",
    "ipv6 access-list 101\n permit tcp any any",
    "ip access-list standard X\n permit any",
    "no ip access-list extended X",
    " permit ip any any",
    "interface Serial0/0\n ip access-group X in",                     # a missing list permits everything
    "ip access-list extended X\n remark only\ninterface Serial0/0\n ip access-group X in",
    "ip access-list extended X\n permit ip any any\ninterface Serial0/0\n ip access-group X in\n"
    " ip access-group X in",
]


def check_truths(tally, truths, family):
    for text, permitted, denied in truths:
        try:
            permits = judged(text, family=family)
        except AclError as error:
            tally.check(False, f"refused: {error}\n{text}")
            continue
        for line in permitted:
            tally.check(permits(line), f"not permitted: {line}\n{text}")
        for line in denied:
            tally.check(not permits(line), f"not denied: {line}\n{text}")


def check_refusals(tally):
    for text in REFUSED:
        try:
            Configuration(text)
        except AclError:
            tally.check(True, "")
        else:
            tally.check(False, f"taken, but no router takes it:\n{text}")


def check_reflection(tally):
    """What the outbound list let out comes back by the place of `evaluate`, and nothing else."""
    text = ("ip access-list extended OUT\n permit udp any any eq 53 reflect R timeout 60\n"
            "ip access-list extended IN\n evaluate R\n deny ip any any")
    lists = Configuration(text).lists
    asked = packet("udp 10.0.0.1@1024 > 8.8.8.8@53")
    entry = lists[4, "OUT"].find(asked)
    answer = packet("udp 8.8.8.8@53 > 10.0.0.1@1024")
    let_out = {entry.reflect: {flow_of(answer)}}
    tally.check(lists[4, "IN"].permits(answer, let_out), "a reflected answer")
    tally.check(not lists[4, "IN"].permits(answer), "an answer to nothing")
    tally.check(not lists[4, "IN"].permits(packet("udp 8.8.8.8@53 > 10.0.0.1@1025"), let_out), "another answer")
    error = packet("icmp 8.8.8.8 > 10.0.0.1 3/3")
    tally.check(not lists[4, "IN"].permits(error, let_out), "an error about it is not reflected")


def check_times(tally):
    """The last minute named is inside."""
    text = ("time-range WORK\n periodic weekdays 8:00 to 17:59\n periodic Saturday 9:00 to 11:59\n"
            "time-range NIGHT\n periodic Friday 22:00 to Monday 5:59\n"
            "ip access-list extended X\n permit tcp any any time-range WORK\n permit udp any any time-range NIGHT")
    permits = judged(text)
    for minute, work, night in ((479, False, None), (480, True, None), (1079, True, None), (1080, False, None),
                                (5 * 1440 + 540, True, True), (5 * 1440 + 720, False, True),
                                (4 * 1440 + 1319, False, False), (4 * 1440 + 1320, False, True),
                                (359, False, True), (360, False, False), (7 * 1440 - 1, False, True)):
        tally.check(permits("tcp 1.1.1.1 > 2.2.2.2", minute=minute) == work, f"work at {minute}")
        if night is not None:
            tally.check(permits("udp 1.1.1.1 > 2.2.2.2", minute=minute) == night, f"night at {minute}")


def check_configurations(tally):
    """Numbered lists, interfaces, other commands, several devices."""
    text = ("hostname R1\n!\naccess-list 100 remark first\n"
            "access-list 100 deny   ip 192.168.0.0 0.0.0.255 172.16.0.0 0.0.0.255\n"
            "access-list 100 permit ip 192.168.0.0 0.0.0.255 any\n!\n"
            "interface Serial0/0\n ip address 80.1.0.2 255.255.255.252\n"
            " ip nat outside\n ip access-group 100 in\n crypto map VPNMAP\nip route 0.0.0.0 0.0.0.0 80.1.0.1\n")
    configuration = Configuration(text)
    interface = configuration.interfaces["Serial0/0"]
    tally.check(interface.lists == {(4, "in"): "100"}, "a binding")
    tally.check(interface.addresses == ["80.1.0.2/30"], "an address")
    tally.check((interface.nat, interface.crypto_map) == ("outside", "VPNMAP"), "what is on the interface")
    tally.check(len(configuration.lists[4, "100"].entries) == 2, "a numbered list")
    tally.check(configuration.globals == ["hostname R1", "ip route 0.0.0.0 0.0.0.0 80.1.0.1"], "other commands")
    devices = devices_of("! made by\n! device A\nhostname A\n! device B\nhostname B\n")
    tally.check(sorted(devices) == ["A", "B"] and "hostname B" in devices["B"], "two devices")


def main():
    tally = Tally()
    check_truths(tally, TRUTHS, 4)
    check_truths(tally, TRUTHS_V6, 6)
    check_refusals(tally)
    check_reflection(tally)
    check_times(tally)
    check_configurations(tally)
    tally.close()


if __name__ == "__main__":
    main()
