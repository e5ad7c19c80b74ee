"""A laboratory of network namespaces that needs no rights.

`enter` starts the running script again inside new user, mount and network namespaces. There
a Lab builds a firewall namespace and one namespace for each segment, joined by veth pairs.
One thread can hold sockets of all of them: a socket stays in the namespace in which it
was made, so everything is driven by one select loop.
"""

import ctypes
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
from contextlib import contextmanager

CLONE_NEWNET = 0x40000000
INSIDE = "FWC_INSIDE_LAB"
NETLINK_NETFILTER = 12
NFNL_SUBSYS_CTNETLINK = 1
IPCTNL_MSG_CT_DELETE = 2
NLM_F_REQUEST_ACK = 0x5

libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """A command of the laboratory itself failed: not a finding about the compiler."""


def checked(result, what):
    """Turns a libc call's -1 into an OSError."""
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def missing_ability():
    """Why this machine cannot run the laboratory, or None."""
    probe = ("nft add table inet probe && ip link add probe0 type veth peer name probe1"
             " && ip link del probe0")
    try:
        done = subprocess.run(["unshare", "-rnm", "sh", "-c", probe], capture_output=True,
                              text=True, timeout=20)
    except OSError as error:
        return f"cannot start unshare: {error.strerror}"
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines() or ["no message"]
    return "no namespaces with nf_tables here: " + lines[0]


def enter(skipped_tests):
    """Restarts the script inside its namespaces; exits there is nothing to run on."""
    if os.environ.get(INSIDE):
        return
    reason = missing_ability()
    if reason is None:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "-rnm", "--", sys.executable, *sys.argv])
    print(f"{skipped_tests} skipped: {reason}")
    if os.environ.get("FWC_REQUIRE_KERNEL"):
        print("0 passed, 1 failed, 0 skipped")
        sys.exit(1)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(0)


class Namespace:
    """A network namespace, held by a descriptor; needs no name and no mount."""

    def __init__(self, name):
        self.name = name
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        checked(libc.unshare(CLONE_NEWNET), "unshare")
        self.descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        checked(libc.setns(home, CLONE_NEWNET), "setns")
        os.close(home)

    @contextmanager
    def inside(self):
        """Runs a block of this thread in the namespace."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        checked(libc.setns(self.descriptor, CLONE_NEWNET), "setns")
        try:
            yield
        finally:
            checked(libc.setns(home, CLONE_NEWNET), "setns")
            os.close(home)

    def path(self):
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    def socket(self, *arguments):
        with self.inside():
            return socket.socket(*arguments)

    def run(self, command, text=None, timeout=60):
        """Runs a command in the namespace and gives its CompletedProcess."""
        with self.inside():
            return subprocess.run(command, input=text, capture_output=True, text=True,
                                  errors="replace", timeout=timeout)

    def must(self, command, text=None):
        """Runs a command that has to succeed; gives its output."""
        done = self.run(command, text)
        if done.returncode != 0:
            raise LabError(f"{self.name}: {' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def ip(self, lines):
        """Runs ip(8) lines as one batch."""
        self.must(["ip", "-batch", "-"], "\n".join(lines) + "\n")

    def sysctl(self, settings):
        """Writes /proc/sys values; names that this kernel lacks are left out."""
        with self.inside():
            for name, value in settings.items():
                path = "/proc/sys/" + name
                if os.path.exists(path):
                    with open(path, "w", encoding="ascii") as file:
                        file.write(str(value))

    def forget_connections(self):
        """Empties the namespace's connection table."""
        with self.inside():
            channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        with channel:
            kind = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE
            channel.send(struct.pack("=IHHII", 20, kind, NLM_F_REQUEST_ACK, 1, 0)
                         + struct.pack("=BBH", 0, 0, 0))
            answer = channel.recv(4096)
        error = struct.unpack_from("=i", answer, 16)[0]
        if error != 0:
            raise LabError(f"connection table not emptied: {os.strerror(-error)}")

    def close(self):
        os.close(self.descriptor)


QUIET = {
    "net/ipv6/conf/all/accept_dad": 0, "net/ipv6/conf/default/accept_dad": 0,
    "net/ipv6/conf/default/router_solicitations": 0, "net/ipv6/conf/default/accept_ra": 0,
    "net/ipv4/conf/all/rp_filter": 0, "net/ipv4/conf/default/rp_filter": 0,
    "net/ipv4/conf/all/accept_redirects": 0, "net/ipv4/conf/all/send_redirects": 0,
    "net/ipv4/conf/default/send_redirects": 0,
    "net/ipv4/icmp_ratemask": 0, "net/ipv6/icmp/ratelimit": 0,
    "net/ipv4/icmp_msgs_per_sec": 1000000, "net/ipv4/icmp_msgs_burst": 1000000,
    "net/ipv4/icmp_echo_ignore_broadcasts": 1,
}
ROUTER = {"net/ipv4/ip_forward": 1, "net/ipv6/conf/all/forwarding": 1}


MARK = re.compile(r"\n\tchain applied_(?:\d+|boot)(?:\.s\d+)? \{\n(?:\t\t.*\n)*\t\}\n")


class Lab:
    """The firewall's namespace `fw` and its segments, each on an interface of the firewall."""

    def __init__(self, fwc):
        self.fwc = os.path.abspath(fwc)
        self.state = tempfile.TemporaryDirectory()
        self.apply_options = ("--state", self.state.name, "--confirm", "0")
        self.fw = Namespace("fw")
        self.fw.sysctl({**QUIET, **ROUTER})
        self.fw.ip(["link set lo up"])
        self.segments = {}
        self.interfaces = {}

    def add_segment(self, name, interface):
        """A namespace whose eth0 is joined to the firewall's `interface`."""
        segment = Namespace(name)
        segment.sysctl(QUIET)
        self.fw.ip([f"link add {interface} type veth peer name eth0 netns {segment.path()}",
                    f"link set {interface} up"])
        segment.ip(["link set lo up", "link set eth0 up"])
        self.segments[name] = segment
        self.interfaces[name] = interface
        return segment

    def namespace(self, name):
        return self.fw if name == "fw" else self.segments[name]

    def mac(self, interface):
        """The hardware address of a firewall interface, as bytes."""
        return interface_mac(self.fw, interface)

    def run_fwc(self, *arguments, text=None):
        return self.fw.run([self.fwc, *arguments], text)

    def apply(self, path_or_text, *options):
        """Loads a policy, given as a path or, if it holds a blank, as text."""
        is_text = any(blank in path_or_text for blank in " \n;")
        done = self.run_fwc("apply", "-" if is_text else path_or_text, *self.apply_options, *options,
                            text=path_or_text if is_text else None)
        if done.returncode != 0:
            raise ApplyError(done.returncode, done.stderr)
        return done.stderr

    def listing(self):
        """The firewall's tables as nft shows them, without counters' values, and without what says which
        policy was applied."""
        return MARK.sub("", self.fw.must(["nft", "-s", "list", "ruleset"]))

    def clear(self):
        """Back to a machine without rules and connections."""
        self.fw.must(["nft", "flush", "ruleset"])
        self.fw.forget_connections()

    def close(self):
        for segment in self.segments.values():
            segment.close()
        self.fw.close()
        self.state.cleanup()


class ApplyError(Exception):
    """fwc apply did not end with 0."""

    def __init__(self, status, message):
        super().__init__(f"fwc apply ended with {status}: {message.strip()[:2000]}")
        self.status = status
        self.message = message


def interface_mac(namespace, interface):
    words = namespace.must(["ip", "-o", "link", "show", interface]).split()
    return bytes.fromhex(words[words.index("link/ether") + 1].replace(":", ""))


class Tally:
    """Counts checks, prints the failed ones, and closes with the line runners read."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, holds, what):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what}", flush=True)
        return holds

    def skip(self, what, why):
        if os.environ.get("FWC_REQUIRE_KERNEL"):
            self.check(False, f"{what}: cannot be skipped here: {why}")
        else:
            self.skipped += 1
            print(f"skipped: {what}: {why}", flush=True)

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        sys.exit(1 if self.failed else 0)
