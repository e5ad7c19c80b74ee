"""What stands round the lists of a router: files, keys, translations, both ends of tunnels.

usage: devices_test.py FWC

Translations and crypto lists of random policies are held against a plain reading of the policy in
Python: the first statement whose sources and destinations hold a pair translates it, unless a
tunnel carries it.
"""

import ipaddress
import os
import random
import re
import subprocess
import sys
import tempfile

import compiled
from acl_eval import Packet
from compiled import Tally

KEY = "Sesam-open-9Q"
TUNNEL = """tunnel {name} {{
    between {ends};
{carries}    ike {{ version {version}; encryption aes-256; hash sha256; group 14; }}
    esp {{ encryption aes-256; hash sha256; }}
    key {key};
}}
"""
SITES = """zone lan {{ }}
zone wan {{ network internet; }}
device {one} {{
    target cisco-ios;
    interface Serial0/0 {{ zone wan; address 80.1.0.2/30; }}
    interface Ethernet0 {{ zone lan; address 192.168.0.1/24; }}
    replies none;
}}
device SITE2 {{
    target cisco-ios;
    interface Serial0/0 {{ zone wan; address 80.2.0.2/30; }}
    interface Ethernet0 {{ zone lan; address 172.16.0.1/24; }}
    replies none;
}}
{tunnel}default output deny;
deny any log;
"""


def tunnel(name="t", ends="SITE1 on wan, SITE2 on wan", carries=("192.168.0.0/24 <-> 172.16.0.0/24",), version=1,
           key='env "FWC_TEST_KEY"'):
    return TUNNEL.format(name=name, ends=ends, version=version, key=key,
                         carries="".join(f"    carry {carry};\n" for carry in carries))


def sites(one="SITE1", version=1, key='env "FWC_TEST_KEY"'):
    return SITES.format(one=one, tunnel=tunnel(ends=f"{one} on wan, SITE2 on wan", version=version, key=key))


class Bench:
    def __init__(self, fwc, folder):
        self.fwc, self.folder = os.path.abspath(fwc), folder

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run(self, *arguments, key=KEY):
        environment = {**os.environ, "NO_COLOR": "1"}
        environment.pop("FWC_TEST_KEY", None)
        if key is not None:
            environment["FWC_TEST_KEY"] = key
        return subprocess.run([self.fwc, *arguments], capture_output=True, text=True, cwd=self.folder,
                              env=environment, timeout=60, check=False)


# --- files -----------------------------------------------------------------------------------------

def check_files(tally, bench):
    policy = bench.write("sites.fw", sites())
    whole = bench.run("compile", policy)
    tally.check(whole.returncode == 0, f"two sites: {whole.stderr}")
    for folder in ("made/", "there"):
        os.makedirs(os.path.join(bench.folder, folder), exist_ok=True)
        done = bench.run("compile", "-o", folder, policy)
        tally.check(done.returncode == 0 and not done.stdout, f"-o {folder}: {done.stderr}")
        names = sorted(os.listdir(os.path.join(bench.folder, folder)))
        tally.check(names == ["SITE1.ios", "SITE2.ios"], f"-o {folder}: {names}")
        for name in names:
            mode = os.stat(os.path.join(bench.folder, folder, name)).st_mode & 0o777
            tally.check(mode == 0o600, f"-o {folder}: keys are for their owner: {mode:o}")
            with open(os.path.join(bench.folder, folder, name), encoding="utf-8") as file:
                one = bench.run("compile", "--device", name[:-4], policy)
                tally.check(file.read() == one.stdout, f"{name} is what --device prints")
    for arguments, wanted in (((), 0o600), (("--redact",), 0o644)):
        done = bench.run("compile", *arguments, "-o", f"one{wanted:o}.ios", policy)
        mode = os.stat(os.path.join(bench.folder, f"one{wanted:o}.ios")).st_mode & 0o777
        tally.check(done.returncode == 0 and mode == wanted, f"-o FILE {arguments}: {mode:o}")
    tally.check(all(bench.run("compile", "--device", name, policy).stdout in whole.stdout
                    for name in ("SITE1", "SITE2")), "all devices are each of them, one after the other")


def check_all_or_none(tally, bench):
    """A file that cannot be written leaves the others as they were."""
    policy = bench.write("sites.fw", sites())
    bench.write("old/SITE1.ios", "old")
    os.makedirs(os.path.join(bench.folder, "old", "SITE2.ios"))
    done = bench.run("compile", "-o", "old", policy)
    tally.check(done.returncode == 3 and "FW1202" in done.stderr, f"a folder in the way: {done.stderr}")
    tally.check(sorted(os.listdir(os.path.join(bench.folder, "old"))) == ["SITE1.ios", "SITE2.ios"],
                "no temporary files stay")
    with open(os.path.join(bench.folder, "old", "SITE1.ios"), encoding="utf-8") as file:
        tally.check(file.read() == "old", "the other file is as it was")
    done = bench.run("compile", "-o", "not-there/", policy)
    tally.check(done.returncode == 3 and "FW1202" in done.stderr, f"no such folder: {done.stderr}")


def check_refused_files(tally, bench):
    host = bench.write("host.fw", "allow ssh;\n")
    done = bench.run("compile", "-o", "there", host)
    tally.check(done.returncode == 3 and "FW1202" in done.stderr, f"a host into a folder: {done.stderr}")
    for name in ("../escape", ".hidden", "a/b"):
        odd = bench.write("odd.fw", sites(one=f'"{name}"'))
        done = bench.run("compile", "-o", "there", odd)
        tally.check(done.returncode == 3 and "FW1202" in done.stderr, f"device {name}: {done.stderr}")
    tally.check(not os.path.exists(os.path.join(bench.folder, "escape.ios")), "nothing escapes")
    inside = bench.write("there/SITE1.ios", sites())
    done = bench.run("compile", "-o", "there", inside)
    tally.check(done.returncode == 3 and "belongs to the policy" in done.stderr,
                f"over the policy: {done.stderr}")


# --- keys --------------------------------------------------------------------------------------------

def check_keys(tally, bench):
    """The key stands in the two configurations, and nowhere else."""
    for version, line in ((1, f"crypto isakmp key 0 {KEY} address"), (2, f"pre-shared-key 0 {KEY}")):
        policy = bench.write("sites.fw", sites(version=version))
        done = bench.run("compile", policy)
        tally.check(done.stdout.count(line) == 2 and done.stdout.count(KEY) == 2 and KEY not in done.stderr,
                    f"version {version}: both ends have the key")
        for arguments in (("compile", "--redact"), ("check",), ("check", "--json"), ("check", "--format",
            "sarif"),
                          ("compile", "--show", "policy"), ("compile", "--show", "rules"), ("fmt",)):
            done = bench.run(*arguments, policy)
            tally.check(done.returncode == 0 and KEY not in done.stdout + done.stderr,
                        f"version {version}: {arguments}: {done.stderr}")
        redacted = bench.run("compile", "--redact", policy, key=None)
        tally.check(redacted.returncode == 0 and not re.search(r"^\s*[^!\s].*key 0", redacted.stdout, re.M),
                    "no key is configured where it is not shown")


def check_bad_keys(tally, bench):
    policy = bench.write("sites.fw", sites())
    by_file = bench.write("file.fw", sites(key='file "psk"'))
    for bad in ("", "se cret", "se?cret", "sécret", "se\ncret", "se\tcret", "x" * 128):
        done = bench.run("compile", policy, key=bad)
        tally.check(done.returncode == 1 and not done.stdout and "FW0716" in done.stderr and
                    (not bad or bad not in done.stderr), f"the key {bad[:12]!r}: {done.stderr[:200]}")
        bench.write("psk", bad + "\n")
        done = bench.run("compile", by_file)
        tally.check(done.returncode == 1 and "FW0716" in done.stderr and (not bad or bad not in done.stderr),
                    f"the file {bad[:12]!r}: {done.stderr[:200]}")
    for good in (KEY, KEY + "\n", KEY + "\r\n", "x" * 127):
        bench.write("psk", good)
        done = bench.run("compile", by_file)
        tally.check(done.returncode == 0 and done.stdout.count(good.strip()) == 2, f"the file {good[:12]!r}")


# --- translations and tunnels -------------------------------------------------------------------------

NEAR = ["192.168.0.0/24", "192.168.0.0/25", "192.168.0.128/26", "192.168.1.0/24", "192.168.1.64/28"]
FAR = ["172.16.0.0/24", "172.16.1.0/24", "172.17.0.0/16", "172.18.7.0/25"]
EXCEPT = ["8.8.8.0/24", "10.0.0.0/8", "172.17.0.0/16", "80.9.0.0/30"]
ROUTER = """zone lan {{ }}
zone dmz {{ }}
zone wan {{ network internet; }}
device R {{
    target cisco-ios;
    interface Serial0/0 {{ zone wan; address 80.1.0.2/30; }}
    interface Ethernet0 {{ zone lan; address 192.168.0.1/24; }}
    interface Ethernet1 {{ zone dmz; address 192.168.1.1/24; }}
    route default via 80.1.0.1;
    replies none;
}}
device FAR {{
    target cisco-ios;
    interface Serial0/0 {{ zone wan; address 80.2.0.2/30; }}
    replies none;
}}
"""
ZONES = {"lan": "192.168.0.0/24", "dmz": "192.168.1.0/24"}


def pair(text):
    network = ipaddress.ip_network(text)
    return int(network[0]), int(network[-1])


def holds(networks, address):
    return any(low <= address <= high for low, high in map(pair, networks))


class RandomRouter:
    """A policy, and the same as data."""

    def __init__(self, seed):
        chooser = random.Random(seed)
        self.carries = [(near, far) for far in FAR if chooser.random() < 0.5
                        for near in chooser.sample(NEAR, 1)]
        self.translations = []
        for _ in range(chooser.randint(1, 3)):
            sources = chooser.sample([*ZONES, *NEAR], chooser.randint(1, 2))
            self.translations.append((sources, chooser.sample(EXCEPT, chooser.choice((0, 0, 1, 2))),
                                      chooser.choice((None, "80.1.0.9"))))

    def text(self):
        result = ROUTER.format()
        if self.carries:
            result += tunnel(ends="R on wan, FAR on wan", carries=[f"{a} <-> {b}" for a, b in self.carries])
        for sources, without, new in self.translations:
            places = f"from {', '.join(sources)} to wan" + (f" except {', '.join(without)}" if without else "")
            result += f"snat {places} as {new};\n" if new else f"masquerade {places};\n"
        return result + "deny any;\n"

    def networks(self, places):
        return [ZONES.get(place, place) for place in places]

    def is_carried(self, source, destination):
        return any(holds([near], source) and holds([far], destination) for near, far in self.carries)

    def translator(self, source, destination):
        """Which statement translates what leaves by Serial0/0; None: none of them."""
        if self.is_carried(source, destination):
            return None
        for index, (sources, without, _) in enumerate(self.translations):
            if holds(self.networks(sources), source) and not holds(without, destination):
                return index
        return None

    def points(self):
        """Every edge of a network, and beyond; destinations that leave by Serial0/0."""
        edges = {point for text in NEAR + FAR + EXCEPT for low, high in [pair(text)]
                 for point in (low - 1, low, high, high + 1)}
        inside = list(ZONES.values())
        return ([point for point in edges if holds(inside, point)],
                [point for point in sorted(edges) + [0x01010101] if not holds(inside, point)])


def check_router(tally, fwc, seed):
    router = RandomRouter(seed)
    done = compiled.run(fwc, router.text(), environment={"FWC_TEST_KEY": KEY})
    if not tally.check(done.status == 0, f"seed {seed}: {done.first_error()}\n{router.text()}"):
        return
    configurations = done.configurations()
    check_translations(tally, seed, router, configurations["R"])
    if router.carries:
        check_mirror(tally, seed, router, configurations)


def check_translations(tally, seed, router, configuration):
    statements = [re.match(r"ip nat inside source list (\S+)", head) for head in configuration.commands]
    lists = [configuration.lists[4, match[1]] for match in statements if match]
    wrong = []
    sources, destinations = router.points()
    for source in sources:
        for destination in destinations:
            found = [index for index, acl in enumerate(lists) if acl.permits(Packet(4, source, destination, 6,
                80))]
            wanted = router.translator(source, destination)
            if found != ([] if wanted is None else [wanted]):
                wrong.append((*map(str, map(ipaddress.ip_address, (source, destination))), found, wanted))
    tally.check(not wrong, f"seed {seed}: {wrong[:3]}\n{router.text()}")


def check_mirror(tally, seed, router, configurations):
    crypto = {name: configurations[name].lists[4, "VPN-t"] for name in ("R", "FAR")}
    wrong = []
    sources, destinations = router.points()
    for source in sources:
        for destination in destinations:
            wanted = router.is_carried(source, destination)
            if crypto["R"].permits(Packet(4, source, destination, 6, 80)) != wanted or \
                    crypto["FAR"].permits(Packet(4, destination, source, 6, 80)) != wanted:
                wrong.append((source, destination))
    tally.check(not wrong, f"seed {seed}: crypto lists: {wrong[:3]}\n{router.text()}")


# --- several tunnels ------------------------------------------------------------------------------------

def check_maps(tally, fwc):
    """One map an interface, a sequence number a tunnel; settings that are equal stand once."""
    text = ROUTER.format() + tunnel("a", "R on wan, FAR on wan", ["192.168.0.0/24 <-> 172.16.0.0/24"]) \
        + tunnel("b", "R on wan and peer 80.3.0.2", ["192.168.0.0/24 <-> 172.17.0.0/24"]) \
        + tunnel("c", "R on wan and peer 80.4.0.2", ["192.168.1.0/24 <-> 172.18.0.0/24"],
                 version=2) + "deny any;\n"
    done = compiled.run(fwc, text, environment={"FWC_TEST_KEY": KEY})
    if not tally.check(done.status == 0, f"three tunnels: {done.first_error()}"):
        return
    commands = done.configurations()["R"].commands
    maps = [head for head in commands if head.startswith("crypto map ")]
    tally.check(maps == [f"crypto map VPNMAP {number} ipsec-isakmp" for number in (10, 20, 30)], f"maps: {maps}")
    policies = [head for head in commands if head.startswith("crypto isakmp policy")]
    tally.check(policies == ["crypto isakmp policy 10"], f"policies: {policies}")
    tally.check(sum(head.startswith("crypto ipsec transform-set") for head in commands) == 1, "one transform set")
    tally.check("set ikev2-profile VPN-c" in commands[maps[2]] and
                not any("ikev2" in line for line in commands[maps[0]]), "the profile of version 2")
    for number, head in enumerate(maps):
        named = [line for line in commands[head] if re.fullmatch(r"set ip access-group \S+ in", line)]
        tally.check(len(named) == 1, f"map {number}: a list for what comes out of the tunnel")


def main():
    fwc = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    tally = Tally()
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(fwc, folder)
        check_files(tally, bench)
        check_all_or_none(tally, bench)
        check_refused_files(tally, bench)
        check_keys(tally, bench)
        check_bad_keys(tally, bench)
    check_maps(tally, fwc)
    for seed in range(rounds):
        check_router(tally, fwc, seed)
    tally.close()


if __name__ == "__main__":
    main()
