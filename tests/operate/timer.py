"""Confirmation: the earlier ruleset comes back by itself, whatever becomes of who loaded the new one."""

import fcntl
import os
import signal
import subprocess
import time

OLD = ('zone lan { interface lan0; network 10.1.0.0/16, 10.3.0.0/17; }\n'
       'allow ssh count id shell; allow http from lan limit 5/second per source; deny p2p;\n'
       'allow 8000-8100/tcp, dns from 10.9.0.0/24, 10.10.0.1-10.10.0.9;\n')
NEW = 'allow https, 9000/udp; default deny log "no ";\n'
OTHERS = ("table ip made { chain c { type filter hook input priority 5; policy accept; tcp dport 99 accept; } }\n"
          "table inet fwc2 { set s { type ipv4_addr; flags timeout; elements = { 1.2.3.4 } } }\n")


def policies(world):
    return world.path("old.fw", OLD), world.path("new.fw", NEW)


def others(world):
    path = world.path("others.nft", OTHERS.replace("{ ", "{\n").replace("; ", ";\n").replace(" }", "\n}"))
    world.nft(f"-f {path}")
    return other_rules(world)


def other_rules(world):
    return world.nft("list table ip made") + world.nft("list table inet fwc2")


def loaded(world, before):
    """Whether another ruleset is in force, and may be confirmed."""
    return world.wait(lambda: world.rules() != before and world.marks()[:1] == ["waiting"])


def on_trial(world, process, before):
    """The same, and its time runs."""
    if not loaded(world, before):
        return False
    line = " "
    while line and "comes back in" not in line:
        line = process.stderr.readline()
    return line != ""


def comes_back(world, before, what, seconds=6.0):
    world.check(world.wait(lambda: world.rules() == before and world.marks()[:1] == ["reverted"], seconds),
                f"{what}: the earlier ruleset is not back: {world.marks()}\n{world.rules()[:600]}")


def case_first_ever(world):
    """Nothing was there before: nothing is there again."""
    before = others(world)
    done = world.run("apply", policies(world)[1], "--confirm", "1")
    world.check(done.returncode == 5 and "not confirmed" in done.stderr, f"{done.returncode} {done.stderr}")
    world.check("fwc " not in world.nft("list tables"), world.nft("list tables"))
    world.check(world.marks() == ["reverted"] and other_rules(world) == before, f"{world.marks()}")


def case_runs_out_twice(world):
    """The earlier ruleset is back as it was, once and once more."""
    old, new = policies(world)
    foreign = others(world)
    world.must("apply", old, "--confirm", "0")
    before = world.rules()
    for _ in range(2):
        done = world.run("apply", new, "--confirm", "1")
        world.check(done.returncode == 5, f"{done.returncode} {done.stderr}")
        comes_back(world, before, "the time is over")
        verified = subprocess.run([world.fwc, "verify", old], capture_output=True, text=True, check=False)
        world.check(verified.returncode == 0, f"what came back is not the policy: {verified.stderr}")
    world.check(other_rules(world) == foreign, "tables of others")
    world.check(world.marks() == ["reverted", "reverted", "confirmed"], f"{world.marks()}")
    status = world.run("status")
    world.check(status.returncode == 0 and "the kernel holds what was applied" in status.stdout, status.stdout)


def ended_by(world, number, what):
    old, new = policies(world)
    world.must("apply", old, "--confirm", "0")
    before = world.rules()
    process = world.start("apply", new, "--confirm", "1")
    world.check(loaded(world, before), f"{what}: not loaded")
    os.killpg(process.pid, number)
    process.communicate(timeout=10)
    world.check(process.returncode == -number, f"{what}: {process.returncode}")
    world.check(world.rules() != before, f"{what}: the new ruleset is gone before its time")
    comes_back(world, before, what)


def case_killed(world):
    """SIGKILL of the process that loaded it."""
    ended_by(world, signal.SIGKILL, "SIGKILL")


def case_hung_up(world):
    """SIGHUP to its session: the terminal is gone. Who runs the tests with nohup has it ignored until then."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    ended_by(world, signal.SIGHUP, "SIGHUP")


def case_confirmed_in_time(world):
    """A confirmation from another process keeps the new ruleset, and ends the waiting one."""
    old, new = policies(world)
    world.must("apply", old, "--confirm", "0")
    before = world.rules()
    process = world.start("apply", new, "--confirm", "5")
    world.check(loaded(world, before), "not loaded")
    status = world.run("status")
    world.check("waits for 'fwc confirm' until" in status.stdout, status.stdout)
    after = world.rules()
    world.must("confirm")
    process.communicate(timeout=10)
    world.check(process.returncode == 0, f"the one that waits: {process.returncode}")
    time.sleep(5.2)
    world.check(world.rules() == after and world.marks()[0] == "confirmed", "the new ruleset is gone")
    again = world.run("confirm")
    world.check(again.returncode == 5 and "FW1423" in again.stderr, f"twice: {again.stderr}")


def case_confirmed_too_late(world):
    """After its time there is nothing to confirm."""
    new = policies(world)[1]
    world.check(world.run("confirm").returncode == 5, "nothing was ever applied")
    world.run("apply", new, "--confirm", "1")
    late = world.run("confirm")
    world.check(late.returncode == 5 and "FW1423" in late.stderr and "is back" in late.stderr, late.stderr)
    world.check("fwc " not in world.nft("list tables"), "it is in force again")


def case_two_at_once(world):
    """One is on trial, the other is refused; without a trial both are loaded, one after the other."""
    old, new = policies(world)
    processes = [world.start("apply", path, "--confirm", "2") for path in (old, new)]
    world.check(world.wait(lambda: any(process.poll() is not None for process in processes)), "both wait")
    refused = [process for process in processes if process.poll() is not None]
    world.check(len(refused) == 1 and refused[0].returncode == 5 and "FW1422" in refused[0].stderr.read(),
                "one is refused")
    world.must("confirm")
    statuses = sorted(process.wait(10) for process in processes)
    world.check(statuses == [0, 5], f"{statuses}")
    processes = [world.start("apply", path, "--confirm", "0") for path in (old, new, old, new)]
    statuses = [process.wait(10) for process in processes]
    world.check(statuses == [0] * 4 and world.marks() == ["confirmed"] * 5, f"{statuses} {world.marks()}")
    for process in processes:
        process.communicate()


def case_flushed_meanwhile(world):
    """Somebody takes every ruleset away: the earlier one comes back all the same."""
    old, new = policies(world)
    world.must("apply", old, "--confirm", "0")
    before = world.rules()
    process = world.start("apply", new, "--confirm", "1")
    world.check(loaded(world, before), "not loaded")
    world.nft("flush ruleset")
    comes_back(world, before, "flushed")
    world.check(process.wait(10) == 5, "status")
    process.communicate()


def case_changed_meanwhile(world):
    """Somebody keeps changing his own tables, and ours: it comes back all the same."""
    old, new = policies(world)
    world.must("apply", old, "--confirm", "0")
    before = world.rules()
    process = world.start("apply", new, "--confirm", "1")
    world.check(loaded(world, before), "not loaded")
    world.nft("add chain inet fwc by_hand { type filter hook input priority 7 ; policy drop ; }")
    noise = subprocess.Popen(["sh", "-c", "while :; do nft add table ip noise; nft delete table ip noise; done"],
                             start_new_session=True, stderr=subprocess.DEVNULL)
    returned = process.wait(20)
    os.killpg(noise.pid, signal.SIGKILL)
    noise.wait()
    subprocess.run(["nft", "delete", "table", "ip", "noise"], check=False, stderr=subprocess.DEVNULL)
    comes_back(world, before, "changed")
    world.check(returned == 5, f"status {returned}")
    process.communicate()


def guards():
    """The processes of the way back in this network namespace."""
    here = os.readlink("/proc/self/ns/net")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                if file.read() == "fwc-guard\n" and os.readlink(f"/proc/{pid}/ns/net") == here:
                    yield int(pid)
        except OSError:
            continue


def case_guard_killed(world):
    """Even the process of the way back may be killed: the state still has it."""
    old, new = policies(world)
    world.must("apply", old, "--confirm", "0")
    before = world.rules()
    for way in ("confirm", "rollback", "apply"):
        process = world.start("apply", new, "--confirm", "600")
        world.check(on_trial(world, process, before), "not loaded")
        for pid in guards():
            os.kill(pid, signal.SIGKILL)
        process.wait(10)
        world.check(process.returncode == 3 and "was killed" in process.communicate()[1], f"{process.returncode}")
        status = world.run("status").stdout
        world.check("gone" in status, status)
        other = world.run("apply", old, "--confirm", "600")
        world.check(other.returncode == 5 and "FW1422" in other.stderr, f"a trial over what waits: {other.stderr}")
        if way == "confirm":
            world.must("confirm")
            world.must("rollback", "--confirm", "0")
        elif way == "rollback":
            world.must("rollback")
        else:
            world.must("apply", old, "--confirm", "0")
        world.check(world.rules() == before, f"after {way}: {world.rules()[:300]}")


def case_rollback(world):
    """An earlier policy is made again from what was kept, whatever became of its files."""
    world.path("list.txt", "10.0.0.0/8\n")
    world.path("part.fw", 'network lan = file "list.txt";\n')
    first = world.path("first.fw", 'include "part.fw";\nallow ssh from lan;\n')
    world.must("apply", first, "--confirm", "0")
    before = world.rules()
    world.must("apply", policies(world)[1], "--confirm", "0")
    for name in ("list.txt", "part.fw", "first.fw"):
        os.unlink(world.path(name))
    world.must("rollback", "--confirm", "0")
    world.check(world.rules() == before, "rollback")
    world.must("rollback", "2", "--confirm", "0")
    world.check(world.rules() != before and len(world.history()) == 4, "rollback 2")
    done = world.run("rollback", "1", "--confirm", "1")
    world.check(done.returncode == 5 and world.rules() != before, "a rollback on trial")
    none = world.run("rollback", "99")
    world.check(none.returncode == 5 and "FW1425" in none.stderr, none.stderr)
    process = world.start("apply", world.path("third.fw", "allow ntp;\n"), "--confirm", "600")
    world.check(world.wait(lambda: world.marks()[0] == "waiting"), "not loaded")
    world.must("rollback")
    world.check(process.wait(10) == 5 and world.marks()[0] == "reverted", f"{world.marks()}")
    process.communicate()


def case_status(world):
    """Status says what the kernel holds."""
    world.check(world.run("status").returncode == 1, "nothing was applied")
    policy = world.path("named.fw", 'policy "main office" version "12";\n' + OLD)
    world.must("apply", policy, "--confirm", "0")
    done = world.must("status")
    entry = world.history()[0]
    world.check(f"main office 12, entry 1, sha256 {entry['sha256']}" in done.stdout and "confirmed" in done.stdout,
                done.stdout)
    listing = world.nft("list table inet fwc")
    world.check(f'comment "sha256 {entry["sha256"]} main office 12"' in listing, listing[-600:])
    world.nft("add table ip elsewhere")
    world.check(world.run("status").returncode == 0, "another table changed")
    world.nft("add rule inet fwc input tcp dport 7 accept")
    changed = world.run("status")
    world.check(changed.returncode == 1 and "somebody has changed" in changed.stdout, changed.stdout)
    world.nft("flush ruleset")
    gone = world.run("status", "--json")
    world.check(gone.returncode == 1 and '"kernel": "missing"' in gone.stdout, gone.stdout)


def case_changed_while_loading(world):
    """A foreign change of the table between reading and loading: refused. Of another table: loaded."""
    library = world.shim("change_shim")
    if library is None:
        world.skip("sanitizers do not let a library stand before theirs")
        return
    old, new = policies(world)
    world.must("apply", old, "--confirm", "0")
    for command, status in (("add chain inet fwc by_hand", 5),
                            ("add rule inet fwc by_hand accept", 5), ("delete chain inet fwc by_hand", 5),
                            ("add table ip elsewhere", 0)):
        before = world.marks()
        done = world.run("apply", new, "--confirm", "0",
                         environment={"LD_PRELOAD": library, "CHANGE_SHIM_NFT": command})
        world.check(done.returncode == status and ("FW1421" in done.stderr) == (status == 5),
                    f"{command}: {done.returncode} {done.stderr}")
        if status == 5:
            world.check(world.marks() == before and "9000" not in world.rules(), "something was loaded")
            world.check(("by_hand" in world.rules()) == ("add" in command), f"{command}: it is undone")
            world.must("apply", old, "--confirm", "0")
            world.nft("add chain inet fwc by_hand")


def case_no_processes(world):
    """Where the way back cannot be made sure of, nothing is loaded."""
    library = world.shim("change_shim")
    if library is None:
        world.skip("sanitizers do not let a library stand before theirs")
        return
    done = world.run("apply", policies(world)[1], "--confirm", "5",
                     environment={"LD_PRELOAD": library, "CHANGE_SHIM_NO_FORK": "1"})
    world.check(done.returncode == 3 and "FW1405" in done.stderr, f"{done.returncode} {done.stderr}")
    world.check(world.rules() == "" and world.marks() == [], "something was loaded")


def case_another_kernel(world):
    """What the kernel holds after a load is read back: where it does something else, it is taken back."""
    library = world.shim("change_shim")
    if library is None:
        world.skip("libraries cannot be loaded before a program with sanitizers")
        return
    wrong = {"LD_PRELOAD": library, "CHANGE_SHIM_PORT": "4660"}
    policy = world.path("p.fw", "allow 4660/tcp from 192.0.2.0/24;\n")
    for before in ("", "allow ssh;\n"):
        if before:
            world.must("apply", world.path("before.fw", before), "--confirm", "0")
        held, marks = world.rules(), world.marks()
        for confirm in ("0", "60"):
            done = world.run("apply", policy, "--confirm", confirm, environment=wrong)
            world.check(done.returncode != 0 and "FW0906" in done.stderr and "what the kernel holds" in done.stderr,
                        f"{confirm}: {done.returncode} {done.stderr}")
            world.check(world.rules() == held, f"{confirm}: {world.rules()}")
            world.check(world.marks() == marks, f"{confirm}: {world.marks()}")
    world.must("apply", policy, "--confirm", "0", "--no-proof", environment=wrong)
    world.check("4661" in world.rules() and "4660" not in world.rules(), world.rules())
    world.must("apply", policy, "--confirm", "0")
    world.check("4660" in world.rules(), world.rules())


def case_no_way_back(world):
    """Where the kernel would not take the earlier table, nothing is loaded on trial."""
    library = world.shim("change_shim")
    if library is None:
        world.skip("sanitizers do not let a library stand before theirs")
        return
    old, new = policies(world)
    world.must("apply", old, "--confirm", "0")
    before, marks = world.rules(), world.marks()
    done = world.run("apply", new, "--confirm", "5",
                     environment={"LD_PRELOAD": library, "CHANGE_SHIM_SHORT": "2000"})
    world.check(done.returncode == 3 and "FW1406" in done.stderr, f"{done.returncode} {done.stderr}")
    world.check(world.rules() == before and world.marks() == marks and not list(guards()), "something was changed")


def case_foreign_tables(world):
    """Load after load: tables of others stay as they are."""
    foreign = others(world)
    paths = policies(world)
    for number in range(30 if not world.has_sanitizer else 5):
        world.must("apply", paths[number % 2], "--confirm", "0", "--no-proof")
    world.check(other_rules(world) == foreign, "tables of others")


class Blocked:
    """An fwc that waits for the lock of its state, started early because it waits for ten seconds."""

    def __init__(self, world):
        self.state = world.path("blocked")
        os.makedirs(self.state, mode=0o700)
        self.lock = os.open(os.path.join(self.state, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.process = subprocess.Popen([world.fwc, "confirm", "--state", self.state], stderr=subprocess.PIPE,
                                        text=True, stdin=subprocess.DEVNULL)

    def check(self, world):
        world.case = "timer: a state that is locked"
        errors = self.process.communicate(timeout=20)[1]
        os.close(self.lock)
        world.check(self.process.returncode == 3 and "FW1404" in errors, f"{self.process.returncode} {errors}")
