"""`fwc trace`: packets between namespaces, and what is said of their way.

usage: trace_test.py FWC

Whether a packet passed is seen at the sockets; the words have to agree. However a trace ends, by signal,
by count or killed, the kernel holds no table of it afterwards.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "packets"))

import lab  # noqa: E402  (the folder beside)
from checks import Checks  # noqa: E402

POLICY = """zone lan { interface lan0; network 192.168.0.0/24; }
zone wan { interface wan0; network internet; }
host web = 198.51.100.2;
allow ssh, http, https, smtp, imaps, ldap from lan to self, wan;
deny telnet, ftp;
forward 8080/tcp from lan at 192.168.0.1 to web port 80;
default deny;
"""


class Net:
    """neighbour - host - server"""

    def __init__(self, fwc, folder):
        self.fwc, self.folder = fwc, folder
        self.host, self.neighbour, self.server = (lab.Namespace(name) for name in ("host", "neighbour", "server"))
        self.host.ip(["link set lo up", "link add lan0 type veth peer name lan0 netns " + self.neighbour.path(),
                      "link add wan0 type veth peer name wan0 netns " + self.server.path(),
                      "addr add 192.168.0.1/24 dev lan0", "addr add 198.51.100.1/24 dev wan0",
                      "link set lan0 up", "link set wan0 up"])
        self.neighbour.ip(["addr add 192.168.0.2/24 dev lan0", "link set lan0 up",
                           "route add default via 192.168.0.1"])
        self.server.ip(["addr add 198.51.100.2/24 dev wan0", "link set wan0 up",
                        "route add default via 198.51.100.1"])
        self.host.sysctl({"net/ipv4/ip_forward": 1})
        self.listeners = [self.listen(self.host, 80), self.listen(self.server, 80)]
        with open(os.path.join(folder, "policy.fw"), "w", encoding="ascii") as file:
            file.write(POLICY)
        self.host.must([fwc, "apply", os.path.join(folder, "policy.fw"), "--confirm", "0",
                        "--state", os.path.join(folder, "state")])

    @staticmethod
    def listen(place, port):
        listener = place.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(("0.0.0.0", port))
        listener.listen(16)
        return listener

    def trace(self, packet, *options):
        with self.host.inside():
            trace = subprocess.Popen([self.fwc, "trace", "policy.fw", packet, *options], cwd=self.folder, text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        trace.stderr.readline()  # it traces
        return trace

    def connects(self, address, port):
        with self.neighbour.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.settimeout(0.3)
            try:
                probe.connect((address, port))
                return True
            except OSError:
                return False

    def tables(self):
        return self.host.must(["nft", "list", "tables"]).split("\n")

    def is_clean(self):
        """Only the policy's table; a killed process's goes a moment later."""
        for _ in range(50):
            if not any("fwc-trace" in table for table in self.tables()):
                return True
            time.sleep(0.02)
        return False


def policy_words(out, head):
    """What is said of the first packet whose head begins so."""
    match = re.search(r"^(\d+): " + re.escape(head), out, re.M)
    said = re.search(rf"^{match[1]}:   (policy: .*|before any rule.*)$", out, re.M) if match else None
    return said[1] if said else None


def check_paths(checks, net):
    for address, port, passes, place, words in (
            ("192.168.0.1", 80, True, "policy.fw:4", "allow"), ("192.168.0.1", 23, False, "policy.fw:5", "deny"),
            ("192.168.0.1", 99, False, "policy.fw:7", "deny"), ("198.51.100.2", 80, True, "policy.fw:4", "allow"),
            ("198.51.100.2", 21, False, "policy.fw:5", "deny")):
        trace = net.trace(f"tcp 192.168.0.2 -> {address}:{port}")
        checks.check(net.connects(address, port) == passes, f"{address}:{port} {'not ' * passes}open")
        time.sleep(0.2)
        trace.send_signal(signal.SIGINT)
        out, err = trace.communicate(timeout=20)
        said = policy_words(out, "tcp 192.168.0.2:") or ""
        checks.check(trace.returncode == 0 and said.startswith(f"policy: {words}, {place}: "),
                     f"{address}:{port}: {said!r} in {out!r} {err!r}")
        checks.check(f"-> {address}:{port}" in out and ("drop" in out) != passes,
                     f"{address}:{port}: {out!r}")
        checks.check(not passes or "before any rule of the policy: established" in out, f"replies: {out!r}")
        checks.check(net.is_clean(), f"a table is left: {net.tables()}")


def check_translated(checks, net):
    """Before the translation it is chosen, behind it judged."""
    trace = net.trace("tcp any -> 192.168.0.1:8080", "--count", "1")
    checks.check(net.connects("192.168.0.1", 8080), "the forward does not pass")
    out, err = trace.communicate(timeout=20)
    checks.check(trace.returncode == 0 and "-> 192.168.0.1:8080" in out and "-> 198.51.100.2:80" in out and
                 not re.search(r"^2:", out, re.M), f"{out!r} {err!r}")
    said = policy_words(out, "tcp 192.168.0.2:") or ""
    checks.check(re.match(r"policy: allow, policy.fw:[46]: ", said), f"{said!r} in {out!r}")


def check_rights(checks, net):
    """What the process may still do: net administration (12), reading any file (2)."""
    trace = net.trace("udp any -> any")
    with open(f"/proc/{trace.pid}/status", encoding="ascii") as file:
        status = dict(line.split(":\t") for line in file.read().splitlines() if ":\t" in line)
    trace.send_signal(signal.SIGINT)
    trace.wait(timeout=20)
    for name in ("CapPrm", "CapEff", "CapBnd"):
        checks.check(int(status[name], 16) == 1 << 12 | 1 << 2, f"{name}: {status[name]}")
    checks.check(status["NoNewPrivs"] == "1", "new privileges may be gained")


def check_ends(checks, net):
    trace = net.trace("any any -> any", "--seconds", "1")
    checks.check(trace.wait(timeout=20) == 0 and net.is_clean(), "--seconds")
    for stop in (signal.SIGTERM, signal.SIGHUP):
        trace = net.trace("udp any -> any:53")
        trace.send_signal(stop)
        checks.check(trace.wait(timeout=20) == 0 and net.is_clean(), f"{stop.name}: {trace.returncode}")
    first, second = net.trace("tcp any -> any"), net.trace("tcp any -> any")
    checks.check(sum("fwc-trace" in table for table in net.tables()) == 2, "two traces at once")
    for trace in (first, second):
        trace.kill()
        trace.wait()
    checks.check(net.is_clean() and "table inet fwc" in net.tables(), f"killed: {net.tables()}")
    trace = net.trace("icmp any -> any", "--count", "2")
    trace.stdout.close()
    net.neighbour.run(["ping", "-c", "1", "-W", "1", "192.168.0.1"])
    checks.check(trace.wait(timeout=20) != 0 and net.is_clean(), "the reader of the trace is gone")


def check_mistakes(checks, net):
    for packet, words in (
            ("tcp 1.2.3.4", "form"), ("tcp 1.2.3.4 -> 1.2.3.5 x", "form"), ("", "form"), ("tcp a -> b", "'a'"),
            ("tcp 1.2.3.4:70000 -> any", "port"), ("icmp any -> any:80", "port"), ("any 1.2.3.4:5 -> any", "port"),
            ("tcp 1.2.3.4 -> ::1", "family"), ("icmp6 1.2.3.4 -> any", "family"), ("xyz any -> any", "protocol"),
            ("tcp 10.0.0.1/8 -> any", "prefix"), ("tcp [::1 -> any", "address")):
        done = net.host.run([net.fwc, "trace", os.path.join(net.folder, "policy.fw"), packet, "--seconds", "1"])
        checks.check(done.returncode == 1 and "FW1190" in done.stderr and words in done.stderr and not done.stdout,
                     f"{packet!r}: {done.returncode} {done.stderr!r}")
    for packet in ("tcp [::1]:5 -> [fd00::]:80", "icmp6 fe80::/10 -> any", "udp any:5 -> 10.0.0.0/8:6",
                   "47 any -> any"):
        done = net.host.run([net.fwc, "trace", os.path.join(net.folder, "policy.fw"), packet, "--seconds", "1"])
        wanted = 1 if packet[0] == "4" else 0
        checks.check(done.returncode == wanted, f"{packet!r}: {done.returncode} {done.stderr!r}")
    for arguments in (("trace", "policy.fw"), ("trace", "policy.fw", "tcp any -> any", "--count", "0"),
                      ("trace", "policy.fw", "tcp any -> any", "--seconds", "x")):
        done = net.host.run([net.fwc, *arguments])
        checks.check(done.returncode == 2, f"{arguments}: {done.stderr!r}")
    checks.check(net.is_clean(), f"a mistake left a table: {net.tables()}")


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: trace_test.py FWC")
    lab.enter("trace tests")
    checks = Checks()
    folder = tempfile.mkdtemp()
    try:
        net = Net(os.path.abspath(sys.argv[1]), folder)
        check_paths(checks, net)
        check_translated(checks, net)
        check_rights(checks, net)
        check_ends(checks, net)
        check_mistakes(checks, net)
    finally:
        shutil.rmtree(folder)
    checks.close()


if __name__ == "__main__":
    main()
