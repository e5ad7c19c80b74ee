"""What goes wrong at three in the morning: closed files, small limits, rules that are gone, two tables."""

import json
import os
import resource
import shutil
import signal
import subprocess
import time

OLD = "allow ssh count id shell; default deny log;\n"
NEW = "allow https;\n"
SLEEP = "table inet fwc {\n\tflags dormant\n}\n"
DORMANT = """table inet fwc {
\tflags dormant
\tchain input {
\t\ttype filter hook input priority -7; policy drop;
\t}
}
"""


def without_standard_files():
    os.closerange(0, 3)


def case_standard_files_closed(world):
    """Messages go nowhere, rather than into a file of the state or a socket; the way back works."""
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    for number in range(1, 3):
        done = subprocess.run(world.command("apply", old, "--confirm", "0"), preexec_fn=without_standard_files,
                              check=False, cwd=world.folder)
        world.check(done.returncode == 0 and len(world.history() or ()) == number, f"{done.returncode}")
    before = world.rules()
    done = subprocess.run(world.command("apply", new, "--confirm", "1"), preexec_fn=without_standard_files,
                          check=False, cwd=world.folder)
    world.check(done.returncode == 5 and world.rules() == before, f"{done.returncode}: not back")
    world.check(world.wait(lambda: world.marks()[:1] == ["reverted"]), f"{world.marks()}")


def case_files_may_not_grow(world):
    """A limit of file sizes is an error with words, and changes nothing."""
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    world.must("apply", old, "--confirm", "0")
    before = world.rules()
    done = world.run("apply", new, "--confirm", "0",
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512)))
    world.check(done.returncode == 3 and "File too large" in done.stderr, f"{done.returncode}: {done.stderr}")
    world.check(world.rules() == before and world.marks() == ["confirmed"], "something was changed")


def case_applied_again(world):
    """A policy that is in force keeps its rules and their handles; what others did to them meanwhile goes."""
    def handles():
        return [line for line in world.nft("-a list table inet fwc").splitlines()
                if "applied_" not in line and "sha256" not in line]

    def mark():
        return [line.split()[1] for line in world.nft("list table inet fwc").splitlines() if "applied_" in line]

    policy = world.path("p.fw", "allow ssh, https, 4660/udp from 192.0.2.0/24, 198.51.100.0/25;\n")
    world.must("apply", policy, "--confirm", "0")
    first = handles()
    world.path("p.fw", "# other words\nallow ssh, https, 4660/udp from 192.0.2.0/24, 198.51.100.0/25;\n")
    world.must("apply", policy, "--confirm", "0")
    world.check(handles() != first, "another line: rules say where they come from")
    first = handles()
    for confirm in ("0", "600", "0"):
        for others in ("", "add table ip others"):
            if others:
                world.nft(others)
            if confirm == "0":
                world.must("apply", policy, "--confirm", confirm)
            else:
                process = world.start("apply", policy, "--confirm", confirm)
                world.check(world.wait(lambda: world.marks()[:1] == ["waiting"]), "not loaded")
                world.must("confirm")
                process.wait(10)
            world.check(handles() == first, f"{confirm}: made anew")
            number = len(world.marks())
            world.check(mark() == [f"applied_{number}"], f"{mark()}, {number}")
            planned = world.run("plan", policy, "--exit-code")
            world.check(planned.returncode == 0, f"{planned.stdout}{planned.stderr}")
    rules = world.rules()
    for change in ("add rule inet fwc input accept", "flush chain inet fwc forward", "add chain inet fwc by_hand"):
        world.nft(change)
        world.must("apply", policy, "--confirm", "0")
        world.check(world.rules() == rules, f"{change}: {world.rules()}")


def case_confirmed_without_rules(world):
    """Who comes in where the rules are gone has shown nothing: they are not confirmed."""
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    world.must("apply", old, "--confirm", "0")
    for command, words in (("flush ruleset", "has no table"), ("add rule inet fwc input accept", "is not what")):
        before = world.rules()
        process = world.start("apply", new, "--confirm", "600")
        world.check(world.wait(lambda: world.marks()[:1] == ["waiting"]), "not loaded")
        world.nft(command)
        done = world.run("confirm")
        world.check(done.returncode == 5 and "FW1428" in done.stderr and words in done.stderr,
                    f"{command}: {done.returncode} {done.stderr}")
        world.check(world.marks()[0] == "waiting", f"{world.marks()}")
        world.must("rollback")
        world.check(process.wait(10) == 5 and world.rules() == before, f"{command}: not back")
        process.communicate()
    process = world.start("apply", new, "--confirm", "600")
    world.check(world.wait(lambda: world.marks()[:1] == ["waiting"]), "not loaded")
    world.nft("flush ruleset")
    world.must("confirm", "--force")
    world.check(process.wait(10) == 0, "confirmed by force")
    process.communicate()


def case_killed_while_loading(world):
    """What was loading when its process died is not offered for confirmation."""
    library = world.shim("change_shim")
    if library is None:
        world.skip("sanitizers do not let a library stand before theirs")
        return
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    world.must("apply", old, "--confirm", "0")
    before = world.rules()
    process = world.start("apply", new, "--confirm", "0",
                          environment={"LD_PRELOAD": library, "CHANGE_SHIM_STOP": "1"})
    world.check(world.wait(lambda: world.marks()[:1] == ["loading"]), f"{world.marks()}")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    status = world.run("status")
    world.check(status.returncode == 0 and "holds what was applied\nentry 2 (" in status.stdout and
                "is not in force" in status.stdout and "fwc confirm" not in status.stdout, status.stdout)
    done = world.run("confirm")
    world.check(done.returncode == 5 and "has not ended" in done.stderr, done.stderr)
    world.must("rollback")
    world.check(world.rules() == before, "not back")


def case_confirmed_elsewhere(world):
    """A trial with a folder of its own says how to confirm it; a confirmation in another folder says that."""
    done = world.run("apply", world.path("old.fw", OLD), "--confirm", "1")
    world.check(f"'fwc confirm --state {world.state}' comes" in done.stderr, done.stderr)
    other = os.path.join(world.folder, "elsewhere")
    done = subprocess.run([world.fwc, "confirm", "--state", other], capture_output=True, text=True, check=False)
    world.check(done.returncode == 5 and "'--state DIR' is to be that of" in done.stderr, done.stderr)
    shutil.rmtree(other)


def case_many_trials(world):
    """Who tries more often than the state remembers keeps what he had before."""
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    world.must("apply", old, "--confirm", "0")
    before = world.rules()
    for _ in range(22):
        process = world.start("apply", new, "--confirm", "600", "--no-proof")
        world.check(world.wait(lambda: world.marks()[:1] == ["waiting"]), "not loaded")
        world.must("rollback")
        process.communicate(timeout=10)
    history = world.history()
    world.check(len(history) == 20 and history[-1]["number"] == 1 and history[-1]["mark"] == "confirmed",
                f"{len(history)} {history[-1]}")
    world.check(world.run("status").returncode == 0 and world.rules() == before, world.run("status").stdout)
    world.must("apply", new, "--confirm", "0", "--no-proof")
    world.must("rollback", "--confirm", "0")
    world.check(world.rules() == before, "not what was there before the trials")


def case_two_tables(world):
    """A rollback stays in the table of what was applied last; a boot's one table is told."""
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    world.must("apply", old, "--confirm", "0")
    done = world.must("apply", new, "--confirm", "0", "--table", "other")
    world.check("FW1408" in done.stderr, done.stderr)
    before = world.rules()
    done = world.run("rollback", "--confirm", "0")
    world.check(done.returncode == 5 and "FW1425" in done.stderr, f"{done.returncode} {done.stderr}")
    world.check(world.rules() == before, "another table was replaced")


def case_dormant_table(world):
    """A table that somebody put to sleep filters nothing: a plan says it, an apply makes it anew."""
    old, script = world.path("old.fw", OLD), world.path("dormant.nft", DORMANT)
    world.nft(f"-f {script}")
    world.must("apply", old, "--confirm", "0")
    verified = subprocess.run([world.fwc, "verify", old], capture_output=True, text=True, check=False)
    world.check(verified.returncode == 0, f"apply over another's: {verified.stderr}")
    world.nft(f"-f {world.path('sleep.nft', SLEEP)}")
    plan = world.run("plan", old, "--exit-code")
    world.check(plan.returncode == 10 and "is dormant" in plan.stdout, f"{plan.returncode} {plan.stdout}")
    world.must("apply", old, "--confirm", "0")
    world.check("dormant" not in world.rules() and world.run("status").returncode == 0, "it sleeps")
    world.nft("flush ruleset")
    world.nft(f"-f {script}")
    before = world.rules()
    done = world.run("apply", old, "--confirm", "1")
    world.check(done.returncode == 5 and world.rules() == before, f"not back: {done.stderr}")


def case_owned_table(world):
    """A table that a running program owns is its own: the words say so."""
    owner = subprocess.Popen(["nft", "-i"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    owner.stdin.write("add table inet fwc { flags owner; }\n")
    owner.stdin.flush()
    world.check(world.wait(lambda: "fwc" in world.nft("list tables")), "no table")
    done = world.run("apply", world.path("old.fw", OLD), "--confirm", "0")
    world.check(done.returncode == 3 and "another program owns" in done.stderr, f"{done.returncode} {done.stderr}")
    stop = subprocess.run([world.fwc, "stop"], capture_output=True, text=True, check=False)
    world.check(stop.returncode == 3 and "another program owns" in stop.stderr, f"{stop.returncode} {stop.stderr}")
    owner.communicate()


def hits_file(world):
    with open(os.path.join(world.state, "hits"), encoding="ascii") as file:
        return file.read()


def case_counters_begun_anew(world):
    """After a boot or a flush a count is known since now; what was seen before stays seen."""
    world.must("apply", world.path("old.fw", OLD), "--confirm", "0")
    with open(os.path.join(world.state, "hits"), "w", encoding="ascii") as file:
        file.write("fwc hits 1\nc_shell 7 1000 2000\n")
    row = json.loads(world.must("hits", "--json").stdout)[0]
    world.check(row["id"] == "shell" and row["packets"] == 0 and row["changed"].startswith("1970-01-01 00:33"),
                f"{row}")
    world.check(not row["since"].startswith("1970"), f"{row}")


def case_damaged_files_leave_a_way(world):
    """What cannot be read is told with a way out, and does not stop what does without it."""
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    world.must("apply", old, "--confirm", "0")
    world.must("apply", new, "--confirm", "0")
    for entry in world.history():
        with open(os.path.join(world.state, "policy-" + entry["sha256"]), "a", encoding="ascii") as file:
            file.write("x")
    plan = world.run("plan", old, "--exit-code")
    world.check(plan.returncode == 10 and "cannot be read" in plan.stdout and "add" in plan.stdout,
                f"{plan.returncode} {plan.stdout} {plan.stderr}")
    back = world.run("rollback", "--confirm", "0")
    world.check(back.returncode == 3 and "rollback NUMBER" in back.stderr, back.stderr)
    world.must("apply", old, "--confirm", "0")
    path = os.path.join(world.state, "state")
    for change, words in ((lambda: os.chmod(path, 0o666), "chmod 600"),
                          (lambda: os.rename(path, path + ".x") or os.symlink("state.x", path), "symbolic link")):
        change()
        done = world.run("apply", new, "--confirm", "0")
        world.check(done.returncode == 3 and words in done.stderr, f"{words}: {done.stderr}")
        os.chmod(path, 0o600)
    os.unlink(path)
    with open(path, "w", encoding="ascii") as file:
        file.write("fwc state 2 " + "0" * 64 + "\n{}")
    os.chmod(path, 0o600)
    done = world.run("status")
    world.check(done.returncode == 3 and "another version" in done.stderr and "apply the policy" in done.stderr,
                done.stderr)


def case_hits_of_tables(world):
    """Each table has its own counters; without a policy's file '--table' says whose."""
    old, new = world.path("old.fw", OLD), world.path("new.fw", NEW)
    world.must("apply", old, "--confirm", "0")
    world.must("apply", new, "--confirm", "0", "--table", "other", "--count")
    for table, words in (("fwc", "old.fw:1"), ("other", "new.fw:1")):
        done = world.must("hits", "--table", table)
        world.check(words in done.stdout, f"{table}: {done.stdout}")
    world.check("\nother/c_" in hits_file(world) and "\nc_shell " in hits_file(world), hits_file(world))
    done = world.run("hits", "--table", "none")
    world.check(done.returncode == 3 and "as table none" in done.stderr, f"{done.returncode} {done.stderr}")


def case_words_for_who_has_no_rights(world):
    """Who forgot sudo is told so; an option that is none here by its name."""
    path = world.path("old.fw", OLD)
    world.must("apply", path, "--confirm", "0")
    os.chmod(world.folder, 0o755)
    if os.geteuid() == 0:
        for name in ("status", "confirm", "rollback"):
            done = world.run(name, user=65534, extra_groups=[])
            world.check(done.returncode == 3 and "root" in done.stderr, f"{name}: {done.returncode} {done.stderr}")
        done = subprocess.run([world.fwc, "stop"], capture_output=True, text=True, check=False, user=65534,
                              extra_groups=[])
        world.check(done.returncode == 3 and "run it as root" in done.stderr, f"{done.returncode} {done.stderr}")
    done = world.run("confirm", "--table", "x")
    world.check(done.returncode == 2 and "'--table'" in done.stderr, done.stderr)
    done = subprocess.run([world.fwc, "apply", path, "--confirm", "0", "--state", f"{world.folder}/none/state"],
                          capture_output=True, text=True, check=False)
    world.check(done.returncode == 3 and "mkdir -p" in done.stderr, done.stderr)
