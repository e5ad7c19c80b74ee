"""`fwc log`: lines and packets that rules logged, told by the policy's lines.

usage: log_test.py FWC

Lines are written here as net/netfilter/nf_log_syslog.c writes them; packets of an NFLOG group come from
the kernel, by rules that fwc loaded.
"""

import json
import os
import random
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

GROUP = "77"
POLICY = """zone lan { interface lan0; network 192.168.0.0/24; }
allow ssh from lan to self log "admin IN= SRC=1" id admin;
deny telnet log id no-telnet;
default deny log;
"""
HEAD = "Nov 21 10:00:01 fw kernel: [ 12.345] "
TCP = "LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF PROTO=TCP SPT=40000 DPT={} WINDOW=64240 RES=0x00 SYN URGP=0 "
LINES = (
    (HEAD + "fwc:no-telnet:deny: IN=eth1 OUT= MAC=aa:bb SRC=192.168.0.5 DST=10.0.0.1 " + TCP.format(23),
     HEAD + "deny tcp 192.168.0.5:40000 -> 10.0.0.1:23 in eth1, policy.fw:3: deny telnet log id no-telnet;"),
    ("fwc:admin:allow: admin IN= SRC=1IN=lan0 OUT= SRC=fe80:0000:0000:0000:0000:0000:0000:0001 "
     "DST=fe80:0000:0000:0000:0000:0000:0000:0002 LEN=60 TC=0 HOPLIMIT=64 FLOWLBL=0 PROTO=TCP SPT=1 DPT=22",
     'allow tcp [fe80::1]:1 -> [fe80::2]:22 in lan0, policy.fw:2: allow ssh from lan to self log "admin IN= '
     'SRC=1" id admin;'),
    ("fwc:default-forward:deny: IN=a OUT=b SRC=1.2.3.4 DST=5.6.7.8 LEN=60 PROTO=ICMP TYPE=8 CODE=0 ID=1 SEQ=1",
     "deny icmp echo-request 1.2.3.4 -> 5.6.7.8 in a out b, policy.fw:4: default deny log;"),
    ("fwc:gone:reject: IN= OUT=b SRC=1.2.3.4 DST=5.6.7.8 LEN=60 PROTO=47 ",
     "reject gre 1.2.3.4 -> 5.6.7.8 out b, rule gone, which this policy does not have"),
    ("fwc:no-telnet:deny: IN=a OUT= SRC=1.2.3.4 DST=5.6.7.8 PROTO=ICMP TYPE=3 CODE=1 [SRC=9.9.9.9 DST=8.8.8.8 "
     "PROTO=TCP SPT=1 DPT=2 ]",
     "deny icmp destination-unreachable code 1 1.2.3.4 -> 5.6.7.8 in a, policy.fw:3: deny telnet log id "
     "no-telnet;"),
    ("fwc:no-telnet:deny: cut short",
     "deny a packet, policy.fw:3: deny telnet log id no-telnet;"),
    ("fwc:no-telnet:deny: IN=\x1b[2J OUT= SRC=1.2.3.4 DST=5.6.7.8 PROTO=UDP SPT=1 DPT=99999",
     None),
    ("fwc: fwc:x: fwc:x:drop: fwc::deny: fwc:a b:deny: nothing", None),
    ("some other line", None),
)


PACKET = "fwc:no-telnet:deny: IN=a OUT= SRC=1.2.3.4 DST=5.6.7.8 PROTO=TCP SPT=1 DPT=23"
KERNEL_HEADS = ("", "[   12.345678] ", "[Sat Nov 21 10:00:01 2026] ", "<4>[   12.345678] ",
                "kern  :warn  : [   1.0] ",
                "2026-11-21T10:00:01,123456+00:00 ", "Nov 21 10:00:01 fw kernel: ", "kernel: ",
                "2026-11-21T10:00:01+0000 fw kernel: ", "[   12.3] fw kernel: ",
                "<4>1 2026-11-21T10:00:01Z fw kernel - - - [ 1.2] ")
OTHER_HEADS = ("Nov 21 10:00:01 fw sshd[99]: Invalid user ", "Nov 21 10:00:01 fw sshd[99]: Invalid user kernel: ",
               "Nov 21 10:00:01 fw sshd[99]: Invalid user [  1.2] ", "Invalid user ", "[ 1.2] systemd[1]: ",
               "<4>1 2026-11-21T10:00:01Z fw sshd 99 - - kernel - - - ",
               "Nov 21 10:00:01 fw sshd[99]: kernel - - - ", "Nov 21 10:00:01 fw mykernel: ")


def told(fwc, folder, text, *options):
    done = subprocess.run([fwc, "log", "policy.fw", "--from", "-", *options], input=text, capture_output=True,
                          cwd=folder, check=False)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def check_lines(checks, fwc, folder):
    for line, wanted in LINES:
        status, out, err = told(fwc, folder, (line + "\n").encode())
        if wanted is not None:
            checks.check((status, out) == (0, wanted + "\n"), f"{line!r}: {status} {out!r} {err!r}")
        else:
            checks.check(status == 0 and "\x1b" not in out, f"{line!r}: {status} {out!r} {err!r}")
    for head in KERNEL_HEADS:
        _, out, err = told(fwc, folder, (head + PACKET + "\n").encode())
        checks.check(out.startswith(head + "deny tcp 1.2.3.4:1") and "left out" not in err,
                     f"{head!r}: {out!r} {err!r}")
    for head in OTHER_HEADS:
        _, out, err = told(fwc, folder, (head + PACKET + "\n").encode())
        checks.check(out == "" and "left out 1 lines" in err, f"forged: {head!r}: {out!r} {err!r}")
    whole = "\n".join(line for line, _ in LINES)
    _, out, _ = told(fwc, folder, whole.encode())
    checks.check(len(out.splitlines()) == 7, f"all lines at once, the last without an end: {out!r}")
    status, out, _ = told(fwc, folder, whole.encode(), "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    checks.check(rows[0]["place"] == "policy.fw:3" and rows[0]["destination_port"] == 23 and
                 rows[2]["type"] == 8 and not rows[3]["is_known"] and rows[1]["words"] == "admin IN= SRC=1",
                 f"json: {rows}")
    generator = random.Random(1)
    noise = bytes(generator.randrange(256) for _ in range(300000)) + b"\n" + LINES[0][0].encode()
    status, out, _ = told(fwc, folder, noise + b"\n" + b"fwc:" * 100000 + b"\n" + LINES[0][0].encode() + b"\n")
    checks.check(status == 0 and LINES[0][1] in out, f"noise: {status}")


def check_ends(checks, fwc, folder):
    done = subprocess.run([fwc, "log", "policy.fw", "--from", "none"], capture_output=True, text=True, cwd=folder,
                          check=False)
    checks.check(done.returncode == 3 and "FW1205" in done.stderr and not done.stdout, done.stderr)
    for arguments in (("log",), ("log", "-", "--from", "-"), ("log", "policy.fw", "--group", "70000"),
                      ("log", "policy.fw", "--group", "1", "--past")):
        done = subprocess.run([fwc, *arguments], capture_output=True, text=True, cwd=folder, check=False,
                              stdin=subprocess.DEVNULL)
        checks.check(done.returncode == 2 and not done.stdout, f"{arguments}: {done.returncode} {done.stderr}")


def check_group(checks, fwc, folder, stop):
    """Packets of a neighbour, by way of the kernel."""
    host, neighbour = lab.Namespace("host"), lab.Namespace("neighbour")
    host.ip(["link set lo up", "link add lan0 type veth peer name lan0 netns " + neighbour.path(),
             "addr add 192.168.0.1/24 dev lan0", "link set lan0 up"])
    neighbour.ip(["addr add 192.168.0.2/24 dev lan0", "link set lan0 up"])
    host.must([fwc, "apply", os.path.join(folder, "policy.fw"), "--log-group", GROUP, "--confirm", "0",
               "--state", os.path.join(folder, "state")])
    with host.inside():
        log = subprocess.Popen([fwc, "log", "policy.fw", "--group", GROUP], cwd=folder, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    log.stderr.readline()  # it listens
    with host.inside():
        second = subprocess.run([fwc, "log", "policy.fw", "--group", GROUP], cwd=folder, text=True,
                                capture_output=True, check=False, timeout=20)
    checks.check(second.returncode == 3 and "FW1205" in second.stderr, f"two listeners: {second.stderr}")
    for port in (22, 23, 4000):
        with neighbour.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.settimeout(0.2)
            try:
                probe.connect(("192.168.0.1", port))
            except OSError:
                pass
    time.sleep(0.3)
    log.send_signal(stop)
    out, err = log.communicate(timeout=20)
    checks.check(log.returncode == 0, f"{stop.name}: {log.returncode} {err}")
    for words in ("allow tcp 192.168.0.2:", "192.168.0.1:22 in lan0, policy.fw:2:",
                  "192.168.0.1:23 in lan0, policy.fw:3:", "192.168.0.1:4000 in lan0, policy.fw:4:"):
        checks.check(words in out, f"{words!r} is not in {out!r}")
    host.close()
    neighbour.close()


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: log_test.py FWC")
    lab.enter("log tests")
    checks = Checks()
    folder = tempfile.mkdtemp()
    try:
        with open(os.path.join(folder, "policy.fw"), "w", encoding="ascii") as file:
            file.write(POLICY)
        fwc = os.path.abspath(sys.argv[1])
        check_lines(checks, fwc, folder)
        check_ends(checks, fwc, folder)
        for stop in (signal.SIGINT, signal.SIGTERM):
            check_group(checks, fwc, folder, stop)
    finally:
        shutil.rmtree(folder)
    checks.close()


if __name__ == "__main__":
    main()
