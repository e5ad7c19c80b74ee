"""The sender and its network namespaces, seen from Python."""

import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import typing

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "packets"))
import frames  # noqa: E402  (tests/packets: packets as bytes)

ROUTER_MAC = b"\x02\0\0\0\0\x02"
# s0 sends, r0 receives and routes to o0; what leaves there is dropped before it is confirmed, so that no
# connection is ever kept and every packet is the first one.
LINKS = """link add s0 type veth peer name r0
link add o0 type veth peer name p0
link set s0 addrgenmode none
link set r0 addrgenmode none
link set o0 addrgenmode none
link set p0 addrgenmode none
link set r0 address 02:00:00:00:00:02
link set s0 up
link set r0 up
link set o0 up
link set p0 up
address add 192.0.2.1/24 dev o0
address add fd99::1/64 dev o0 nodad
neighbour add 192.0.2.2 lladdr 02:00:00:00:00:09 dev o0
neighbour add fd99::2 lladdr 02:00:00:00:00:09 dev o0
route add default via 192.0.2.2
route add ::/0 via fd99::2
"""
SETTINGS = ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.conf.all.rp_filter=0")
TAIL = """table inet tail {
	counter passed {
	}
	chain postrouting {
		type filter hook postrouting priority 300; policy drop;
		iif "r0" oif "o0" counter name passed
	}
}
"""
RESET = ["nft", "reset", "counter", "inet", "tail", "passed"]
PASSED = re.compile(r"packets (\d+)")
BATCH, MANY = 64, 256   # the sender's rounds are whole batches
PROTOCOLS = {"tcp": frames.TCP, "udp": frames.UDP}


class Frame(typing.NamedTuple):
    """What tests/packets/frames.py builds bytes from."""
    family: int
    source: int
    destination: int
    protocol: int
    source_port: int
    port: int
    code: int = 0
    hop_limit: int = 64


class Failure(Exception):
    """A ruleset does not load here; the text says why."""


class Cost(typing.NamedTuple):
    rounds: list      # ns a packet
    steady: bool      # every round holds the same packets, or so many that it makes no difference


def frame_bytes(packets):
    """All frames at one length: what is shorter is padded behind the IP packet, as on any Ethernet."""
    made = [frames.build_frame(Frame(packet.family, packet.source, packet.destination,
                                     PROTOCOLS[packet.transport], packet.source_port, packet.port),
                               number, ROUTER_MAC) for number, packet in enumerate(packets)]
    length = max(map(len, made))
    return length, b"".join(frame.ljust(length, b"\0") for frame in made)


class Sender:
    """One process with its namespaces; they end with it."""

    def __init__(self, program):
        self.insides, self.flows = {}, {}
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self):
        words = self.process.stdout.readline().split()
        if not words:
            sys.exit("the sender ended")
        return words

    def space(self):
        """A new namespace that routes: (its number, the words that run a command in it)."""
        _, number, descriptor = self.ask("space")
        inside = ["nsenter", f"--net=/proc/{self.process.pid}/fd/{descriptor}"]
        run(inside + ["ip", "-batch", "-"], LINKS)
        run(inside + ["sysctl", "-qw", *SETTINGS], "")
        run(inside + ["nft", "-f", "-"], TAIL)
        self.ask(f"open {number} s0")
        self.insides[int(number)] = inside
        return int(number), inside

    def passed(self, space, number, count):
        """How many of COUNT packets the ruleset lets through."""
        self.ask(f"send {space} {number} {count}")
        return int(PASSED.search(run(self.insides[space] + RESET, "")).group(1))

    def frames(self, packets):
        length, data = frame_bytes(packets)
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            number = int(self.ask(f"frames {file.name} {length}")[1])
        self.flows[number] = len(packets)
        return number

    def measure(self, pairs, rounds, microseconds):
        """{(space, frames): Cost}, all in one interleaved run."""
        words = " ".join(f"{space}:{number}" for space, number in pairs)
        answer, costs = self.ask(f"measure {rounds} {microseconds} {words}"), {}
        while answer[0] == "pair":
            space, number, packets = map(int, answer[1:4])
            costs[space, number] = Cost([float(word) for word in answer[4:]],
                                        packets >= MANY or self.flows[number] <= BATCH)
            answer = self.answer()
        return costs


def run(command, text, limit=600):
    """What a command prints; Failure with its words where it fails or takes too long."""
    try:
        done = subprocess.run(command, input=text, text=True, capture_output=True, timeout=limit)
    except subprocess.TimeoutExpired:
        raise Failure(f"not loaded within {limit} s") from None
    except FileNotFoundError:
        raise Failure("not installed") from None
    if done.returncode != 0:
        words = (done.stderr + done.stdout).strip().splitlines()
        errors = [line for line in words if "rror" in line] + words + [f"exit {done.returncode}"]
        raise Failure(errors[0][-100:])
    return done.stdout


def ns_of(costs, share, first, step):
    """The median over the namespaces of the rounds' value at SHARE of their order."""
    kept = [sorted(cost.rounds[first::step]) for cost in costs]
    return statistics.median(rounds[int(share * (len(rounds) - 1))] for rounds in kept)


def difference(costs, bases):
    """(ns a packet above BASES, the same of the even rounds, and of the odd ones); each side is of several
    namespaces with one ruleset, because where a ruleset lies in memory is worth some ns.

    What else runs on the machine nearly always adds, so that the lower quartile of many short rounds repeats
    better than their median; their least does not, where a host takes time from the machine and gives it back
    in the wrong round. Where rounds hold different packets it is the median."""
    if min(len(cost.rounds) for cost in (*costs, *bases)) < 2:
        return None, None, None
    share = 0.25 if all(cost.steady for cost in (*costs, *bases)) else 0.5
    return tuple(ns_of(costs, share, *some) - ns_of(bases, share, *some)
                 for some in ((0, 1), (0, 2), (1, 2)))
