"""Replacing rulesets under traffic: nothing denied gets through, nothing allowed is lost.

A process floods the firewall with datagrams of two connections that nobody answers, so that
each is the first of its kind and judged by the rules; meanwhile the ruleset is replaced again
and again, by the same policy and by others that agree about the traffic. Arrivals are counted
by counters in the far namespace, which lose nothing. A flood without replaces comes first: it
has to lose nothing either.
"""

import os
import socket
import struct
import subprocess
import time

import expectations
import lab
from state import ZONES

REPLACES = 50
TRIALS = 8
ALLOWED, DENIED = 9001, 9002
CONTROL_S = 0.5
COUNTERS = """table inet arrivals {
\tcounter allowed { }
\tcounter denied { }
\tchain arriving {
\t\ttype filter hook prerouting priority 0;
\t\tudp dport 9001 counter name allowed drop
\t\tudp dport 9002 counter name denied drop
\t}
}
"""
POLICIES = (
    ZONES + "allow 9001/udp from lan to wan;",
    ZONES + "allow 9001/udp from lan to wan; allow http, https, dns from lan to wan; deny p2p;"
    "allow ssh from lan to self; allow ping;",
    ZONES + "deny 9002/udp; allow 9001/udp; allow any/tcp from 192.168.0.0/24;",
)

LONG_LIST = "".join(f"deny any from 10.{index}.0.0/17;\n" for index in range(50))
# looked up in interval sets and maps, which the kernel publishes later than rules
DENIED_BY_LIST = (
    LONG_LIST + "deny 9002/udp from 192.168.0.0/24; allow any;",
    LONG_LIST + "deny any from 10.50.0.0/17; deny 9002/udp from 192.168.0.0/24; allow any;",
)
ALLOWED_BY_LIST = tuple(policy.replace("deny", "allow").replace("9002", "9001")
                        .replace("allow any;", "deny any;") for policy in DENIED_BY_LIST)
# looked up in sets that are neither maps nor of intervals: one transaction replaces them
CROWD = "network crowd = 192.168.0.20, " + ", ".join(f"10.{index}.0.{index + 1}" for index in range(20))
DENIED_BY_SET = (
    CROWD + "; deny 9002/udp from crowd; allow any;",
    CROWD + ", 10.77.0.1; deny ssh from crowd; deny 9002/udp from crowd; allow any;",
)
ALLOWED_BY_SET = tuple(policy.replace("deny", "allow").replace("9002", "9001")
                       .replace("allow any;", "deny any;") for policy in DENIED_BY_SET)


class Flood:
    """A child process that sends to an allowed and a denied port until it is told to stop."""

    def __init__(self, laboratory, source, destination):
        self.laboratory = laboratory
        self.source, self.destination = source, destination

    def run_while(self, action):
        """Floods during `action`; gives how many datagrams were sent to each port."""
        stop_end, stop = os.pipe()
        count, count_end = os.pipe()
        os.set_blocking(stop_end, False)
        child = os.fork()
        if child == 0:
            os.close(stop)
            os.write(count_end, struct.pack("=Q", self.send_until_closed(stop_end)))
            os._exit(0)
        os.close(stop_end)
        try:
            action()
        finally:
            os.close(stop)
            sent, = struct.unpack("=Q", os.read(count, 8))
            os.waitpid(child, 0)
            for end in (count, count_end):
                os.close(end)
        time.sleep(0.05)
        return sent

    def send_until_closed(self, stop_end):
        mouth = self.laboratory.segments["lan"].socket(socket.AF_INET, socket.SOCK_DGRAM)
        mouth.bind((self.source, 9000))
        allowed, denied = (self.destination, ALLOWED), (self.destination, DENIED)
        sent = 0
        while True:
            for _ in range(100):
                mouth.sendto(b"x", allowed)
                mouth.sendto(b"x", denied)
            sent += 100
            try:
                os.read(stop_end, 1)
                return sent
            except BlockingIOError:
                pass

    def arrivals(self):
        """(allowed, denied) datagrams that arrived; starts counting anew."""
        text = self.laboratory.segments["wan"].must(["nft", "reset", "counters"])
        return [int(text.split(f"counter {name} {{")[1].split()[1])
                for name in ("allowed", "denied")]


def flood_during(tally, laboratory, flood, policies, what):
    """Floods while loading `policies` in turn (none: just waiting); counts losses and leaks."""
    flood.arrivals()

    def load_all():
        for index in range(REPLACES):
            laboratory.apply(policies[index % len(policies)])

    sent = flood.run_while(load_all if policies else lambda: time.sleep(CONTROL_S))
    arrived, leaked = flood.arrivals()
    lost = sent - arrived
    loads = REPLACES if policies else 0
    print(f"{what}: {loads} loads under {sent} allowed and {sent} denied packets:"
          f" {lost} allowed lost, {leaked} denied through")
    tally.check(sent > 2000, f"{what}: the flood is one: {sent} packets")
    tally.check(lost == 0, f"{what}: {lost} allowed packets lost")
    tally.check(leaked == 0, f"{what}: {leaked} denied packets got through")


def take_back(laboratory, policy):
    """Loads a policy on trial, and ends the trial."""
    state = ("--state", laboratory.state.name)
    with laboratory.fw.inside():
        trial = subprocess.Popen([laboratory.fwc, "apply", "-", "--confirm", "600", *state], text=True,
                                 stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    trial.stdin.write(policy)
    trial.stdin.close()
    while "comes back in" not in (line := trial.stderr.readline()) and line:
        pass
    laboratory.fw.must([laboratory.fwc, "rollback", *state])
    trial.stderr.read()
    trial.stderr.close()
    if trial.wait(20) != 5:
        raise lab.LabError(f"a trial ended with {trial.returncode}")


def flood_trials(tally, laboratory, flood, policies, what):
    """Floods while policies are tried and the one in force comes back."""
    flood.arrivals()
    sent = flood.run_while(lambda: [take_back(laboratory, policies[index % len(policies)])
                                    for index in range(TRIALS)])
    arrived, leaked = flood.arrivals()
    print(f"{what}: {TRIALS} trials taken back under {sent} allowed and {sent} denied packets:"
          f" {sent - arrived} allowed lost, {leaked} denied through")
    tally.check(sent > 2000 and sent == arrived, f"{what}, trials: {sent - arrived} allowed packets lost")
    tally.check(leaked == 0, f"{what}, trials: {leaked} denied packets got through")


def run(tally, fwc):
    laboratory = lab.Lab(fwc)
    network = expectations.read(os.path.join(expectations.HERE, "state.network"))
    expectations.build(laboratory, network)
    laboratory.segments["wan"].must(["nft", "-f", "-"], COUNTERS)
    flood = Flood(laboratory, network.hosts["pc"].addresses[4], network.hosts["srv"].addresses[4])
    try:
        laboratory.apply(POLICIES[0])
        flood_during(tally, laboratory, flood, (), "no replaces")
        flood_during(tally, laboratory, flood, POLICIES[:1], "the same policy")
        flood_during(tally, laboratory, flood, POLICIES, "alternating policies")
        flood_trials(tally, laboratory, flood, POLICIES, "alternating policies")
        for policies, what in ((DENIED_BY_LIST, "denied by a list"),
                               (ALLOWED_BY_LIST, "allowed by a list"),
                               (DENIED_BY_SET, "denied by a set"), (ALLOWED_BY_SET, "allowed by a set")):
            laboratory.apply(policies[1])
            flood_during(tally, laboratory, flood, policies, what)
            flood_trials(tally, laboratory, flood, policies, what)
    except (lab.ApplyError, lab.LabError) as error:
        tally.check(False, f"replacing under traffic: {error}")
    laboratory.close()
