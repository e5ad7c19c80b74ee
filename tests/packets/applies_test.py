"""Apply after apply under traffic: nothing denied through, nothing allowed lost, connections alive.

usage: applies_test.py FWC [--applies N] [--seed S]

Policies that differ in everything but what they say of the traffic are applied one after the
other with `fwc apply`: loaded at once, tried and confirmed, tried and taken back. Meanwhile a
process floods the firewall with datagrams of both families, each judged by the rules, and one
TCP connection is asked for an echo before and after each of them. Tables of other programs,
among them a set whose elements run out and counters that count, are compared at the end.
"""

import argparse
import ipaddress
import json
import os
import random
import re
import socket
import subprocess
import sys
import time

import expectations
import lab
from replace import ALLOWED, COUNTERS, DENIED, Flood
from state import ZONES

ECHO_PORT = 7007
FIRST = ZONES + f"allow {ALLOWED}/udp, {ECHO_PORT}/tcp from lan to wan;"
OTHERS = """table ip docker {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local tcp dport 18080 counter packets 3 bytes 180 dnat to 172.17.0.2:80
	}
	chain forward {
		type filter hook forward priority filter + 10; policy accept;
		oifname "docker0" ct state established,related counter packets 5 bytes 300 accept
	}
}
table inet f2b {
	set banned {
		type ipv4_addr
		flags timeout
		elements = { 192.0.2.9 timeout 1d, 192.0.2.10 timeout 2d }
	}
	chain input {
		type filter hook input priority filter - 1; policy accept;
		ip saddr @banned counter packets 7 bytes 420 drop
	}
}
table inet fwc2 {
	map by_hand {
		type inet_service : verdict
		flags interval
		elements = { 1-9 : drop, 20 : jump deeper }
	}
	chain deeper {
		counter packets 2 bytes 80
	}
	chain seen {
		type filter hook forward priority mangle; policy accept;
		udp dport { 9001, 9002 } counter
	}
}
"""
# their numbers go on: compared without them
ALIVE = re.compile(r" expires \w+| counter packets \d+ bytes \d+(?= comment|\n\t\t}|\n\t})")


class MixedFlood(Flood):
    """Datagrams of two families, each to an allowed and a denied port."""

    def __init__(self, laboratory, source, destination):
        super().__init__(laboratory, source, destination)
        self.batch = 50

    def send_until_closed(self, stop_end):
        lan = self.laboratory.segments["lan"]
        mouths = []
        for version, family in ((4, socket.AF_INET), (6, socket.AF_INET6)):
            mouth = lan.socket(family, socket.SOCK_DGRAM)
            mouth.bind((self.source[version], 9000))
            mouths.append((mouth, (self.destination[version], ALLOWED), (self.destination[version], DENIED)))
        sent = 0
        while True:
            for _ in range(self.batch):
                for mouth, allowed, denied in mouths:
                    mouth.sendto(b"x", allowed)
                    mouth.sendto(b"x", denied)
            sent += self.batch * len(mouths)
            try:
                os.read(stop_end, 1)
                return sent
            except BlockingIOError:
                pass


class Echo:
    """One TCP connection through the firewall, with both ends here."""

    def __init__(self, laboratory, client, server):
        listener = laboratory.segments["wan"].socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind((server, ECHO_PORT))
        listener.listen(1)
        self.near = laboratory.segments["lan"].socket(socket.AF_INET, socket.SOCK_STREAM)
        self.near.bind((client, 0))
        self.near.settimeout(5)
        self.near.connect((server, ECHO_PORT))
        self.far, _ = listener.accept()
        self.far.settimeout(5)
        listener.close()
        self.echoes = 0

    def is_alive(self):
        """Whether bytes go there and come back within five seconds."""
        word = self.echoes.to_bytes(8, "big")
        try:
            self.near.sendall(word)
            self.far.sendall(self.far.recv(8, socket.MSG_WAITALL))
            same = self.near.recv(8, socket.MSG_WAITALL) == word
        except OSError:
            return False
        self.echoes += same
        return same


def some_prefixes(rng, count):
    """Prefixes that hold no address of the traffic."""
    return ", ".join(str(ipaddress.ip_network((0x0a000000 + (rng.randrange(1 << 16) << 8), 24)))
                     for _ in range(count))


def some_policy(rng):
    """A policy that lets the allowed port pass and not the denied one, by one of many ways."""
    ports = rng.sample(range(10000, 20000), 6)
    allow_way, deny_way = rng.choice((
        (f"allow {ALLOWED}/udp from lan to wan;", ""),
        (f"allow {ALLOWED}/udp from lan to wan;", f"deny {DENIED}/udp;"),
        (f"allow 8990-{ALLOWED}/udp from lan;", f"reject {DENIED}/udp from lan to wan;"),
        ("allow any/udp from lan to wan;", f"deny {DENIED}-{DENIED + rng.randrange(9)}/udp;"),
        (f"allow {ALLOWED}/udp from 192.168.0.20, 2001:db8:1::20 count;", f"deny {DENIED}/udp to wan log \"no\";"),
        (f"allow {ALLOWED}/udp, {ports[0]}/udp to 198.51.100.0/24, 2001:db8:e::/64;", ""),
    ))
    around = [
        f"allow {ports[1]}/tcp, {ports[2]}/udp from lan to wan;",
        f"deny any from {some_prefixes(rng, rng.randrange(1, 60))};",
        f"allow ssh from lan to self limit {rng.randrange(1, 50)}/minute;",
        f"allow http, https, dns from lan to {some_prefixes(rng, rng.randrange(1, 30))} count;",
        "deny p2p;", "allow kerberos, ldap from lan to wan;", "allow ping;",
        f"forward {ports[3]}/tcp from wan to 192.168.0.20 port 80;",
        f"reject {ports[4]}-{ports[4] + 40}/tcp log \"odd\";",
        f"allow {ports[5]}/tcp from lan, wan to self;",
    ]
    rules = rng.sample(around, rng.randrange(len(around)))
    rules.insert(rng.randrange(len(rules) + 1), deny_way)
    # what denies goes before what allows more
    place = rng.randrange(rules.index(deny_way) + 1, len(rules) + 1)
    rules[place:place] = [allow_way, f"allow {ECHO_PORT}/tcp from lan to wan;"]
    return ZONES + "\n".join(rules) + "\n"


class Applier:
    """Applies one policy after the other, and asks the connection in between."""

    def __init__(self, tally, laboratory, echo, seed):
        self.tally, self.laboratory, self.echo = tally, laboratory, echo
        self.rng = random.Random(seed)
        self.ways = dict.fromkeys(("at once", "confirmed", "taken back"), 0)

    def apply_one(self, number):
        policy = some_policy(self.rng)
        way = ("at once",) * 8 + ("confirmed", "taken back")
        way = way[number % len(way)]
        if way == "at once":
            self.laboratory.apply(policy)
        else:
            self.on_trial(policy, way)
        self.ways[way] += 1

    def on_trial(self, policy, way):
        state = ("--state", self.laboratory.state.name)
        with self.laboratory.fw.inside():
            trial = subprocess.Popen([self.laboratory.fwc, "apply", "-", "--confirm", "600", *state], text=True,
                                     stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        trial.stdin.write(policy)
        trial.stdin.close()
        while "comes back in" not in (line := trial.stderr.readline()) and line:
            pass
        self.laboratory.fw.must([self.laboratory.fwc, "confirm" if way == "confirmed" else "rollback", *state])
        trial.stderr.read()
        trial.stderr.close()
        status = trial.wait(20)
        self.tally.check(status == (0 if way == "confirmed" else 5), f"a trial, {way}, ended with {status}")

    def apply_all(self, count):
        for number in range(count):
            self.apply_one(number)
            if not self.echo.is_alive():
                self.tally.check(False, f"the connection is dead after {number + 1} applies")
                return


def others_now(laboratory):
    """Tables of others, without the numbers that go on by themselves."""
    tables = (("ip", "docker"), ("inet", "f2b"), ("inet", "fwc2"))
    return [ALIVE.sub("", laboratory.fw.must(["nft", "list", "table", *table])) for table in tables]


def handles_of_others(laboratory):
    """Their handles: something that was deleted and made again has others."""
    listing = json.loads(laboratory.fw.must(["nft", "-j", "list", "ruleset"]))["nftables"]
    return sorted((kind, thing["family"], thing.get("table", thing.get("name")), thing["handle"])
                  for entry in listing for kind, thing in entry.items()
                  if kind != "metainfo" and thing.get("table", thing.get("name")) in ("docker", "f2b", "fwc2"))


def counted_packets(laboratory):
    """What the table of another, which sees all of the traffic first, has counted."""
    text = laboratory.fw.must(["nft", "list", "chain", "inet", "fwc2", "seen"])
    return int(re.search(r"counter packets (\d+)", text).group(1))


def check_traffic(tally, laboratory, flood, applier, applies):
    flood.arrivals()
    began = time.monotonic()
    sent = flood.run_while(lambda: applier.apply_all(applies))
    seconds = time.monotonic() - began
    arrived, leaked = flood.arrivals()
    ways = ", ".join(f"{count} {way}" for way, count in applier.ways.items())
    print(f"{applies} applies ({ways}) in {seconds:.1f} s under {sent} allowed and {sent} denied packets,"
          f" {2 * sent / seconds / 1000:.0f} thousand a second: {sent - arrived} allowed lost,"
          f" {leaked} denied through; {applier.echo.echoes} echoes over one connection")
    tally.check(sent > 2000, f"the flood is one: {sent} packets")
    tally.check(sent == arrived, f"{sent - arrived} allowed packets lost")
    tally.check(leaked == 0, f"{leaked} denied packets got through")
    tally.check(applier.echo.echoes == applies + 1, f"{applier.echo.echoes} echoes")
    return sent


def run(tally, laboratory, options):
    network = expectations.read(os.path.join(expectations.HERE, "state.network"))
    expectations.build(laboratory, network)
    laboratory.segments["wan"].must(["nft", "-f", "-"], COUNTERS)
    laboratory.fw.must(["nft", "-f", "-"], OTHERS)
    laboratory.apply(FIRST)
    before, handles = others_now(laboratory), handles_of_others(laboratory)
    echo = Echo(laboratory, network.hosts["pc"].addresses[4], network.hosts["srv"].addresses[4])
    tally.check(echo.is_alive(), "no connection to begin with")
    flood = MixedFlood(laboratory, network.hosts["pc"].addresses, network.hosts["srv"].addresses)
    applier = Applier(tally, laboratory, echo, options.seed)
    sent = check_traffic(tally, laboratory, flood, applier, options.applies)
    tally.check(others_now(laboratory) == before, "tables of others changed")
    tally.check(handles_of_others(laboratory) == handles, "tables of others were made again")
    counted = counted_packets(laboratory)
    tally.check(counted == 2 * sent, f"another's counter stands at {counted} of {2 * sent}")


def main():
    lab.enter("applies under traffic")
    parser = argparse.ArgumentParser()
    parser.add_argument("fwc")
    parser.add_argument("--applies", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally = lab.Tally()
    laboratory = lab.Lab(options.fwc)
    try:
        run(tally, laboratory, options)
    except (lab.ApplyError, lab.LabError) as error:
        tally.check(False, f"applies under traffic: {error}")
    laboratory.close()
    tally.close()


main()
