"""The state: whole after every kind of death, safe, and written before the kernel is changed."""

import errno
import os
import shutil
import stat
import subprocess

FIRST, SECOND = "allow ssh;\n", "allow ssh, https;\n"


def case_history(world):
    """What was applied is kept: the last twenty, with every file that they were made of."""
    world.path("list.txt", "10.0.0.0/8\n")
    world.path("zones.fw", 'network lan = file "list.txt";\n')
    policy = world.path("main.fw", 'policy "office" version "7";\ninclude "zones.fw";\nallow ssh from lan;\n')
    world.must("apply", policy, "--confirm", "0")
    entry = world.history()[0]
    world.check(entry["policy"] == "office" and entry["version"] == "7" and entry["mark"] == "confirmed" and
                entry["file"] == policy and entry["user"] and entry["number"] == 1, f"{entry}")
    with open(os.path.join(world.state, "policy-" + entry["sha256"]), encoding="utf-8") as file:
        text = file.read()
    world.check("10.0.0.0/8" in text and "network lan" in text and "allow ssh from lan" in text, text)
    for number in range(22):
        world.must("apply", world.path("n.fw", f"allow {8000 + number}/tcp;\n"), "--confirm", "0")
    entries = world.history()
    world.check([entry["number"] for entry in entries] == list(range(23, 3, -1)), f"{entries}")
    kept = [name for name in os.listdir(world.state) if name.startswith("policy-")]
    world.check(len(kept) == 20, f"{len(kept)} policies are kept")
    printed = world.must("history").stdout
    world.check(len(printed.splitlines()) == 20 and "  23  " in printed.splitlines()[0], printed)


def case_levels_come_back(world):
    """A rollback makes the table again at the level, and by the profile, that it was applied with."""
    lines = "".join(f"allow {port}/udp id p{port};\n" for port in range(1000, 13000, 1000))
    profile = world.path("hits.json", '[{"id": "p3000", "packets": 9}]\n')
    policy = world.path("levels.fw", "allow 47/ip id gre;\nallow 1000-3000/tcp id wide;\n" + lines)
    for options in (["--optimise", "0"], ["--optimise", "2"], ["--profile", profile], ["--count"]):
        world.must("apply", policy, "--confirm", "0", *options)
        before, number = world.rules(), world.history()[0]["number"]
        os.rename(profile, profile + ".away")
        world.must("apply", world.path("other.fw", "allow ssh;\n"), "--confirm", "0")
        world.must("rollback", str(number), "--confirm", "0")
        os.rename(profile + ".away", profile)
        asked = [policy, "udp 10.0.0.1 -> 10.0.0.2:3000"]
        told = world.must("explain", *asked, *options).stdout
        world.check(world.must("explain", *asked).stdout == told and "rule" in told, f"{options}: {told}")
        world.check("chain r_" in told or "--count" not in options, told)
        if options[-1] == "0":
            world.check(world.must("explain", *asked, "--optimise", "1").stdout != told, "levels differ in nothing")
        world.check(world.rules() == before and "3000" in before, f"{options}: {world.rules()}")


def case_modes(world):
    """The folder is 0700, files are 0600, whatever the umask says."""
    previous = os.umask(0)
    world.must("apply", world.path("p.fw", FIRST), "--confirm", "0")
    os.umask(previous)
    world.check(stat.S_IMODE(os.stat(world.state).st_mode) == 0o700, "mode of the folder")
    for name in os.listdir(world.state):
        mode = stat.S_IMODE(os.stat(os.path.join(world.state, name)).st_mode)
        world.check(mode == 0o600, f"{name} has mode {mode:o}")


def refused(world, code, what, **options):
    """An apply that has to end with 3, this code and an untouched kernel."""
    before = world.rules()
    done = world.run("apply", world.path("other.fw", SECOND), "--confirm", "0", **options)
    world.check(done.returncode == 3 and code in done.stderr, f"{what}: {done.returncode} {done.stderr}")
    world.check(world.rules() == before, f"{what}: the kernel was changed")


def case_unsafe_folders(world):
    """Somebody else's folder, or one that others may write to, is not used."""
    world.must("apply", world.path("p.fw", FIRST), "--confirm", "0")
    for mode in (0o770, 0o707, 0o702):
        os.chmod(world.state, mode)
        refused(world, "FW1401", f"mode {mode:o}")
        world.check(world.run("history").returncode == 3, f"history of mode {mode:o}")
    os.chmod(world.state, 0o700)
    if os.geteuid() == 0:
        try:
            os.chown(world.state, 65534, 65534)
        except OSError:
            world.skip("a folder of somebody else: no second user here")
        else:
            refused(world, "FW1401", "somebody else's")
            os.chown(world.state, 0, 0)
    aside = world.state + "-aside"
    os.rename(world.state, aside)
    os.symlink(aside, world.state)
    refused(world, "is a symbolic link", "a link")
    os.unlink(world.state)
    world.path("state", "no folder\n")
    refused(world, "FW1402", "a file")
    os.unlink(world.state)
    os.rename(aside, world.state)
    os.chmod(os.path.join(world.state, "state"), 0o666)
    refused(world, "FW1402", "a list that others may write to")


def case_damage(world):
    """A bit that flips is seen."""
    world.must("apply", world.path("p.fw", FIRST), "--confirm", "0")
    path = os.path.join(world.state, "state")
    with open(path, "rb") as file:
        good = file.read()
    for place in (0, 15, 90, len(good) // 2, len(good) - 2):
        with open(path, "wb") as file:
            file.write(good[:place] + bytes([good[place] ^ 1]) + good[place + 1:])
        refused(world, "FW1403", f"byte {place}")
        world.check(world.run("history").returncode == 3, f"history with byte {place}")
    with open(path, "wb") as file:
        file.write(good[:-40])
    refused(world, "FW1403", "cut short")


def fill(folder):
    with open(os.path.join(folder, "filler"), "wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


def case_disks(world):
    """A full disk and a read-only one: a clear error, the old state, the old rules."""
    os.makedirs(world.state, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "none", world.state], capture_output=True,
                      check=False).returncode != 0:
        world.skip("no mounts here")
        return
    try:
        world.must("apply", world.path("p.fw", FIRST), "--confirm", "0")
        before = world.history()
        fill(world.state)
        refused(world, "FW1402", "a full disk")
        world.check(world.history() == before, "a full disk: the state")
        os.unlink(os.path.join(world.state, "filler"))
        subprocess.run(["mount", "-o", "remount,bind,ro", world.state], check=True)
        refused(world, "FW1402", "a read-only disk")
        world.check(world.history() == before, "a read-only disk: the state")
    finally:
        subprocess.run(["umount", world.state], check=True)


def case_disk_full_on_trial(world):
    """A disk that is full during a trial: nothing is confirmed, the earlier rules come back, and that is said."""
    os.makedirs(world.state, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k,mode=700", "none", world.state], capture_output=True,
                      check=False).returncode != 0:
        world.skip("no mounts here")
        return
    try:
        world.must("apply", world.path("p.fw", FIRST), "--confirm", "0")
        before = world.rules()
        trial = world.start("apply", world.path("other.fw", SECOND), "--confirm", "3")
        world.check(world.wait(lambda: world.marks()[:1] == ["waiting"]), "it is on trial")
        fill(world.state)
        done = world.run("confirm")
        world.check(done.returncode == 3 and "FW1402" in done.stderr, f"confirm: {done.returncode} {done.stderr}")
        world.check(world.rules() != before and world.marks()[:1] == ["waiting"], "nothing is confirmed")
        done = world.run("rollback")
        world.check(done.returncode == 3 and "FW1402" in done.stderr and "back in the kernel" in done.stderr,
                    f"rollback: {done.returncode} {done.stderr}")
        world.check(world.rules() == before, "the earlier rules are back")
        trial.communicate(timeout=20)
        world.check(trial.returncode == 5 and world.rules() == before, f"the trial: {trial.returncode}")
        status = world.run("status")
        world.check(status.returncode == 0 and "and is not in force" in status.stdout, status.stdout)
        os.unlink(os.path.join(world.state, "filler"))
        world.must("apply", world.path("other.fw"), "--confirm", "0")
        world.check(world.marks()[:2] == ["confirmed", "reverted"], str(world.marks()))
    finally:
        subprocess.run(["umount", world.state], check=True)


def shimmed(world, library, **settings):
    environment = {"LD_PRELOAD": library, "STATE_SHIM_FOLDER": world.state}
    environment.update({f"STATE_SHIM_{name}": str(value) for name, value in settings.items()})
    return world.run("apply", world.path("other.fw", SECOND), "--confirm", "0", environment=environment)


def calls_of(world, library):
    counted = world.path("calls")
    done = shimmed(world, library, COUNT=counted)
    world.check(done.returncode == 0, f"with the shim: {done.stderr}")
    with open(counted, encoding="ascii") as file:
        return int(file.read())


def prepare(world):
    """The first policy in the kernel and in a state that can be put back."""
    world.must("apply", world.path("p.fw", FIRST), "--confirm", "0")
    saved = world.state + "-saved"
    shutil.rmtree(saved, ignore_errors=True)
    shutil.copytree(world.state, saved)
    return saved


def restore(world, saved):
    shutil.rmtree(world.state)
    shutil.copytree(saved, world.state)
    world.must("apply", world.path("p.fw", FIRST), "--confirm", "0")


def case_killed(world):
    """Killed at every call: the state is whole, and says more than the kernel holds, never less."""
    library = world.shim("state_shim")
    if library is None:
        world.skip("sanitizers do not let a library stand before theirs")
        return
    saved = prepare(world)
    old = world.rules()
    calls = calls_of(world, library)
    new = world.rules()
    world.check(calls > 20, f"only {calls} calls")
    restore(world, saved)
    for number in range(1, calls + 1):
        before = world.history()
        done = shimmed(world, library, KILL=number)
        entries = world.history()
        if not world.check(done.returncode == -9 and entries is not None, f"killed at call {number}"):
            continue
        rules = world.rules()
        grown = [entry for entry in entries if entry["number"] > before[0]["number"]]
        world.check(len(grown) <= 1 and (rules == old or (rules == new and grown)),
                    f"killed at call {number}: {len(grown)} more entries, the kernel is "
                    f"{'old' if rules == old else 'new' if rules == new else 'neither'}")
        if rules != old or grown:
            world.must("apply", world.path("p.fw", FIRST), "--confirm", "0")
    strays = [name for name in os.listdir(world.state) if name.startswith(".new")]
    world.check(not strays, f"left behind: {strays}")


def case_failing(world):
    """Every call that fails: an error and the old rules, or success; never an error and new rules."""
    library = world.shim("state_shim")
    if library is None:
        world.skip("sanitizers do not let a library stand before theirs")
        return
    saved = prepare(world)
    old = world.rules()
    calls = calls_of(world, library)
    restore(world, saved)
    for number in range(1, calls + 1):
        done = shimmed(world, library, FAIL=number, ERRNO=errno.ENOSPC)
        is_old = world.rules() == old
        what = f"call {number} fails: {done.returncode} {done.stderr[:300]}"
        world.check(done.returncode in (0, 3), what)
        world.check(done.returncode == 0 or (is_old and "error" in done.stderr), what)
        world.check(world.history() is not None, f"{what}: the state")
        if not is_old:
            world.must("apply", world.path("p.fw", FIRST), "--confirm", "0")
