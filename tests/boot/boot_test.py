"""What a boot loads, and what it loads when its files cannot be used.

usage: boot_test.py FWC

The kernel's listing and packets between namespaces decide; the files are damaged here, with the
format of the header written down a second time.
"""

import contextlib
import hashlib
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "packets"))

import lab  # noqa: E402  (the folder beside)
from checks import Checks  # noqa: E402

HEADER = struct.Struct("<8sI4sIIQ40s32s")
DONE, RESCUE, BARE, WORLD = 0, 10, 11, 3
POLICY = """zone lan { interface lan0; network 192.168.0.0/24; }
allow ssh from lan to self rescue;
allow http from lan to self;
"""
NFT_MSG_DELTABLE, NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE, NFPROTO_IPV4 = 2, 3, 6, 2


class Batch:
    """A file taken apart: `messages` as (type, flags, sequence, port, payload)."""

    def __init__(self, data):
        self.magic, self.version, self.order, self.count, self.zero, _, self.table, _ = HEADER.unpack_from(data)
        self.messages = []
        at = HEADER.size
        while at < len(data):
            length, *fields = struct.unpack_from("=IHHII", data, at)
            self.messages.append((*fields, data[at + 16:at + length]))
            at += (length + 3) & ~3

    def bytes(self):
        body = b""
        for kind, flags, sequence, port, payload in self.messages:
            body += struct.pack("=IHHII", 16 + len(payload), kind, flags, sequence, port) + payload
            body += b"\0" * (-len(body) % 4)
        head = HEADER.pack(self.magic, self.version, self.order, self.count, self.zero, len(body), self.table,
                           b"")[:72]
        return head + hashlib.sha256(head + body).digest() + body


class Boot:
    """One folder with the two files, one namespace that boots them."""

    def __init__(self, fwc, checks, folder):
        self.fwc, self.checks, self.folder = fwc, checks, folder
        self.path = os.path.join(folder, "boot.batch")
        self.policy = os.path.join(folder, "policy.fw")
        with open(self.policy, "w", encoding="ascii") as file:
            file.write(POLICY)
        self.good = self.rescue = b""

    def run(self, place, *arguments):
        return place.run([self.fwc, *arguments])

    def listing(self, place):
        return place.must(["nft", "-s", "list", "ruleset"])

    def compile(self, policy):
        for name in (self.path, self.path + ".rescue"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
        done = subprocess.run([self.fwc, "compile", policy, "--target", "nft-batch", "-o", self.path],
                              capture_output=True, text=True, check=False)
        self.checks.check(done.returncode == 0, f"{policy} does not compile: {done.stderr}")
        self.good, self.rescue = self.read(self.path), self.read(self.path + ".rescue")

    @staticmethod
    def read(path):
        with open(path, "rb") as file:
            return file.read()

    def put(self, good=None, rescue=None):
        for path, data in ((self.path, self.good if good is None else good),
                           (self.path + ".rescue", self.rescue if rescue is None else rescue)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(data)

    def boots(self, place, status, words, *listings):
        """The boot ends so; the kernel then holds one of the listings."""
        place.must(["nft", "flush", "ruleset"])
        done = self.run(place, "boot", self.path)
        self.checks.check(done.returncode == status and not done.stdout,
                          f"{words}: status {done.returncode}, not {status}: {done.stderr}")
        self.checks.check(not listings or self.listing(place) in listings, f"{words}: another ruleset")
        return done


def check_examples(boot, place):
    """A boot gives what apply gives, twice, and leaves other tables alone."""
    folder = os.path.join(TOP, "examples")
    for name in sorted(name for name in os.listdir(folder) if name.endswith(".fw")):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            if "\ndevice " in file.read():
                continue
        place.must(["nft", "flush ruleset; add table ip other; add chain ip other c; add rule ip other c drop"])
        place.must([boot.fwc, "apply", os.path.join(folder, name), "--confirm", "0", "--state",
                    os.path.join(boot.folder, "state")])
        applied = lab.MARK.sub("", boot.listing(place))
        boot.compile(os.path.join(folder, name))
        place.must(["nft", "flush ruleset; add table ip other; add chain ip other c; add rule ip other c drop"])
        for words in ("", " again"):
            done = boot.run(place, "boot", boot.path)
            boot.checks.check(done.returncode == DONE and lab.MARK.sub("", boot.listing(place)) == applied,
                              f"{name}: boot{words} differs from apply: {done.stderr}")
        stopped = boot.run(place, "stop")
        boot.checks.check(stopped.returncode == DONE and "other" in boot.listing(place)
                          and "fwc" not in boot.listing(place), f"{name}: stop: {stopped.stderr}")
    boot.checks.check(boot.run(place, "stop").returncode == DONE, "stop without a table")


def check_damage(boot, place, generator):
    """Each cut and each flipped byte is seen: the rescue batch, then the built-in rules."""
    boot.put()
    boot.boots(place, DONE, "whole files")
    whole = boot.listing(place)
    boot.put(good=b"")
    boot.boots(place, RESCUE, "an empty file")
    rescued = boot.listing(place)
    boot.put(good=b"", rescue=b"")
    boot.boots(place, BARE, "two empty files")
    bare = boot.listing(place)
    boot.checks.check(len({whole, rescued, bare}) == 3, "the three rulesets differ")
    for length in sorted({1, 8, 71, 103, 104, 105, len(boot.good) - 1,
                          *(generator.randrange(len(boot.good)) for _ in range(15))}):
        boot.put(good=boot.good[:length])
        boot.boots(place, RESCUE, f"cut at {length}", rescued)
    for _ in range(30):
        at = generator.randrange(len(boot.good))
        damaged = bytearray(boot.good)
        damaged[at] ^= 1 << generator.randrange(8)
        boot.put(good=bytes(damaged))
        boot.boots(place, RESCUE, f"byte {at} flipped", rescued)
    boot.put(good=boot.good + b"\0\0\0\0", rescue=boot.rescue[:-4])
    boot.boots(place, BARE, "one longer, one shorter", bare)
    return rescued, bare


def forged(data, change):
    batch = Batch(data)
    change(batch)
    return batch.bytes()


def drop_message(kind):
    def change(batch):
        numbers = [index for index, message in enumerate(batch.messages) if message[0] & 0xff == kind]
        del batch.messages[numbers[0]]
        batch.count -= 1
    return change


def retarget(batch):
    """The last message speaks of a table of the same length."""
    kind, flags, sequence, port, payload = batch.messages[-1]
    batch.messages[-1] = (kind, flags, sequence, port, payload.replace(b"fwc\0", b"abc\0", 1))


def refamily(batch):
    kind, flags, sequence, port, payload = batch.messages[-1]
    batch.messages[-1] = (kind, flags, sequence, port, bytes([NFPROTO_IPV4]) + payload[1:])


def retype(batch):
    _, flags, sequence, port, payload = batch.messages[-1]
    batch.messages[-1] = ((10 << 8) | 8, flags, sequence, port, payload)  # NFT_MSG_DELRULE


def resubsystem(batch):
    _, flags, sequence, port, payload = batch.messages[-1]
    batch.messages[-1] = (1 << 8, flags, sequence, port, payload)  # conntrack


def set_field(name, value):
    return lambda batch: setattr(batch, name, value)


def check_forgeries(boot, place, rescued):
    """Files whose checksum is right."""
    order = Batch(boot.good).order
    for words, change, reason in (
            ("unchanged", lambda batch: None, None),
            ("another byte order", set_field("order", order[::-1]), "byte order"),
            ("another version", set_field("version", 2), "version 2"),
            ("another count", set_field("count", 1), "not as many"),
            ("no name", set_field("table", b""), "no name"),
            ("another table's name", set_field("table", b"abc"), "something else"),
            ("a message about another table", retarget, "something else"),
            ("a message of another family", refamily, "something else"),
            ("a message of another kind", retype, "something else"),
            ("a message of another subsystem", resubsystem, "something else"),
            ("a chain that is not made", drop_message(NFT_MSG_NEWCHAIN), "refused")):
        boot.put(good=forged(boot.good, change))
        if reason is None:
            boot.boots(place, DONE, words)
            continue
        done = boot.boots(place, RESCUE, words, rescued)
        boot.checks.check(reason in done.stderr, f"{words}: {done.stderr}")


def check_owners(boot, place, rescued):
    """Files that somebody else may have written, and what is no file."""
    boot.put()
    os.chmod(boot.path, 0o620)
    boot.boots(place, RESCUE, "the group may write", rescued)
    os.chmod(boot.path, 0o602)
    boot.boots(place, RESCUE, "others may write", rescued)
    real = boot.path + ".real"
    os.chmod(boot.path, 0o600)
    os.rename(boot.path, real)
    os.symlink(real, boot.path)
    boot.boots(place, RESCUE, "a symbolic link", rescued)
    os.unlink(boot.path)
    os.mkfifo(boot.path)
    boot.boots(place, RESCUE, "a pipe", rescued)
    os.unlink(boot.path)
    os.mkdir(boot.path)
    boot.boots(place, RESCUE, "a folder", rescued)
    os.rmdir(boot.path)
    boot.boots(place, RESCUE, "no file", rescued)
    os.unlink(real)


def check_rights(boot):
    """Without a namespace of its own the process may change nothing."""
    done = subprocess.run(["unshare", "-U", boot.fwc, "boot", boot.path], capture_output=True, text=True,
                          check=False)
    boot.checks.check(done.returncode == WORLD and "error" in done.stderr, f"no rights: {done.stderr}")


def check_usage(boot):
    """-o is needed, and a failed write leaves both files as they were."""
    done = subprocess.run([boot.fwc, "compile", boot.policy, "--target", "nft-batch"], capture_output=True,
                          text=True, check=False)
    boot.checks.check(done.returncode == 2 and not done.stdout, f"no -o: {done.stderr}")
    boot.put()
    os.mkdir(boot.path + ".rescue.d")
    os.unlink(boot.path + ".rescue")
    os.rename(boot.path + ".rescue.d", boot.path + ".rescue")
    with open(boot.policy, "a", encoding="ascii") as file:
        file.write("allow https from lan to self;\n")
    done = subprocess.run([boot.fwc, "compile", boot.policy, "--target", "nft-batch", "-o", boot.path],
                          capture_output=True, text=True, check=False)
    boot.checks.check(done.returncode == WORLD and boot.read(boot.path) == boot.good,
                      f"half of the two files was written: {done.stderr}")
    os.rmdir(boot.path + ".rescue")


def put_unit(fwc, folder, name, source):
    """A file of contrib/systemd where systemd-analyze finds it."""
    with open(os.path.join(TOP, "contrib", "systemd", source), encoding="utf-8") as file:
        text = file.read().replace("/usr/local/bin/fwc", os.path.abspath(fwc)).replace("Documentation=", "#")
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path, text


def verify_unit(checks, path, folder, words):
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True,
                          check=False, env={**os.environ, "SYSTEMD_UNIT_PATH": folder + ":"})
    checks.check(done.returncode == 0 and "fwc" not in done.stderr, f"{words}: {done.stderr}")
    return done


def check_unit(fwc, checks, folder):
    """systemd understands each line of the unit and of its drop-ins."""
    if shutil.which("systemd-analyze") is None:
        checks.skip("the unit: no systemd-analyze here")
        return
    units = os.path.join(folder, "units")
    path, text = put_unit(fwc, units, "fwc.service", "fwc.service")
    verify_unit(checks, path, units, "unit")
    checks.check("ExecReload=" in text and "ReloadPropagatedFrom=nftables.service" in text and
                 "PartOf=nftables.service" in text, "unit: it survives nftables.service's flush")
    network = os.path.join(units, "network.service")
    with open(network, "w", encoding="ascii") as file:
        file.write("[Unit]\nDefaultDependencies=no\nAfter=network-pre.target\nWants=network-pre.target\n"
                   "[Service]\nExecStart=/bin/true\n")
    for name, source in (("fwc.service.d/local.conf", "fwc.service.d/example.conf"),
                         ("fwc.service.d/closed.conf", "fwc.service.d/closed.conf"),
                         ("network.service.d/fwc.conf", "network-needs-rules.conf")):
        put_unit(fwc, units, name, source)
    verify_unit(checks, network, units, "drop-ins")
    os.unlink(path)
    missing = subprocess.run(["systemd-analyze", "verify", "--man=no", network], capture_output=True, text=True,
                             check=False, env={**os.environ, "SYSTEMD_UNIT_PATH": units + ":"})
    checks.check("fwc.service" in missing.stderr, f"the network does not need fwc.service: {missing.stderr}")


def check_confirmed(boot, place):
    """Applied is what boots: nothing has to be compiled for it."""
    state = os.path.join(boot.folder, "state")
    place.must([boot.fwc, "apply", boot.policy, "--state", state, "--confirm", "0"])
    applied = boot.listing(place)
    place.must(["nft", "flush", "ruleset"])
    done = boot.run(place, "boot", os.path.join(state, "boot.batch"))
    boot.checks.check(done.returncode == DONE and boot.listing(place) == applied,
                      f"what was applied: {done.stderr}")
    with open(boot.policy, "a", encoding="ascii") as file:
        file.write("allow smtp from lan to self;\n")
    with place.inside():
        trial = subprocess.Popen([boot.fwc, "apply", boot.policy, "--state", state, "--confirm", "30"],
                                 stderr=subprocess.PIPE, text=True)
    while "comes back" not in trial.stderr.readline():
        pass
    on_trial = boot.listing(place)
    place.must(["nft", "flush", "ruleset"])
    boot.run(place, "boot", os.path.join(state, "boot.batch"))
    boot.checks.check(boot.listing(place) == applied != on_trial, "a policy on trial boots")
    with place.inside():
        refused = subprocess.run([boot.fwc, "confirm", "--state", state], capture_output=True, text=True,
                                 check=False)
    boot.checks.check(refused.returncode == 5 and "FW1428" in refused.stderr, "rules that are not in force")
    place.must([boot.fwc, "confirm", "--force", "--state", state])
    trial.wait(timeout=20)
    place.must(["nft", "flush", "ruleset"])
    done = boot.run(place, "boot", os.path.join(state, "boot.batch"))
    boot.checks.check(done.returncode == DONE and boot.listing(place) == on_trial,
                      "what was confirmed does not boot")
    os.unlink(os.path.join(state, "boot.batch"))
    done = boot.run(place, "boot", os.path.join(state, "boot.batch"))
    boot.checks.check(done.returncode == RESCUE, f"its rescue batch: {done.stderr}")


# --- packets ------------------------------------------------------------------------------------------


def connects(place, address, port):
    with place.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.4)
        try:
            probe.connect((address, port))
            return True
        except OSError:
            return False


def check_packets(boot, host, neighbour):
    """Who gets in after which boot: the neighbour to 22 and 80, the host to itself."""
    listeners = []
    for port in (22, 80):
        listener = host.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind(("0.0.0.0", port))
        listener.listen(16)
        listeners.append(listener)
    for words, good, rescue, status, wanted in (
            ("the policy", None, None, DONE, (True, True)),
            ("the rescue batch", b"", None, RESCUE, (True, False)),
            ("the built-in rules", b"", b"", BARE, (False, False))):
        boot.put(good, rescue)
        boot.boots(host, status, words)
        found = tuple(connects(neighbour, "192.168.0.1", port) for port in (22, 80))
        boot.checks.check(found == wanted, f"{words}: 22 and 80 are {found}, not {wanted}")
        boot.checks.check(connects(host, "127.0.0.1", 80), f"{words}: loopback is closed")
    for listener in listeners:
        listener.close()


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: boot_test.py FWC")
    lab.enter("boot tests")
    checks = Checks()
    folder = tempfile.mkdtemp()
    try:
        boot = Boot(os.path.abspath(sys.argv[1]), checks, folder)
        host, neighbour = lab.Namespace("host"), lab.Namespace("neighbour")
        host.ip(["link set lo up", "link add lan0 type veth peer name lan0 netns " + neighbour.path(),
                 "addr add 192.168.0.1/24 dev lan0", "link set lan0 up"])
        neighbour.ip(["addr add 192.168.0.2/24 dev lan0", "link set lan0 up"])
        check_examples(boot, host)
        boot.compile(boot.policy)
        rescued, _ = check_damage(boot, host, random.Random(1))
        check_forgeries(boot, host, rescued)
        check_owners(boot, host, rescued)
        boot.put()
        check_rights(boot)
        check_packets(boot, host, neighbour)
        check_confirmed(boot, host)
        check_usage(boot)
        check_unit(sys.argv[1], checks, folder)
    finally:
        shutil.rmtree(folder)
    checks.close()


if __name__ == "__main__":
    main()
