"""`fwc hits`: what rules have counted, told by the policy's lines.

usage: hits_test.py FWC

Connections between namespaces are counted here; the first packet of each is what a rule sees.
"""

import json
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

with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot_id:
    BOOT = boot_id.read().strip()

POLICY = """zone lan { interface lan0; network 192.168.0.0/24; }
allow ssh from lan to self count;
allow http from lan to self;
deny telnet id no-telnet;
default deny;
"""


class Net:
    def __init__(self, fwc, folder):
        self.fwc, self.folder = fwc, folder
        self.state = os.path.join(folder, "state")
        self.policy = os.path.join(folder, "policy.fw")
        self.host, self.neighbour = lab.Namespace("host"), lab.Namespace("neighbour")
        self.host.ip(["link set lo up", "link add lan0 type veth peer name lan0 netns " + self.neighbour.path(),
                      "addr add 192.168.0.1/24 dev lan0", "link set lan0 up"])
        self.neighbour.ip(["addr add 192.168.0.2/24 dev lan0", "link set lan0 up"])

    def write(self, text):
        with open(self.policy, "w", encoding="ascii") as file:
            file.write(text)

    def apply(self, *options):
        self.host.must([self.fwc, "apply", self.policy, "--confirm", "0", "--state", self.state, *options])

    def hits(self, *options, state=None):
        return self.host.run([self.fwc, "hits", "--state", state or self.state, *options])

    def rows(self, *options):
        return {row["id"]: row for row in json.loads(self.hits("--json", *options).stdout)}

    def knock(self, port, times):
        for _ in range(times):
            with self.neighbour.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.settimeout(0.2)
                try:
                    probe.connect(("192.168.0.1", port))
                except OSError:
                    pass


def by_line(rows):
    """{line of the policy: packets}, rules alone."""
    return {int(row["place"].rsplit(":", 1)[1]): row.get("packets") for row in rows.values()
            if row["place"] and not row["id"].startswith("default-")}


def check_counts(checks, net):
    net.write(POLICY)
    net.apply("--count")
    first = net.rows()
    checks.check(by_line(first) == {2: 0, 3: 0, 4: 0}, f"at the start: {first}")
    checks.check(all(row["changed"] is None for row in first.values() if row["is_counted"]
                     and row["packets"] == 0), f"nothing changed: {first}")
    net.knock(22, 2)
    net.knock(80, 3)
    net.knock(23, 1)
    net.knock(4000, 2)
    rows = net.rows()
    checks.check(by_line(rows) == {2: 2, 3: 3, 4: 1}, f"connections: {rows}")
    checks.check(rows["default-input"]["packets"] == 2, f"the default: {rows['default-input']}")
    checks.check(rows["no-telnet"]["changed"] is not None and rows["no-telnet"]["bytes"] == 60, f"telnet: {rows}")
    again = net.rows()
    checks.check(again == rows, "nothing came, nothing changes")
    text = net.hits().stdout
    checks.check(re.search(r"^ +3 +180 +20\S+ \S+Z +\S*policy.fw:3: allow http from lan to self;$", text, re.M),
                 text)
    unused = net.hits("--unused").stdout
    checks.check("default-" not in unused and "policy.fw:2" not in unused and
                 re.search(r"^since \S+ \S+Z  \S*policy.fw:5: default deny; \(forward\)$", unused, re.M), unused)
    return rows


def check_keeping(checks, net, rows):
    """Counters keep their values over an apply; those that go are not counted."""
    net.write("# another line\n" + POLICY.replace("deny telnet", "deny ftp;\ndeny telnet"))
    net.apply("--count")
    after = net.rows()
    checks.check(by_line(after) == {3: 2, 4: 3, 5: 0, 6: 1}, f"after another apply: {after}")
    checks.check(after["no-telnet"]["since"] == rows["no-telnet"]["since"] and
                 after["no-telnet"]["changed"] == rows["no-telnet"]["changed"], "since when is kept")
    net.apply()
    plain = net.rows(net.policy)
    checks.check([row["is_counted"] for row in plain.values()].count(True) == 1 and
                 by_line(plain)[3] == 2, f"only `count` counts: {plain}")
    net.host.must(["nft", "reset", "counters", "table", "inet", "fwc"])
    net.knock(22, 1)
    smaller = net.rows()
    checks.check(by_line(smaller)[3] == 1, f"begun anew: {smaller}")
    net.host.must(["nft", "delete", "table", "inet", "fwc"])
    gone = net.hits()
    checks.check(gone.returncode == 0 and "FW1207" in gone.stderr and "not counted" in gone.stdout,
                 f"no table: {gone.stderr}")


def check_new_life(checks, net):
    """A counter that was 0 before and is 0 behind a flush, and counted in between, was not unused all that time."""
    def since(rule):
        return net.rows()[rule]["since"]

    def wait_a_second():
        time.sleep(1.1)  # the file tells seconds

    net.write(POLICY)
    net.apply("--count")
    first = since("no-telnet")
    wait_a_second()
    net.write("# another line\n" + POLICY.replace("deny telnet", "deny ftp;\ndeny telnet"))
    net.apply("--count")
    checks.check(since("no-telnet") == first, "an apply begins nothing anew")
    net.knock(23, 1)
    net.host.must(["nft", "delete", "table", "inet", "fwc"])
    net.apply("--count")
    rows = net.rows()
    checks.check(rows["no-telnet"]["packets"] == 0 and rows["no-telnet"]["since"] > first, f"a flush: {rows}")
    second = rows["no-telnet"]["since"]
    wait_a_second()
    net.write(POLICY.replace("deny telnet id no-telnet;\n", ""))
    net.apply("--count")
    net.write(POLICY)
    net.apply("--count")
    checks.check(since("no-telnet") > second, "a rule that was away")
    net.knock(23, 1)
    counted = net.rows()["no-telnet"]
    other = os.path.join(net.folder, "other.fw")
    with open(other, "w", encoding="ascii") as file:
        file.write("allow ssh;\n")
    net.host.run([net.fwc, "apply", other, "--confirm", "1", "--state", net.state])
    back = net.rows()["no-telnet"]
    checks.check(counted["packets"] == 1 and back == counted, f"behind a trial: {counted} {back}")
    net.host.must(["nft", "reset", "counters", "table", "inet", "fwc"])
    path = os.path.join(net.state, "hits")
    net.rows()
    with open(path, encoding="ascii") as file:
        text = file.read()
    third = since("no-telnet")
    wait_a_second()
    with open(path, "w", encoding="ascii") as file:
        file.write(re.sub(r"(?m)^(c_\S+ \d+ \d+ \d+) \S+$", r"\1", text))
    checks.check(since("no-telnet") == third and re.search(r"^c_no-telnet 0 \d+ 0$", text, re.M) is None,
                 "a file of before there were lives")
    with open(path, "w", encoding="ascii") as file:
        file.write(text.replace(BOOT, BOOT[::-1]))
    checks.check(BOOT in text and since("no-telnet") > third, "another boot")


def check_prometheus(checks, net):
    net.write(POLICY)
    net.apply("--count")
    net.knock(80, 1)
    text = net.hits("--format", "prometheus").stdout
    line = re.compile(r'^(fwc_rule_(packets|bytes)_total)\{table="fwc",id="[^"]+",verdict="(allow|deny|reject)",'
                      r'place="([^"\\]|\\.)*"\} \d+$')
    lines = [row for row in text.splitlines() if not row.startswith("#")]
    checks.check(len(lines) == 12 and all(line.match(row) for row in lines), text)
    checks.check(text.count("# TYPE") == 2 and text.endswith("\n"), text)


def check_ambiguous(checks, net):
    net.write("allow ssh id a+b count;\nallow http id a_b;\n")
    done = net.hits(net.policy)
    checks.check(done.returncode == 0 and "FW1208" in done.stderr and "'a+b'" in done.stderr, done.stderr)


def check_mistakes(checks, net):
    other = os.path.join(net.folder, "other")
    for arguments, status, words in (
            (("--format", "xml"), 2, "xml"), (("none.fw",), 1, "none.fw"), (("a", "b"), 2, "")):
        done = net.hits(*arguments, state=other)
        checks.check(done.returncode == status and words in done.stderr and not done.stdout,
                     f"{arguments}: {done.returncode} {done.stderr}")
    done = net.hits(state=other)
    checks.check(done.returncode == 3 and not done.stdout, f"nothing applied: {done.returncode} {done.stderr}")
    os.makedirs(other, exist_ok=True)
    os.chmod(other, 0o777)
    done = net.hits(net.policy, state=other)
    checks.check(done.returncode == 3 and not done.stdout, f"a folder of all: {done.returncode} {done.stderr}")
    with open(os.path.join(net.state, "hits"), "wb") as file:
        file.write(b"fwc hits 1\nc_no-telnet x\n\xff\xff " + b"9" * 100000 + b"\nc_a 1 2\n")
    done = net.hits()
    checks.check(done.returncode == 0 and "no-telnet" in done.stdout, f"a damaged record: {done.stderr}")
    done = subprocess.run(["unshare", "-U", net.fwc, "hits", net.policy, "--state", net.state + ".no"],
                          capture_output=True, text=True, check=False)
    checks.check(done.returncode == 3 and not done.stdout, f"no rights: {done.returncode} {done.stderr}")


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: hits_test.py FWC")
    lab.enter("hits tests")
    checks = Checks()
    folder = tempfile.mkdtemp()
    try:
        net = Net(os.path.abspath(sys.argv[1]), folder)
        rows = check_counts(checks, net)
        check_keeping(checks, net, rows)
        check_new_life(checks, net)
        check_prometheus(checks, net)
        check_ambiguous(checks, net)
        check_mistakes(checks, net)
    finally:
        shutil.rmtree(folder)
    checks.close()


if __name__ == "__main__":
    main()
