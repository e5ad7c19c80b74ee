"""Who comes over SSH must not lock himself out: judged beforehand, held against real connections."""

import contextlib
import os
import pty
import re
import socket
import subprocess
import sys

SERVER, CLIENT, PORT = "192.0.2.1", "192.0.2.7", 2222
SESSION = {"SSH_CONNECTION": f"{CLIENT} 50122 {SERVER} {PORT}"}
HERE = "192.0.2.0/24"
CONNECT = (f"import socket; s = socket.create_connection(('{SERVER}', {PORT}), 0.3); print('in', flush=True);"
           "__import__('sys').stdin.read()")


@contextlib.contextmanager
def neighbour():
    """A host beside this one; gives a prefix that runs commands there."""
    holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE)
    holder.stdout.readline()
    there = ["nsenter", "-t", str(holder.pid), "-n"]
    try:
        for command in (f"ip link add out0 type veth peer name out0 netns {holder.pid}",
                        f"ip addr add {SERVER}/24 dev out0", "ip link set out0 up", "ip link set lo up"):
            subprocess.run(command.split(), check=True)
        for command in (f"ip addr add {CLIENT}/24 dev out0", "ip link set out0 up"):
            subprocess.run([*there, *command.split()], check=True)
        yield there
    finally:
        subprocess.run(["ip", "link", "delete", "out0"], check=False)
        holder.kill()
        holder.wait()
        holder.stdout.close()


def gets_in(there):
    """Whether a new connection of the neighbour is let in."""
    with socket.create_server((SERVER, PORT)):
        done = subprocess.run([*there, sys.executable, "-c", CONNECT], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
    return "in" in done.stdout


POLICIES = (
    # text, whether the client gets in, what the message names
    (f"allow {PORT}/tcp from {HERE} to self;", True, ""),
    (f"allow {PORT}/tcp limit 5/second;", True, ""),
    (f"deny any from {CLIENT}; allow {PORT}/tcp;", False, ":1:1: error"),
    (f"allow {PORT}/tcp;\n", True, ""),
    (f"allow https;\nreject {PORT}/tcp to {SERVER};", False, ":2:1: error"),
    ("allow https;", False, "the default decides"),
    (f'zone lan {{ interface other0; }} allow {PORT}/tcp from lan;', False, "the default decides"),
    (f'zone lan {{ interface out0; }} allow {PORT}/tcp from lan;', True, ""),
    (f"allow {PORT}/tcp until 2020-01-01;", False, "the default decides"),
    (f"host web = 198.51.100.9; allow {PORT}/tcp; forward {PORT}/tcp from any to web;", False,
     "'forward' takes it"),
    (f"host web = 198.51.100.9; allow {PORT}/tcp; forward 443/tcp from any to web;", True, ""),
    (f"host here = {SERVER}; allow {PORT}/tcp; forward {PORT}/tcp from any to here;", True, ""),
    (f"host here = {SERVER}; allow https; forward {PORT}/tcp from any to here;", False, "the default decides"),
)

OWN = {"SSH_CONNECTION": f"{SERVER} 50122 {SERVER} {PORT}"}
OWN_POLICIES = (
    # text, whether this machine's own connections get in
    ("deny any; default output deny;", True),
    (f"forward {PORT}/tcp from any to 198.51.100.9;", False),
    (f"forward {PORT}/tcp from any except self to 198.51.100.9;", True),
    (f"forward {PORT}/tcp from {CLIENT} to 198.51.100.9;", True),
    (f"forward {PORT}/tcp from {SERVER} to 198.51.100.9;", False),
    (f"forward {PORT}/tcp from self at {SERVER} to 198.51.100.9;", False),
    (f"forward {PORT}/tcp from self at {CLIENT} to 198.51.100.9;", True),
    (f"forward {PORT}/tcp from self to {SERVER}; forward {PORT}/tcp from any to 198.51.100.9;", True),
)


def case_judged_as_by_packets(world):
    """Refused where a new connection would not get in, loaded where it would."""
    with neighbour() as there:
        for text, is_in, words in POLICIES:
            world.nft("flush ruleset")
            path = world.path("p.fw", text)
            done = world.run("apply", path, "--confirm", "0", environment=SESSION)
            if is_in:
                world.check(done.returncode == 0, f"{text}: {done.returncode} {done.stderr}")
            else:
                world.check(done.returncode == 5 and "FW1426" in done.stderr and words in done.stderr,
                            f"{text}: {done.returncode} {done.stderr}")
                world.check(world.rules() == "", f"{text}: something was loaded")
                world.must("apply", path, "--confirm", "0", "--force", environment=SESSION)
            world.check(gets_in(there) == is_in, f"{text}: the neighbour gets in: {not is_in}")


def case_own_connections(world):
    """Of a session that something on this machine made, a proxy or the end of a tunnel."""
    with neighbour():
        for text, is_in in OWN_POLICIES:
            world.nft("flush ruleset")
            path = world.path("p.fw", text)
            done = world.run("apply", path, "--confirm", "0", environment=OWN)
            world.check(done.returncode == (0 if is_in else 5) and ("FW1426" in done.stderr) != is_in,
                        f"{text}: {done.returncode} {done.stderr}")
            if not is_in:
                world.must("apply", path, "--confirm", "0", "--force", environment=OWN)
            world.check(gets_in([]) == is_in, f"{text}: this machine gets in: {not is_in}")


def counted(world):
    return re.findall(r"counter (\S+) \{\s+packets (\d+)", world.nft("list counters table inet fwc"))


def case_counters_count_on(world):
    """What a rule has counted stays over a trial; what the new rules do not count comes back as it was."""
    rule = f"allow {PORT}/tcp from {HERE} count id door;"
    first = world.path("first.fw", rule)
    with neighbour() as there:
        world.must("apply", first, "--confirm", "0")
        gets_in(there)
        for text, more in (("deny p2p; " + rule, 1), (f"allow {PORT}/tcp;", 0)):
            before = int(dict(counted(world))["c_door"])
            process = world.start("apply", world.path("second.fw", text), "--confirm", "1")
            world.check(world.wait(lambda: world.marks()[:1] == ["waiting"]), "not loaded")
            world.check(gets_in(there), f"{text}: not let in")
            process.communicate(timeout=10)
            after = dict(counted(world))
            world.check(before > 0 and after["c_door"] == str(before + more), f"{text}: {before}, then {after}")


def wants_confirm(world, done, what):
    world.check(done.returncode == 5 and "FW1427" in done.stderr, f"{what}: {done.returncode} {done.stderr}")
    world.check(world.rules() == "" and not os.path.exists(world.state), f"{what}: something was changed")


def case_answers_and_mapped_addresses(world):
    """Untracked answers have to be allowed, too; an IPv4 address inside an IPv6 one is what it is."""
    closed = "default output deny;\n"
    for text, connection, status in (
            (f"allow {PORT}/tcp to self stateless;\n", SESSION["SSH_CONNECTION"], 0),
            (f"allow {PORT}/tcp to self stateless;\n{closed}", SESSION["SSH_CONNECTION"], 5),
            (f"allow {PORT}/tcp to self;\n{closed}", SESSION["SSH_CONNECTION"], 0),
            ("allow http;\n", f"::ffff:{CLIENT} 5 ::ffff:{SERVER} {PORT}", 5),
            (f"allow {PORT}/tcp from {CLIENT} to self;\n", f"::ffff:{CLIENT} 5 ::ffff:{SERVER} {PORT}", 0)):
        with neighbour():
            done = world.run("apply", world.path("p.fw", text), "--confirm", "0",
                             environment={"SSH_CONNECTION": connection})
            world.check(done.returncode == status and ("FW1426" in done.stderr) == (status == 5),
                        f"{text}{connection}: {done.returncode} {done.stderr}")
            subprocess.run([world.fwc, "stop"], check=False, capture_output=True)


def case_garbled_connection_confirms(world):
    """A connection that cannot be read may be anybody's."""
    path = world.path("p.fw", "allow ssh;\n")
    for connection in ("UNKNOWN 65535 UNKNOWN 65535", "garbage"):
        done = world.run("apply", path, environment={"SSH_CONNECTION": connection})
        world.check(done.returncode == 5 and "SSH_CONNECTION says nothing" in done.stderr, f"{done.stderr}")


def case_remote_sessions_confirm(world):
    """Without --confirm nothing is loaded from a session that may be remote."""
    path = world.path("p.fw", f"allow {PORT}/tcp;\n")
    with neighbour():
        wants_confirm(world, world.run("apply", path, environment=SESSION), "SSH_CONNECTION")
        command = 'env -u SSH_CONNECTION "$@"; exit $?'
        done = subprocess.run(["sh", "-c", command, "sh", *world.command("apply", path)], capture_output=True,
                              text=True, check=False, env={**os.environ, **SESSION}, stdin=subprocess.DEVNULL)
        wants_confirm(world, done, "SSH_CONNECTION of an ancestor")
        elsewhere = {"SSH_CONNECTION": "203.0.113.1 1 203.0.113.2 22"}
        done = world.run("apply", path, environment=elsewhere)
        world.check(done.returncode == 5 and "does not have, or not any more" in done.stderr,
                    f"an address that has gone: {done.returncode} {done.stderr}")
        inside = f"unshare -n -- {world.fwc} apply {path} --state {world.state}; exit $?"
        done = subprocess.run(["sh", "-c", inside], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, env={**os.environ, **elsewhere})
        world.check(done.returncode == 0, f"another namespace: {done.returncode} {done.stderr}")
    world.nft("flush ruleset")
    subprocess.run(["rm", "-r", world.state], check=True)
    for connection in ("", "nonsense", "1.2.3.4 22 5.6.7.8"):
        done = world.run("apply", path, "--confirm", "0", environment={"SSH_CONNECTION": connection})
        world.check(done.returncode == 0, f"{connection!r}: {done.stderr}")


def case_terminals(world):
    """A terminal that a program made may be anybody's."""
    path = world.path("p.fw", "allow ssh;\n")
    pid, master = pty.fork()
    if pid == 0:
        os.execv(world.fwc, world.command("apply", path))
    printed = b""
    with contextlib.suppress(OSError):
        while piece := os.read(master, 4096):
            printed += piece
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(master)
    world.check(status == 5 and b"FW1427" in printed, f"{status} {printed}")
    world.check(world.rules() == "", "something was loaded")


DAEMON = """
import os, socket, subprocess, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("listens", flush=True)
connection = server.accept()[0]
server.close()
done = subprocess.run(sys.argv[3:], stdin=subprocess.DEVNULL, capture_output=True, text=True)
print(done.returncode, done.stderr)
"""


def by_daemon(world, there, *command):
    """What a command prints that an sshd starts, which says nothing in the environment."""
    daemon = world.path("sshd")
    if not os.path.exists(daemon):
        os.symlink(sys.executable, daemon)
    environment = {key: value for key, value in os.environ.items() if key != "SSH_CONNECTION"}
    process = subprocess.Popen([daemon, "-c", DAEMON, SERVER, str(PORT), *command], env=environment, text=True,
                               stdout=subprocess.PIPE)
    process.stdout.readline()
    client = subprocess.Popen([*there, sys.executable, "-c", CONNECT], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    printed = process.communicate(timeout=20)[0]
    client.communicate()
    return printed


def case_daemons_socket(world):
    """Without a word in any environment, the socket of an sshd among the ancestors says who it is."""
    path = world.path("p.fw", f"allow https;\ndeny {PORT}/tcp from {CLIENT};\n")
    with neighbour() as there:
        printed = by_daemon(world, there, *world.command("apply", path, "--confirm", "0"))
        world.check(printed.startswith("5 ") and "FW1426" in printed and f"({CLIENT} " in printed, printed)
        printed = by_daemon(world, there, *world.command("apply", path))
        world.check(printed.startswith("5 ") and "FW1427" in printed, printed)
        world.check(world.rules() == "", "something was loaded")


def case_confirmed_by_a_new_session(world):
    """The session that applied cannot confirm: it was open before."""
    path = world.path("p.fw", f"allow {PORT}/tcp;\n")
    with neighbour():
        process = world.start("apply", path, "--confirm", "600", environment=SESSION)
        world.check(world.wait(lambda: world.marks()[:1] == ["waiting"]), "not loaded")
        same = world.run("confirm", environment=SESSION)
        world.check(same.returncode == 5 and "FW1424" in same.stderr, f"{same.returncode} {same.stderr}")
        mapped = {"SSH_CONNECTION": "::ffff:{} {} ::ffff:{} {}".format(*SESSION["SSH_CONNECTION"].split())}
        same = world.run("confirm", environment=mapped)
        world.check(same.returncode == 5 and "FW1424" in same.stderr, f"{same.returncode} {same.stderr}")
        world.check(world.marks()[0] == "waiting", f"{world.marks()}")
        world.must("confirm", environment={"SSH_CONNECTION": f"{CLIENT} 50123 {SERVER} {PORT}"})
        world.check(process.wait(10) == 0, "the one that waits")
        process.communicate()


def case_loopback(world):
    """Who comes by loopback is never locked out: it always passes."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    path = world.path("p.fw", "allow https;\n")
    world.must("apply", path, "--confirm", "0", environment={"SSH_CONNECTION": "127.0.0.1 5 127.0.0.1 22"})
