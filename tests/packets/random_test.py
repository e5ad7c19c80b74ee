"""Random policies in the kernel against a plain reading of what they mean.

usage: random_test.py FWC [--seed N] [--policies N] [--packets N] [--levels 012] [--verbose]

Each policy is loaded with `fwc apply`; complete packets are put on the segments' wires
(AF_PACKET) or sent by the firewall itself (raw sockets); what arrives where tells the kernel's
verdict, which must be that of evaluator.py. Policies that the reference calls mistaken are not
generated, so `fwc` must take every one. A difference is shown with the policy, the packet, both
verdicts, and a policy made as small as possible that still shows it.
"""

import argparse
import select
import socket
import struct
import sys
import time

import frames
import generator
import lab
from evaluator import Policy

ETH_P_ALL = 3
PACKET_OUTGOING = 4
RAW_PROTOCOLS = {4: (frames.ICMP, frames.TCP, frames.UDP, frames.GRE, frames.ESP),
                 6: (frames.ICMP6, frames.TCP, frames.UDP, frames.GRE, frames.ESP)}
CHUNK = 40
PATIENCE_S = 0.3
GRACE_S = 0.02


class Bench:
    """A firewall with four wires on which any packet can be put and every packet is seen."""

    def __init__(self, fwc):
        self.lab = lab.Lab(fwc)
        self.wires = {}
        for interface in generator.INTERFACES:
            segment = self.lab.add_segment(interface, interface)
            self.wires[interface] = self.open_wire(segment)
        self.configure()
        self.macs = {name: self.lab.mac(name) for name in generator.INTERFACES}
        self.ears = self.open_ears()
        self.mouths = {4: self.open_mouth(socket.AF_INET), 6: self.open_mouth(socket.AF_INET6)}
        self.number = 0
        self.level = "1"  # of --optimise

    def may_be_refused(self, _error):
        """Whether the target is unable to do this, and says so: the evaluator does not judge that."""
        return False

    # what policies are drawn, how they are read, and what is seen of them

    def policy(self, text):
        return Policy(text, generator.INTERFACES)

    def draw_policy(self, seed):
        return generator.PolicyMaker(seed).make()

    def packets(self, seed, policy):
        return generator.PacketMaker(seed, policy)

    def round(self, _policy, packets, numbers):
        return Round(packets, numbers)

    def visible(self, policy, packet):
        """(what may be seen from outside, line) by the evaluator; the usual sight stands first."""
        verdict, line = policy.verdict(packet)
        if verdict == "reject" and not is_answerable(packet):
            return ("deny", "reject"), line
        return (verdict,), line

    def apply(self, text):
        self.lab.apply(text, "--optimise", self.level)

    def open_wire(self, segment):
        wire = segment.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        wire.bind(("eth0", ETH_P_ALL))
        self.make_room(wire)
        return wire

    @staticmethod
    def make_room(channel):
        channel.setblocking(False)
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)

    def configure(self):
        """Addresses and routes; neighbours need no asking on these wires."""
        lines = []
        for interface in generator.INTERFACES:
            lines.append(f"link set {interface} arp off")
            for prefix in generator.FIREWALL[interface]:
                lines.append(f"addr add {prefix} dev {interface}{' nodad' * (':' in prefix)}")
        for interface, prefixes in generator.ROUTES.items():
            lines += [f"route add {prefix} dev {interface}" for prefix in prefixes]
        self.lab.fw.ip(lines)

    def open_ears(self):
        """Raw sockets that hear what the firewall itself receives."""
        ears = []
        for family, kind in ((4, socket.AF_INET), (6, socket.AF_INET6)):
            for protocol in RAW_PROTOCOLS[family]:
                ear = self.lab.fw.socket(kind, socket.SOCK_RAW, protocol)
                self.make_room(ear)
                ears.append((ear, family, protocol))
        return ears

    def open_mouth(self, family):
        """A raw socket through which the firewall sends whole packets."""
        mouth = self.lab.fw.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
        mouth.setblocking(False)
        return mouth

    def send(self, packet, number):
        if packet.hook == "output":
            host = generator.text_of(packet.family, packet.destination)
            try:
                self.mouths[packet.family].sendto(frames.build(packet, number), (host, 0))
            except PermissionError:
                pass  # how a drop on output shows
            return
        frame = frames.build_frame(packet, number, self.macs[packet.in_interface])
        self.wires[packet.in_interface].send(frame)

    # --- watching ---

    def watch(self, round_, packets, numbers, wanted):
        """Sends packets; gives {number: verdict} of what was seen. wanted: numbers expected."""
        for start in range(0, len(packets), CHUNK):
            for packet, number in list(zip(packets, numbers))[start:start + CHUNK]:
                self.send(packet, number)
            self.drain(round_)
        deadline = time.monotonic() + PATIENCE_S
        while wanted - round_.seen.keys() and time.monotonic() < deadline:
            self.drain(round_, 0.005)
        self.drain(round_, GRACE_S)
        return round_.seen

    def drain(self, round_, timeout_s=0.0):
        """Reads every socket until nothing is left for timeout_s."""
        sockets = list(self.wires.values()) + [ear for ear, _, _ in self.ears]
        meaning = {ear: (family, protocol) for ear, family, protocol in self.ears}
        while True:
            ready, _, _ = select.select(sockets, [], [], timeout_s)
            if not ready:
                return
            for channel in ready:
                data, origin = channel.recvfrom(4096)
                if channel in meaning:
                    round_.heard(*meaning[channel], data, origin)
                elif origin[2] != PACKET_OUTGOING:
                    round_.saw(data[14:])

    def fresh_numbers(self, count):
        self.number += count
        return list(range(self.number - count + 1, self.number + 1))


class Round:
    """What was seen of the packets of one round."""

    def __init__(self, packets, numbers):
        self.by_number = dict(zip(numbers, packets))
        self.seen = {}
        self.by_flow = {(packet.family, packet.source, packet.destination, packet.source_port,
                         packet.port): number for number, packet in self.by_number.items()
                        if packet.protocol == frames.TCP}

    def note(self, number, verdict, where, arrived=None):
        """Arrival is the stronger sign: what was let through may be answered with a reset. arrived: the addresses
        and the transport bytes of what came."""
        if number not in self.by_number:
            return
        if verdict == "allow":
            self.seen[number] = self.arrival(number, where, arrived)
        elif number not in self.seen:
            self.seen[number] = verdict

    def arrival(self, number, where, _arrived):
        hook = self.by_number[number].hook
        return f"allow as {where}" if hook not in (where, "output") else "allow"

    def heard(self, family, protocol, data, origin):
        """A raw socket of the firewall: transport bytes, for IPv4 behind the IP header."""
        if family == 4:
            split = frames.split_ip(data)
            if split is None:
                return
            addresses, body = split[2], split[3]
        else:
            addresses, body = (generator.number(origin[0].split("%")[0]), None), data
        self.classify(family, protocol, addresses, body, "input")

    def saw(self, data):
        """A segment's wire: what left the firewall."""
        split = frames.split_ip(data)
        if split is not None:
            self.classify(*split, "forward")

    def classify(self, family, protocol, addresses, body, where):
        if protocol in (frames.ICMP, frames.ICMP6) and frames.is_error(family, body):
            if frames.is_prohibited(family, body):
                self.note(frames.number_in(body), "reject", where)
            return
        number = frames.number_in(body)
        if protocol == frames.TCP and number is None:
            self.answered(family, addresses, body)
            return
        packet = self.by_number.get(number)
        if packet is None or self.is_echo(packet, body):
            return
        if packet.hook == "output" and where == "input":
            return
        self.note(number, "allow", where, (addresses, body))

    def answered(self, family, addresses, body):
        """A reset on a wire or heard by the firewall itself."""
        if addresses[1] is None:
            if len(body) < 14 or not body[13] & frames.RST:
                return
            source_port, port = struct.unpack_from("!HH", body)
            found = [number for number, packet in self.by_number.items()
                     if (packet.family, packet.destination, packet.source_port, packet.port)
                     == (family, addresses[0], port, source_port) and packet.protocol == 6]
            number = found[0] if found else None
        else:
            flow = frames.reset_of(family, addresses, body)
            number = self.by_flow.get(flow)
        if number is not None:
            self.note(number, "reject", "answer")

    @staticmethod
    def is_echo(packet, body):
        """An answer to the packet that carries its mark: an ICMP reply."""
        return packet.protocol in (frames.ICMP, frames.ICMP6) and body[0] != packet.port


def is_answerable(packet):
    """No reject goes to nobody, for a broadcast or multicast, or out of a foreign source; an
    error about a message that is never tracked is invalid, and dropped on its way out."""
    if packet.source == 0 or packet.destination in (2 ** 32 - 1, generator.number("ff02::1")):
        return False
    if packet.hook == "output" and (packet.family, packet.source) not in generator.OWN:
        return False
    return not (packet.protocol == frames.ICMP6 and 130 <= packet.port <= 143)


def judge(bench, policy, packets):
    """(packet, expected, line, seen) of every difference; silence is asked about twice."""
    bench.lab.fw.forget_connections()
    differences = one_pass(bench, policy, packets)
    if differences:
        bench.lab.fw.forget_connections()
        differences = one_pass(bench, policy, [row[0] for row in differences])
    return differences


def one_pass(bench, policy, packets):
    numbers = bench.fresh_numbers(len(packets))
    verdicts = [bench.visible(policy, packet) for packet in packets]
    wanted = {number for number, (sights, _) in zip(numbers, verdicts) if sights[0] != "deny"}
    seen = bench.watch(bench.round(policy, packets, numbers), packets, numbers, wanted)
    return [(packet, sights[0], line, seen.get(number, "deny"))
            for packet, number, (sights, line) in zip(packets, numbers, verdicts)
            if seen.get(number, "deny") not in sights]


def describe(packet):
    source = generator.text_of(packet.family, packet.source)
    destination = generator.text_of(packet.family, packet.destination)
    return (f"{packet.hook}: {packet.in_interface or '-'} {source} -> {packet.out_interface or '-'}"
            f" {destination} protocol {packet.protocol} port/type {packet.port}"
            f" sport {packet.source_port} code {packet.code} hop limit {packet.hop_limit}")


def still_differs(bench, text, packet):
    """Whether a policy is taken by everyone and judged differently for the packet."""
    try:
        policy = bench.policy(text)
        bench.apply(text)
    except Exception:  # any mistake made by leaving lines out: not smaller, just wrong
        return False
    return bool(judge(bench, policy, [packet]))


def spans(lines):
    """(first, last) of every statement: blocks as a whole, and every line inside."""
    opened, result = [], []
    for index, line in enumerate(lines):
        if line.endswith("{"):
            opened.append(index)
        elif line.strip() == "}":
            result.append((opened.pop(), index))
        else:
            result.append((index, index))
    return sorted(result, key=lambda span: span[0] - span[1])


def shrink(bench, text, packet):
    """Leaves out statements as long as the difference stays."""
    lines = text.splitlines()
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for first, last in spans(lines):
            shorter = lines[:first] + lines[last + 1:]
            if shorter and still_differs(bench, "\n".join(shorter) + "\n", packet):
                lines, is_smaller = shorter, True
                break
    return "\n".join(lines) + "\n"


def report(bench, seed, text, differences):
    packet, verdict, line, seen = differences[0]
    print(f"seed {seed}: {len(differences)} packets differ; the first:\n  {describe(packet)}")
    print(f"  evaluator: {verdict} (line {line}); kernel: {seen}\n--- policy\n{text}---")
    print(f"--- smallest policy with this difference\n{shrink(bench, text, packet)}---", flush=True)


def run_policy(bench, tally, seed, level, packet_count, is_verbose):
    """One policy at one level of --optimise, and its packets; gives the number of pairs compared."""
    text = bench.draw_policy(seed)
    bench.level = level
    policy = bench.policy(text)
    if is_verbose:
        print(f"--- seed {seed}\n{text}", flush=True)
    try:
        bench.apply(text)
    except lab.ApplyError as error:
        if bench.may_be_refused(error.message):
            return 0
        tally.check(False, f"seed {seed}, level {level}: {error}\n--- policy\n{text}---")
        return 0
    maker = bench.packets(seed, policy)
    packets = [maker.make() for _ in range(packet_count)]
    differences = judge(bench, policy, packets)
    if differences:
        report(bench, seed, text, differences)
    tally.check(not differences, f"seed {seed}, level {level}: {len(differences)} of {packet_count} packets")
    return packet_count


def main(bench_of=Bench):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fwc")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--policies", type=int, default=80)
    parser.add_argument("--packets", type=int, default=150)
    parser.add_argument("--levels", default="", help="of --optimise: 012 for all; by turns if not given")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    lab.enter("random policies")
    tally = lab.Tally()
    bench = bench_of(options.fwc)
    seeds = range(options.seed, options.seed + options.policies)
    pairs = sum(run_policy(bench, tally, seed, level, options.packets, options.verbose)
                for seed in seeds for level in (options.levels or str(seed % 3)))
    print(f"seeds {seeds[0]} to {seeds[-1]}: {pairs} pairs of policy and packet,"
          f" {'none differing' if not tally.failed else 'SOME DIFFERING'}")
    tally.close()


if __name__ == "__main__":
    sys.exit(main())
