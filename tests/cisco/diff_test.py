"""fwc diff of configurations: real ones, and lists that were changed at random.

usage: diff_test.py FWC [--seed N] [--pairs N]

Of FWC_DATA (else ../shared/data beside the checkout; skipped with a word where it is missing): `live` against
`candidate`, where two outbound bindings are new; and a copy with one entry changed. Then mutants of a
generated list: diff says that nothing changed exactly where acl_eval.py finds no packet, and each example that
it gives is one of which both lists think differently, by acl_eval.py, in the direction that diff says.
"""

import argparse
import ipaddress
import os
import random
import re
import subprocess
import tempfile

import mutants
from acl_eval import AclError, Packet
from acl_read import Configuration
from compiled import TOP, Tally

SYN, ACK, RST = 2, 16, 4
POLICY = """
allow ssh, 1000-2000/udp from 10.0.0.0/24 to 10.9.0.0/16 except 10.9.3.0/24;
deny 10-90/tcp from 10.0.0.0/22;
allow any from 10.0.0.0/20 to 10.9.0.0/16;
allow 8/icmp;
"""
EXAMPLE = re.compile(r"newly (permitted|denied):\n(?:    (?!for example).*\n)+    for example (.*)\n")
NAMED = re.compile(r"(\S+) (\S+?)(?::(\d+))? -> (\S+?)(?::(\d+))?(?: with (ACK|RST))?$")


class Differ:
    def __init__(self, fwc, folder):
        self.fwc, self.folder = os.path.abspath(fwc), folder

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def diff(self, old, new):
        return subprocess.run([self.fwc, "diff", old, new], capture_output=True, text=True, timeout=60,
                              check=False)


def data_folder():
    return os.environ.get("FWC_DATA") or os.path.join(os.path.dirname(TOP), "shared", "data")


def check_real(tally, differ):
    paths = [os.path.join(data_folder(), "batfish", side, "as2dept1.cfg") for side in ("live", "candidate")]
    if not all(os.path.exists(path) for path in paths):
        print("the real configurations are not there")
        tally.skipped += 1
        return
    done = differ.diff(f"cisco:{paths[0]}", f"cisco:{paths[1]}")
    heads = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    tally.check(done.returncode == 1 and len(heads) == 2, f"two bindings are new: {done.stdout}{done.stderr}")
    for head, interface, name in zip(heads, ("GigabitEthernet2/0", "GigabitEthernet3/0"),
                                     ("RESTRICT_HOST_TRAFFIC_IN", "RESTRICT_HOST_TRAFFIC_OUT")):
        tally.check(head.startswith(f"interface '{interface}', IPv4 out: list '{name}' is newly bound"), head)
    tally.check(done.stdout.count("newly denied") == 2 and "newly permitted" not in done.stdout, done.stdout)
    with open(paths[0], encoding="utf-8") as file:
        text = file.read()
    line = " permit ip 2.128.0.0 0.0.255.255 any"
    changed = differ.write("changed.cfg", text.replace(line, line.replace("permit ip", "permit udp")))
    done = differ.diff(f"cisco:{paths[0]}", f"cisco:{changed}")
    number = text[:text.index(line)].count("\n") + 1
    tally.check(done.returncode == 1 and f"as2dept1.cfg:{number}: permit ip 2.128" in done.stdout
                and "newly denied" in done.stdout, f"the entry of line {number}: {done.stdout}")
    done = differ.diff(f"cisco:{paths[0]}", f"cisco:{paths[0]}")
    tally.check(done.returncode == 0 and not done.stdout, f"a file and itself: {done.stdout}")


PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "esp": 50, "gre": 47, "ah": 51, "sctp": 132, "igmp": 2}


def packet_of(words):
    """The packet of an example; None where it is not written with numbers."""
    found = NAMED.match(words)
    if found is None:
        return None
    protocol, source, source_port, destination, port, flag = found.groups()
    number = PROTOCOLS.get(protocol) or (int(protocol[:-3]) if protocol.endswith("/ip") else None)
    if number is None:
        return None
    return Packet(4, int(ipaddress.ip_address(source)), int(ipaddress.ip_address(destination)), number,
                  int(port or 0), int(source_port or 0), 0, {"ACK": ACK, "RST": RST, None: SYN}[flag], False)


def check_mutants(tally, differ, options):
    path = differ.write("policy.fw", POLICY)
    text = subprocess.run([differ.fwc, "compile", path, "--target", "cisco"], capture_output=True, text=True,
                          check=False).stdout
    old, key = differ.write("old.cfg", text), (4, "FWC")
    chooser, changed, same, examples = random.Random(options.seed), 0, 0, 0
    for _ in range(options.pairs):
        made = mutants.mutant(text, chooser)
        if made is None or mutants.is_refused(made[1]):
            continue
        new = differ.write("new.cfg", made[1])
        done = differ.diff(f"cisco:{old}", f"cisco:{new}")
        is_same, packet = mutants.same_meaning(text, made[1], key, with_later=False)
        changed, same = changed + (not is_same), same + is_same
        tally.check(done.returncode == (0 if is_same else 1), f"{made[0]}: {done.returncode}, but {packet}")
        for direction, words in EXAMPLE.findall(done.stdout):
            packet = packet_of(words)
            if packet is None:
                continue
            examples += 1
            before, after = (Configuration(part).lists[key].permits(packet) for part in (text, made[1]))
            tally.check(before != after and after == (direction == "permitted"),
                        f"{made[0]}: {words}: {before} before, {after} now")
    print(f"{changed} mutants of another meaning, {same} of the same, {examples} examples asked of the evaluator")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=120)
    options = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        differ = Differ(options.fwc, folder)
        check_real(tally, differ)
        try:
            check_mutants(tally, differ, options)
        except AclError as error:
            tally.check(False, f"the evaluator does not read a list: {error}")
    tally.close()


if __name__ == "__main__":
    main()
