"""`fwc apply --drop-denied`: connections that the new policy denies end, the others go on.

usage: flows_test.py FWC

Data sent over connections that were open before says which are alive.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "packets"))

import lab  # noqa: E402  (the folder beside)
from checks import Checks  # noqa: E402
import world  # noqa: E402

POLICY = """zone lan {{ interface lan0; network 192.168.0.0/24, fd00::/64; }}
zone wan {{ interface wan0; network internet; }}
host web = 198.51.100.2;
forward 8080/tcp from lan at 192.168.0.1 to web port 80;
masquerade from lan to wan;
{rules}
default deny;
default output allow;
"""
BEFORE = "allow ssh, http, https from lan to self, wan;"
AFTER = "allow ssh from lan to self; allow http from lan to wan;"


class Net:
    """neighbour - host - server"""

    def __init__(self, fwc, folder):
        self.fwc, self.folder, self.state = fwc, folder, os.path.join(folder, "state")
        self.host, self.neighbour, self.server = (lab.Namespace(name) for name in ("host", "neighbour", "server"))
        self.host.sysctl({"net/ipv4/ip_forward": 1, "net/ipv6/conf/all/accept_dad": 0,
                          "net/ipv6/conf/default/accept_dad": 0})
        self.neighbour.sysctl({"net/ipv6/conf/default/accept_dad": 0})
        self.host.ip(["link set lo up", "link add lan0 type veth peer name lan0 netns " + self.neighbour.path(),
                      "link add wan0 type veth peer name wan0 netns " + self.server.path(),
                      "addr add 192.168.0.1/24 dev lan0", "addr add fd00::1/64 dev lan0 nodad",
                      "addr add 198.51.100.1/24 dev wan0", "link set lan0 up", "link set wan0 up"])
        self.neighbour.ip(["addr add 192.168.0.2/24 dev lan0", "addr add fd00::2/64 dev lan0 nodad",
                           "link set lan0 up", "route add default via 192.168.0.1"])
        self.server.ip(["addr add 198.51.100.2/24 dev wan0", "link set wan0 up",
                        "route add default via 198.51.100.1"])

    def apply(self, rules, *options, environment=None):
        path = os.path.join(self.folder, "policy.fw")
        with open(path, "w", encoding="ascii") as file:
            file.write(POLICY.format(rules=rules))
        settings = [f"{name}={value}" for name, value in (environment or {}).items()]
        return self.host.run(["env", *settings, self.fwc, "apply", path, "--state", self.state, *options])


def open_pair(listening, client, address, port, port_asked=None):
    """Both ends of a TCP connection."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with listening.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
        listener.listen(1)
        near = client.socket(family, socket.SOCK_STREAM)
        near.settimeout(5)
        near.connect((address, port_asked or port))
        far, _ = listener.accept()
    return near, far


def is_alive(pair):
    near, far = pair
    try:
        near.send(b"x")
    except OSError:
        return False
    far.settimeout(0.3)
    try:
        return far.recv(1) == b"x"
    except OSError:
        return False


def open_all(net):
    return {
        "ssh to self": (open_pair(net.host, net.neighbour, "192.168.0.1", 22), True),
        "http to self": (open_pair(net.host, net.neighbour, "192.168.0.1", 80), False),
        "ssh to self, IPv6": (open_pair(net.host, net.neighbour, "fd00::1", 22), True),
        "https to self, IPv6": (open_pair(net.host, net.neighbour, "fd00::1", 443), False),
        "http through": (open_pair(net.server, net.neighbour, "198.51.100.2", 80), True),
        "https through": (open_pair(net.server, net.neighbour, "198.51.100.2", 443), False),
        "a forward": (open_pair(net.server, net.neighbour, "192.168.0.1", 80, 8080), True),
        "from self": (open_pair(net.server, net.host, "198.51.100.2", 9999), True),
    }


def check_survival(checks, net):
    """Without the option nothing ends."""
    done = net.apply(BEFORE, "--confirm", "0")
    checks.check(done.returncode == 0, done.stderr)
    pairs = open_all(net)
    done = net.apply(AFTER, "--confirm", "0")
    checks.check(done.returncode == 0 and "ended" not in done.stderr, done.stderr)
    for name, (pair, _) in pairs.items():
        checks.check(is_alive(pair), f"{name} ended by itself")
    return pairs


def check_ending(checks, net, pairs):
    done = net.apply(AFTER, "--confirm", "0", "--drop-denied")
    match = re.search(r"ended (\d+) of (\d+) connections", done.stderr)
    denied = sum(not lives for _, lives in pairs.values())
    checks.check(done.returncode == 0 and match and int(match[1]) == denied and int(match[2]) >= len(pairs),
                 f"{denied} are denied: {done.stderr}")
    for name, (pair, lives) in pairs.items():
        checks.check(is_alive(pair) == lives, f"{name} is {'ended' if lives else 'alive'}")


def start_trial(net):
    path = os.path.join(net.folder, "policy.fw")
    with open(path, "w", encoding="ascii") as file:
        file.write(POLICY.format(rules=AFTER))
    with net.host.inside():
        trial = subprocess.Popen([net.fwc, "apply", path, "--state", net.state, "--confirm", "30", "--drop-denied"],
                                 stderr=subprocess.PIPE, text=True)
    while "comes back" not in trial.stderr.readline():
        pass
    return trial


def check_trial(checks, net):
    """What is on trial ends nothing before it is confirmed; who confirms it ends what it denies, also when who
    applied it is gone."""
    for is_killed in (False, True):
        net.apply(BEFORE, "--confirm", "0")
        pair = open_pair(net.host, net.neighbour, "192.168.0.1", 443)
        trial = start_trial(net)
        checks.check(is_alive(pair), "a trial ends a connection")
        if is_killed:
            trial.kill()
        done = net.host.run([net.fwc, "confirm", "--state", net.state])
        _, err = trial.communicate(timeout=20)
        time.sleep(0.1)
        checks.check(done.returncode == 0 and re.search("ended [1-9]", done.stderr) and not is_alive(pair),
                     f"confirmed: {done.returncode} {done.stderr}")
        checks.check(trial.returncode == (-9 if is_killed else 0) and "ended" not in err, err)
        again = net.host.run([net.fwc, "confirm", "--state", net.state])
        checks.check(again.returncode == 5, f"twice: {again.stderr}")


def check_killed(checks, net):
    """Killed between the load and the end of the connections: status says so, and confirm ends them."""
    place = world.World(net.fwc)
    library, counted = place.shim("state_shim"), place.path("calls")
    if library is None:
        checks.skip("sanitizers do not let a library stand before theirs")
        return
    environment = {"LD_PRELOAD": library, "STATE_SHIM_FOLDER": net.state}
    net.apply(BEFORE, "--confirm", "0")
    net.apply(AFTER, "--confirm", "0", "--drop-denied", environment={**environment, "STATE_SHIM_COUNT": counted})
    with open(counted, encoding="ascii") as file:
        calls = int(file.read())
    net.apply(BEFORE, "--confirm", "0")
    pair = open_pair(net.host, net.neighbour, "192.168.0.1", 443)
    for call in range(calls, 0, -1):
        done = net.apply(AFTER, "--confirm", "0", "--drop-denied",
                         environment={**environment, "STATE_SHIM_KILL": str(call)})
        checks.check(done.returncode == -9, f"call {call} of {calls}: {done.returncode} {done.stderr}")
        if is_alive(pair):
            break
        pair = reopen(net)
    status = net.host.run([net.fwc, "status", "--state", net.state])
    checks.check(status.returncode == 0 and "were not all ended: 'fwc confirm'" in status.stdout and is_alive(pair),
                 f"killed at call {call} of {calls}: {status.stdout}")
    done = net.host.run([net.fwc, "confirm", "--state", net.state])
    checks.check(done.returncode == 0 and re.search("ended [1-9]", done.stderr) and not is_alive(pair), done.stderr)
    status = net.host.run([net.fwc, "status", "--state", net.state])
    checks.check(status.returncode == 0 and "\nconfirmed\n" in status.stdout, status.stdout)
    pair = reopen(net)
    done = net.apply(AFTER, "--confirm", "0", "--drop-denied",
                     environment={"LD_PRELOAD": place.shim("change_shim"), "CHANGE_SHIM_FLOWS": "1000000"})
    checks.check(done.returncode == 3 and "FW1409" in done.stderr and is_alive(pair),
                 f"{done.returncode} {done.stderr}")
    done = net.host.run([net.fwc, "confirm", "--state", net.state])
    checks.check(done.returncode == 0 and not is_alive(pair), done.stderr)
    shutil.rmtree(place.folder)


OWN_FORWARD = "forward 8081/tcp from self at 192.168.0.1 to 198.51.100.1 port 80;"


def begins(net, address, port):
    """Whether a new connection of the host's own comes about."""
    with net.host.socket(socket.AF_INET, socket.SOCK_STREAM) as near:
        near.settimeout(0.3)
        try:
            near.connect((address, port))
        except OSError as error:
            return isinstance(error, ConnectionRefusedError)  # nobody listens any more: it was let through
    return True


def check_own(checks, net):
    """Between two addresses of its own: what nothing translates is loopback, and passes; the rest is judged."""
    for denial, lives in (("", True), ("deny ssh from self;", True), ("deny any from self;", False),
                          ("deny http from self to 198.51.100.1;", False)):
        net.apply(BEFORE + OWN_FORWARD, "--confirm", "0")
        translated = open_pair(net.host, net.host, "192.168.0.1", 80, 8081)
        plain = open_pair(net.host, net.host, "192.168.0.1", 81)
        done = net.apply(denial + BEFORE + OWN_FORWARD, "--confirm", "0", "--drop-denied")
        checks.check(done.returncode == 0, done.stderr)
        checks.check(is_alive(translated) == lives and begins(net, "192.168.0.1", 8081) == lives,
                     f"'{denial}': one that is translated: {not lives}")
        checks.check(is_alive(plain) and begins(net, "192.168.0.1", 81), f"'{denial}': loopback ended")


def reopen(net):
    net.apply(BEFORE, "--confirm", "0")
    return open_pair(net.host, net.neighbour, "192.168.0.1", 443)


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: flows_test.py FWC")
    lab.enter("tests of connections")
    checks = Checks()
    folder = tempfile.mkdtemp()
    try:
        net = Net(os.path.abspath(sys.argv[1]), folder)
        pairs = check_survival(checks, net)
        check_ending(checks, net, pairs)
        check_own(checks, net)
        check_trial(checks, net)
        check_killed(checks, net)
    finally:
        shutil.rmtree(folder)
    checks.close()


if __name__ == "__main__":
    main()
