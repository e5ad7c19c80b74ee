"""Connections whose translation goes away with a table end: they would be connections to the firewall itself.

usage: translated_test.py FWC

Real packets say who gets what a client sends over sockets that it has used before: the host that a `forward` had
sent it to, the firewall's own service of the same port, or nobody.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "packets"))

import lab  # noqa: E402  (the folder beside)
from checks import Checks  # noqa: E402
from flows_test import Net, is_alive, open_pair  # noqa: E402
import world  # noqa: E402

PLACES = """zone lan { interface lan0; network 192.168.0.0/24, fd00::/64; }
zone wan { interface wan0; network internet; }
"""
PLAIN = PLACES + "allow ssh from lan to self; default deny; default output allow;\n"
TRANSLATES = PLACES + """host web = 198.51.100.2, 2001:db8::2;
forward 5353/udp from lan at 192.168.0.1 to web;
forward 5353/udp from lan at fd00::1 to web;
masquerade from lan to wan;
allow ssh from lan to self;
allow 9999/udp from lan to wan;
default deny; default output allow;
"""
PORT, PORT_OUT = 5353, 9999
TRANSLATED = 3  # a forward of each family, and one that is masqueraded


class Room(Net):
    """The neighbour's clients, and who listens: the firewall itself, and the server behind it."""

    def __init__(self, fwc, folder):
        super().__init__(fwc, folder)
        self.host.sysctl({"net/ipv6/conf/all/forwarding": 1})
        self.host.ip(["addr add 2001:db8::1/64 dev wan0 nodad"])
        self.neighbour.ip(["route add default via fd00::1"])
        self.server.ip(["addr add 2001:db8::2/64 dev wan0 nodad", "route add default via 2001:db8::1"])
        self.listeners = [(name, self.listen(place, port)) for name, place in
                          (("self", self.host), ("server", self.server)) for port in (PORT, PORT_OUT)]

    @staticmethod
    def listen(place, port):
        listener = place.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        listener.bind(("::", port))
        return listener

    def write(self, text):
        path = os.path.join(self.folder, "policy.fw")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def load(self, text, *options, environment=None):
        settings = [f"{name}={value}" for name, value in (environment or {}).items()]
        return self.host.run(["env", *settings, self.fwc, "apply", self.write(text), "--state", self.state,
                              *options])

    def clients(self):
        """Sockets that stay on their ports: of each family to the firewall's address, and one through it."""
        made = []
        for address, port in (("192.168.0.1", PORT), ("fd00::1", PORT), ("198.51.100.2", PORT_OUT)):
            client = self.neighbour.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
                                           socket.SOCK_DGRAM)
            client.connect((address, port))
            made.append(client)
        return made

    def ask(self, clients):
        """Who gets what each client sends: "self", "server" or "-"."""
        found = []
        for _, listener in self.listeners:  # what came before
            received(listener)
        for client in clients:
            try:
                client.send(b"question")
            except OSError:
                client.send(b"question")  # the first call gave the error of an earlier packet
            found.append(self.who_hears())
        return found

    def who_hears(self):
        for wait in (0.02, 0.05, 0.15):
            for name, listener in self.listeners:
                listener.settimeout(wait / len(self.listeners))
                try:
                    _, peer = listener.recvfrom(64)
                except OSError:
                    continue
                if name == "server":
                    listener.sendto(b"answer", peer)
                return name
        return "-"


def ended(words):
    match = re.search(r"ended (\d+) connections? that w\w+ translated: nothing translates (.*) any more", words)
    return (int(match[1]), match[2]) if match else (0, "")


def begin(checks, room):
    """A policy that translates, with connections."""
    done = room.load(TRANSLATES, "--confirm", "0")
    checks.check(done.returncode == 0 and ended(done.stderr) == (0, ""), done.stderr)
    clients = room.clients()
    heard = room.ask(clients)
    checks.check(heard == ["server"] * TRANSLATED, f"what is translated: {heard}")
    return clients


def check_apply(checks, room):
    """The next policy translates nothing; what is not translated goes on."""
    for options in (("--confirm", "0"), ("--confirm", "0", "--no-proof"), ("--confirm", "0", "--optimise", "0")):
        clients = begin(checks, room)
        pair = open_pair(room.host, room.neighbour, "192.168.0.1", 22)
        done = room.load(PLAIN, *options)
        checks.check(done.returncode == 0 and ended(done.stderr) == (TRANSLATED, "IPv4 and IPv6"), done.stderr)
        heard = room.ask(clients)
        checks.check(heard == ["-"] * TRANSLATED, f"{options}: {heard}")
        checks.check(is_alive(pair), "a connection that was not translated ended")
        again = room.load(PLAIN, *options)
        checks.check(again.returncode == 0 and ended(again.stderr) == (0, ""), again.stderr)


def check_staying(checks, room):
    """While anything translates, nothing ends, though nothing new is translated."""
    clients = begin(checks, room)
    done = room.load(PLAIN + "masquerade from lan to wan;\n", "--confirm", "0")
    checks.check(done.returncode == 0 and ended(done.stderr) == (0, ""), done.stderr)
    heard = room.ask(clients)
    checks.check("self" not in heard, f"a policy with one translation: {heard}")


def check_others(checks, room):
    """A table of another program translates on, unless it is dormant."""
    chain = " { chain post { type nat hook postrouting priority 100; }; }"
    for table, families in (("ip other" + chain, "IPv6"), ("ip6 other" + chain, "IPv4"), ("inet other" + chain, ""),
                            ("inet other" + chain.replace("{", "{ flags dormant;", 1), "IPv4 and IPv6")):
        clients = begin(checks, room)
        room.host.must(["nft", "-f", "-"], f"table {table}\n")
        done = room.load(PLAIN, "--confirm", "0")
        checks.check(done.returncode == 0 and ended(done.stderr)[1] == families, f"{table}: {done.stderr}")
        heard = room.ask(clients)
        checks.check("self" not in heard, f"{table}: {heard}")
        room.host.must(["nft", "delete", "table", *table.split()[:2]])


def check_legacy(checks, room):
    """The other program is iptables-legacy."""
    clients = begin(checks, room)
    program = shutil.which("iptables-legacy")
    made = room.host.run([program, "-t", "nat", "-A", "POSTROUTING", "-p", "sctp", "-j", "MASQUERADE"]) if program \
        else None
    if made is None or made.returncode != 0:
        checks.skip("no iptables-legacy that translates here")
        return
    done = room.load(PLAIN, "--confirm", "0")
    checks.check(done.returncode == 0 and ended(done.stderr)[1] == "IPv6", done.stderr)
    heard = room.ask(clients)
    checks.check("self" not in heard, f"beside iptables-legacy: {heard}")


def start_trial(room, text, seconds):
    path = room.write(text)
    with room.host.inside():
        trial = subprocess.Popen([room.fwc, "apply", path, "--state", room.state, "--confirm", str(seconds)],
                                 stderr=subprocess.PIPE, text=True)
    said = ""
    while "comes back" not in said:
        said += trial.stderr.readline()
    return trial, said


def check_trial(checks, room):
    """At once where the one on trial translates nothing; when its time is over, or it is rolled back, where the
    earlier one does."""
    clients = begin(checks, room)
    trial, said = start_trial(room, PLAIN, 30)
    checks.check(ended(said) == (TRANSLATED, "IPv4 and IPv6"), said)
    heard = room.ask(clients)
    checks.check(heard == ["-"] * TRANSLATED, f"on trial: {heard}")
    room.host.must([room.fwc, "confirm", "--state", room.state])
    trial.communicate(timeout=20)
    for seconds in (30, 4):
        trial, said = start_trial(room, TRANSLATES, seconds)
        clients = room.clients()
        heard = room.ask(clients)
        checks.check(heard == ["server"] * TRANSLATED, f"on trial: {heard}")
        if seconds > 4:
            back = room.host.run([room.fwc, "rollback", "--state", room.state])
            checks.check(back.returncode == 0 and ended(back.stderr) == (TRANSLATED, "IPv4 and IPv6"), back.stderr)
        trial.communicate(timeout=20)
        heard = room.ask(clients)
        checks.check(heard == ["-"] * TRANSLATED, f"after a trial of {seconds} s: {heard}")


def check_stop_and_boot(checks, room):
    clients = begin(checks, room)
    done = room.host.run([room.fwc, "stop"])
    checks.check(done.returncode == 0 and ended(done.stderr) == (TRANSLATED, "IPv4 and IPv6"), done.stderr)
    room.load(PLAIN, "--confirm", "0")
    batch = os.path.join(room.folder, "plain.batch")
    shutil.copy(os.path.join(room.state, "boot.batch"), batch)
    clients = begin(checks, room)
    done = room.host.run([room.fwc, "boot", batch])
    checks.check(done.returncode == 0 and ended(done.stderr) == (TRANSLATED, "IPv4 and IPv6"), done.stderr)
    heard = room.ask(clients)
    checks.check(heard == ["-"] * TRANSLATED, f"booted: {heard}")
    done = room.host.run([room.fwc, "boot", batch])
    checks.check(done.returncode == 0 and ended(done.stderr) == (0, ""), done.stderr)


def check_leaving(checks, room):
    """While one takes the place of the other, what was translated stays so until it ends: nothing arrives at the
    firewall itself, however many connections there are."""
    begin(checks, room)
    clients = [room.neighbour.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(20)]
    for client in clients:
        client.connect(("192.168.0.1", PORT))
    heard = room.ask(clients)
    checks.check(heard == ["server"] * len(clients), f"before: {heard}")
    with room.neighbour.socket(socket.AF_INET, socket.SOCK_DGRAM) as many:
        for port in range(20000, 26000):
            many.sendto(b"x", ("198.51.100.2", port))
    own = [listener for name, listener in room.listeners if name == "self"]
    with room.host.inside():
        loading = subprocess.Popen([room.fwc, "apply", room.write(PLAIN), "--state", room.state, "--confirm", "0"],
                                   stderr=subprocess.PIPE, text=True)
    sent = arrived = 0
    while loading.poll() is None:
        for client in clients:
            try:
                sent += client.send(b"question") > 0
            except OSError:
                pass
        arrived += sum(received(listener) for listener in own)
    arrived += sum(received(listener) for listener in own)
    said = loading.communicate()[1]
    checks.check(loading.returncode == 0 and ended(said)[0] >= 20, said)
    checks.check(sent > 100 and arrived == 0, f"{arrived} of {sent} packets arrived while the rules changed")


def received(listener):
    """How many packets wait for it."""
    listener.setblocking(False)
    count = 0
    while True:
        try:
            listener.recv(64)
        except OSError:
            return count
        count += 1


def is_held(room):
    return ".translated" in room.host.must(["nft", "list", "tables"])


def check_killed(checks, room):
    """Whoever is killed in between leaves nothing that arrives at the firewall itself, and the next one ends it."""
    place = world.World(room.fwc)
    library = place.shim("change_shim")
    if library is None:
        checks.skip("sanitizers do not let a library stand before theirs")
        return
    held = 0
    for batch in range(1, 5):
        clients = begin(checks, room)
        checks.check(not is_held(room), "something is held while the policy translates")
        path = room.write(PLAIN)
        with room.host.inside():
            loading = subprocess.Popen([room.fwc, "apply", path, "--state", room.state, "--confirm", "0"],
                                       stderr=subprocess.DEVNULL,
                                       env={**os.environ, "LD_PRELOAD": library, "CHANGE_SHIM_STOP": str(batch)})
        os.waitpid(loading.pid, os.WUNTRACED)
        loading.kill()
        loading.wait()
        held += is_held(room)
        heard = room.ask(clients)
        checks.check("self" not in heard, f"killed before batch {batch}: {heard}")
        done = room.load(PLAIN, "--confirm", "0")
        heard = room.ask(clients)
        checks.check(done.returncode == 0 and heard == ["-"] * TRANSLATED and not is_held(room),
                     f"the next, after batch {batch}: {heard} {done.stderr}")
    checks.check(held > 1, f"held {held} times: the batches are others")
    shutil.rmtree(place.folder)


def check_two_tables(checks, room):
    """Two tables lose their translations at the same time: what holds one's is no translator to the other."""
    place = world.World(room.fwc)
    library = place.shim("change_shim")
    if library is None:
        checks.skip("sanitizers do not let a library stand before theirs")
        return
    clients = begin(checks, room)
    other = ("--table", "other", "--state", os.path.join(room.folder, "other"), "--confirm", "0")
    done = room.host.run([room.fwc, "apply", room.write(TRANSLATES), *other])
    checks.check(done.returncode == 0, done.stderr)
    path = room.write(PLAIN)
    with room.host.inside():
        loading = subprocess.Popen([room.fwc, "apply", path, *other], stderr=subprocess.DEVNULL,
                                   env={**os.environ, "LD_PRELOAD": library, "CHANGE_SHIM_STOP": "3"})
    os.waitpid(loading.pid, os.WUNTRACED)
    done = room.load(PLAIN, "--confirm", "0")
    checks.check(done.returncode == 0 and ended(done.stderr)[0] == TRANSLATED, done.stderr)
    loading.send_signal(signal.SIGCONT)
    checks.check(loading.wait() == 0 and not is_held(room), "the other")
    heard = room.ask(clients)
    checks.check(heard == ["-"] * TRANSLATED, f"two tables: {heard}")
    room.host.must([room.fwc, "stop", "--table", "other"])
    shutil.rmtree(place.folder)


def check_flushed(checks, room):
    """Others took the table away, or put it to sleep: who loads the next one ends what they left."""
    for command in (["flush", "ruleset"], ["add", "table", "inet", "fwc", "{ flags dormant; }"]):
        clients = begin(checks, room)
        room.host.must(["nft", *command])
        done = room.load(PLAIN, "--confirm", "0")
        checks.check(done.returncode == 0 and ended(done.stderr) == (TRANSLATED, "IPv4 and IPv6"),
                     f"{command}: {done.stderr}")
        heard = room.ask(clients)
        checks.check(heard == ["-"] * TRANSLATED, f"{command}: {heard}")


def check_refusal(checks, room):
    """A kernel that refuses to end a connection is asked again; one that ends none leaves them translated, and it
    is told. The policy is in force."""
    place = world.World(room.fwc)
    library = place.shim("change_shim")
    if library is None:
        checks.skip("sanitizers do not let a library stand before theirs")
        return
    clients = begin(checks, room)
    environment = {"LD_PRELOAD": library, "CHANGE_SHIM_FLOWS": "1"}
    done = room.load(PLAIN, "--confirm", "0", environment=environment)
    checks.check(done.returncode == 0 and ended(done.stderr)[0] == TRANSLATED and "FW1410" not in done.stderr,
                 done.stderr)
    clients = begin(checks, room)
    environment["CHANGE_SHIM_FLOWS"] = "1000000"
    done = room.load(PLAIN, "--confirm", "0", "--strict", environment=environment)
    checks.check(done.returncode == 0 and "FW1410" in done.stderr and "applied" in done.stderr and is_held(room) and
                 ended(done.stderr) == (0, ""), f"{done.returncode} {done.stderr}")
    heard = room.ask(clients)
    checks.check("self" not in heard, f"held: {heard}")
    done = room.load(PLAIN, "--confirm", "0")
    checks.check(done.returncode == 0 and ended(done.stderr)[0] == TRANSLATED and not is_held(room), done.stderr)
    shutil.rmtree(place.folder)


def check_taken_back(checks, room):
    """A load that fails behind the load takes its translations with it."""
    place = world.World(room.fwc)
    library, counted = place.shim("state_shim"), place.path("calls")
    if library is None:
        checks.skip("sanitizers do not let a library stand before theirs")
        return
    environment = {"LD_PRELOAD": library, "STATE_SHIM_FOLDER": room.state}
    room.load(PLAIN, "--confirm", "0")
    room.load(TRANSLATES, "--confirm", "0", environment={**environment, "STATE_SHIM_COUNT": counted})
    with open(counted, encoding="ascii") as file:
        calls = int(file.read())
    taken = 0
    for call in range(calls, calls - 12, -1):
        room.load(PLAIN, "--confirm", "0")
        path = room.write(TRANSLATES)
        with room.host.inside():
            loading = subprocess.Popen([room.fwc, "apply", path, "--state", room.state, "--confirm", "0"],
                                       stderr=subprocess.PIPE, text=True,
                                       env={**os.environ, **environment, "STATE_SHIM_FAIL": str(call),
                                            "STATE_SHIM_ERRNO": "28"})
        clients = room.clients()
        while loading.poll() is None:
            room.ask(clients)
        loading.communicate()
        taken += loading.returncode == 3
        if loading.returncode == 3:
            heard = room.ask(clients)
            checks.check(heard == ["-"] * TRANSLATED and not is_held(room), f"failed at call {call}: {heard}")
    checks.check(taken > 0, "no load failed")
    shutil.rmtree(place.folder)


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: translated_test.py FWC")
    lab.enter("tests of connections that were translated")
    checks = Checks()
    folder = tempfile.mkdtemp()
    try:
        room = Room(os.path.abspath(sys.argv[1]), folder)
        for check in (check_apply, check_staying, check_others, check_trial, check_stop_and_boot, check_leaving,
                      check_killed, check_two_tables, check_flushed, check_refusal, check_taken_back, check_legacy):
            check(checks, room)
    finally:
        shutil.rmtree(folder)
    checks.close()


if __name__ == "__main__":
    main()
