"""Real packets through iptables-nft and through the policy that was made of the same file.

usage: packets_test.py FWC

A router with four segments (namespaces): files are loaded with iptables-restore, every probe is sent;
then the imported policy is applied in their place and the same probes are sent again. Each has to
end in the same way, at the same machine, which sees the same source.
"""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "packets"))

# pylint: disable=wrong-import-position
import lab
from prober import Attempt, Prober

RESTORE = "iptables-nft-restore"
# segment: interface of the router, its address there, the hosts' addresses
SEGMENTS = {
    "wan": ("ppp0", "80.1.0.2/24", ("80.1.0.99", "198.51.100.20", "203.0.113.9")),
    "lan": ("br-lan", "192.168.0.1/24", ("192.168.0.10", "192.168.0.20", "192.168.0.11", "192.168.0.50")),
    "guest": ("br-guest", "172.20.0.1/24", ("172.20.0.5",)),
    "vpn": ("wg0", "10.8.0.1/24", ("10.8.0.7",)),
}
SERVICES = (("tcp", 22), ("tcp", 25), ("tcp", 53), ("tcp", 80), ("tcp", 443), ("udp", 53), ("udp", 5060),
            ("udp", 137), ("ping", 0))
# what router.v4 leads elsewhere: port sent to, host and port behind it
FORWARDED = (("tcp", 443, "192.168.0.10", 443), ("tcp", 2222, "192.168.0.10", 22),
             ("udp", 5060, "192.168.0.20", 5060), ("tcp", 8080, "192.168.0.11", 80))
FILES = ("router.v4", "mail-server.v4", "hand-made-server.v4", "enterprise-default.v4", "zones.v4",
         "hand-edited-router.v4")


def build(fwc):
    laboratory = lab.Lab(fwc)
    for name, (interface, address, hosts) in SEGMENTS.items():
        segment = laboratory.add_segment(name, interface)
        gateway = address.split("/", maxsplit=1)[0]
        laboratory.fw.ip([f"address add {address} dev {interface}"])
        inside = gateway.rsplit(".", 1)[0] + "."
        segment.ip([f"address add {host}/{24 if host.startswith(inside) else 32} dev eth0" for host in hosts]
                   + [f"route add default via {gateway}"])
        laboratory.fw.ip([f"route add {host}/32 via {hosts[0]} dev {interface}" for host in hosts
                          if not host.startswith(inside)])
    return laboratory


def attempts():
    everyone = [(name, host) for name, (_, _, hosts) in SEGMENTS.items() for host in hosts[:2]]
    own = {name: address.split("/", maxsplit=1)[0] for name, (_, address, _) in SEGMENTS.items()}
    for place, source in everyone:
        targets = [("fw", own[place])] + [(name, hosts[-1]) for name, (_, _, hosts) in SEGMENTS.items()
                                          if name != place]
        for protocol, port in SERVICES:
            for answer, address in targets:
                yield Attempt(place, source, address, protocol, port, answer_place=answer, answer_address=address)
    for place in ("wan", "guest"):
        for protocol, port, host, new in FORWARDED:
            yield Attempt(place, SEGMENTS[place][2][0], own["wan"], protocol, port, answer_place="lan",
                          answer_address=host, answer_port=new)


def outcomes(prober, probes):
    """The verdict (how it is refused aside), who answered, and the source that was seen."""
    found = prober.run(probes)
    return [(one.verdict if one.verdict in ("allow", "deny") else "refused", one.place, one.seen) for one in found]


def check_file(tally, prober, fwc, name, probes):
    laboratory = prober.lab
    path = os.path.join(HERE, "files", name)
    with open(path, encoding="utf-8") as file:
        laboratory.fw.must([RESTORE], file.read())
    theirs = outcomes(prober, probes)
    laboratory.clear()
    done = subprocess.run([fwc, "import", "iptables", path], capture_output=True, text=True, check=False,
                          timeout=60)
    laboratory.apply(done.stdout)
    mine = outcomes(prober, probes)
    laboratory.clear()
    for probe, one, other in zip(probes, theirs, mine):
        tally.check(one == other, f"{name}: {probe}: {one} by iptables, {other} by the policy")
    kinds = {kind: sum(one[0] == kind for one in theirs) for kind in ("allow", "deny", "refused")}
    tally.check(kinds["allow"] > 5 and kinds["deny"] + kinds["refused"] > 5, f"{name}: {kinds}")
    print(f"{name}: {len(probes)} probes, {kinds}")


def main():
    fwc = os.path.abspath(sys.argv[1])
    if shutil.which(RESTORE) is None:
        print(f"skipped: {RESTORE} is missing\n0 passed, 0 failed, 1 skipped")
        return
    lab.enter("iptables and policies")
    tally = lab.Tally()
    laboratory = build(fwc)
    probes = list(attempts())
    prober = Prober(laboratory)
    for name in FILES:
        check_file(tally, prober, fwc, name, probes)
    laboratory.close()
    tally.close()


if __name__ == "__main__":
    sys.exit(main())
